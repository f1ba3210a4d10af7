"""From a host to a connection: names resolved, addresses tried, each step into the journal of its exchange."""

import errno
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from probe.wire import dial
from probe.wire.journal import Journal
from probe.wire.stream import Stream
from probe.wire.words import describe

Refusal = Callable[[str, Sequence[str]], str | None]


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
    ) -> Stream:
        try:
            stream = await self._connect(host, port)
        except OSError as error:
            timed_out = error.errno == errno.ETIMEDOUT  # the kernel gave up before we did
            kind = httpcore2.ConnectTimeout if timed_out else httpcore2.ConnectError
            raise kind(describe(error)) from None
        self.journal.stream = stream
        return stream

    async def _connect(self, host: str, port: int) -> Stream:
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
        stream.peer_ip, stream.peer_port = sys.intern(peer[0]), peer[1]  # kept with every result of a target
        return stream
