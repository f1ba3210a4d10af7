"""A real exposition in which every family has a series: what Prometheus would see of a prober in trouble."""

from datetime import datetime, timedelta

from exporter_facts import CONTRACT, START, result, target

from exporter.metrics import Metrics
from probe.records import (
    BudgetChanged,
    BudgetStopped,
    ControlSeen,
    Frozen,
    QuotaReading,
    Spooled,
    Timings,
    Trigger,
    Usage,
    Verdict,
    WindowChanged,
)


async def exposition(now: datetime = START) -> str:
    """As `/metrics` answers at `now`: two targets of one contract, one of them in an incident with a packet."""
    subject = Metrics(
        (target(labels={"region": "eu"}), target("stream", stream=True)),
        contracts={"example": CONTRACT},
        version="1.2.3",
        budget={"probes": 20_000, "tokens": 1_000_000},
        clock=lambda: now,
    )
    subject.set_canary(True)
    subject.set_state_since(START.timestamp())
    subject.on_event(BudgetStopped("stream", "probe-0", now, "probes"))
    quota = (QuotaReading("requests", 60, 10), QuotaReading("tokens", 1000, 10))
    timings = Timings(1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3)
    for verdict in (Verdict.OK, Verdict.PROBE_FAULT, Verdict.MISSED, *[Verdict.DEGRADATION] * 3):
        subject.on_event(
            result("stream", verdict, quota=quota, timings=timings, usage=Usage(7, 2, 9), stream=True, ended_at=now)
        )
    subject.on_event(result(ended_at=now))
    subject.on_event(WindowChanged("stream", 3, frozenset({Verdict.DEGRADATION})))
    subject.on_event(
        Frozen(
            packet_id="20261124T120000Z-stream-0a1b2c3d",
            incident="20261124T120000Z-stream-0a1b2c3d",
            target="stream",
            verdict=Verdict.DEGRADATION,
            reason="upstream_5xx",
            trigger=Trigger.THRESHOLD,
            probe_id="probe-3",
            frozen_at=now + timedelta(milliseconds=1),
            zip_sha256="00",
            took_s=0.1,
        )
    )
    subject.on_event(ControlSeen("outside", True, 0.1))
    subject.on_event(BudgetChanged(probes=100, tokens=900_000))
    subject.on_event(Spooled(0))
    subject.observe_loop_lag(0.001)
    body, _ = await rendered(subject)
    return body.decode()


async def rendered(subject: Metrics, *asked: str) -> tuple[bytes, dict[str, str]]:
    """The whole body and its headers."""
    pieces, headers = await subject.render(*asked)
    return b"".join(pieces), headers
