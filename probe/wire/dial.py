"""From a host's name to a connected socket: addresses, and the race between them (RFC 8305, "happy eyeballs")."""

import asyncio
import errno
import ipaddress
import socket
from collections import deque
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any, Final

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

STAGGER_S: Final = 0.25  # RFC 8305's "Connection Attempt Delay", as browsers and curl have it


def literal(host: str, port: int) -> list[Address] | None:
    """The address where the host is one: nothing is resolved then, and no time is spent."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    return None if "%" in host else [(family, (host, port))]


async def resolve(host: str, port: int) -> list[Address]:
    """All addresses of a name, the families alternating and the system's first choice first (RFC 8305)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a name that DNS cannot hold, such as a label of 64 letters
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    first = [(family, address) for family, _, _, _, address in found if family == found[0][0]]
    others = [(family, address) for family, _, _, _, address in found if family != found[0][0]]
    return [address for address in chain(*zip_longest(first, others)) if address is not None]


async def connect(addresses: Sequence[Address]) -> socket.socket:
    """The first connection that stands, a later address tried when the earlier ones failed or are silent for a while.

    Trying one after another with a share of the deadline each would turn a dead IPv6 route into seconds of "latency"
    that no real client has; a race with a stagger measures what they have.
    """
    if len(addresses) == 1:
        return await _dial(addresses[0])
    loop = asyncio.get_running_loop()
    waiting = deque(addresses)
    attempts: list[asyncio.Task[socket.socket]] = []
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while winner is None:
            if waiting:
                attempts.append(loop.create_task(_dial(waiting.popleft())))
            open_attempts = [attempt for attempt in attempts if not attempt.done()]
            if open_attempts:
                await asyncio.wait(
                    open_attempts,
                    timeout=STAGGER_S if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            elif not waiting:
                raise _most_telling([error for attempt in attempts if (error := attempt.exception()) is not None])
            winner = next((known for known in attempts if known.done() and known.exception() is None), None)
        return winner.result()
    finally:
        for attempt in attempts:
            if attempt is not winner:
                attempt.add_done_callback(_give_up)
                attempt.cancel()


def _give_up(attempt: asyncio.Task[socket.socket]) -> None:
    """A lost race's connection may still have come to stand."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _dial(address: Address) -> socket.socket:
    family, where = address
    dialled = socket.socket(family, socket.SOCK_STREAM)
    try:
        dialled.setblocking(False)
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(dialled, where)
    except BaseException:
        dialled.close()
        raise
    return dialled


def _most_telling(errors: Sequence[BaseException]) -> BaseException:
    """Of several failed addresses the one to report: a host that refused says more than a family without a route."""
    no_route = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH)
    return min(errors, key=lambda error: isinstance(error, OSError) and error.errno in no_route)
