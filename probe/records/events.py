"""What a tick leaves behind, and everything else that listeners are told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from probe.records.exchange import Observation, Timings
from probe.records.judgement import Judgement, Listing
from probe.records.reading import Reading
from probe.records.sealed import Sealed
from probe.records.verdicts import RequestKind, Trigger, Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one due tick (or of a confirmation). A missed tick has no observation.

    `lateness_s` is how long after its due time the probe started; `loop_lag_s` the worst delay of our own event loop
    while it ran: how much of a latency could be our own. `outside_reachable` and `listing` are what controls and
    catalogue said when it was judged (None: not known), so that it can be judged again.
    """

    probe_id: str
    target: str
    kind: RequestKind
    due_at: datetime
    ended_at: datetime
    judgement: Judgement
    lateness_s: float
    loop_lag_s: float
    sealed: Sealed[Observation] | None = None
    reading: Reading = field(default_factory=Reading)
    outside_reachable: bool | None = None
    listing: Listing | None = None

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def timings(self) -> Timings | None:
        return None if self.sealed is None else self.sealed.value.timings

    @property
    def status(self) -> int | None:
        """The HTTP status, where one arrived."""
        reply = None if self.sealed is None else self.sealed.value.reply
        return None if reply is None else reply.status


@dataclass(frozen=True, slots=True)
class Trip:
    """The threshold was met: freeze. `entries` are the probe IDs of the failing entries, oldest first."""

    target: str
    verdict: Verdict
    reason: str
    probe_id: str
    due_at: datetime
    entries: tuple[str, ...]
    counts: tuple[tuple[Verdict, str, int], ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """`recover` good probes in a row ended the incident that these packets were frozen for."""

    target: str
    packets: tuple[str, ...]
    first_failed_at: datetime
    last_reproduced_at: datetime
    recovered_at: datetime
    failures: int
    probes: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """The signature of a recovered incident is back within the `reopen` time: the same packet goes on."""

    target: str
    verdict: Verdict
    reason: str
    packet_id: str
    probe_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A paid request was put on the wire."""

    target: str
    kind: RequestKind


@dataclass(frozen=True, slots=True)
class Frozen:
    """A packet is durable in the store."""

    packet_id: str
    incident: str
    target: str
    verdict: Verdict
    reason: str
    trigger: Trigger
    probe_id: str
    frozen_at: datetime
    zip_sha256: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A packet or addendum was not written because what looked like a secret would have gone with it."""

    packet_id: str
    target: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Writing or reading the store failed; `error` is our own words, never the provider's."""

    operation: str
    packet_id: str | None
    error: str


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """The window of a target after a tick: for gauges."""

    target: str
    failures: int
    active: frozenset[Verdict]


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """An unpaid control answered, or did not."""

    control: str
    reachable: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class UnpaidSent:
    """A request that costs nothing was put on the wire: `kind` is ``catalogue``, ``gateway_log`` or ``source``."""

    kind: str


@dataclass(frozen=True, slots=True)
class CatalogueSeen:
    """A look at a contract's public model list. `problem` says why the answer was not believed (the list before it
    stays); `left` and `entered` are configured models whose membership changed."""

    contract: str
    url: str
    problem: str | None
    left: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayLogRead:
    """What the provider's own log said after a trip: of how many failing attempts it holds a row."""

    target: str
    packet_id: str
    found: int
    sought: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A document that contracts rely on: it was fetched now (`asked`), or what is kept of it was read.

    `failed` is why the newest fetch brought none, in our own words; `changed_to` the digest of its text where that is
    not what a person looked at last; `missing` the contract and place of each statement that was not found in it.
    """

    url: str
    asked: bool
    failed: str | None
    changed_to: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vetoed:
    """A trip that turned out to be ours: the controls did not answer either. Nothing is frozen under this ID."""

    target: str
    verdict: Verdict
    reason: str
    packet_id: str
    probe_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TwinsSeen:
    """Which of our targets another prober probes as well, with the same credential: pairs of target and instance."""

    twins: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BudgetStopped:
    """A due tick that was not sent because the day's budget of `kind` (``probes`` or ``tokens``) is spent."""

    target: str
    probe_id: str
    due_at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """What is left of the day's budget."""

    probes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """How many packets and addenda wait in the spool for the store."""

    waiting: int


Event = (
    Sent
    | Result
    | WindowChanged
    | Trip
    | Recovered
    | Reopened
    | Vetoed
    | Frozen
    | Refused
    | StoreFailed
    | ControlSeen
    | UnpaidSent
    | SourceSeen
    | CatalogueSeen
    | GatewayLogRead
    | TwinsSeen
    | BudgetStopped
    | BudgetChanged
    | Spooled
)
Listener = Callable[[Event], None]
Json = dict[str, Any]
