"""What Prometheus sees, read back with the library's own parsers and with promtool."""

import asyncio
import gzip
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from exporter_facts import CONTRACT, READ_AT, START, result, target
from exposed import rendered
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client import exposition as plain
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Exemplar, Sample

from exporter.gauges import GAUGES
from exporter.metrics import Metrics
from probe.pong import Target
from probe.records import (
    PACKET_VERDICTS,
    REASONS,
    ControlSeen,
    Frozen,
    Listing,
    QuotaReading,
    Recovered,
    Refused,
    Reopened,
    RequestKind,
    Sent,
    StoreFailed,
    Timings,
    Trigger,
    Trip,
    UnpaidSent,
    Usage,
    Verdict,
    WindowChanged,
)

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FAILING = tuple(PACKET_VERDICTS)


class Clock:
    """Time as the test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def metrics(*targets: Target, clock: Clock | None = None) -> Metrics:
    return Metrics(
        targets or (target(),),
        contracts={"example": CONTRACT},
        version="1.2.3",
        budget={"probes": 20_000, "tokens": 1_000_000},
        clock=clock or Clock(),
    )


async def text(subject: Metrics) -> str:
    body, headers = await rendered(subject)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return body.decode()


async def samples(subject: Metrics) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """Every sample by name and labels; a series that appears twice is an error."""
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in parse_text(await text(subject)):
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            assert labels not in found.setdefault(sample.name, {}), f"{sample.name}{sample.labels} twice"
            found[sample.name][labels] = sample.value
    return found


async def value(subject: Metrics, name: str, **labels: str) -> float | None:
    return (await samples(subject)).get(name, {}).get(frozenset(labels.items()))


async def exemplars(subject: Metrics) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    body, headers = await rendered(subject, OPENMETRICS)
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    return [
        (sample.name, sample.labels, sample.exemplar.labels)
        for family in parse_openmetrics(body.decode())
        for sample in family.samples
        if sample.exemplar is not None
    ]


def frozen(packet_id: str, verdict: Verdict = Verdict.DEGRADATION, **changes: Any) -> Frozen:
    packet = Frozen(
        packet_id=packet_id,
        incident=packet_id,
        target="small",
        verdict=verdict,
        reason="upstream_5xx",
        trigger=Trigger.THRESHOLD,
        probe_id="probe-3",
        frozen_at=START,
        zip_sha256="00",
        took_s=0.1,
    )
    return replace(packet, **changes)


# ---------------------------------------------------------------- counters


async def test_counters_of_a_known_target_exist_from_the_start_at_zero() -> None:
    """A counter born at 1 has increase() == 0: the first failure would be invisible."""
    found = await samples(metrics(target(stream=True)))
    expected = {
        "freezeframe_probes_total": {("verdict", verdict.value) for verdict in Verdict},
        "freezeframe_requests_total": {("kind", kind.value) for kind in RequestKind},
        "freezeframe_tokens_total": {("kind", "prompt"), ("kind", "completion")},
        "freezeframe_probe_latency_seconds_count": {("outcome", "success"), ("outcome", "failure")},
    }
    for name, labels in expected.items():
        assert found[name] == {frozenset({("target", "small"), label}): 0.0 for label in labels}
    assert found["freezeframe_failures_total"] == {
        frozenset({("target", "small"), ("verdict", verdict.value), ("reason", reason)}): 0.0
        for verdict in (*FAILING, Verdict.PROBE_FAULT)
        for reason in REASONS[verdict]
    }
    assert found["freezeframe_packets_total"] == {
        frozenset({("target", "small"), ("verdict", verdict.value), ("trigger", trigger.value)}): 0.0
        for verdict in FAILING
        for trigger in Trigger
    }
    just_target = frozenset({("target", "small")})
    assert found["freezeframe_trips_total"] == {just_target: 0.0}
    assert found["freezeframe_time_to_first_token_seconds_count"] == {just_target: 0.0}
    assert found["freezeframe_unpaid_requests_total"] == {
        frozenset({("kind", kind)}): 0.0 for kind in ("control", "catalogue", "gateway_log", "source")
    }
    assert set(found["freezeframe_store_errors_total"].values()) == {0.0}


async def test_time_to_first_token_is_of_streams_only() -> None:
    subject = metrics(target("plain"), target("stream", stream=True))
    timings = Timings(total_s=1.0, first_token_s=0.3)
    subject.on_event(result("plain", timings=timings))
    subject.on_event(result("stream", timings=timings, stream=True))
    found = await samples(subject)
    assert found["freezeframe_time_to_first_token_seconds_count"] == {frozenset({("target", "stream")}): 1.0}


@pytest.mark.parametrize("verdict", Verdict)
async def test_each_tick_counts_once_under_its_verdict(verdict: Verdict) -> None:
    subject = metrics()
    subject.on_event(result(verdict=verdict))
    found = await samples(subject)
    assert [labels for labels, number in found["freezeframe_probes_total"].items() if number] == [
        frozenset({("target", "small"), ("verdict", verdict.value)})
    ]
    fails = verdict in (*FAILING, Verdict.PROBE_FAULT)
    assert sum(found["freezeframe_failures_total"].values()) == fails


async def test_a_confirmation_is_no_tick_but_its_tokens_were_paid() -> None:
    subject = metrics()
    subject.on_event(Sent("small", RequestKind.CONFIRM))
    subject.on_event(result(kind=RequestKind.CONFIRM, usage=Usage(7, 2, 9)))
    assert await value(subject, "freezeframe_probes_total", target="small", verdict="ok") == 0
    assert await value(subject, "freezeframe_requests_total", target="small", kind="confirm") == 1
    assert await value(subject, "freezeframe_tokens_total", target="small", kind="prompt") == 7
    assert await value(subject, "freezeframe_tokens_total", target="small", kind="completion") == 2


@pytest.mark.parametrize("tokens", [None, 0, -5, 10**400])
async def test_a_nonsensical_number_of_tokens_is_not_counted(tokens: int | None) -> None:
    subject = metrics()
    subject.on_event(result(usage=Usage(tokens, 1, None)))
    assert await value(subject, "freezeframe_tokens_total", target="small", kind="prompt") == 0
    assert await value(subject, "freezeframe_tokens_total", target="small", kind="completion") == 1


async def test_failures_are_in_the_latency_and_our_own_faults_are_not() -> None:
    """If only successes were observed, timeouts would vanish from the latency."""
    subject = metrics()
    subject.on_event(result())
    subject.on_event(result(verdict=Verdict.DEGRADATION, status=None, timings=Timings(total_s=25.0)))
    subject.on_event(result(verdict=Verdict.PROBE_FAULT, timings=Timings(total_s=3.0)))
    subject.on_event(result(verdict=Verdict.MISSED))
    name = "freezeframe_probe_latency_seconds"
    assert await value(subject, f"{name}_sum", target="small", outcome="success") == 0.75
    assert await value(subject, f"{name}_sum", target="small", outcome="failure") == 25.0
    assert await value(subject, f"{name}_bucket", target="small", outcome="failure", le="20.0") == 0
    assert await value(subject, f"{name}_bucket", target="small", outcome="failure", le="30.0") == 1
    assert await value(subject, f"{name}_bucket", target="small", outcome="failure", le="120.0") == 1


async def test_our_own_delays_are_seen() -> None:
    subject = metrics()
    subject.observe_loop_lag(0.02)
    subject.on_event(result(late_s=0.5))
    subject.on_event(result(verdict=Verdict.MISSED, reason="late", late_s=40.0))
    subject.on_event(result(verdict=Verdict.MISSED, reason="overrun", late_s=0.0))
    assert await value(subject, "freezeframe_event_loop_lag_seconds_sum") == 0.02
    assert await value(subject, "freezeframe_schedule_lateness_seconds_sum") == 40.5
    assert await value(subject, "freezeframe_schedule_lateness_seconds_count") == 2


async def test_trips_packets_store_errors_and_controls_are_counted() -> None:
    subject = metrics()
    subject.on_event(Trip("small", Verdict.DEGRADATION, "upstream_5xx", "probe-3", START, ("probe-3",), ()))
    subject.on_event(frozen("packet-1"))
    subject.on_event(StoreFailed("freeze", "packet-1", "disk full"))
    subject.on_event(Refused("packet-2", "small", ("summary.md",)))
    subject.on_event(ControlSeen("outside", True, 0.1))
    subject.on_event(ControlSeen("outside", False, 0.1))
    assert await value(subject, "freezeframe_trips_total", target="small") == 1
    labels = {"target": "small", "verdict": "degradation", "trigger": "threshold"}
    assert await value(subject, "freezeframe_packets_total", **labels) == 1
    assert await value(subject, "freezeframe_store_errors_total", operation="freeze") == 1
    assert await value(subject, "freezeframe_store_errors_total", operation="refused") == 1
    assert await value(subject, "freezeframe_unpaid_requests_total", kind="control") == 2
    assert await value(subject, "freezeframe_control_success", control="outside") == 0


async def test_a_prober_exposes_the_number_that_tells_it_from_others_to_the_last_digit() -> None:
    subject = metrics()
    subject.set_state_since(1764000000.123457)
    assert await value(subject, "freezeframe_state_since_timestamp_seconds") == 1764000000.123457


# ---------------------------------------------------------------- exemplars


async def test_exemplars_lead_from_a_graph_to_the_probe_and_its_packet() -> None:
    subject = metrics()
    subject.on_event(result(verdict=Verdict.DEGRADATION, probe_id="probe-3"))
    subject.on_event(frozen("packet-1"))
    found = await exemplars(subject)
    probes = {"target": "small", "verdict": "degradation"}
    assert ("freezeframe_probes_total", probes, {"probe": "probe-3", "packet": "packet-1"}) in found
    assert await value(subject, "freezeframe_probes_total", **probes) == 1
    subject.on_event(result(verdict=Verdict.DEGRADATION, probe_id="probe-4"))
    buckets = [
        labels for name, _, labels in await exemplars(subject) if name == "freezeframe_probe_latency_seconds_bucket"
    ]
    assert buckets == [{"probe": "probe-4", "packet": "packet-1"}]


async def test_exemplars_are_in_openmetrics_only() -> None:
    subject = metrics()
    subject.on_event(result(probe_id="probe-1"))
    assert "probe-1" not in await text(subject)
    assert len(await exemplars(subject)) == 2


async def test_after_recovery_no_exemplar_names_the_old_packet_and_a_reopened_one_is_named_again() -> None:
    subject = metrics()
    subject.on_event(frozen("packet-1"))
    subject.on_event(Recovered("small", ("packet-1",), START, START, START, 3, 6))
    subject.on_event(result(verdict=Verdict.DEGRADATION, probe_id="probe-9"))
    assert {labels.get("packet") for _, _, labels in await exemplars(subject)} == {None}
    subject.on_event(Reopened("small", Verdict.DEGRADATION, "upstream_5xx", "packet-1", "probe-10", START))
    subject.on_event(result(verdict=Verdict.DEGRADATION, probe_id="probe-11"))
    assert {labels.get("packet") for _, _, labels in await exemplars(subject)} == {"packet-1"}


@pytest.mark.parametrize(("probe", "packet", "kept"), [(50, 60, 2), (60, 60, 1), (200, 60, 0)])
async def test_an_exemplar_keeps_what_fits_into_128_characters(probe: int, packet: int, kept: int) -> None:
    subject = metrics()
    subject.on_event(frozen("p" * packet, probe_id="x" * probe))
    found = await exemplars(subject)
    assert [len(labels) for _, _, labels in found] == ([kept] if kept else [])


async def test_a_packet_frozen_by_hand_is_not_the_incident_of_later_failures() -> None:
    subject = metrics()
    subject.on_event(frozen("packet-1", trigger=Trigger.MANUAL))
    subject.on_event(result(verdict=Verdict.DEGRADATION))
    assert all("packet" not in labels for _, _, labels in await exemplars(subject))


# ---------------------------------------------------------------- gauges


async def test_the_last_result_shows_under_blackbox_names() -> None:
    subject = metrics()
    subject.on_event(result(timings=Timings(0.75, resolve_s=0.01, connect_s=0.02, processing_s=0.5, transfer_s=0.1)))
    assert await value(subject, "probe_success", target="small") == 1
    assert await value(subject, "probe_duration_seconds", target="small") == 0.75
    assert await value(subject, "probe_http_status_code", target="small") == 200
    expiry = (START + timedelta(days=30)).timestamp()
    assert await value(subject, "probe_ssl_earliest_cert_expiry", target="small") == expiry
    phases = (await samples(subject))["probe_http_duration_seconds"]
    assert {dict(labels)["phase"]: seconds for labels, seconds in phases.items()} == {
        "resolve": 0.01,
        "connect": 0.02,
        "processing": 0.5,
        "transfer": 0.1,
    }, "tls was not measured, so it is absent"


async def test_where_no_reply_came_there_is_no_status() -> None:
    subject = metrics()
    subject.on_event(result(verdict=Verdict.DEGRADATION, status=None))
    assert await value(subject, "probe_success", target="small") == 0
    assert await value(subject, "probe_http_status_code", target="small") is None


def _blackbox(found: Iterable[str]) -> set[str]:
    return {name for name in found if name.startswith("probe_")}


async def test_after_a_fault_of_ours_the_provider_is_neither_up_nor_down() -> None:
    subject = metrics()
    subject.on_event(result())
    assert len(_blackbox(await samples(subject))) == 5
    subject.on_event(result(verdict=Verdict.PROBE_FAULT))
    found = await samples(subject)
    assert _blackbox(found) == set()
    assert found["freezeframe_last_probe_timestamp_seconds"]


async def test_two_cadences_without_a_result_are_silence_and_one_missed_tick_is_not() -> None:
    clock = Clock()
    subject = metrics(clock=clock)
    subject.on_event(result())
    clock.now += timedelta(seconds=31)
    subject.on_event(result(verdict=Verdict.MISSED, ended_at=clock.now))
    assert await value(subject, "probe_success", target="small") == 1
    clock.now = START + timedelta(seconds=60)
    assert await value(subject, "probe_success", target="small") == 1
    clock.now += timedelta(milliseconds=1)
    assert _blackbox(await samples(subject)) == set()
    assert await value(subject, "freezeframe_last_probe_timestamp_seconds", target="small") == START.timestamp()


async def test_before_the_first_result_nothing_is_made_up() -> None:
    found = await samples(metrics())
    assert _blackbox(found) == set()
    for absent in ("last_probe_timestamp_seconds", "packet_info", "control_success", "quota_remaining"):
        assert f"freezeframe_{absent}" not in found


async def test_the_window_and_open_incidents_show() -> None:
    subject = metrics()
    subject.on_event(WindowChanged("small", 3, frozenset({Verdict.DEGRADATION})))
    assert await value(subject, "freezeframe_window_failures", target="small") == 3
    assert await value(subject, "freezeframe_incident_active", target="small", verdict="degradation") == 1
    assert await value(subject, "freezeframe_incident_active", target="small", verdict="auth_or_account") == 0
    subject.on_event(WindowChanged("small", 0, frozenset()))
    assert await value(subject, "freezeframe_incident_active", target="small", verdict="degradation") == 0


async def test_only_the_latest_packet_of_a_target_is_named() -> None:
    subject = metrics()
    subject.on_event(frozen("packet-1"))
    subject.on_event(frozen("packet-2", Verdict.AUTH_OR_ACCOUNT, frozen_at=START + timedelta(minutes=1)))
    subject.on_event(frozen("packet-0", frozen_at=START - timedelta(minutes=1)))
    named = {("target", "small"), ("verdict", "auth_or_account"), ("packet", "packet-2")}
    found = await samples(subject)
    assert found["freezeframe_packet_info"] == {frozenset(named): 1.0}
    at = (START + timedelta(minutes=1)).timestamp()
    assert found["freezeframe_packet_timestamp_seconds"] == {frozenset({("target", "small")}): at}


async def test_what_is_configured_is_known_from_the_start() -> None:
    subject = metrics(target(labels={"region": "eu", "cost-center": 'a"b\\c\n'}))
    info = {
        "target": "small",
        "contract": "example",
        "model": "example-small",
        "stream": "false",
        "credential": "team-a",
    }
    labels = {"label_region": "eu", "label_cost_center": 'a"b\\c\n'}
    assert await value(subject, "freezeframe_target_info", **info, **labels) == 1
    assert await value(subject, "freezeframe_target_cadence_seconds", target="small") == 30
    assert await value(subject, "freezeframe_build_info", version="1.2.3") == 1
    assert await value(subject, "freezeframe_budget_limit", kind="probes") == 20_000
    assert await value(subject, "freezeframe_config_last_reload_success_timestamp_seconds") == START.timestamp()
    accessed = (await samples(subject))["freezeframe_contract_accessed_timestamp_seconds"]
    by_area = {dict(key)["area"]: at for key, at in accessed.items()}
    assert set(by_area) == {"base_url", "chat_path", "auth", "request", "response", "limits", "routes.support"}
    assert by_area["auth"] == READ_AT.timestamp()
    assert by_area["limits"] == (READ_AT - timedelta(days=30)).timestamp(), "the oldest reading"


async def test_the_canary_shows_once_it_was_tried() -> None:
    subject = metrics()
    assert await value(subject, "freezeframe_redaction_canary_ok") is None
    subject.set_canary(False)
    assert await value(subject, "freezeframe_redaction_canary_ok") == 0


async def test_quota_is_the_newest_reading_of_a_credential_and_model() -> None:
    clock = Clock()
    subject = metrics(target("one"), target("two"), target("three"), clock=clock)
    older = (QuotaReading("requests", 60, 10), QuotaReading("surprise", 1, 1))
    subject.on_event(result("two", quota=(QuotaReading("requests", 60, None),), ended_at=START + timedelta(seconds=1)))
    subject.on_event(result("one", quota=older))
    assert (
        await value(subject, "freezeframe_quota_limit", credential="team-a", model="example-small", kind="requests")
        == 60
    )
    assert "freezeframe_quota_remaining" not in await samples(subject), "the newest reading does not state it"
    subject.on_event(result("one", quota=older, ended_at=START + timedelta(seconds=2)))
    found = await samples(subject)
    quota_of = {("credential", "team-a"), ("model", "example-small"), ("kind", "requests")}
    assert found["freezeframe_quota_remaining"] == {frozenset(quota_of): 10.0}
    clock.now += timedelta(minutes=5)
    assert "freezeframe_quota_limit" not in await samples(subject)


# ---------------------------------------------------------------- targets come and go


async def test_the_series_of_a_removed_target_go_away_and_new_ones_are_born_at_zero() -> None:
    subject = metrics(target("old"), target("stays"))
    for name in ("old", "stays"):
        subject.on_event(result(name, quota=(QuotaReading("requests", 60, 1),)))
        subject.on_event(WindowChanged(name, 1, frozenset()))
        subject.on_event(frozen("packet-1", target=name))
    subject.set_targets([target("stays"), target("new")], {"example": CONTRACT})
    found = await samples(subject)
    named = {dict(labels).get("target") for series in found.values() for labels in series}
    assert named == {None, "stays", "new"}
    assert found["freezeframe_probes_total"][frozenset({("target", "stays"), ("verdict", "ok")})] == 1
    assert found["freezeframe_probes_total"][frozenset({("target", "new"), ("verdict", "ok")})] == 0


async def test_a_probe_in_flight_does_not_bring_a_removed_target_back() -> None:
    subject = metrics(target("old"), target("stays"))
    subject.set_targets([target("stays")], {"example": CONTRACT})
    before = await text(subject)
    for event in (
        Sent("old", RequestKind.SCHEDULED),
        result("old", Verdict.DEGRADATION, usage=Usage(1, 1, 2)),
        WindowChanged("old", 3, frozenset(FAILING)),
        Trip("old", Verdict.DEGRADATION, "upstream_5xx", "probe-3", START, (), ()),
        frozen("packet-1", target="old"),
        Reopened("old", Verdict.DEGRADATION, "upstream_5xx", "packet-1", "probe-3", START),
        Recovered("old", (), START, START, START, 1, 1),
    ):
        subject.on_event(event)
    assert await text(subject) == before


# ---------------------------------------------------------------- the exposition as a whole


def _busy() -> Metrics:
    """Every family with at least one sample."""
    subject = metrics(target(labels={"region": "eu"}), target("stream", stream=True))
    quota = (QuotaReading("requests", 60, 10), QuotaReading("tokens", 1000, 10))
    timings = Timings(1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3)
    for verdict in (*Verdict, Verdict.OK):
        subject.on_event(result("stream", verdict, quota=quota, timings=timings, usage=Usage(7, 2, 9), stream=True))
    subject.on_event(frozen("packet-1", target="stream"))
    subject.on_event(ControlSeen("outside", True, 0.1))
    subject.set_canary(True)
    subject.observe_loop_lag(0.001)
    return subject


async def test_no_series_is_doubled_by_a_creation_time() -> None:
    for accept in ("", OPENMETRICS):
        body, _ = await rendered(_busy(), accept)
        assert b"_created" not in body


async def test_both_forms_hold_the_same_values() -> None:
    subject = _busy()
    body, _ = await rendered(subject, OPENMETRICS)
    assert body.endswith(b"# EOF\n")
    other = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_openmetrics(body.decode())
        for sample in family.samples
    }
    plain = await samples(subject)
    assert other == {(name, labels): number for name, series in plain.items() for labels, number in series.items()}


async def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None, "promtool is missing: apt-get install prometheus"
    body, _ = await rendered(_busy())
    ended = await asyncio.to_thread(
        subprocess.run, [promtool, "check", "metrics"], input=body, capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, b"")


async def test_gzip_is_sent_to_those_who_take_it() -> None:
    subject = metrics()
    packed, headers = await rendered(subject, "", "gzip")
    plain, plain_headers = await rendered(subject)
    assert headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain_headers
    assert gzip.decompress(packed) == plain


async def test_scrapes_that_wait_together_share_one_rendering_and_the_next_one_is_fresh() -> None:
    subject = metrics()
    (first, _), (second, _) = await asyncio.gather(subject.render(), subject.render())
    assert first is second
    subject.on_event(result())
    third, _ = await rendered(subject)
    assert b'probe_success{target="small"} 1.0' in third


async def test_a_scraper_that_hangs_up_does_not_take_the_rendering_from_the_others() -> None:
    subject = metrics()
    impatient = asyncio.create_task(subject.render())
    patient = asyncio.create_task(subject.render())
    await asyncio.sleep(0)
    impatient.cancel()
    pieces, _ = await patient
    assert impatient.cancelled() and b"freezeframe_build_info" in b"".join(pieces)


async def test_models_are_listed_or_not_where_that_is_known() -> None:
    subject = metrics()
    assert "freezeframe_model_listed" not in await samples(subject)
    url = "https://docs.example.test/models"
    subject.set_listings(
        lambda: {("example", "a"): Listing(url, START, True, START), ("example", "b"): Listing(url, START, False, None)}
    )
    assert (await samples(subject))["freezeframe_model_listed"] == {
        frozenset({("contract", "example"), ("model", "a")}): 1.0,
        frozenset({("contract", "example"), ("model", "b")}): 0.0,
    }


async def test_unpaid_requests_are_counted_by_kind() -> None:
    subject = metrics()
    for kind in ("catalogue", "gateway_log", "gateway_log"):
        subject.on_event(UnpaidSent(kind))
    found = (await samples(subject))["freezeframe_unpaid_requests_total"]
    assert (found[frozenset({("kind", "catalogue")})], found[frozenset({("kind", "gateway_log")})]) == (1.0, 2.0)


# ---------------------------------------------------------------- the library's exposition, to the byte


class _TheLibrarys:
    """A collector of prometheus-client's own that yields the same series, for its own renderer."""

    def __init__(self, subject: Metrics) -> None:
        self._subject = subject

    def collect(self) -> Iterable[Metric]:
        for family in self._subject._families:
            metric = Metric(family.name, family.documentation, family.kind)
            metric.samples = [
                Sample(
                    f"{family.name}{point.suffix}",
                    dict(point.labels),
                    point.value,
                    exemplar=point.exemplar and Exemplar(dict(point.exemplar.labels), *point.exemplar[1:]),
                )
                for block in family.blocks()
                for series in block.series.values()
                for point in series.points()
            ]
            yield metric
        for row in GAUGES:
            metric = Metric(row.name.removesuffix("_info"), row.documentation, row.kind)
            read = row.read(self._subject._latest, self._subject._clock())
            metric.samples = [Sample(row.name, labels, float(number)) for labels, number in read]
            yield metric


async def _as_the_library_writes_it(subject: Metrics) -> None:
    registry = CollectorRegistry()
    registry.register(_TheLibrarys(subject))
    assert (await rendered(subject))[0] == plain.generate_latest(registry)
    assert (await rendered(subject, OPENMETRICS))[0] == openmetrics.generate_latest(registry)


async def test_every_form_is_byte_for_byte_what_the_library_writes() -> None:
    await _as_the_library_writes_it(_busy())
    await _as_the_library_writes_it(metrics(target(labels={"region": 'e"u\\\n', "cost-center": "中"})))


@given(st.lists(st.tuples(st.sampled_from(["small", "stream"]), st.sampled_from(list(Verdict)), st.floats(0, 1e12))))
@settings(max_examples=40, deadline=None)
async def test_lines_that_are_kept_are_those_of_now_whatever_changed_between_two_scrapes(
    ticks: list[tuple[str, Verdict, float]],
) -> None:
    subject = metrics(target(), target("stream", stream=True))
    for number, (name, verdict, took_s) in enumerate(ticks):
        timings = Timings(took_s, first_token_s=took_s)
        subject.on_event(result(name, verdict, timings=timings, stream=name == "stream", probe_id=f"probe-{number}"))
        if number % 3 == 0:
            await _as_the_library_writes_it(subject)
    subject.set_targets([target("stream", stream=True), target("new")], {"example": CONTRACT})
    await _as_the_library_writes_it(subject)


async def test_a_scrape_lets_the_probes_in_between() -> None:
    """No slice of it holds the loop for long, however many targets there are."""
    subject = metrics(*(target(f"t{number}") for number in range(300)))
    held = []
    rendering = asyncio.create_task(subject.render())
    while not rendering.done():
        before = time.perf_counter()
        await asyncio.sleep(0)
        held.append(time.perf_counter() - before)
    assert len(held) > 20
    assert sorted(held)[len(held) // 2] < 0.002
