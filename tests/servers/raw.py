"""A server on a loopback socket that says exactly what its script says: byte by byte, slowly, wrongly, or never.

A script is data, so that a table of them (`tests.servers.hostile`) can be played to more than one reader.
"""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from tests.servers.certificates import Certificates, Tls

CONTENT = "pong"
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": CONTENT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }
).encode()


# ---------------------------------------------------------------- what a script is made of


@dataclass(frozen=True)
class Wait:
    """Say nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class Forever:
    """Send the same bytes until the client is gone, without a pause or with one."""

    data: bytes
    every_s: float = 0.0


@dataclass(frozen=True)
class Hold:
    """Keep the connection open and say nothing until the client is gone."""


@dataclass(frozen=True)
class Reset:
    """End the connection by RST."""


Step = bytes | Wait | Forever | Hold | Reset


@dataclass(frozen=True)
class Script:
    """What happens on each connection; after the last step it is closed. A client may report one of `faults`."""

    name: str
    steps: tuple[Step, ...]
    faults: tuple[str, ...] = ()
    scheme: Literal["http", "https"] = "http"
    tls: Tls | None = None  # the certificate that is shown; None under https is a server that speaks no TLS
    reads_request: bool = True
    stream: bool = False
    keeps_alive: bool = False  # the steps answer every further request on the same connection


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def answer(body: bytes = COMPLETION, *headers: str, status: str = "200 OK") -> bytes:
    """A whole JSON reply."""
    return head("Content-Type: application/json", f"Content-Length: {len(body)}", *headers, status=status) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(content: str) -> bytes:
    """One event of a chat stream."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


SSE = head("Content-Type: text/event-stream", "Transfer-Encoding: chunked")


# ---------------------------------------------------------------- the server


class RawServer:
    """Plays one script on a port of 127.0.0.1. What clients sent is in `requests`, one entry for each request."""

    def __init__(self, script: Script, certificates: Certificates | None = None) -> None:
        self._script = script
        self._context = None
        if script.tls is not None:
            assert certificates is not None
            self._context = certificates.server_context(script.tls)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self.requests: list[bytes] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{script.scheme}://127.0.0.1:{self.port}/v1/chat/completions"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _run(self, job: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=job, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        try:
            if self._context is not None:
                plain = connection
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.add(connection)
                self._open.discard(plain)
            self._play(connection)
        except OSError:
            pass  # the client went away, or refused our certificate
        finally:
            self._open.discard(connection)
            connection.close()

    def _play(self, connection: socket.socket) -> None:
        while True:
            if self._script.reads_request:
                request = read_request(connection)
                if not request:
                    return
                self.requests.append(request)
            for step in self._script.steps:
                self._do(step, connection)
            if not self._script.keeps_alive:
                return

    def _do(self, step: Step, connection: socket.socket) -> None:
        match step:
            case bytes():
                connection.sendall(step)
            case Wait(seconds):
                self._stopping.wait(seconds)
            case Forever(data, every_s):
                while not self._stopping.wait(every_s):
                    connection.sendall(data)
            case Hold():
                while connection.recv(65536):
                    pass
            case Reset():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()


def read_request(connection: socket.socket) -> bytes:
    """One whole request, or b"" where the client left."""
    request = b""
    while b"\r\n\r\n" not in request:
        data = connection.recv(65536)
        if not data:
            return b""
        request += data
    before, _, body = request.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in before.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        data = connection.recv(65536)
        if not data:
            return b""
        request, body = request + data, body + data
    return request


class Tunnel:
    """An HTTP proxy that knows CONNECT only. `asked` holds the head of each request to it; `status` is its answer."""

    def __init__(self, status: str = "200 Connection established") -> None:
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked: list[bytes] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                self._tunnel(client)

    def _tunnel(self, client: socket.socket) -> None:
        asked = read_request(client)
        self.asked.append(asked)
        client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        if not self._status.startswith("200"):
            return
        host, _, port = asked.split(b" ")[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def silent_port(address: str = "127.0.0.1") -> Iterator[int]:
    """A port that neither accepts nor refuses: its queue is full, so the kernel drops what knocks."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
