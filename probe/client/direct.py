"""The way out where no proxy is configured: h11 over our own stream, and nothing in between.

A pool, a client's request and response objects and their locks cost several times what the exchange itself does, and a
probe has no use for them: it is one request on one connection. What the bytes mean is h11's to say, as it is behind a
proxy (`transport`), where httpcore2 talks to the proxy.
"""

import contextlib
import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import h11
import httpcore2
import httpx2

from probe.client.reply import Head
from probe.wire import Journal, Stream, Wire

MOST_HEAD_BYTES: Final = 100 * 1024  # of an unfinished head: as much as httpcore2 takes
_PORTS: Final = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where a URL leads: connect to this, ask for that."""

    is_tls: bool
    host: str
    port: int
    named: str  # as the Host header has it
    target: str


@lru_cache(maxsize=256)
def _asked(method: str, keeps: tuple[str, ...]) -> h11.Request:
    """What h11 must know of a request to read its answer. The request itself is written here: every header was looked
    at (`refuse_illegal`), and a second look at the ten of them costs as much as all else of the exchange in Python."""
    return h11.Request(method=method, target="/", headers=[("Host", "-"), *(("Connection", it) for it in keeps)])


@lru_cache(maxsize=1024)
def address(url: str) -> Address:
    """As httpx2 reads a URL (its escapes and its IDNA included); a target asks for the same one every time."""
    read = httpx2.URL(url)
    if read.scheme not in _PORTS:
        raise httpcore2.UnsupportedProtocol("Request URL has an unsupported protocol: http:// or https:// is expected")
    port = _PORTS[read.scheme] if read.port is None else read.port
    named, target = read.netloc.decode("ascii"), read.raw_path.decode("ascii")
    h11.Request(method="GET", target=target, headers=[("Host", named)])  # LocalProtocolError where one may not be sent
    return Address(read.scheme == "https", read.raw_host.decode("ascii"), port, named, target)


def _reader() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)


class Direct:
    """One connection to one host; one exchange at a time, and another after it where both sides allow that."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self.wire = Wire(Journal())
        self._trust = trust
        self._stream: Stream | None = None
        self._talk = _reader()
        self._has_bytes = False  # that h11 has not been asked about yet

    @property
    def is_reusable(self) -> bool:
        """The last answer is over, nothing came after it, and the server keeps the connection."""
        if self._stream is None or self._talk.their_state is not h11.DONE or self._talk.trailing_data[0]:
            return False
        return not self._stream.get_extra_info("is_readable")

    async def ask(self, method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes) -> Head:
        """Send the request; the head of the answer. Its body is read by `more`."""
        to = address(url)
        if self._stream is None:
            self._stream = await self.wire.connect_tcp(to.host, to.port)
            if to.is_tls:
                await self._stream.start_tls(self._trust, to.host)
        else:
            self._talk, self._has_bytes = _reader(), False
            self._stream.look()
            self.wire.journal.retransmits_before = 0 if self._stream.tcp is None else self._stream.tcp.retransmits
        keeps = tuple(value for name, value in headers if name.lower() == "connection")
        self._talk.send(_asked(method, keeps))
        named = [("Host", to.named), *headers, ("Content-Length", str(len(content)))]
        head = f"{method} {to.target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named) + "\r\n"
        with contextlib.suppress(httpcore2.WriteError):  # a server may answer before it has all of it, and close
            await self._stream.write(head.encode("ascii") + content)
        while True:
            event = await self._event(self._stream)
            if isinstance(event, h11.Response) or (
                isinstance(event, h11.InformationalResponse) and event.status_code == 101
            ):
                version = "HTTP/" + event.http_version.decode("ascii")
                return Head(event.status_code, event.headers.raw_items(), version)

    async def more(self) -> bytes | None:
        """The body as it arrives, a piece at a time; None at its end."""
        assert self._stream is not None
        event = await self._event(self._stream)
        return bytes(event.data) if isinstance(event, h11.Data) else None

    async def _event(self, stream: Stream) -> h11.Event | type[h11.PAUSED]:
        while not self._has_bytes or (event := self._talk.next_event()) is h11.NEED_DATA:
            data = await stream.read(MOST_HEAD_BYTES)
            if not data and self._talk.their_state is h11.SEND_RESPONSE:
                raise httpcore2.RemoteProtocolError("Server disconnected without sending a response.")
            self._talk.receive_data(data)
            self._has_bytes = True
        return event  # type: ignore[return-value]  # h11 leaves its sentinels to the reader

    async def aclose(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()
