"""Who may ask: the token where one is configured (as a bearer header, or by a session that began with it), this machine
alone where none is, and no other site's forms."""

import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import posted
from exporter.answers import Refusal, problem, wants_page
from exporter.sessions import Sessions

OPEN_PATHS: Final = frozenset({"/metrics", "/-/healthy", "/-/ready"})
LOGIN: Final = "/login"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_HEAD_BYTES: Final = 16 * 1024  # h11 holds to its own limit only while a head is incomplete
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Access:
    """`token` is asked at every request (its file may rotate) and gives None where none is configured. `names` are the
    host names beside this machine's own under which a listener without a token is reached."""

    token: Callable[[], SecretStr | None]
    loopback: bool
    sessions: Sessions = field(default_factory=Sessions)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    names: frozenset[str] = frozenset()


def refusal(request: Request, access: Access) -> Refusal | None:
    """Why this request may not go on; None when it may."""
    if _head_bytes(request) > MOST_HEAD_BYTES:
        return Refusal(431, f"At most {MOST_HEAD_BYTES} bytes of path and headers are read.")
    path = request.scope["path"]  # what the router looks at; `request.url` is made with the Host that somebody sent
    if path in OPEN_PATHS:
        return None
    token = access.token()
    if token is not None:
        known = presents(request, token) or session(request, access, token) is not None
        if not known and path != LOGIN:
            return Refusal(
                401,
                "This needs the token of `server.token` as a bearer header.",
                headers={"WWW-Authenticate": 'Bearer realm="freezeframe"'},
            )
    elif not access.loopback:
        return Refusal(403, "No token is configured, so only metrics and health are served beyond this machine.")
    elif not _is_ours(request.headers.get("host", ""), access.names):
        # A name that someone else's DNS points at this machine must not open it to their pages.
        return Refusal(403, "Without a token this is served under the names of this machine only.")
    if request.method not in SAFE_METHODS and _is_cross_site(request):
        return Refusal(403, "Another site's page may not do this.")
    return None


def is_token(presented: bytes, token: SecretStr) -> bool:
    """In a time that does not depend on where they differ; an empty token is nobody's."""
    expected = token.get_secret_value().encode()
    return hmac.compare_digest(presented.strip(), expected) and bool(expected)


def presents(request: Request, token: SecretStr) -> bool:
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    return is_token(presented.encode("latin-1", "replace"), token) and scheme.lower() == "bearer"


def session(request: Request, access: Access, token: SecretStr) -> str | None:
    """The session that the request's cookie holds, where it is one of ours and not over."""
    cookie = request.cookies.get(access.sessions.cookie)
    if cookie is None or not access.sessions.holds(cookie, token, access.clock()):
        return None
    return cookie


def _head_bytes(request: Request) -> int:
    named = sum(len(name) + len(value) for name, value in request.scope["headers"])
    return named + len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"])


def _is_ours(host: str, names: frozenset[str]) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].strip("[]").lower()
    try:
        return name == "localhost" or name in names or ipaddress.ip_address(name).is_loopback
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
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        error = refusal(request, self._access)
        if error is not None:
            await self._refused(request, error)(scope, receive, send)
            return
        token = self._access.token()
        known = None if token is None else session(request, self._access, token)
        if token is not None and known is not None and not presents(request, token):
            form_token = self._access.sessions.form_token(known, token)
            scope.setdefault("state", {})["form_token"] = form_token
            if request.method not in SAFE_METHODS and scope["path"] != LOGIN:
                try:
                    receive = await _of_our_form(request, form_token)
                except Refusal as refused:
                    await problem(request, refused)(scope, request.receive, send)
                    return
        await self._app(scope, receive, send)

    def _refused(self, request: Request, error: Refusal) -> Response:
        """A person who may sign in is led there and back; whoever sends something is told that it was not taken."""
        if error.status_code != 401 or not wants_page(request):
            return problem(request, error)
        if request.method in SAFE_METHODS:
            path = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{LOGIN}?next={quote(path, safe='/')}", 303, {"Vary": "Accept"})
        detail = "Nothing was saved: your session has ended. Sign in in another tab, then come back and send it again."
        return problem(request, Refusal(401, detail, headers=error.headers))


async def _of_our_form(request: Request, form_token: str) -> Receive:
    """What a browser sends under a session must be a form of ours: the cookie alone proves nothing about who asks. The
    body, to be read once more by the route."""
    content = await posted.body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fields = parse_qs(content.decode("utf-8", "replace")) if kind == posted.FORM else {}
    if not hmac.compare_digest(fields.get(posted.FORM_TOKEN, [""])[0].encode(), form_token.encode()):
        raise Refusal(403, "This was not sent by a form of this page as it is now. Load the page again and repeat it.")

    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await request.receive()

    return again
