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
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, cast

import httpcore2
import httpx2
from pydantic import SecretStr

from probe import sse
from probe.records import (
    Connection,
    Fault,
    Headers,
    Observation,
    Phase,
    ProbeRequest,
    Reply,
    Timings,
)
from probe.wire import Journal, Wire

DONE: Final = "[DONE]"
GRACE_S: Final = 0.25  # after the terminal event: for the end of the message, or for what should not be there

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
    """Sends requests. Makes its TLS context once (reading the system's certificates takes longer than a probe)."""

    def __init__(self, network: Network, *, read_limit_bytes: int = 1 << 20) -> None:
        """OSError or ssl.SSLError where the CA bundle cannot be read, ValueError where the proxy's URL is not one."""
        self._network = network
        self._limit = read_limit_bytes
        self._trust = ssl.create_default_context(cafile=network.ca_file)
        self._kept: dict[tuple[str, str], WireTransport] = {}
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
        """Put `request` on the wire with the live key, once. `on_sent` is called when its first byte is there.

        `timeout_s` is a deadline for everything. What had arrived when it passed is in the observation.
        """
        headers = [*request.headers]
        places = [place for place, (name, _) in enumerate(headers) if name.lower() == auth.header.lower()]
        if len(places) != 1:
            raise ValueError(f"the request needs exactly one place for its credential ({auth.header})")
        headers[places[0]] = (headers[places[0]][0], auth.value.get_secret_value())
        if not any(name.lower() == "accept-encoding" for name, _ in headers):
            headers.append(("Accept-Encoding", "identity"))

        kept_as = (request.target, str(httpx2.URL(request.url).copy_with(raw_path=b"/")))
        transport = self._kept.pop(kept_as, None) if reuse else None
        transport = transport or WireTransport(self._network, self._trust)
        started_at = datetime.now(UTC)
        journal = transport.wire.journal = Journal(time.perf_counter(), on_sent)
        reading = _Reading(journal, self._limit)
        fault: Fault | None = None
        keep = False
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                await _exchange(transport, request, headers, reading, deadline)
            keep = reuse and reading.is_ended
        except TimeoutError:
            fault = None if reading.is_done else _timeout(journal, timeout_s, self._network)
        except tuple(_FAULTS) as error:
            fault = None if reading.is_done else _fault(error, journal, self._network)
        finally:
            ended = time.perf_counter()
            if keep:
                transport, displaced = None, self._kept.get(kept_as)
                self._kept[kept_as] = cast(WireTransport, transport)
            if transport is not None:
                await transport.aclose()
        return _observe(request, started_at, reading, fault, ended)
