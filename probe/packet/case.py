"""What a packet is drafted from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from probe.contract.document import Document
from probe.pong import Target
from probe.records import Result, Trigger, Trip, Verdict

SCOPE_COLUMNS: Final = ("target", "model", "mode", "credential", "labels", "window", "state")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which traffic is affected, as worked out at `as_of`; the rows of `table` follow SCOPE_COLUMNS. `instances` gives
    the address of each other prober that is named there: it is ours alone. `is_well_elsewhere` where other probers
    that send the same request from the same account are known, and all of them are well."""

    sentence: str
    table: tuple[tuple[str, ...], ...]
    as_of: datetime
    instances: tuple[tuple[str, str], ...] = ()
    is_well_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known when a packet is frozen. `failing` (every failing attempt) and `history` (the ticks before and
    including the trip) are oldest first; `earlier` are IDs of packets with the same signature; `documents` are the
    newest copies of what the target's contract cites, and the contract knows what they show."""

    packet_id: str
    incident: str
    trigger: Trigger
    frozen_at: datetime
    target: Target
    verdict: Verdict
    reason: str
    subject: Result
    failing: tuple[Result, ...]
    history: tuple[Result, ...]
    last_good: Result | None
    trip: Trip | None
    scope: Scope
    impact: str | None
    owner: str | None
    posts: str | None
    earlier: tuple[str, ...]
    request_ids_policy: str
    egress_ip_policy: str
    version: str
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a stored file: `kind` is altered, missing, extra or unreadable."""

    file: str
    kind: str

    def is_of_addendum(self, packet_id: str) -> bool:
        """Whether it is of something beside the packet, which is itself as it was."""
        return self.file.startswith(f"{packet_id}.") and self.file != f"{packet_id}.zip"
