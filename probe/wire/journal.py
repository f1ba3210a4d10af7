"""What one exchange does on the wire, written down while it happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from probe.wire.stream import Stream


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
    retransmits_before: int = 0  # on a reused connection: those of earlier exchanges
    arrived: float | None = None  # when the newest bytes that the reader has been given came in


class Keeper(Protocol):
    """Who knows the exchange that a connection carries at this moment."""

    journal: Journal
