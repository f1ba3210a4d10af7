"""How an answer is shaped: a page for people, JSON for programs, common headers, errors in the form asked for."""

import asyncio
import base64
import hashlib
import http
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jinja2
import orjson
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.bodies import excerpt
from exporter.negotiation import prefers_page
from exporter.slices import pieces
from probe.packet import Problem
from probe.packet.wording import VERDICT_WORDS
from probe.records import Verdict
from probe.render.compiled import Compiled

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
_COPY: Final = (_TEMPLATES / "copy.js").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS: Final = {
    # Our own style sheet and the one script by their digests and nothing else: what a provider wrote can neither run
    # nor load anything.
    "Content-Security-Policy": f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_COPY)}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it a browser's own form would come from the origin "null" and be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age(seconds: float) -> str:
    """A duration as people say it, in its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def size(count: int) -> str:
    """Bytes as people say them, and exactly."""
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.0f} KiB" if count < 1024**2 else f"{count / 1024**2:.1f} MiB"


def _words(verdict: str) -> str:
    """The words for a verdict; an unreadable packet has another text in its place, which stays as it is."""
    return VERDICT_WORDS[Verdict(verdict)] if verdict in set(Verdict) else verdict


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        bytecode_cache=Compiled(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        optimized=False,  # no filter's result is compiled in
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(utc=utc, age=age, words=_words, size=size, excerpt=excerpt)
    # The digests above are of these very characters; the files are ours and hold no "</".
    environment.globals["style"] = Markup(_STYLE)  # noqa: S704 - see above
    environment.globals["copies"] = Markup(_COPY)  # noqa: S704 - see above
    environment.globals |= {"form_token": None, "path": "", "verdicts": tuple(Verdict)}
    return environment


PAGES: Final = _environment()


class Refusal(HTTPException):
    """A request that is refused; `parameter` is the part of it that was wrong, `damaged` the packet that was asked for
    and what of it is not as it was written."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        parameter: str | None = None,
        headers: Mapping[str, str] | None = None,
        damaged: tuple[str, Sequence[Problem]] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.parameter = parameter
        self.damaged = damaged


def asker(request: Request) -> dict[str, Any]:
    """What every page knows of the request: where it is, and what the forms of a session carry."""
    return {"path": request.scope["path"], "form_token": request.scope.get("state", {}).get("form_token")}


def html(template: str, **facts: Any) -> str:
    return PAGES.get_template(template).render(facts)


async def long_html(template: str, facts: Mapping[str, Any]) -> list[bytes]:
    """The same, in pieces, for a page that grows with the number of targets: made between the probes."""
    return await pieces(PAGES.get_template(template).generate(facts))


def long(body: Sequence[bytes], headers: Mapping[str, str]) -> Response:
    """Megabytes handed to the kernel at once would hold the loop for milliseconds, and every probe with it."""
    if len(body) <= 1:
        return Response(b"".join(body), headers=headers)
    whole = str(sum(map(len, body)))
    return StreamingResponse(_one_by_one(body), headers={**headers, "Content-Length": whole})


async def _one_by_one(body: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in body:
        yield piece
        await asyncio.sleep(0)


def page(text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(text, status, {"Vary": "Accept", **(headers or {})})


def document(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, {"Vary": "Accept", **(headers or {})}, "application/json")


def listed(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """As programs read them."""
    return [{"file": it.file, "problem": it.kind} for it in problems]


def wants_page(request: Request) -> bool:
    return prefers_page(",".join(request.headers.getlist("accept")))


def problem(request: Request, error: HTTPException) -> Response:
    """The error as RFC 9457 problem details, or as a page."""
    title = http.HTTPStatus(error.status_code).phrase
    headers = dict(error.headers or {})
    packet_id, problems = (error.damaged if isinstance(error, Refusal) else None) or (None, ())
    if wants_page(request):
        facts = asker(request) | {"status": error.status_code, "title": title, "detail": error.detail}
        text = html("problem.html", **facts, packet=packet_id, problems=problems)
        return page(text, status=error.status_code, headers=headers)
    content = {"type": "about:blank", "title": title, "status": error.status_code, "detail": error.detail}
    parameter = error.parameter if isinstance(error, Refusal) else None
    if parameter is not None:
        content["parameter"] = parameter
    if packet_id is not None:
        content["problems"] = listed(problems)
    answer = document(content, status=error.status_code, headers=headers)
    answer.headers["Content-Type"] = "application/problem+json"
    return answer


class CommonHeaders:
    """Puts `HEADERS` on every answer that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
