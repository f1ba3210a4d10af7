"""Connections whose every step is stamped: asyncio's protocol on one side, httpcore2's stream on the other."""

import asyncio
import errno
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import httpcore2

from probe.wire import dial
from probe.wire.words import describe

READ_AHEAD_BYTES: Final = 256 * 1024  # unread bytes at which we stop listening: one recv of asyncio's
READ_BYTES: Final = 16 * 1024  # given to the parser at a time, less than it asks for: it may take long over them
CLOSE_S: Final = 0.1  # a peer that does not say goodbye (TLS close_notify) is not waited for
HANDSHAKE_S: Final = 24 * 3600.0  # the deadline around the probe is the limit; asyncio's 60 s must not cut in before it

Refusal = Callable[[str, Sequence[str]], str | None]


@dataclass(slots=True)
class Journal:
    """What one exchange did on the wire. Durations end in ``_s``; the other numbers are `time.perf_counter` stamps."""

    on_sent: Callable[[], None] | None = None
    started: float | None = None  # the first step: to resolve, to connect, or on a reused connection to write
    is_resolving: bool = False
    resolve_s: float | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    stream: "Stream | None" = None  # the connection in use, also where it was made by an earlier exchange
    writing: float | None = None  # the first byte of the request was handed over
    sent: float | None = None  # the kernel has taken the whole of it
    first_byte: float | None = None
    arrived: float | None = None  # when the newest bytes that the reader has been given came in


class Wire(httpcore2.AsyncNetworkBackend):
    """Makes the connections of one pool. `journal` is the exchange in progress: our pools carry one at a time.

    `refusal` says why a host is not to be connected to at the addresses that its name led to; None: go on. The
    connection goes to those very addresses, so that a name cannot be checked as one machine and reached as another.
    """

    def __init__(self, journal: Journal, refusal: Refusal | None = None) -> None:
        self.journal = journal
        self._refusal = refusal

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature; our deadline is around everything
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> "Stream":
        try:
            stream = await self._connect(host, port)
        except OSError as error:
            timed_out = error.errno == errno.ETIMEDOUT  # the kernel gave up before we did
            kind = httpcore2.ConnectTimeout if timed_out else httpcore2.ConnectError
            raise kind(describe(error)) from None
        self.journal.stream = stream
        return stream

    async def _connect(self, host: str, port: int) -> "Stream":
        began = self.journal.started = time.perf_counter()
        addresses = [host]
        if not dial.is_literal(host):
            self.journal.is_resolving = True
            addresses = await dial.resolve(host, port)
            self.journal.is_resolving = False
            resolved = time.perf_counter()
            self.journal.resolve_s = resolved - began
            began = resolved
        if self._refusal is not None and (words := self._refusal(host, addresses)) is not None:
            raise httpcore2.ConnectError(words)
        transport, stream = await dial.connect(addresses, port, lambda: Stream(self))
        self.journal.connect_s = time.perf_counter() - began
        peer = transport.get_extra_info("peername")
        if peer is None:  # reset before it could be asked
            transport.abort()
            raise ConnectionResetError
        stream.peer_ip, stream.peer_port = peer[:2]
        return stream


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection: asyncio's protocol on the side of the socket, httpcore2's stream on the side of the parser."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unread: deque[tuple[float, bytes]] = deque()
        self._unread_bytes = 0
        self._ended: tuple[float, Exception | None] | None = None  # no more bytes will come: when, and why
        self._news: asyncio.Future[None] | None = None  # somebody waits for bytes, or for room to write
        self._has_room = True
        self.peer_ip = ""
        self.peer_port = 0
        self.tls: ssl.SSLObject | None = None
        self.tls_version: str | None = None
        self.cert_expires_at: datetime | None = None

    # ------------------------------------------------------------ the side of the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._set_transport(transport)

    def data_received(self, data: bytes) -> None:
        self._unread.append((time.perf_counter(), data))
        self._unread_bytes += len(data)
        if self._unread_bytes > READ_AHEAD_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._has_room = False

    def resume_writing(self) -> None:
        self._has_room = True
        self._tell()

    def _set_transport(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in behaviour, not by class
        # "Room" then means that the kernel has taken every byte. Not 0: to uvloop's TLS an empty buffer were full.
        self._transport.set_write_buffer_limits(high=1)

    def _end(self, error: Exception | None) -> None:
        if self._ended is None:
            self._ended = (time.perf_counter(), error)
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _next_news(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    # ------------------------------------------------------------ the side of the parser

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        while not self._unread:
            if self._ended is not None:
                at, error = self._ended
                if error is not None:
                    raise httpcore2.ReadError(describe(error))
                self._wire.journal.arrived = at
                return b""
            await self._next_news()
        at, data = self._unread.popleft()
        most = min(max_bytes, READ_BYTES)
        if len(data) > most:
            self._unread.appendleft((at, data[most:]))
            data = data[:most]
            await asyncio.sleep(0)  # a flood must not keep the loop, and with it the deadline, from its turn
        was_full = self._unread_bytes > READ_AHEAD_BYTES
        self._unread_bytes -= len(data)
        if was_full and self._unread_bytes <= READ_AHEAD_BYTES:
            assert self._transport is not None
            if not self._transport.is_closing():
                self._transport.resume_reading()
        journal = self._wire.journal
        journal.arrived = at
        if journal.first_byte is None and journal.writing is not None:
            journal.first_byte = at
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        if not buffer:
            return
        assert self._transport is not None
        if self._ended is not None or self._transport.is_closing():
            raise self._unwritable()
        journal = self._wire.journal
        began = time.perf_counter()
        self._transport.write(buffer)
        if buffer.startswith(b"CONNECT ") and journal.writing is None:
            return  # talk with our own proxy: the request itself comes later, on the tunnel
        journal.stream = self
        if journal.writing is None:
            journal.writing = began
            journal.started = began if journal.started is None else journal.started
            if journal.on_sent is not None and not self._transport.is_closing():
                journal.on_sent()
        journal.sent = None
        while not self._has_room:
            if self._ended is not None:
                raise self._unwritable()
            await self._next_news()
        journal.sent = time.perf_counter()

    def _unwritable(self) -> httpcore2.WriteError:
        error = self._ended[1] if self._ended is not None else None
        return httpcore2.WriteError(describe(error or BrokenPipeError()))

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> "Stream":
        assert self._transport is not None
        began = time.perf_counter()
        if self._ended is not None or self._transport.is_closing():
            raise self._hung_up()
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                ssl_context,
                server_hostname=server_hostname,
                ssl_handshake_timeout=HANDSHAKE_S,
            )
        except BaseException as error:
            self._transport.abort()  # asyncio does not tell a protocol that its connection is lost in the handshake
            if not isinstance(error, OSError):  # an SSLError is one
                raise
            if isinstance(error, ConnectionResetError) and error.errno is None:
                error = _eof()  # asyncio's word for an orderly end in the middle of the handshake
            raise httpcore2.ConnectError(describe(error)) from None
        if encrypted is None or (agreed := encrypted.get_extra_info("ssl_object")) is None:
            self._transport.abort()  # uvloop comes back from a connection that ended under it, with nothing agreed
            raise self._hung_up()
        self._wire.journal.tls_s = time.perf_counter() - began
        self._set_transport(encrypted)
        self._note_tls(agreed)
        return self

    def _hung_up(self) -> httpcore2.ConnectError:
        """The end of a connection that was to be encrypted, in OpenSSL's words where the system has none."""
        error = self._ended[1] if self._ended is not None else None
        return httpcore2.ConnectError(describe(error or _eof()))

    def _note_tls(self, agreed: ssl.SSLObject) -> None:
        self.tls = agreed
        self.tls_version = self.tls.version()
        certificate = self.tls.getpeercert() or {}
        not_after = certificate.get("notAfter")
        if isinstance(not_after, str):
            self.cert_expires_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)

    async def aclose(self) -> None:
        """Close, and come back when the socket is really gone: first politely, then at once."""
        assert self._transport is not None
        try:
            for leave in (self._transport.close, self._transport.abort):
                leave()
                await asyncio.wait([self._gone], timeout=CLOSE_S)
                if self._gone.done():
                    return
        except BaseException:
            self._transport.abort()
            raise

    def get_extra_info(self, info: str) -> Any:
        """What httpcore2 asks for: what TLS agreed on, and whether an idle connection has news (its end)."""
        match info:
            case "ssl_object":
                return self.tls
            case "is_readable":
                return bool(self._unread) or self._ended is not None
        return None


def _eof() -> ssl.SSLEOFError:
    return ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")
