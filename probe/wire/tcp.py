"""What the kernel knows of a connection: its round trip, and what it had to send again. One system call.

Kernel stamps of received bytes (SO_TIMESTAMPNS) were left out: on TCP they are not given per read, and neither event
loop hands them on.
"""

import asyncio
import socket
import struct
from typing import Final, NamedTuple

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None)  # Linux only
_LAYOUT: Final = struct.Struct("8B24I")  # struct tcp_info of linux/tcp.h, up to tcpi_total_retrans
_RTT_AT: Final = 8 + 15
_RETRANSMITS_AT: Final = 8 + 23


class Tcp(NamedTuple):
    """The smoothed round trip as the kernel has it now, and the segments sent again since the connection began."""

    rtt_s: float
    retransmits: int


def look(transport: asyncio.BaseTransport | None) -> Tcp | None:
    """None where the kernel does not say, and once the transport is closing: its number may be another's by then."""
    if _TCP_INFO is None or transport is None or transport.is_closing():
        return None
    try:
        known = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAYOUT.size)
    except OSError:
        return None
    if len(known) < _LAYOUT.size:
        return None
    numbers = _LAYOUT.unpack(known)
    return Tcp(numbers[_RTT_AT] / 1e6, numbers[_RETRANSMITS_AT])
