"""Connections whose every step is stamped: asyncio's protocol on one side, httpcore2's stream on the other."""

import asyncio
import ssl
import time
from collections import deque
from datetime import datetime
from typing import Any, Final, cast

import httpcore2

from probe.wire import tcp
from probe.wire.journal import Keeper
from probe.wire.tls import Layer, Layers
from probe.wire.words import describe

READ_AHEAD_BYTES: Final = 256 * 1024  # unread bytes at which we stop listening: one recv of asyncio's
READ_BYTES: Final = 16 * 1024  # given to the parser at a time, less than it asks for: it may take long over them
CLOSE_S: Final = 0.1  # what the kernel has not taken by then is not said any more


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection: asyncio's protocol on the side of the socket, httpcore2's stream on the side of the parser."""

    def __init__(self, wire: Keeper) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unread: deque[tuple[float, bytes]] = deque()
        self._unread_bytes = 0
        self._ended: tuple[float, Exception | None] | None = None  # no more bytes will come: when, and why
        self._news: asyncio.Future[None] | None = None  # somebody waits for bytes, or for room to write
        self._has_room = True
        self._layers = Layers(self._write)
        self.tcp: tcp.Tcp | None = None
        self.peer_ip = ""
        self.peer_port = 0
        self.tls: ssl.SSLObject | None = None
        self.tls_version: str | None = None
        self.cert_expires_at: datetime | None = None

    # ------------------------------------------------------------ the side of the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in behaviour, not by class
        self._transport.set_write_buffer_limits(high=1)  # "room" then means that the kernel has taken every byte

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        try:
            data = self._layers.read(data)
        except ssl.SSLError as error:
            self._layers.farewell()  # it may say what we object to
            self._end(error)
            return
        if data:
            self._unread.append((now, data))
            self._unread_bytes += len(data)
        if self._unread_bytes > READ_AHEAD_BYTES and self._transport is not None:
            self._transport.pause_reading()
        if self._layers.are_over:
            self._end(None)
        self._tell()

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(data)

    def eof_received(self) -> None:
        self.look()
        self._end(None)

    def look(self) -> None:
        """Ask the kernel about the connection, while it is there to be asked about."""
        self.tcp = tcp.look(self._transport) or self.tcp

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._has_room = False

    def resume_writing(self) -> None:
        self._has_room = True
        self._tell()

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
        try:
            self._layers.say(buffer)
        except ssl.SSLError as error:
            raise httpcore2.WriteError(describe(error)) from None
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
        layer = Layer(ssl_context, server_hostname)  # its last word of the handshake goes out with the request
        self._layers.add(layer)
        try:
            while not layer.shake_hands():
                self._layers.say(layer.taken(), below=layer)
                if self._ended is not None:
                    raise self._hung_up()
                await self._next_news()
        except ssl.SSLError as error:
            self._layers.farewell()
            self._transport.close()
            raise httpcore2.ConnectError(describe(error)) from None
        except BaseException:
            self._transport.abort()
            raise
        self._wire.journal.tls_s = time.perf_counter() - began
        self.tls, self.tls_version, self.cert_expires_at = layer.agreed, layer.agreed.version(), layer.expires_at()
        if layer.has_more:  # came with the end of the handshake
            self.data_received(b"")
        return self

    def _hung_up(self) -> httpcore2.ConnectError:
        """The end of a connection that was to be encrypted, in OpenSSL's words where the system has none."""
        error = self._ended[1] if self._ended is not None else None
        return httpcore2.ConnectError(describe(error or _eof()))

    async def aclose(self) -> None:
        """Close, and come back when the socket is really gone: first politely, then at once."""
        assert self._transport is not None
        late = asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)
        try:
            if not self._transport.is_closing():
                self._layers.farewell()
            self._transport.close()
            if not self._gone.done():
                await self._gone
        except BaseException:
            self._transport.abort()
            raise
        finally:
            late.cancel()

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
