"""Send one request and say what was seen: the only module that puts a paid request on the wire, and the only one that
knows httpx2.

Exactly one request per `send`: no redirect is followed, nothing is tried again, proxies and ``~/.netrc`` of the environment
are not looked at. That is why the transport is used without httpx2's client, whose conveniences are the opposite of these.
The connection is fresh unless `reuse` is asked for. HTTP/1.1 only, for now: over HTTP/2 one connection carries many frames
of flow control and settings, and "request sent" and "first byte" could no longer be told from stamps at the socket.

What the provider does wrong comes back as a `Fault` in httpx's vocabulary, beside whatever had arrived before it. The
table at the end is the only place where exceptions are turned into faults; its texts are ours, so that neither the key nor
anything the server wrote is in them. The live key is put into the headers here and is in no record, text or repr.
"""

import asyncio
import codecs
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, cast

import httpcore2
import httpx2
from pydantic import SecretStr

from probe import sse
from probe.records import Connection, Fault, Observation, Phase, ProbeRequest, Reply, Timings
from probe.wire import Journal, Wire

DONE: Final = "[DONE]"
GRACE_S: Final = 0.25  # after the terminal event: for the end of the message, or for what should not follow

# RFC 9110 field-value, ASCII only: what h11 would refuse is refused here, before a library quotes the value anywhere.
_FIELD_VALUE: Final = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Auth:
    """The auth header as it is sent; `value` is the whole of it, e.g. ``Bearer k``."""

    header: str
    value: SecretStr


@dataclass(frozen=True, slots=True)
class Network:
    """How to get out: an HTTP proxy (its URL may hold a password) and a CA bundle instead of the system's."""

    proxy: SecretStr | None = None
    ca_file: str | None = None


class BadEncoding(Exception):
    """A content-encoding that was not asked for and cannot be undone."""


class WireTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport over one httpcore2 pool whose sockets are ours. One exchange at a time."""

    def __init__(self, network: Network, trust: ssl.SSLContext) -> None:
        self.wire = Wire(Journal(time.perf_counter()))
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            proxy=_proxy(network, trust),
            retries=0,
            max_connections=1,
            network_backend=self.wire,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_Body(cast(AsyncIterable[bytes], response.stream)),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._chunks)

    async def aclose(self) -> None:
        await cast("httpx2.AsyncByteStream", self._chunks).aclose()


class Client:
    """Sends requests. Makes its TLS context once: reading the system's certificates takes longer than a probe."""

    def __init__(self, network: Network, *, read_limit_bytes: int = 1 << 20) -> None:
        """OSError (an ssl.SSLError is one) where the CA bundle cannot be read, ValueError for a wrong proxy URL."""
        self._network = network
        self._limit_bytes = read_limit_bytes
        self._trust = ssl.create_default_context(cafile=network.ca_file)
        self._idle: dict[tuple[str, str], WireTransport] = {}
        _proxy(network, self._trust)

    async def send(
        self,
        request: ProbeRequest,
        auth: Auth,
        *,
        timeout_s: float,
        reuse: bool,
        on_sent: Callable[[], None] | None = None,
    ) -> Observation:
        """Put `request` on the wire with the live key, once; `on_sent` is called when its first byte is there.

        `timeout_s` is a deadline for everything; what had arrived when it passed is kept. A stream is over with its
        ``[DONE]``: a server that then never closes, or hangs up rudely, has done no harm.
        """
        headers = _with_key(request, auth)
        line = (request.target, request.url)
        transport = (self._idle.pop(line, None) if reuse else None) or WireTransport(self._network, self._trust)
        started_at = datetime.now(UTC)
        journal = transport.wire.journal = Journal(time.perf_counter(), on_sent)
        reading = _Reading(self._limit_bytes)
        fault: Fault | None = None
        to_close: WireTransport | None = transport
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                await _exchange(transport, request, headers, reading, deadline)
            if reuse and reading.is_ended:
                to_close, self._idle[line] = self._idle.get(line), transport
        except TimeoutError:
            fault = None if reading.is_done else _timeout(journal, timeout_s, self._network)
        except tuple(_FAULTS) as error:
            fault = None if reading.is_done else _fault(error, journal, self._network)
        finally:
            stopped = time.perf_counter()
            if to_close is not None:
                await to_close.aclose()
        return Observation(
            request=request,
            started_at=started_at,
            reply=reading.reply(whole=fault is None),
            fault=fault,
            timings=_timings(journal, reading, stopped),
            connection=_connection(journal, reading),
            last_phase=_last_phase(journal, reading),
        )

    async def reachable(self, url: str, timeout_s: float) -> bool:
        """An unpaid look without a credential: whether any HTTP status comes back."""
        transport = WireTransport(self._network, self._trust)
        try:
            async with asyncio.timeout(timeout_s):
                await transport.handle_async_request(httpx2.Request("GET", url, headers={"User-Agent": "freezeframe"}))
        except (TimeoutError, *_FAULTS):
            return False
        finally:
            await transport.aclose()
        return True

    async def aclose(self) -> None:
        """Close the connections that wait for reuse."""
        while self._idle:
            _, transport = self._idle.popitem()
            await transport.aclose()


def _with_key(request: ProbeRequest, auth: Auth) -> list[tuple[str, str]]:
    """The request's headers with the credential where its shape stands."""
    wanted = auth.header.lower()
    if sum(name.lower() == wanted for name, _ in request.headers) != 1:
        raise ValueError(f"the request needs exactly one place for its credential, a header {auth.header!r}")
    key = auth.value.get_secret_value()
    return [(name, key if name.lower() == wanted else value) for name, value in request.headers]


async def _exchange(
    transport: WireTransport,
    request: ProbeRequest,
    headers: list[tuple[str, str]],
    reading: "_Reading",
    deadline: asyncio.Timeout,
) -> None:
    """Send and read. Returns when the message has ended or its limit is reached; everything else is raised."""
    for name, value in headers:
        if value and not _FIELD_VALUE.fullmatch(value):
            raise httpcore2.LocalProtocolError(f"Illegal header value ({name})")
    asked = httpx2.Request(request.method, request.url, headers=headers, content=request.body.encode())
    response = await transport.handle_async_request(asked)
    reading.begin(response)
    async with aclosing(cast("AsyncGenerator[bytes]", aiter(response.stream))) as chunks:
        async for chunk in chunks:
            was_done = reading.is_done
            reading.feed(chunk, transport.wire.journal.arrived)
            if reading.truncated:
                return
            if reading.is_done and not was_done:
                grace_ends = asyncio.get_running_loop().time() + GRACE_S
                deadline.reschedule(min(grace_ends, deadline.when() or grace_ends))
    reading.end(transport.wire.journal.arrived)
    await response.aclose()


# ---------------------------------------------------------------- what comes back


class _Reading:
    """The reply as far as it has come. Bounded: what is over the limit is neither kept nor decompressed."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._response: httpx2.Response | None = None
        self._wire_bytes = 0
        self._text = bytearray()
        self._inflate: _Inflate | None = None
        self._events: sse.Decoder | None = None
        self.truncated = False
        self.is_ended = False
        self.first_event: float | None = None
        self.first_token: float | None = None
        self.over: float | None = None  # when the last byte that matters came in

    def begin(self, response: httpx2.Response) -> None:
        self._response = response
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            self._inflate = _Inflate(encoding)
        if response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            self._events = sse.Decoder()

    @property
    def http_version(self) -> str | None:
        return None if self._response is None else self._response.http_version

    @property
    def is_done(self) -> bool:
        """The terminal event of a stream is there."""
        return self.over is not None

    def feed(self, chunk: bytes, at: float | None) -> None:
        self._wire_bytes += len(chunk)
        room = self._limit_bytes - len(self._text)
        plain = chunk if self._inflate is None else self._inflate.feed(chunk, room + 1)
        self.truncated = len(plain) > room or self._wire_bytes > self._limit_bytes
        self._text += plain[:room]
        if self._events is None:
            return
        events = self._events.feed(plain[:room])
        if events and self.first_event is None:
            self.first_event = at
        if self.first_token is None and any(sse.delta_content(event.data) for event in events):
            self.first_token = at
        # Some gateways end the terminal event with one newline only, so it is looked for before its blank line too.
        if self.over is None and any(
            event is not None and event.data.strip() == DONE for event in (*events, self._events.tail)
        ):
            self.over = at

    def end(self, at: float | None) -> None:
        self.is_ended = True
        self.over = at
        if self._inflate is not None and self._wire_bytes and not self._inflate.is_whole:
            self.over = None
            raise BadEncoding("the compressed data is cut short")

    def reply(self, *, whole: bool) -> Reply | None:
        if self._response is None:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")
        final = self.is_ended and not self.truncated  # else the cut may have gone through a character
        try:
            body, valid = decoder("strict").decode(bytes(self._text), final), True
        except UnicodeDecodeError:
            body, valid = decoder("replace").decode(bytes(self._text), final), False
        return Reply(
            status=self._response.status_code,
            headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in self._response.headers.raw),
            body=body,
            body_bytes=self._wire_bytes,
            complete=whole and not self.truncated,
            truncated=self.truncated,
            valid_utf8=valid,
        )


class _Inflate:
    """gzip and deflate undone, a bounded piece at a time. We ask for identity; some servers do not care."""

    def __init__(self, encoding: str) -> None:
        self._is_known = encoding in ("gzip", "x-gzip", "deflate")
        self._may_be_raw = encoding == "deflate"  # some send it without the zlib header that the standard asks for
        self._stream = zlib.decompressobj(
            wbits=32 + zlib.MAX_WBITS
        )  # finds out by itself which of the two headers it is

    @property
    def is_whole(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes, at_most: int) -> bytes:
        if not self._is_known:
            raise BadEncoding("unsupported content-encoding")
        try:
            plain = self._stream.decompress(chunk, at_most)
        except zlib.error as error:
            if not self._may_be_raw:
                raise BadEncoding(str(error)) from None
            self._may_be_raw = False
            self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
            return self.feed(chunk, at_most)
        self._may_be_raw = False
        return plain


def _timings(journal: Journal, reading: _Reading, stopped: float) -> Timings:
    def since(mark: float | None, stamp: float | None) -> float | None:
        # An answer may be there before the whole request was sent: that took no time, not less than none.
        return None if mark is None or stamp is None else max(0.0, stamp - mark)

    return Timings(
        total_s=(reading.over or stopped) - journal.started,
        resolve_s=journal.resolve_s,
        connect_s=journal.connect_s,
        tls_s=journal.tls_s,
        send_s=since(journal.writing, journal.sent),
        processing_s=since(journal.sent, journal.first_byte),
        transfer_s=since(journal.first_byte, reading.over),
        first_byte_s=since(journal.started, journal.first_byte),
        first_event_s=since(journal.started, reading.first_event),
        first_token_s=since(journal.started, reading.first_token),
    )


def _connection(journal: Journal, reading: _Reading) -> Connection | None:
    """Through a proxy the peer is the proxy, and TLS is what was agreed with the API through it."""
    stream = journal.stream
    if stream is None:
        return None
    return Connection(
        peer_ip=stream.peer_ip,
        peer_port=stream.peer_port,
        reused=journal.connect_s is None,
        tls_version=stream.tls_version,
        cert_expires_at=stream.cert_expires_at,
        http_version=reading.http_version,
    )


def _last_phase(journal: Journal, reading: _Reading) -> Phase:
    completed = (
        (Phase.TRANSFER, reading.over),
        (Phase.FIRST_TOKEN, reading.first_token),
        (Phase.FIRST_EVENT, reading.first_event),
        (Phase.FIRST_BYTE, journal.first_byte),
        (Phase.REQUEST_SENT, journal.sent),
        (Phase.TLS, journal.tls_s),
        (Phase.CONNECT, journal.connect_s),
        (Phase.RESOLVE, journal.resolve_s),
    )
    return next((phase for phase, mark in completed if mark is not None), Phase.NONE)


# ---------------------------------------------------------------- what went wrong


def _proxy(network: Network, trust: ssl.SSLContext) -> httpcore2.Proxy | None:
    if network.proxy is None:
        return None
    try:
        url = httpx2.URL(network.proxy.get_secret_value())
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:  # the URL may hold a password: it is not quoted
        raise ValueError("the proxy must be given as http://host:port or https://host:port")
    return httpcore2.Proxy(
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=(url.username, url.password) if url.username or url.password else None,
        ssl_context=trust if url.scheme == "https" else None,
    )


def _timeout(journal: Journal, timeout_s: float, network: Network) -> Fault:
    """The deadline passed: in which phase says what kind of timeout it is."""
    if journal.first_byte is not None:
        kind, wait = "ReadTimeout", "for the end of the reply"
    elif journal.sent is not None:
        kind, wait = "ReadTimeout", "for the first byte"
    elif journal.writing is not None:
        kind, wait = "WriteTimeout", "for the request to be taken"
    elif journal.is_resolving:
        kind, wait = "ConnectTimeout", "for getaddrinfo"
    elif journal.stream is not None:
        tunnel = network.proxy is not None and journal.tls_s is None
        kind, wait = "ConnectTimeout", "for the tunnel and its TLS handshake" if tunnel else "for the TLS handshake"
    else:
        kind = "ConnectTimeout" if network.proxy is None else "ProxyError"
        wait = "for a TCP connection" if network.proxy is None else "for a TCP connection to the proxy"
    return Fault(kind, f"timed out after {timeout_s:g} s waiting {wait}")


def _fault(error: Exception, journal: Journal, network: Network) -> Fault:
    kind, words = next(entry for known, entry in _FAULTS.items() if isinstance(error, known))
    in_tls = isinstance(error, httpcore2.ConnectError) and journal.stream is not None
    if network.proxy is not None and journal.writing is None and kind in _PROXY_FAULTS and not in_tls:
        return Fault("ProxyError", f"{words(error)} (talking to the proxy)")
    return Fault(kind, words(error))


def _unquoted(error: Exception) -> str:
    """h11's sentence without the bytes of the server (or of ours) that it quotes."""
    return re.split(r":? *(?:bytearray\(|b['\"])", str(error), maxsplit=1)[0]


def _proxy_status(error: Exception) -> str:
    """The proxy's answer to CONNECT: its number, and the standard's phrase for it instead of the proxy's own."""
    status = str(error)[:3]
    try:
        return f"{status} {HTTPStatus(int(status)).phrase}"
    except ValueError:
        return "unknown status"


_PROXY_FAULTS: Final = ("ConnectError", "ConnectTimeout", "ReadError", "WriteError", "RemoteProtocolError")

# Exception -> (kind in httpx's vocabulary, its words). Those of `wire` are in our own words already.
_FAULTS: Final[dict[type[Exception], tuple[str, Callable[[Exception], str]]]] = {
    httpcore2.ConnectTimeout: ("ConnectTimeout", str),
    httpcore2.ConnectError: ("ConnectError", str),
    httpcore2.ReadError: ("ReadError", str),
    httpcore2.WriteError: ("WriteError", str),
    httpcore2.ProxyError: ("ProxyError", _proxy_status),
    httpcore2.RemoteProtocolError: ("RemoteProtocolError", _unquoted),
    httpcore2.LocalProtocolError: ("LocalProtocolError", _unquoted),
    httpcore2.UnsupportedProtocol: ("UnsupportedProtocol", _unquoted),
    BadEncoding: ("DecodingError", str),
}
