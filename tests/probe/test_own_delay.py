"""A prober that is late itself must not report a slow provider."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.own_delay import accounted
from probe.records import Fault, Judgement, Observation, Phase, ProbeRequest, RequestKind, Timings, Verdict
from probe.schedule import LagMeter
from tests.probe.exchanges import STARTED
from tests.servers.raw import RawServer, Script, Wait, answer

SLOW = Judgement(Verdict.DEGRADATION, "slow", "slow")
TIMED_OUT = Judgement(Verdict.DEGRADATION, "read_timeout", "read timeout")
REFUSED = Judgement(Verdict.DEGRADATION, "connect_refused", "refused")
WAITED = Fault("ReadTimeout", "timed out after 25 s waiting for the first byte")


def took(total_s: float, fault: Fault | None = None) -> Observation:
    asked = ProbeRequest(
        "p1", "small", RequestKind.SCHEDULED, "POST", "https://a.example.test", (), "", "m", False, "c"
    )
    return Observation(asked, STARTED, None, fault, Timings(total_s), None, Phase.CONNECT)


@pytest.mark.parametrize(
    ("judgement", "seen", "lag_s", "verdict"),
    [
        (SLOW, took(12.0), 0.0, Verdict.DEGRADATION),
        (SLOW, took(12.0), 1.9, Verdict.DEGRADATION),
        (SLOW, took(12.0), 2.0, Verdict.PROBE_FAULT),
        (TIMED_OUT, took(25.0, WAITED), 12.4, Verdict.DEGRADATION),
        (TIMED_OUT, took(25.0, WAITED), 12.5, Verdict.PROBE_FAULT),
        (REFUSED, took(0.1, Fault("ConnectError", "[Errno 111] Connection refused")), 5.0, Verdict.DEGRADATION),
        (TIMED_OUT, took(25.0), 25.0, Verdict.DEGRADATION),
        (replace(SLOW, verdict=Verdict.OK, reason="ok"), took(1.0), 30.0, Verdict.OK),
    ],
)
def test_a_delay_of_our_own_that_explains_it_is_ours(
    judgement: Judgement, seen: Observation, lag_s: float, verdict: Verdict
) -> None:
    found = accounted(judgement, seen, 10.0, lag_s)
    assert found.verdict is verdict
    if verdict is not judgement.verdict:
        assert (found.reason, found.certain, found.runner_up) == ("local_resource", False, Verdict.DEGRADATION)
        assert f"late by up to {lag_s:.3f} s" in (found.words or "")


async def test_a_loop_that_was_held_up_is_noticed_by_its_own_meter_and_takes_the_blame() -> None:
    """A real exchange, and a loop that somebody holds for a third of a second in the middle of it."""
    lag = LagMeter(lambda _: None)
    measuring = asyncio.create_task(lag.run())
    hold: Callable[[float], None] = time.sleep
    client = Client(Network())
    with RawServer(Script("answers", (Wait(0.05), answer()))) as server:
        asked = replace(took(0).request, url=server.url, headers=(("Authorization", "Bearer <REDACTED>"),), body="{}")
        began = time.monotonic()
        asyncio.get_running_loop().call_later(0.02, hold, 0.35)
        auth = Auth("Authorization", SecretStr("Bearer sk-fake"))
        seen = await client.send(asked, auth, timeout_s=5, reuse=False)
        lag_s = lag.worst_since(began)
    measuring.cancel()
    assert seen.fault is None
    assert seen.timings.total_s > 0.3
    assert accounted(SLOW, seen, 0.2, lag_s).verdict is Verdict.PROBE_FAULT
    assert accounted(SLOW, seen, 0.01, lag_s).verdict is Verdict.DEGRADATION
