"""What Prometheus sees: counters and histograms fed by events, and gauges read at the scrape.

Counters of every known target exist from the start at 0: one that is born at 1 has `increase() == 0`. Labels come from
the configuration and from closed lists only, never from a provider's text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from exporter.exposition import Exposition
from exporter.gauges import Gauges
from exporter.latest import Latest, LatestPacket
from exporter.series import Counter, Histogram
from probe.contract import Contract
from probe.index import PacketEntry
from probe.pong import Target
from probe.records import (
    PACKET_VERDICTS,
    REASONS,
    BudgetChanged,
    BudgetStopped,
    ControlSeen,
    Event,
    Frozen,
    Listing,
    Recovered,
    Refused,
    Reopened,
    RequestKind,
    Result,
    Sent,
    Spooled,
    StoreFailed,
    Trigger,
    Trip,
    UnpaidSent,
    Usage,
    Verdict,
    Vetoed,
    WindowChanged,
)
from probe.watch import AreaSeen

# A model call takes seconds to minutes: the library's own buckets end at 10 s.
LATENCY_BUCKETS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
OWN_DELAY_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

FAILING_VERDICTS: Final = (*sorted(PACKET_VERDICTS), Verdict.PROBE_FAULT)
OUTCOMES: Final = {Verdict.OK: "success", **dict.fromkeys(PACKET_VERDICTS, "failure")}

# One minimal request cannot cost more; a larger number in a reply is a broken or hostile one.
MOST_TOKENS: Final = 10_000_000
EXEMPLAR_CHARACTERS: Final = 128  # OpenMetrics 1.0: names and values of an exemplar's labels together

# What `StoreFailed` names, and `refused`: a packet or addendum that would have carried a secret and was not written.
STORE_OPERATIONS: Final = ("freeze", "append", "read", "history", "sources", "refused")


class Metrics:
    """Every series. `on_event` is a listener of the flow; it and the rendering run on the flow's loop."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        contracts: Mapping[str, Contract],
        version: str,
        budget: Mapping[str, int] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._latest = Latest(version=version, budget=budget or {})
        self._open_packets: dict[tuple[str, Verdict], str] = {}
        self._families: list[Counter | Histogram] = []

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            self._families.append(family := Counter(name.removesuffix("_total"), documentation, labels))
            return family

        def histogram(name: str, documentation: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            self._families.append(family := Histogram(name, documentation, labels, buckets))
            return family

        self._probes = counter("freezeframe_probes_total", "Due ticks by verdict", "target", "verdict")
        self._requests = counter("freezeframe_requests_total", "Paid requests put on the wire", "target", "kind")
        self._unpaid = counter("freezeframe_unpaid_requests_total", "Requests that cost nothing", "kind")
        self._failures = counter("freezeframe_failures_total", "Failing ticks by reason", "target", "verdict", "reason")
        self._tokens = counter("freezeframe_tokens_total", "Tokens as billed by the server", "target", "kind")
        self._trips = counter("freezeframe_trips_total", "Times the failure threshold was met", "target")
        self._vetoes = counter("freezeframe_vetoes_total", "Trips that turned out to be ours", "target")
        self._reopens = counter(
            "freezeframe_reopens_total", "Trips whose packet went on instead of a new one", "target"
        )
        self._budget_stops = counter("freezeframe_budget_stops_total", "Ticks that the budget stopped", "target")
        self._packets = counter("freezeframe_packets_total", "Evidence packets frozen", "target", "verdict", "trigger")
        self._store_errors = counter("freezeframe_store_errors_total", "What could not be stored or read", "operation")
        self._latency = histogram(
            "freezeframe_probe_latency_seconds",
            "Duration of probes, failing ones too",
            LATENCY_BUCKETS_S,
            "target",
            "outcome",
        )
        self._first_token = histogram(
            "freezeframe_time_to_first_token_seconds",
            "Start of a streamed probe to its first content",
            LATENCY_BUCKETS_S,
            "target",
        )
        self._lateness = histogram(
            "freezeframe_schedule_lateness_seconds",
            "How long after its due time a probe started: our own delay",
            OWN_DELAY_BUCKETS_S,
        )
        self._loop_lag = histogram(
            "freezeframe_event_loop_lag_seconds",
            "Delay of our own event loop, which would look like the provider's",
            OWN_DELAY_BUCKETS_S,
        )
        for unlabelled in (self._lateness, self._loop_lag):
            unlabelled.labels()
        self._exposition = Exposition(tuple(self._families), Gauges(self._latest, clock))
        for unpaid in ("control", "catalogue", "gateway_log", "source"):
            self._unpaid.labels(unpaid)
        for operation in STORE_OPERATIONS:
            self._store_errors.labels(operation)
        self.set_targets(targets, contracts)

    @property
    def latest(self) -> Latest:
        """What the gauges are read from, for the status page."""
        return self._latest

    def set_targets(self, targets: Sequence[Target], contracts: Mapping[str, Contract]) -> None:
        """What a newly loaded configuration probes: new targets are born at 0, removed ones leave nothing."""
        known = {target.name for target in targets}
        for gone in {target.name for target in self._latest.targets} - known:
            self._latest.forget(gone)
            for family in self._families_by_target():
                family.forget(gone)
        self._open_packets = {key: packet for key, packet in self._open_packets.items() if key[0] in known}
        for target in targets:
            self._bear(target)
        self._known = known
        self._latest.targets = tuple(targets)
        self._latest.contracts = tuple(contracts.values())
        self._latest.config_loaded_at = self._clock()

    def _families_by_target(self) -> Iterator[Counter | Histogram]:
        yield from (self._probes, self._requests, self._failures, self._tokens, self._trips, self._packets)
        yield from (self._latency, self._first_token, self._vetoes, self._reopens, self._budget_stops)

    def _bear(self, target: Target) -> None:
        for verdict in Verdict:
            self._probes.labels(target.name, verdict.value)
        for kind in RequestKind:
            self._requests.labels(target.name, kind.value)
        for verdict in FAILING_VERDICTS:
            for reason in REASONS[verdict]:
                self._failures.labels(target.name, verdict.value, reason)
        for tokens in ("prompt", "completion"):
            self._tokens.labels(target.name, tokens)
        for family in (self._trips, self._vetoes, self._reopens, self._budget_stops):
            family.labels(target.name)
        for verdict in PACKET_VERDICTS:
            for trigger in Trigger:
                self._packets.labels(target.name, verdict.value, trigger.value)
        for outcome in ("success", "failure"):
            self._latency.labels(target.name, outcome)
        if target.stream:
            self._first_token.labels(target.name)

    def set_budget(self, limits: Mapping[str, int]) -> None:
        self._latest.budget = limits

    def set_controls(self, names: Iterable[str]) -> None:
        """The controls that are looked at; one that is gone leaves nothing."""
        kept = set(names)
        self._latest.controls = {name: seen for name, seen in self._latest.controls.items() if name in kept}

    def set_listings(self, listings: Callable[[], Mapping[tuple[str, str], Listing]]) -> None:
        """What is asked at each scrape for what public model lists say, by contract and model."""
        self._latest.listings = listings

    def set_areas(self, areas: Callable[[], Mapping[tuple[str, str], AreaSeen]]) -> None:
        """What is asked at each scrape for what our own copies of the documents show, by contract and area."""
        self._latest.areas = areas

    def set_reloaded(self, succeeded: bool) -> None:
        """Whether the last reload held; the old configuration goes on where it did not."""
        self._latest.reload_succeeded = succeeded

    def set_state_since(self, at_s: float) -> None:
        """The number by which this prober is told from others."""
        self._latest.state_since_s = at_s

    def set_canary(self, holds: bool) -> None:
        """Whether the redaction of a planted secret, tried at start, held."""
        self._latest.canary_holds = holds

    def seed_packets(self, entries: Iterable[PacketEntry]) -> None:
        """The latest stored packet of each target, after a start."""
        for entry in entries:
            if entry.target in self._known and entry.state in ("open", "recovered"):
                known = self._latest.packets.get(entry.target)
                if known is None or known.frozen_at < entry.frozen_at:
                    self._latest.packets[entry.target] = LatestPacket(entry.id, Verdict(entry.verdict), entry.frozen_at)

    def observe_loop_lag(self, lag_s: float) -> None:
        self._loop_lag.labels().observe(lag_s)

    def on_event(self, event: Event) -> None:
        match event:
            case Sent():
                if event.target in self._known:
                    self._requests.labels(event.target, event.kind.value).inc()
            case Result():
                if event.target in self._known:
                    self._count_tokens(event.target, event.reading.usage)
                    if event.kind is RequestKind.SCHEDULED:
                        self._count_tick(event)
            case WindowChanged():
                if event.target in self._known:
                    self._latest.windows[event.target] = event
            case BudgetChanged():
                self._latest.budget_left = event
            case (
                Trip(target=name)
                | Recovered(target=name)
                | Reopened(target=name)
                | Frozen(target=name)
                | Vetoed(target=name)
                | BudgetStopped(target=name)
            ) if name not in self._known:
                pass  # removed by a reload while its probe was in flight: its series must not come back
            case Trip():
                self._trips.labels(event.target).inc()
            case Recovered():
                for verdict in PACKET_VERDICTS:
                    self._open_packets.pop((event.target, verdict), None)
            case Vetoed():
                self._vetoes.labels(event.target).inc()
            case BudgetStopped():
                self._budget_stops.labels(event.target).inc()
                self._latest.results.pop(event.target, None)  # nothing is known of now, which is not "down"
            case Spooled():
                self._latest.spooled = event.waiting
            case Reopened():
                self._trips.labels(event.target).inc()
                self._reopens.labels(event.target).inc()
                self._open_packets[event.target, event.verdict] = event.packet_id
            case Frozen():
                self._count_packet(event)
            case StoreFailed():
                self._store_errors.labels(event.operation).inc()
                self._latest.store_failed = (self._clock(), event.operation)
            case Refused():
                self._store_errors.labels("refused").inc()
            case UnpaidSent():
                self._unpaid.labels(event.kind).inc()
            case ControlSeen():
                self._unpaid.labels("control").inc()
                self._latest.controls[event.control] = event.reachable

    def _count_tick(self, result: Result) -> None:
        target, verdict = result.target, result.verdict
        packet = self._open_packets.get((target, verdict))
        exemplar = _exemplar(result.probe_id, packet)
        self._probes.labels(target, verdict.value).inc(exemplar=exemplar)
        if verdict in FAILING_VERDICTS:
            self._failures.labels(target, verdict.value, result.judgement.reason).inc()
        if result.judgement.reason != "overrun":  # that tick was on time; the previous probe was in its way
            self._lateness.labels().observe(result.lateness_s)
        if verdict is Verdict.MISSED:
            return
        self._latest.results[target] = result
        if result.reading.quota:
            self._latest.quotas[target] = result
        timings, outcome = result.timings, OUTCOMES.get(verdict)
        if timings is None or outcome is None:
            return
        self._latency.labels(target, outcome).observe(timings.total_s, exemplar=exemplar)
        if result.sealed is not None and result.sealed.value.request.stream and timings.first_token_s is not None:
            self._first_token.labels(target).observe(timings.first_token_s)

    def _count_tokens(self, target: str, usage: Usage | None) -> None:
        if usage is None:
            return
        for kind, tokens in (("prompt", usage.prompt_tokens), ("completion", usage.completion_tokens)):
            if tokens is not None and 0 < tokens <= MOST_TOKENS:
                self._tokens.labels(target, kind).inc(tokens)

    def _count_packet(self, packet: Frozen) -> None:
        self._packets.labels(packet.target, packet.verdict.value, packet.trigger.value).inc()
        previous = self._latest.packets.get(packet.target)
        if previous is None or previous.frozen_at <= packet.frozen_at:
            self._latest.packets[packet.target] = LatestPacket(packet.packet_id, packet.verdict, packet.frozen_at)
        if packet.trigger is not Trigger.THRESHOLD:
            return
        self._open_packets[packet.target, packet.verdict] = packet.packet_id
        # The tick was counted before its packet was durable: name the packet in the exemplar now, counting nothing.
        exemplar = _exemplar(packet.probe_id, packet.packet_id)
        self._probes.labels(packet.target, packet.verdict.value).inc(0, exemplar=exemplar)

    async def render(self, accept: str = "", accept_encoding: str = "") -> tuple[list[bytes], dict[str, str]]:
        """The exposition in pieces, and its headers."""
        return await self._exposition.render(accept, accept_encoding)


def _exemplar(probe_id: str, packet_id: str | None) -> dict[str, str] | None:
    """What leads from a graph to the evidence, as far as it fits."""
    labels = {"probe": probe_id} if packet_id is None else {"probe": probe_id, "packet": packet_id}
    while sum(len(name) + len(text) for name, text in labels.items()) > EXEMPLAR_CHARACTERS:
        labels.popitem()
    return labels or None
