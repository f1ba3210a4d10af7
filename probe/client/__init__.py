"""Send one request and say what was seen: the only place that puts a paid request on the wire, or knows httpx2.

Exactly one request per `send`: no redirect is followed, nothing is tried again, proxies and ``~/.netrc`` of the
environment are not looked at. That is why the transport is used without httpx2's client, whose conveniences are the
opposite of these. The connection is fresh unless `reuse` is asked for. HTTP/1.1 only, for now: over HTTP/2 one
connection carries settings and flow control beside the exchange, and "request sent" and "first byte" could no longer
be told from stamps at the socket.

What the provider does wrong comes back as a `Fault`, beside whatever had arrived before it. The live key is put into
the headers here; it is in no record, text or repr.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final, TypeVar

import httpx2

from probe.client.addresses import refusal
from probe.client.auth import Auth, refuse_illegal
from probe.client.direct import Direct
from probe.client.faults import KNOWN, fault_of, timeout_in
from probe.client.fetch import Asked, fetch
from probe.client.measured import connection, last_phase, timings
from probe.client.reply import Reading
from probe.client.transport import Network, Proxied, WireTransport, pieces, proxy
from probe.records import Fault, Fetched, Observation, ProbeRequest, Unfetched
from probe.wire import Journal

__all__ = ["Auth", "Client", "Network"]

T = TypeVar("T")
GRACE_S: Final = 0.25  # after the terminal event: for the end of the message, or for what should not follow


class Client:
    """Sends requests. Makes its TLS context once: reading the system's certificates takes longer than a probe."""

    def __init__(self, network: Network, *, read_limit_bytes: int = 1 << 20) -> None:
        """OSError (an ssl.SSLError is one) where the CA bundle cannot be read, ValueError for a wrong proxy URL."""
        self._network = network
        self._limit_bytes = read_limit_bytes
        self._trust = ssl.create_default_context(cafile=network.ca_file)
        self._trust.set_alpn_protocols(["http/1.1"])
        self._idle: dict[tuple[str, str], Direct | Proxied] = {}
        proxy(network, self._trust)

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
        kept = self._idle.pop(line, None) if reuse else None
        if kept is not None and not kept.is_reusable:
            await kept.aclose()
            kept = None
        transport = kept or self._way_out()
        started_at = datetime.now(UTC)
        journal = transport.wire.journal = Journal(on_sent)
        reading = Reading(self._limit_bytes)
        began = time.perf_counter()
        fault: Fault | None = None
        to_close: Direct | Proxied | None = transport
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                await _exchange(transport, request, headers, reading, deadline)
            if reuse and reading.is_ended and transport.is_reusable:
                to_close, self._idle[line] = self._idle.get(line), transport
        except TimeoutError:
            fault = None if reading.is_done else timeout_in(journal, timeout_s, self._network)
        except KNOWN as error:
            fault = None if reading.is_done else fault_of(error, journal, self._network)
        finally:
            stopped = time.perf_counter()
            if journal.stream is not None:
                journal.stream.look()
            if to_close is not None:
                await to_close.aclose()
        return Observation(
            request=request,
            started_at=started_at,
            reply=reading.reply(whole=fault is None),
            fault=fault,
            timings=timings(journal, reading, began, stopped),
            connection=connection(journal, reading),
            last_phase=last_phase(journal, reading),
        )

    def _way_out(self) -> Direct | Proxied:
        return Direct(self._trust) if self._network.proxy is None else Proxied(self._network, self._trust)

    async def reachable(self, url: str, timeout_s: float) -> bool:
        """An unpaid look without a credential: whether any HTTP status comes back."""

        async def read(_: httpx2.Response) -> bool:
            return True

        return await self._look(url, timeout_s, {}, read) is not None

    async def fetch(self, url: str, timeout_s: float, limit_bytes: int) -> bytes | None:
        """An unpaid look without a credential: the body of a 200 answer; None for anything else, or a longer one."""

        async def read(response: httpx2.Response) -> bytes | None:
            if response.status_code != 200:
                return None
            body = bytearray()
            async with aclosing(pieces(response)) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > limit_bytes:
                        return None
            return bytes(body)

        return await self._look(url, timeout_s, {"Accept": "application/json"}, read)

    async def get(
        self, url: str, *, timeout_s: float, limit_bytes: int, auth: Auth | None = None, accept: str = "*/*"
    ) -> Fetched | Unfetched:
        """An unpaid document, whole or not at all, whatever its status: see `probe.client.fetch`.

        A name must lead to public addresses; behind a proxy, which does the resolving, that cannot be checked.
        """
        transport = WireTransport(self._network, self._trust, refusal)
        try:
            return await fetch(transport, Asked(url, limit_bytes, auth, accept), self._network, timeout_s)
        finally:
            await transport.aclose()

    async def _look(
        self,
        url: str,
        timeout_s: float,
        headers: Mapping[str, str],
        read: Callable[[httpx2.Response], Awaitable[T | None]],
    ) -> T | None:
        """What is read of the answer to one GET, all within the deadline; None where that failed on the way."""
        transport = WireTransport(self._network, self._trust)
        asked = httpx2.Request("GET", url, headers={"User-Agent": "freezeframe", **headers})
        try:
            async with asyncio.timeout(timeout_s):
                return await read(await transport.handle_async_request(asked))
        except TimeoutError:
            return None
        except KNOWN:
            return None
        finally:
            await transport.aclose()

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
    transport: Direct | Proxied,
    request: ProbeRequest,
    headers: list[tuple[str, str]],
    reading: Reading,
    deadline: asyncio.Timeout,
) -> None:
    """Send and read. Returns when the message has ended or its limit is reached; everything else is raised."""
    refuse_illegal(headers)
    reading.begin(await transport.ask(request.method, request.url, headers, request.body.encode()))
    while (chunk := await transport.more()) is not None:
        was_done = reading.is_done
        reading.feed(chunk, transport.wire.journal.arrived)
        if reading.truncated:
            return
        if reading.is_done and not was_done:
            grace_ends = asyncio.get_running_loop().time() + GRACE_S
            deadline.reschedule(min(grace_ends, deadline.when() or grace_ends))
    reading.end(transport.wire.journal.arrived)
