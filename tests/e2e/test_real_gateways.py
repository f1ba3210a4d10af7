"""`freezeframe run` against gateways that nobody here wrote, its verdicts read from a real Prometheus."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.servers import Process, aimock, litellm
from tests.servers.freezeframe import Freezeframe, Packet, Start, verify
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.real

SEEN_WITHIN_S = 40.0

# target -> model, stream, credential, the verdict it must get, the reasons that a fair engineer could accept for it
Case = tuple[str, bool, str, str, set[str]]
LITELLM: dict[str, Case] = {
    "success": ("pong", False, "good", "ok", {"ok"}),
    "streaming": ("pong", True, "good", "ok", {"ok_stream"}),
    "rate-limit": ("limited", False, "good", "quota_or_billing", {"rate_limited"}),
    "server-error": ("broken", False, "good", "degradation", {"upstream_5xx", "upstream_error", "gateway_internal"}),
    "timeout": ("timing-out", False, "good", "degradation", {"request_timeout", "gateway_timeout"}),
    "slow": ("slow", False, "good", "degradation", {"read_timeout"}),
    "wrong-key": ("pong", False, "bad", "auth_or_account", {"invalid_key"}),
}
AIMOCK: dict[str, Case] = {
    "success": ("pong", False, "good", "ok", {"ok"}),
    "streaming": ("pong", True, "good", "ok", {"ok_stream"}),
    "revoked-key": ("pong", False, "bad", "auth_or_account", {"invalid_key"}),
    "quota": ("quota", False, "good", "quota_or_billing", {"insufficient_quota"}),
    "rate-limit": ("limited", False, "good", "quota_or_billing", {"rate_limited"}),
    "overloaded": ("overloaded", False, "good", "degradation", {"upstream_overloaded"}),
    "malformed": ("malformed", False, "good", "contract_mismatch", {"invalid_json"}),
    "cut-stream": ("cut", True, "good", "degradation", {"connection_reset", "truncated_body"}),
    "hang-up": ("hang-up", False, "good", "degradation", {"connection_reset"}),
    "slow-first-token": ("slow-first-token", True, "good", "degradation", {"slow"}),
}
STATUS = {
    ("litellm", "rate-limit"): 429,
    ("litellm", "server-error"): 500,
    ("litellm", "timeout"): 408,
    ("litellm", "wrong-key"): 401,
    ("aimock", "revoked-key"): 401,
    ("aimock", "quota"): 429,
    ("aimock", "rate-limit"): 429,
    ("aimock", "overloaded"): 503,
    ("aimock", "malformed"): 200,
    ("aimock", "cut-stream"): 200,
    ("aimock", "slow-first-token"): 200,
}
FAILING = [
    *(("litellm", target) for target, case in LITELLM.items() if case[3] != "ok"),
    *(("aimock", target) for target, case in AIMOCK.items() if case[3] != "ok"),
]
EVERY = [*(("litellm", target) for target in LITELLM), *(("aimock", target) for target in AIMOCK)]


def configured(cases: dict[str, Case]) -> list[dict[str, object]]:
    slow = {"slow-first-token": {"slow": "400ms"}}
    return [
        {"name": name, "model": model, "stream": stream, "credential": credential, **slow.get(name, {})}
        for name, (model, stream, credential, *_) in cases.items()
    ]


@pytest.fixture(scope="module")
def probes(
    freezeframe: Start, real_litellm: tuple[Process, str], real_aimock: str, real_prometheus: Prometheus
) -> Iterator[dict[str, Freezeframe]]:
    """One freezeframe per gateway, all targets at once, scraped by Prometheus. Each must stop cleanly at the end."""
    running = {
        "litellm": freezeframe(
            "litellm", real_litellm[1], configured(LITELLM), {"good": litellm.KEY, "bad": "sk-fake-not-known"}
        ),
        "aimock": freezeframe(
            "aimock", f"{real_aimock}/v1", configured(AIMOCK), {"good": aimock.KEY, "bad": "sk-fake-revoked"}
        ),
    }
    for name, probe in running.items():
        real_prometheus.scrape(name, probe.address)
    yield running
    for probe in running.values():
        probe.stop()


@pytest.fixture(scope="module")
def case_of() -> dict[str, dict[str, Case]]:
    return {"litellm": LITELLM, "aimock": AIMOCK}


@pytest.mark.parametrize(("gateway", "target"), EVERY)
def test_the_expected_verdict_is_seen_in_prometheus(
    gateway: str,
    target: str,
    probes: dict[str, Freezeframe],
    real_prometheus: Prometheus,
    case_of: dict[str, dict[str, Case]],
) -> None:
    """What the gateway really did is counted under its verdict, and under no other but a passing slowness."""
    *_, verdict, _ = case_of[gateway][target]
    which = f'run="{gateway}",target="{target}"'
    real_prometheus.until(f'freezeframe_probes_total{{{which},verdict="{verdict}"}} > 0', SEEN_WITHIN_S)
    counted = real_prometheus.query(f"freezeframe_probes_total{{{which}}} > 0")
    others = {labels["verdict"] for labels, _ in counted} - {verdict}
    # The first call of a fresh proxy on a busy machine may be slow, a tick may come late; nothing else may be said.
    assert others <= {"degradation", "missed"}


@pytest.mark.parametrize(("gateway", "target"), FAILING)
def test_a_trip_leaves_a_packet_that_verifies(
    gateway: str, target: str, probes: dict[str, Freezeframe], case_of: dict[str, dict[str, Case]]
) -> None:
    """It is listed, its zip can be fetched, its digests hold, and it says what the gateway said."""
    *_, verdict, reasons = case_of[gateway][target]
    packet = probes[gateway].first_packet(target, SEEN_WITHIN_S)
    assert (packet.listed["target"], packet.listed["verdict"]) == (target, verdict)
    assert packet.listed["reason"] in reasons
    assert packet.listed["trigger"] == "threshold"
    verify(packet)
    assert packet.document["subject"]["status"] == STATUS.get((gateway, target))


def test_the_trip_and_its_packet_are_seen_in_prometheus(
    probes: dict[str, Freezeframe], real_prometheus: Prometheus
) -> None:
    """The metrics name the packet that can be fetched under that ID, and the failing probe carries it as exemplar."""
    packet: Packet = probes["aimock"].first_packet("quota", SEEN_WITHIN_S)
    which = 'run="aimock",target="quota"'
    ((labels, _),) = real_prometheus.until(f"freezeframe_packet_info{{{which}}} == 1", SEEN_WITHIN_S)
    assert labels["packet"] in {listed["id"] for listed in probes["aimock"].packets("quota")}
    assert labels["verdict"] == "quota_or_billing"
    assert real_prometheus.until(f"freezeframe_trips_total{{{which}}} >= 1", SEEN_WITHIN_S)
    assert real_prometheus.until(f"freezeframe_incident_active{{{which}}} == 1", SEEN_WITHIN_S)
    now_s = time.time()
    series = f'freezeframe_probes_total{{{which},verdict="quota_or_billing"}}'
    kept = real_prometheus.exemplars(series, now_s - 120, now_s + 1)
    assert any("probe" in labels for labels in kept)
    assert packet.document["packet_id"] == packet.listed["id"]


def test_the_slow_first_token_is_measured_as_such(probes: dict[str, Freezeframe], real_prometheus: Prometheus) -> None:
    """aimock holds the first token back for 600 ms: Prometheus sees at least that, and less for the prompt stream."""
    mean = "freezeframe_time_to_first_token_seconds_sum{%s} / freezeframe_time_to_first_token_seconds_count{%s} > 0"
    slow, prompt = (f'run="aimock",target="{name}"' for name in ("slow-first-token", "streaming"))
    ((_, slow_s),) = real_prometheus.until(mean % (slow, slow), SEEN_WITHIN_S)
    ((_, prompt_s),) = real_prometheus.until(mean % (prompt, prompt), SEEN_WITHIN_S)
    assert 0.55 <= slow_s < 1.5
    assert prompt_s < slow_s


def test_the_packet_keeps_what_the_gateway_said(probes: dict[str, Freezeframe]) -> None:
    """The words of the error and the ID of the request are those of the server, in the page for support too."""
    packet = probes["aimock"].first_packet("quota", SEEN_WITHIN_S)
    attempt = packet.document["happened"]["attempts"][-1]
    assert attempt["error"]["message"] == aimock.QUOTA_MESSAGE
    ids = [found["value"] for found in attempt["request_ids"]]
    summary = (packet.folder / "summary.md").read_text()
    assert ids
    assert all(found in summary for found in ids)
    assert "insufficient_quota" in summary
    replies = [
        entry["response"] for entry in json.loads((packet.folder / "exchange.har").read_bytes())["log"]["entries"]
    ]
    assert any(reply["status"] == 429 for reply in replies)


def test_a_killed_server_is_a_refused_connection_with_its_last_good_exchange_beside_it(
    probes: dict[str, Freezeframe], real_litellm: tuple[Process, str], real_prometheus: Prometheus
) -> None:
    """Last in this file, because LiteLLM is gone after it."""
    which = 'run="litellm",target="success"'
    real_prometheus.until(f'freezeframe_probes_total{{{which},verdict="ok"}} > 0', SEEN_WITHIN_S)
    real_litellm[0].kill()
    refused = f'freezeframe_failures_total{{{which},verdict="degradation",reason="connect_refused"}} > 0'
    real_prometheus.until(refused, SEEN_WITHIN_S)
    packet = probes["litellm"].first_packet("success", SEEN_WITHIN_S, reason="connect_refused")
    assert packet.listed["verdict"] == "degradation"
    verify(packet)
    assert packet.document["expected"]["last_good"]["status"] == 200
