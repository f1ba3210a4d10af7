"""The server that knows: answers chat requests on loopback, plain and over TLS, and tells its true times afterwards.

One process and one loop of its own. Each exchange is stamped with the machine's monotonic clock, which all processes
read alike: when its connection was accepted (before TLS), when its first byte, its first token and its last byte were
handed to the kernel. An exchange is known by the name that its request carries, in its query or its request ID.
"""

import asyncio
import multiprocessing
import re
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from multiprocessing.connection import Connection
from typing import Any, Final

import uvloop

PATH: Final = "/v1/chat/completions"
_NAMED: Final = re.compile(rb"(?i)(?:[?&]name=|\r\nx-client-request-id: *)([A-Za-z0-9-]+)")
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How requests are answered from now on."""

    think_s: float = 0.0  # before the first byte
    pause_s: float = 0.0  # before each of the chunks that follow
    chunks: int = 0  # of a stream; 0: one plain answer
    failing: frozenset[str] = frozenset()  # models whose requests are answered 503


@dataclass(frozen=True, slots=True)
class Truth:
    """Of one exchange, in seconds: from the accepted connection to each of these."""

    first_byte_s: float
    first_token_s: float
    total_s: float


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, kind: str, more: str) -> bytes:
    reason = "OK" if status == 200 else "Service Unavailable"
    own = f"Date: {formatdate(usegmt=True)}\r\nX-Request-Id: req_{secrets.token_hex(12)}\r\nServer: truth"
    return f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\n{own}\r\n{more}\r\n\r\n".encode()


_ANSWER: Final = (
    b'{"id":"chatcmpl-%b","object":"chat.completion","created":%d,"model":"truth","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":21,"completion_tokens":2,"total_tokens":23}}'
)
_ERROR: Final = b'{"error":{"message":"The upstream is overloaded.","type":"server_error","code":"overloaded"}}'
_DELTA: Final = (
    b'data: {"id":"chatcmpl-%b","object":"chat.completion.chunk","created":%d,"model":"truth",'
    b'"choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n'
)
_ROLE: Final = (b'{"role":"assistant","content":""}', b"null")
_TOKEN: Final = (b'{"content":"pong"}', b"null")
_LAST: Final = (b"{}", b'"stop"')


@dataclass(slots=True)
class _Known:
    behaviour: Behaviour = field(default_factory=Behaviour)
    seen: dict[str, Truth] = field(default_factory=dict)


class _Exchange(asyncio.Protocol):
    def __init__(self, known: _Known, accepted: float) -> None:
        self._known = known
        self._accepted = accepted
        self._asked = b""
        self._stamps: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._asked += data
        head, end, body = self._asked.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (length and len(body) < int(length[1])):
            return
        named = _NAMED.search(head)
        self._name = "" if named is None else named[1].decode()
        self._body = body
        self._asked = b""
        self._stamps = []
        self._later(self._known.behaviour.think_s, lambda: self._answer(self._known.behaviour))

    def _later(self, wait_s: float, then: Callable[[], None]) -> None:
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, then)
        else:
            then()

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._stamps.append(time.perf_counter())
            self._transport.write(data)

    def _answer(self, behaviour: Behaviour) -> None:
        if not behaviour.chunks:
            fails = any(model.encode() in self._body for model in behaviour.failing)
            body = _ERROR if fails else _ANSWER % self._stated()
            more = f"Content-Length: {len(body)}"
            self._send(_head(503 if fails else 200, "application/json", more) + body)
            self._over()
            return
        stated = self._stated()
        head = _head(200, "text/event-stream", "Transfer-Encoding: chunked")
        self._send(head + _chunk(_DELTA % (*stated, *_ROLE)))
        self._continue(behaviour, stated, behaviour.chunks)

    def _stated(self) -> tuple[bytes, float]:
        """What no two answers share: ID and time."""
        return secrets.token_hex(12).encode(), time.time()

    def _continue(self, behaviour: Behaviour, stated: tuple[bytes, float], left: int) -> None:
        def then() -> None:
            if left > 1:
                self._send(_chunk(_DELTA % (*stated, *_TOKEN)))
                self._continue(behaviour, stated, left - 1)
            else:
                self._send(_chunk(_DELTA % (*stated, *_LAST) + b"data: [DONE]\n\n") + b"0\r\n\r\n")
                self._over()

        self._later(behaviour.pause_s, then)

    def _over(self) -> None:
        first, token, last = self._stamps[0], self._stamps[min(1, len(self._stamps) - 1)], self._stamps[-1]
        if self._name:
            since = self._accepted
            self._known.seen[self._name] = Truth(first - since, token - since, last - since)


async def _accept(listener: Any, known: _Known, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    opening: set[asyncio.Task[Any]] = set()
    while True:
        connection, _ = await loop.sock_accept(listener)
        accepted = time.perf_counter()
        task = loop.create_task(
            loop.connect_accepted_socket(lambda at=accepted: _Exchange(known, at), connection, ssl=tls)  # type: ignore[misc]
        )
        opening.add(task)
        task.add_done_callback(lambda done: (opening.discard(done), done.cancelled() or done.exception()))


def _serve(listeners: dict[str, Any], certificate: str | None, commands: Connection) -> None:
    """Until the other end of the pipe is gone: a `Behaviour` is taken over, a name list is answered with true times."""

    async def main() -> None:
        known = _Known()
        gone = asyncio.Event()

        def command() -> None:
            try:
                asked = commands.recv()
            except EOFError:
                gone.set()
                return
            if isinstance(asked, Behaviour):
                known.behaviour = asked
                known.seen.clear()
                commands.send(True)
            else:
                commands.send(dict(known.seen))
                known.seen.clear()

        asyncio.get_running_loop().add_reader(commands.fileno(), command)
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate + ".pem", certificate + ".key")
        accepting = [
            asyncio.create_task(_accept(listener, known, tls if name == "tls" else None))
            for name, listener in listeners.items()
        ]
        commands.send(True)
        await gone.wait()
        asyncio.get_running_loop().remove_reader(commands.fileno())
        for task in accepting:
            task.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Upstream:
    """The server as a process; `urls` are its addresses, plain and TLS."""

    def __init__(self, certificate: str | None) -> None:
        import socket

        listeners = {}
        for name in ("plain", *(["tls"] if certificate else [])):
            listeners[name] = socket.create_server(("127.0.0.1", 0), backlog=1024)
            listeners[name].setblocking(False)
        self.urls = {
            name: f"{'https' if name == 'tls' else 'http'}://127.0.0.1:{listener.getsockname()[1]}/v1"
            for name, listener in listeners.items()
        }
        spawn = multiprocessing.get_context("spawn")
        self._commands, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(listeners, certificate, theirs), daemon=True)
        self._process.start()
        theirs.close()
        for listener in listeners.values():
            listener.close()
        self._commands.recv()

    def behave(self, behaviour: Behaviour) -> None:
        self._commands.send(behaviour)
        self._commands.recv()

    def seen(self) -> dict[str, Truth]:
        """The true times of every named exchange since the last call or change, by name."""
        self._commands.send("seen")
        seen: dict[str, Truth] = self._commands.recv()
        return seen

    def close(self) -> None:
        self._commands.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
