"""The threshold: one entry per scheduled probe goes in, at most one decision comes out.

A window remembers the last `window` probes of one target. `failures` of them trip once; while the incident is open
another verdict that meets the threshold by itself trips once more; `recover` good ones in a row end the incident and
re-arm. The signature of an incident that has just ended does not freeze again within `reopen_s`: its packet goes on.

What is not the provider's answer (`missed`, `probe_fault`) neither counts nor evicts. Failures of an ended incident do
not count towards the next one: otherwise the first hiccup after a recovery would page again.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from probe.records import FreezePolicy, Recovered, Reopened, Trip, Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One scheduled probe as the window sees it."""

    probe_id: str
    due_at: datetime
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a packet stands for: this verdict for this reason, under this packet ID."""

    verdict: Verdict
    reason: str
    packet_id: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An open incident of one target. `good` counts the good probes in a row since the last failure."""

    packets: tuple[Signature, ...]
    first_failed_at: datetime
    last_failed_at: datetime
    failures: int
    probes: int
    good: int = 0

    @property
    def verdicts(self) -> frozenset[Verdict]:
        return frozenset(packet.verdict for packet in self.packets)


@dataclass(frozen=True, slots=True)
class Ended:
    """A signature whose incident recovered, kept as long as it may be reopened."""

    signature: Signature
    recovered_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    entries: tuple[Entry, ...] = ()
    incident: Incident | None = None
    ended: tuple[Ended, ...] = ()

    @property
    def failing(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.verdict.is_failure)

    @property
    def active(self) -> frozenset[Verdict]:
        """The verdicts of the open incident."""
        return frozenset() if self.incident is None else self.incident.verdicts


K = TypeVar("K", bound=str)
Decision = Trip | Reopened | Recovered


def name_in_id(target: str) -> str:
    """What a packet's ID shows of the target; more than one target may look like this."""
    return re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-")[:40]


def packet_id(target: str, probe_id: str, due_at: datetime) -> str:
    """The ID that the tripping probe determines: a restart or a second writer arrives at the same one."""
    name = name_in_id(target)
    digest = hashlib.sha256(f"{target}\n{probe_id}".encode()).hexdigest()[:8]
    return f"{due_at:%Y%m%dT%H%M%SZ}-{name}-{digest}"


def step(
    window: Window, target: str, entry: Entry, policy: FreezePolicy, cadence_s: float
) -> tuple[Window, Decision | None]:
    """The window after `entry`, and what it decided. Pure; `entry.due_at` is the only clock."""
    if not (entry.verdict is Verdict.OK or entry.verdict.is_failure):
        return window, None
    oldest = entry.due_at - timedelta(seconds=2 * policy.window * cadence_s)
    kept = tuple(known for known in window.entries if known.due_at >= oldest)
    reopenable = entry.due_at - timedelta(seconds=policy.reopen_s)
    window = Window(
        entries=(*kept, entry)[-policy.window :],
        incident=None if window.incident is None else _with(window.incident, entry),
        ended=tuple(ended for ended in window.ended if ended.recovered_at >= reopenable),
    )
    if entry.verdict is Verdict.OK:
        return _after_good(window, target, entry, policy)
    return _after_failure(window, target, entry, policy)


def vetoed(window: Window, packet: str) -> Window:
    """The window after a trip that was ours: neither that packet nor the failures behind it count towards anything."""
    ended = tuple(ended for ended in window.ended if ended.signature.packet_id != packet)
    incident = window.incident
    left = () if incident is None else tuple(known for known in incident.packets if known.packet_id != packet)
    if incident is None or not left:
        return Window(ended=ended)
    return replace(window, incident=replace(incident, packets=left), ended=ended)


def failed_since(window: Window, failing: Sequence[str]) -> tuple[int, int]:
    """How many of the probes from the first of these failing ones on failed, and how many they were."""
    known = [entry.probe_id for entry in window.entries]
    first = known.index(failing[0]) if failing and failing[0] in known else 0
    since = window.entries[first:]
    return sum(entry.verdict.is_failure for entry in since), len(since)


def _with(incident: Incident, entry: Entry) -> Incident:
    if entry.verdict is Verdict.OK:
        return replace(incident, probes=incident.probes + 1, good=incident.good + 1)
    return replace(
        incident,
        probes=incident.probes + 1,
        failures=incident.failures + 1,
        good=0,
        last_failed_at=entry.due_at,
    )


def _after_good(window: Window, target: str, entry: Entry, policy: FreezePolicy) -> tuple[Window, Decision | None]:
    incident = window.incident
    if incident is None or incident.good < policy.recover:
        return window, None
    recovered = Recovered(
        target=target,
        packets=tuple(packet.packet_id for packet in incident.packets),
        first_failed_at=incident.first_failed_at,
        last_reproduced_at=incident.last_failed_at,
        recovered_at=entry.due_at,
        failures=incident.failures,
        probes=incident.probes,
    )
    ended = tuple(Ended(packet, entry.due_at) for packet in incident.packets)
    return Window(entries=window.entries[-policy.recover :], ended=(*window.ended, *ended)), recovered


def _after_failure(window: Window, target: str, entry: Entry, policy: FreezePolicy) -> tuple[Window, Decision | None]:
    if window.incident is None:
        counted = window.failing
        verdict = _most_frequent(known.verdict for known in counted)
    else:
        # Within an incident only the newcomer's verdict can have just met the threshold, and only by itself.
        verdict = entry.verdict
        counted = tuple(known for known in window.failing if known.verdict is verdict)
        if verdict in window.incident.verdicts:
            return window, None
    if len(counted) < policy.failures:
        return window, None
    reason = _most_frequent(known.reason for known in counted if known.verdict is verdict)
    known_packet = next(
        (
            ended.signature
            for ended in window.ended
            if ended.signature.verdict is verdict and ended.signature.reason == reason
        ),
        None,
    )
    decision: Decision
    if known_packet is None:
        signature = Signature(verdict, reason, packet_id(target, entry.probe_id, entry.due_at))
        decision = Trip(
            target=target,
            verdict=verdict,
            reason=reason,
            probe_id=entry.probe_id,
            due_at=entry.due_at,
            entries=tuple(known.probe_id for known in window.failing),
            counts=_counts(window.failing),
        )
    else:
        signature = known_packet
        decision = Reopened(target, verdict, reason, known_packet.packet_id, entry.probe_id, entry.due_at)
    return (
        replace(
            window,
            incident=_opened(window, signature),
            ended=tuple(ended for ended in window.ended if ended.signature != signature),
        ),
        decision,
    )


def _opened(window: Window, signature: Signature) -> Incident:
    """The open incident with this packet added, opened with the window's own failures where there was none."""
    if window.incident is not None:
        return replace(window.incident, packets=(*window.incident.packets, signature))
    failing = window.failing
    since_first = window.entries[window.entries.index(failing[0]) :]
    return Incident(
        packets=(signature,),
        first_failed_at=failing[0].due_at,
        last_failed_at=failing[-1].due_at,
        failures=len(failing),
        probes=len(since_first),
    )


def _most_frequent(keys: Iterable[K]) -> K:
    """The most frequent of `keys` (oldest first), the newest on a tie."""
    listed = list(keys)
    counts = Counter(listed)
    return max(reversed(listed), key=counts.__getitem__)


def _counts(entries: Iterable[Entry]) -> tuple[tuple[Verdict, str, int], ...]:
    counts = Counter((entry.verdict, entry.reason) for entry in entries)
    return tuple((verdict, reason, count) for (verdict, reason), count in counts.most_common())
