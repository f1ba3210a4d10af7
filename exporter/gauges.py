"""What a scrape shows as gauges: computed at that moment from the latest facts.

Nothing is stored per series. A target that is gone, a phase that was not measured and a result that has grown old are
therefore absent by themselves, and never stay behind as a last value that looks like health.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exporter.latest import Latest, is_fresh
from exporter.series import head, named, number
from probe.contract import Contract, Source, evidence
from probe.peers import OWN_NUMBER
from probe.records import PACKET_VERDICTS, QuotaReading, Result, Timings, Verdict

Samples = Iterable[tuple[dict[str, str], float]]


def sources(contract: Contract) -> Iterator[tuple[str, Source]]:
    """Every area of a contract and where it was read; of several statements in one the oldest reading."""
    oldest: dict[str, Source] = {}
    for statement in contract.statements:
        name, source = evidence.area(statement.place), statement.source
        if name not in oldest or source.accessed < oldest[name].accessed:
            oldest[name] = source
    yield from oldest.items()


def _current(latest: Latest, now: datetime) -> Iterator[tuple[dict[str, str], Result]]:
    """The last result of each target, where it says something about the provider's present."""
    for target in latest.targets:
        result = latest.results.get(target.name)
        if result is not None and result.verdict is not Verdict.PROBE_FAULT and is_fresh(target, result, now):
            yield {"target": target.name}, result


def _measured(latest: Latest, now: datetime) -> Iterator[tuple[dict[str, str], Timings]]:
    for labels, result in _current(latest, now):
        if result.timings is not None:
            yield labels, result.timings


def _probe_success(latest: Latest, now: datetime) -> Samples:
    return ((labels, result.verdict is Verdict.OK) for labels, result in _current(latest, now))


def _probe_duration(latest: Latest, now: datetime) -> Samples:
    return ((labels, timings.total_s) for labels, timings in _measured(latest, now))


def _http_status(latest: Latest, now: datetime) -> Samples:
    for labels, result in _current(latest, now):
        if result.status is not None:
            yield labels, result.status


def _http_phases(latest: Latest, now: datetime) -> Samples:
    for labels, timings in _measured(latest, now):
        phases = {
            "resolve": timings.resolve_s,
            "connect": timings.connect_s,
            "tls": timings.tls_s,
            "processing": timings.processing_s,
            "transfer": timings.transfer_s,
        }
        for phase, seconds in phases.items():
            if seconds is not None:
                yield {**labels, "phase": phase}, seconds


def _certificate_expiry(latest: Latest, now: datetime) -> Samples:
    for labels, result in _current(latest, now):
        connection = None if result.sealed is None else result.sealed.value.connection
        if connection is not None and connection.cert_expires_at is not None:
            yield labels, connection.cert_expires_at.timestamp()


def _target_info(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        labels = {f"label_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}": text for name, text in target.labels.items()}
        yield (
            {
                **labels,
                "target": target.name,
                "contract": target.contract.name,
                "model": target.model,
                "stream": "true" if target.stream else "false",
                "credential": target.credential,
            },
            1,
        )


def _cadence(latest: Latest, _: datetime) -> Samples:
    return (({"target": target.name}, target.cadence_s) for target in latest.targets)


def _last_probe(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        if (result := latest.results.get(target.name)) is not None:
            yield {"target": target.name}, result.ended_at.timestamp()


def _window_failures(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        window = latest.windows.get(target.name)
        yield {"target": target.name}, 0 if window is None else window.failures


def _incident_active(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        window = latest.windows.get(target.name)
        for verdict in sorted(PACKET_VERDICTS):
            yield (
                {"target": target.name, "verdict": verdict.value},
                window is not None and verdict in window.active,
            )


def _packet_info(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        if (packet := latest.packets.get(target.name)) is not None:
            yield {"target": target.name, "verdict": packet.verdict.value, "packet": packet.packet_id}, 1


def _packet_timestamp(latest: Latest, _: datetime) -> Samples:
    for target in latest.targets:
        if (packet := latest.packets.get(target.name)) is not None:
            yield {"target": target.name}, packet.frozen_at.timestamp()


def _control_success(latest: Latest, _: datetime) -> Samples:
    return (({"control": name}, reachable) for name, reachable in latest.controls.copy().items())


def _model_listed(latest: Latest, _: datetime) -> Samples:
    for (contract, model), listing in latest.listings().items():
        yield {"contract": contract, "model": model}, listing.listed


def _contract_accessed(latest: Latest, _: datetime) -> Samples:
    """When a value was found in its source by ourselves, else as the contract file states it."""
    seen = latest.areas()
    for contract in latest.contracts:
        for area, source in sources(contract):
            own = seen.get((contract.name, area))
            at = own.at if own is not None and own.is_found else source.accessed
            yield {"contract": contract.name, "area": area}, at.timestamp()


def _source_changed(latest: Latest, _: datetime) -> Samples:
    seen = latest.areas()
    for contract in latest.contracts:
        for area, _source in sources(contract):
            if (own := seen.get((contract.name, area))) is not None:
                yield {"contract": contract.name, "area": area}, own.is_changed


def _quota(
    part: Callable[[QuotaReading], int | None],
) -> Callable[[Latest, datetime], Samples]:
    """One number of the newest head-room per credential and model: targets that share both share the quota."""

    def read(latest: Latest, now: datetime) -> Samples:
        newest: dict[tuple[str, str], Result] = {}
        for target in latest.targets:
            result = latest.quotas.get(target.name)
            if result is None or not is_fresh(target, result, now):
                continue
            shared = (target.credential, target.model)
            if shared not in newest or newest[shared].ended_at < result.ended_at:
                newest[shared] = result
        for (credential, model), result in newest.items():
            numbers = {reading.kind: part(reading) for reading in result.reading.quota}
            for kind in ("requests", "tokens"):
                if (number := numbers.get(kind)) is not None:
                    yield {"credential": credential, "model": model, "kind": kind}, number

    return read


def _budget_limit(latest: Latest, _: datetime) -> Samples:
    return (({"kind": kind}, limit) for kind, limit in latest.budget.items())


def _budget_remaining(latest: Latest, _: datetime) -> Samples:
    if latest.budget_left is not None:
        yield {"kind": "probes"}, latest.budget_left.probes
        yield {"kind": "tokens"}, latest.budget_left.tokens


def _spooled(latest: Latest, _: datetime) -> Samples:
    if latest.spooled is not None:
        yield {}, latest.spooled


def _config_loaded(latest: Latest, _: datetime) -> Samples:
    if latest.config_loaded_at is not None:
        yield {}, latest.config_loaded_at.timestamp()


def _reload_succeeded(latest: Latest, _: datetime) -> Samples:
    yield {}, latest.reload_succeeded


def _state_since(latest: Latest, _: datetime) -> Samples:
    if latest.state_since_s is not None:
        yield {}, latest.state_since_s


def _canary(latest: Latest, _: datetime) -> Samples:
    if latest.canary_holds is not None:
        yield {}, latest.canary_holds


def _build_info(latest: Latest, _: datetime) -> Samples:
    yield {"version": latest.version}, 1


@dataclass(frozen=True, slots=True)
class Gauge:
    """One row: a name (with `_info` it is an info), what it means, and how it is read from the latest facts."""

    name: str
    documentation: str
    read: Callable[[Latest, datetime], Samples]

    @property
    def kind(self) -> str:
        return "info" if self.name.endswith("_info") else "gauge"

    def head(self, *, openmetrics: bool) -> str:
        return head(self.name.removesuffix("_info"), self.kind, self.documentation, openmetrics=openmetrics)


# The first five are blackbox_exporter's names and meanings, so that dashboards made for it go on working.
GAUGES: Final = (
    Gauge("probe_success", "Whether the documented contract held in the last probe", _probe_success),
    Gauge("probe_duration_seconds", "How long the last probe took", _probe_duration),
    Gauge("probe_http_status_code", "HTTP status of the last probe, where one arrived", _http_status),
    Gauge("probe_http_duration_seconds", "Duration of the last probe by phase", _http_phases),
    Gauge("probe_ssl_earliest_cert_expiry", "When the certificate expires (Unix time)", _certificate_expiry),
    Gauge("freezeframe_target_info", "The configured targets", _target_info),
    Gauge("freezeframe_target_cadence_seconds", "Seconds between two probes of a target", _cadence),
    Gauge("freezeframe_last_probe_timestamp_seconds", "When the last probe ended", _last_probe),
    Gauge("freezeframe_window_failures", "Failing entries in the window of a target", _window_failures),
    Gauge("freezeframe_incident_active", "Whether an incident with this verdict is open", _incident_active),
    Gauge("freezeframe_packet_info", "The latest evidence packet of a target", _packet_info),
    Gauge("freezeframe_packet_timestamp_seconds", "When that packet was frozen", _packet_timestamp),
    Gauge("freezeframe_control_success", "Whether an unpaid control answered", _control_success),
    Gauge(
        "freezeframe_model_listed", "Whether the provider's public model list names a configured model", _model_listed
    ),
    Gauge(
        "freezeframe_contract_accessed_timestamp_seconds",
        "When a documented value was read from its source",
        _contract_accessed,
    ),
    Gauge(
        "freezeframe_contract_source_changed",
        "Whether the text of a document differs from the copy that a person looked at last",
        _source_changed,
    ),
    Gauge(
        "freezeframe_quota_remaining",
        "Head-room as the server stated it",
        _quota(lambda reading: reading.remaining),
    ),
    Gauge("freezeframe_quota_limit", "Limit as the server stated it", _quota(lambda reading: reading.limit)),
    Gauge("freezeframe_budget_remaining", "Probes or tokens that are left of the day (UTC)", _budget_remaining),
    Gauge("freezeframe_budget_limit", "Configured probes or tokens per day", _budget_limit),
    Gauge("freezeframe_config_last_reload_successful", "Whether the last load held", _reload_succeeded),
    Gauge(
        "freezeframe_config_last_reload_success_timestamp_seconds",
        "When the configuration in use was loaded",
        _config_loaded,
    ),
    Gauge("freezeframe_spooled_packets", "Packets and addenda that wait for the store", _spooled),
    Gauge(OWN_NUMBER, "When this prober's state was made (Unix time): tells one prober from another", _state_since),
    Gauge("freezeframe_redaction_canary_ok", "Whether the redaction of a planted secret held", _canary),
    Gauge("freezeframe_build_info", "The running version", _build_info),
)


class Gauges:
    """The gauges as text, in parts: what is computed at a scrape, and names that need no second escaping."""

    def __init__(self, latest: Latest, clock: Callable[[], datetime]) -> None:
        self._latest = latest
        self._clock = clock
        self._named: dict[tuple[object, ...], str] = {}  # of the last scrape: a series that is gone leaves nothing

    def parts(self, *, openmetrics: bool) -> Iterator[str]:
        """Heads and lines; whoever iterates may pause between any two."""
        now = self._clock()
        before, self._named = self._named, {}
        for row in GAUGES:
            yield row.head(openmetrics=openmetrics)
            for labels, value in row.read(self._latest, now):
                key = (row.name, *labels.items())
                shown = before.get(key) or named(row.name, labels)
                self._named[key] = shown
                yield f"{shown}{number(float(value))}\n"
