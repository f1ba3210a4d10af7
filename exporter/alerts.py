"""Alerts, and which packet each of them is about. Pure.

Whatever stands in an alert is somebody else's text: it selects among what is known here. Nothing in it is asked,
followed or measured, and its annotations are not even read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from probe.index import PacketEntry
from probe.packet.facts import utc
from probe.packet.wording import one_line
from probe.records import Json, Verdict

LOOK_BACK: Final = timedelta(hours=1)  # what ended longer before an alert began is not what the alert is about
SLACK: Final = timedelta(minutes=1)  # two clocks, and a packet that is frozen while its alert is on the way
_MOST_CHARACTERS: Final = 120
_OURS: Final = "Freezeframe"  # how the alerts of dashboards/rules begin; those about an exchange carry `scope`


class Why(StrEnum):
    """Why an alert has no packet."""

    NAMES_NOTHING = "it names neither a target nor a contract"
    ABOUT_US = "it is about freezeframe or its contract, not about an exchange"
    OUR_FAULT = "its verdict is of our own side, and nothing of the provider's was seen"
    UNKNOWN = "it names a target or contract that is not probed here"
    NOTHING_FAILED = "no packet and no failing exchange is known from the hour before it began"
    REFUSED = "its packet was refused: a secret would have gone with it"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `ends_at` is known once it has resolved."""

    is_firing: bool
    labels: Mapping[str, str]
    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes two posts the same alert."""
        return self.fingerprint, utc(self.starts_at)

    @property
    def name(self) -> str:
        """On one line and short; still foreign."""
        return one_line(self.labels.get("alertname", ""))[:_MOST_CHARACTERS] or "without a name"

    @property
    def target(self) -> str | None:
        return self.labels.get("target") or None

    @property
    def contract(self) -> str | None:
        return self.labels.get("contract") or None


# ---------------------------------------------------------------- which packet


@dataclass(frozen=True, slots=True)
class Candidate:
    """A packet that an alert may be about. `is_open`: the failure that it stands for goes on."""

    packet_id: str
    target: str
    verdict: str
    frozen_at: datetime
    incident: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when an alert is looked at, by target: the contract, the packets, and when the latest exchange
    ended that could be frozen."""

    contracts: Mapping[str, str]
    packets: Mapping[str, Sequence[Candidate]]
    failed_at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """The packet that is there."""

    packet_id: str
    target: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """There is none yet: the latest failing exchange of this target shows what the alert is about."""

    target: str


Decision = Found | Freeze | Why


def decide(alert: Alert, known: Known) -> Decision:
    """What an alert is about. An alert that has resolved freezes nothing any more."""
    targets = _targets(alert, known.contracts)
    if isinstance(targets, Why):
        return targets
    found = pick(alert, [packet for target in targets for packet in known.packets.get(target, ())])
    if found is not None:
        return Found(found.packet_id, found.target)
    failed = {target: at for target in targets if (at := known.failed_at.get(target)) and _is_near(at, alert)}
    if not failed or not alert.is_firing:
        return Why.NOTHING_FAILED
    return Freeze(max(failed, key=lambda target: (failed[target], target)))


def _targets(alert: Alert, contracts: Mapping[str, str]) -> tuple[str, ...] | Why:
    if alert.name.startswith(_OURS) and alert.labels.get("scope") not in ("target", "contract"):
        return Why.ABOUT_US
    if alert.labels.get("verdict") in (Verdict.PROBE_FAULT, Verdict.MISSED):
        return Why.OUR_FAULT
    if alert.target is None and alert.contract is None:
        return Why.NAMES_NOTHING
    if alert.target is not None:
        return (alert.target,) if alert.target in contracts else Why.UNKNOWN
    return tuple(target for target, contract in contracts.items() if contract == alert.contract) or Why.UNKNOWN


def pick(alert: Alert, packets: Sequence[Candidate]) -> Candidate | None:
    """The packet of an alert among those of its targets; of a whole contract the one that leads the incident, also
    where its own target has recovered meanwhile."""
    fitting = [packet for packet in packets if _fits(packet, alert)]
    best = max(fitting, key=lambda packet: _rank(packet, alert), default=None)
    if best is None or alert.target is not None:
        return best
    return next((packet for packet in packets if packet.packet_id == best.incident), best)


def _fits(packet: Candidate, alert: Alert) -> bool:
    ended = alert.ends_at is not None and packet.frozen_at - SLACK > alert.ends_at
    return not ended and (packet.is_open or _is_near(packet.frozen_at, alert))


def _is_near(at: datetime, alert: Alert) -> bool:
    """Not longer ago than that, when the alert began. (Never calculated from what the alert says: the year 1 and 9999
    are years there.)"""
    return at + LOOK_BACK >= alert.starts_at


def _rank(packet: Candidate, alert: Alert) -> tuple[bool, bool, bool, float, str]:
    """Its verdict first; then the newest of those that were there when the alert began, else the first one after."""
    was_there = packet.frozen_at - SLACK <= alert.starts_at
    at_s = packet.frozen_at.timestamp()
    is_its = packet.verdict == alert.labels.get("verdict")
    return is_its, was_there, packet.is_open, at_s if was_there else -at_s, packet.packet_id


def candidate(entry: PacketEntry) -> Candidate:
    """What a store alone knows: only a tripped threshold recovers, other packets are never said to have."""
    is_open = entry.state == "open" and entry.trigger == "threshold"
    return Candidate(entry.id, entry.target, entry.verdict, entry.frozen_at, entry.incident, is_open)


# ---------------------------------------------------------------- what is written down


def addendum(alert: Alert, name: str, found: Found, at: datetime) -> Json:
    """What stands beside the packet from now on; `name` is the alert's, sealed."""
    since = utc(alert.starts_at)
    ended = None if alert.ends_at is None else utc(alert.ends_at)
    words = f"alert {name} fires since {since}"
    if not alert.is_firing:
        words = f"alert {name}, which began at {since}, has resolved" + (f" at {ended}" if ended else "")
    return {
        "schema_version": "1",
        "kind": "alert",
        "at": utc(at),
        "packet_id": found.packet_id,
        "target": found.target,
        "alertname": name,
        "fingerprint": alert.fingerprint,
        "status": "firing" if alert.is_firing else "resolved",
        "starts_at": since,
        "ends_at": ended,
        "words": words,
    }


def says_so(document: object, alert: Alert) -> bool:
    """Whether an addendum tells of this very alert in this very status."""
    if not isinstance(document, dict) or document.get("kind") != "alert":
        return False
    told = (document.get("fingerprint"), document.get("starts_at"), document.get("status") == "firing")
    return told == (*alert.key, alert.is_firing)
