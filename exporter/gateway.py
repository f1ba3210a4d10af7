"""A small local OpenAI-compatible gateway that plays a script of faults, for `freezeframe demo` and for tests.

Its values are fake and it says so: here, in the header `x-demo` of every answer, and at `GET /`. It reads strictly, so
that a request which passes here would pass at a real gateway: wrong path 404, wrong method 405, missing or wrong key
401, a body that is not the documented one 400. Requests are counted as they arrive, so that others can be held to their
own count.
"""

import asyncio
import contextlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

from exporter.gateway_answers import Answer, Call, Refused, answer, error_answer, read_call, request_id_at
from exporter.gateway_docs import CHAT_PATH, MARK, MODELS, documents
from exporter.gateway_script import Behaviour, Script
from probe.records import Headers

_HEAD_LIMIT_BYTES: Final = 64 * 1024
_BODY_LIMIT_BYTES: Final = 1024 * 1024
_CHUNK_PAUSE_S: Final = 0.02  # between events of a stream, so that first token and last byte are two instants
_REQUESTS_A_DAY: Final = 600


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Gateway:
    """Serves one host and port until stopped. `keys` maps the name of an account to its API key.

    `behaviours` may be changed while it runs. `received` counts what arrived whole, by (model, kind): the kind is
    ``chat`` or ``stream`` for chat requests (refused ones under model ""), else ``get`` or ``other``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        keys: Mapping[str, str],
        models: tuple[str, ...] = MODELS,
        slow_s: float = 2.0,
    ) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.received: Counter[tuple[str, str]] = Counter()
        self._host, self._port = host, port
        self._keys = tuple(key.encode() for key in keys.values())
        self._models = models
        self._slow_s = slow_s
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def chat_requests(self) -> int:
        """Every chat request received, answered well or not."""
        return sum(count for (_, kind), count in self.received.items() if kind in ("chat", "stream"))

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_HEAD_LIMIT_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends every connection, also one that is being answered."""
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def play(
        self, script: Script, seconds: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Switch the behaviours as the script says, spread over so many seconds."""
        reached = 0.0
        for fraction in script.switches:
            if fraction > reached:
                await sleep((fraction - reached) * seconds)
            reached = fraction
            self.behaviours = {model: script.behaviour_at(model, fraction) for model in self._models}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection goes on."""
        now = datetime.now(UTC)
        request_id = request_id_at(now)
        keep = False
        try:
            request = await _read(reader)
            keep = request.headers.get("connection", "").lower() != "close"
            result = await self._answer(request, request_id, now)
        except Refused as refused:
            result = error_answer(refused.status, "invalid_request_error", refused.code, refused.message, request_id)
        keep = keep and result.whole
        for part in _wire(result, self._headers(request_id, now, keep)):
            if writer.is_closing():  # it waited no longer; writing all the same is an error in uvloop
                raise ConnectionResetError("the caller has gone")
            writer.write(part)
            await writer.drain()
            if result.stream:
                await asyncio.sleep(_CHUNK_PAUSE_S)
        return keep

    async def _answer(self, request: Request, request_id: str, now: datetime) -> Answer:
        if request.path != "/v1" + CHAT_PATH:
            return self._page(request)
        try:
            call = self._call(request)
        except Refused:
            self.received["", "chat"] += 1
            raise
        self.received[call.model, "stream" if call.stream else "chat"] += 1
        behaviour = self.behaviours.get(call.model, Behaviour.HEALTHY)
        if behaviour is Behaviour.SLOW:
            await asyncio.sleep(self._slow_s)
        result = answer(behaviour, call, request_id, now)
        if result.status != HTTPStatus.OK:
            return result
        left = max(0, _REQUESTS_A_DAY - self.chat_requests)
        quota = (
            ("x-ratelimit-limit-requests", str(_REQUESTS_A_DAY)),
            ("x-ratelimit-remaining-requests", str(left)),
        )
        return replace(result, headers=(*result.headers, *quota))

    def _call(self, request: Request) -> Call:
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "This path takes POST")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refused(401, "missing_api_key", "You did not provide an API key")
        if not any(hmac.compare_digest(key.encode(), known) for known in self._keys):
            raise Refused(401, "invalid_api_key", "Incorrect API key provided")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "unsupported_media_type", "The body must be application/json")
        return read_call(request.body, self._models)

    def _page(self, request: Request) -> Answer:
        """The unpaid paths: what the gateway is, its documents, its models."""
        self.received["", "get" if request.method == "GET" else "other"] += 1
        pages = documents(self.origin, self._models)
        if request.path not in pages:
            raise Refused(404, "path_not_found", "There is nothing at this path")
        if request.method != "GET":
            raise Refused(405, "method_not_allowed", "This path takes GET")
        kind, text = pages[request.path]
        return Answer(200, (("content-type", kind),), (text.encode(),))

    def _headers(self, request_id: str, now: datetime, keep: bool) -> Headers:
        return (
            ("date", format_datetime(now, usegmt=True)),
            ("server", "freezeframe-demo-gateway"),
            ("x-demo", MARK),
            ("x-request-id", request_id),
            ("connection", "keep-alive" if keep else "close"),
        )


async def _read(reader: asyncio.StreamReader) -> Request:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise Refused(431, "headers_too_large", "The request's headers are too large") from error
    line, *lines = head[:-4].split("\r\n")
    method, _, rest = line.partition(" ")
    path, _, version = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not path.startswith("/") or not method.isupper():
        raise Refused(400, "bad_request", "The request line is not HTTP/1.1")
    headers: dict[str, str] = {}
    for header in lines:
        name, colon, value = header.partition(":")
        if not colon or not name or name != name.strip() or name.lower() in headers:
            raise Refused(400, "bad_request", "A header is malformed or given twice")
        headers[name.lower()] = value.strip()
    if "host" not in headers or "transfer-encoding" in headers:
        raise Refused(400, "bad_request", "A host is needed, and a body of stated length")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "bad_request", "content-length is not a number")
    if int(length) > _BODY_LIMIT_BYTES:
        raise Refused(413, "payload_too_large", "The body is too large")
    return Request(method, path.partition("?")[0], headers, await reader.readexactly(int(length)))


def _wire(result: Answer, headers: Headers) -> Iterator[bytes]:
    """The bytes of an answer: a stream in chunks, anything else with its length. Cut, it lacks what it announced."""
    body = b"".join(result.parts)
    framing = ("transfer-encoding", "chunked") if result.stream else ("content-length", str(len(body)))
    head = [f"HTTP/1.1 {result.status} {HTTPStatus(result.status).phrase}"]
    head += [f"{name}: {value}" for name, value in (*headers, *result.headers, framing)]
    yield ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
    if not result.stream:
        yield body if result.whole else body[: len(body) // 2]
        return
    for part in result.parts:
        yield f"{len(part):x}\r\n".encode() + part + b"\r\n"
    if result.whole:
        yield b"0\r\n\r\n"
