"""The routes /login and /logout, for people who follow a pager's link: the token once, then a session."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exporter import answers, posted
from exporter.access import LOGIN, Access, is_token, session
from exporter.sessions import LASTS_S, Attempts

LOGOUT: Final = "/logout"
# A path of ours and nothing that a browser could read as another host: `//host`, `/\\host`, or with a tab in between.
_LOCAL: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}", re.ASCII)


def local(path: str | None) -> str:
    """Where to go after the sign-in: a path of this site, else the status page."""
    if not path or not _LOCAL.fullmatch(path) or urlsplit(path).path in (LOGIN, LOGOUT):
        return "/"
    return path


@dataclass(frozen=True, slots=True)
class LoginRoutes:
    """`attempts` is the one thing that is remembered of those who fail."""

    access: Access
    attempts: Attempts = field(default_factory=Attempts)
    clock_s: Callable[[], float] = time.monotonic

    def routes(self) -> list[Route]:
        return [
            Route(LOGIN, self.login, methods=["GET", "POST"]),  # one route, or a 405 would allow half of its methods
            Route(LOGOUT, self.sign_out, methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        return await (self.sign_in(request) if request.method == "POST" else self.form(request))

    async def form(self, request: Request) -> Response:
        following = local(request.query_params.get("next"))
        token = self.access.token()
        if token is None or session(request, self.access, token) is not None:
            return RedirectResponse(following, 303)
        return self._form(following)

    async def sign_in(self, request: Request) -> Response:
        stated = posted.fields(request, await posted.body(request))
        following = local(str(stated.get("next", "")))
        token, now_s = self.access.token(), self.clock_s()
        if token is None:
            return RedirectResponse(following, 303)
        wait_s = self.attempts.wait_s(now_s)
        if wait_s:
            words = "Too many wrong tokens in the last minute, from anywhere. None is looked at until it is over."
            headers = {"Retry-After": str(int(wait_s) + 1)}
            return self._form(following, error=words, status=429, headers=headers)
        if not is_token(str(stated.get("token", "")).encode("utf-8", "replace"), token):
            self.attempts.failed(now_s)
            return self._form(following, error="That is not the token.", status=403)
        response = RedirectResponse(following, 303)
        sessions = self.access.sessions
        response.set_cookie(
            sessions.cookie,
            sessions.begin(token, self.access.clock()),
            max_age=LASTS_S,
            httponly=True,
            secure=sessions.is_secure,
            samesite="lax",  # strict would not be sent when somebody follows a link out of a chat
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        token = self.access.token()
        known = None if token is None else session(request, self.access, token)
        if known is not None:
            self.access.sessions.end(known, self.access.clock())
        response = RedirectResponse(LOGIN, 303)
        sessions = self.access.sessions
        response.delete_cookie(sessions.cookie, httponly=True, secure=sessions.is_secure, samesite="lax")
        return response

    def _form(
        self, following: str, *, error: str | None = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        text = answers.html("login.html", following=following, error=error)
        return answers.page(text, status=status, headers=headers)
