"""Who may ask: the token where one is configured, this machine alone where none is, and no other site's forms."""

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter.answers import Refusal, problem

OPEN_PATHS: Final = frozenset({"/metrics", "/-/healthy", "/-/ready"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Access:
    """`token` is asked at every request (its file may rotate) and gives None where none is configured."""

    token: Callable[[], SecretStr | None]
    loopback: bool


def refusal(request: Request, access: Access) -> Refusal | None:
    """Why this request may not go on; None when it may."""
    if request.url.path in OPEN_PATHS:
        return None
    token = access.token()
    if token is not None:
        if not _presents(request.headers.get("authorization", ""), token):
            return Refusal(
                401,
                "This needs the token of `server.token` as a bearer header.",
                headers={"WWW-Authenticate": 'Bearer realm="freezeframe"'},
            )
    elif not access.loopback:
        return Refusal(403, "No token is configured, so only metrics and health are served beyond this machine.")
    elif not _is_loopback(request.headers.get("host", "")):
        # A name that someone else's DNS points at this machine must not open it to their pages.
        return Refusal(403, "Without a token this is served under the names of this machine only.")
    if request.method not in SAFE_METHODS and _is_cross_site(request):
        return Refusal(403, "Another site's page may not do this.")
    return None


def _presents(authorization: str, token: SecretStr) -> bool:
    scheme, _, presented = authorization.partition(" ")
    expected = token.get_secret_value().encode()
    matches = hmac.compare_digest(presented.strip().encode("latin-1", "replace"), expected)
    return matches and scheme.lower() == "bearer" and bool(expected)


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_cross_site(request: Request) -> bool:
    """By what browsers send and pages cannot forge; a program sends neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


class Guard:
    """Stands before the routes, so that nothing behind it can be forgotten."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            error = refusal(request, self._access)
            if error is not None:
                await problem(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)
