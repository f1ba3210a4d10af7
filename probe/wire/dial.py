"""From a host's name to a connection: addresses, and the race between them (RFC 8305, "happy eyeballs")."""

import asyncio
import errno
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Final, TypeVar

P = TypeVar("P", bound=asyncio.Protocol)
Attempt = asyncio.Task[tuple[asyncio.Transport, P]]

STAGGER_S: Final = 0.25  # RFC 8305's "Connection Attempt Delay", as browsers and curl have it


@lru_cache(maxsize=1024)
def is_literal(host: str) -> bool:
    """Whether the host is an address already: nothing is resolved then, and no time is spent."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, the families alternating and the system's first choice first."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a name that DNS cannot hold, such as a label of 64 letters
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    first = [str(address[0]) for family, _, _, _, address in found if family == found[0][0]]
    others = [str(address[0]) for family, _, _, _, address in found if family != found[0][0]]
    return [address for address in chain(*zip_longest(first, others)) if address is not None]


async def connect(addresses: Sequence[str], port: int, make: Callable[[], P]) -> tuple[asyncio.Transport, P]:
    """The first connection that stands, a later address tried when the earlier ones failed or are silent for a while.

    Trying one after another with a share of the deadline each would turn a dead IPv6 route into seconds of "latency"
    that no real client has; a race with a stagger measures what they have.
    """
    loop = asyncio.get_running_loop()
    if len(addresses) == 1:
        return await loop.create_connection(make, addresses[0], port)
    waiting = deque(addresses)
    attempts: list[Attempt[P]] = []
    winner: Attempt[P] | None = None
    try:
        while winner is None:
            if waiting:
                attempts.append(loop.create_task(loop.create_connection(make, waiting.popleft(), port)))
            open_attempts = [attempt for attempt in attempts if not attempt.done()]
            if not (open_attempts or waiting):
                raise _most_telling([error for attempt in attempts if (error := attempt.exception()) is not None])
            patience_s = STAGGER_S if waiting else None
            if open_attempts:
                await asyncio.wait(open_attempts, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            winner = next((known for known in attempts if known.done() and known.exception() is None), None)
        return winner.result()
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.add_done_callback(_give_up)
                attempt.cancel()


def _give_up(attempt: Attempt[P]) -> None:
    """A lost race's connection may have come to stand all the same."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result()[0].abort()


def _most_telling(errors: Sequence[BaseException]) -> BaseException:
    """Of several failed addresses the one to report: a host that refused says more than a family without a route."""
    no_route = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH)
    return min(errors, key=lambda error: isinstance(error, OSError) and error.errno in no_route)
