"""Plain values that the exporter's tests feed in: a contract, targets, results."""

from datetime import UTC, datetime, timedelta

from probe import records
from probe.contract import AuthShape, Contract, Shape, Source, Sourced
from probe.pong import Target
from probe.records import (
    Connection,
    FreezePolicy,
    Judgement,
    Observation,
    Phase,
    ProbeRequest,
    QuotaReading,
    Reading,
    Reply,
    RequestKind,
    Result,
    Sealed,
    Timings,
    Usage,
    Verdict,
)
from probe.records.sealed import _SEAL

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
READ_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SOURCE = Source("https://docs.example.test/chat", READ_AT, "Quick start")
OLDER_SOURCE = Source("https://docs.example.test/limits", READ_AT - timedelta(days=30))

CONTRACT = Contract(
    name="example",
    provider="example-gateway",
    base_url=Sourced("https://api.example.test/v1", SOURCE),
    chat_path=Sourced("/chat/completions", SOURCE),
    auth=Sourced(AuthShape("Authorization", "Bearer {key}"), SOURCE),
    request=Shape(SOURCE, {"type": "object"}),
    response=Shape(SOURCE, None),
    stream_chunk=None,
    error=None,
    error_statuses=None,
    error_retry=None,
    catalogue=None,
    request_id=None,
    limits=(Sourced("60 requests a minute", SOURCE), Sourced("no burst", OLDER_SOURCE)),
    routes={"support": Sourced("mailto:support@example.test", SOURCE)},
)
POLICY = FreezePolicy(failures=3, window=5, recover=3, reopen_s=1800, confirm_attempts=2, confirm_backoff_s=2)
FIRST_REASON = {verdict: reasons[0] for verdict, reasons in records.REASONS.items()}


def target(name: str = "small", *, stream: bool = False, labels: dict[str, str] | None = None) -> Target:
    return Target(
        name=name,
        contract=CONTRACT,
        model="example-small",
        stream=stream,
        credential="team-a",
        labels=labels or {},
        cadence_s=30,
        timeout_s=25,
        slow_s=10,
        reuse_connection=False,
        freeze=POLICY,
        request={},
    )


def result(
    name: str = "small",
    verdict: Verdict = Verdict.OK,
    *,
    reason: str | None = None,
    kind: RequestKind = RequestKind.SCHEDULED,
    ended_at: datetime = START,
    probe_id: str = "20261124T120000000Z-0a1b2c3d",
    status: int | None = 200,
    timings: Timings | None = None,
    stream: bool = False,
    usage: Usage | None = None,
    quota: tuple[QuotaReading, ...] = (),
    late_s: float = 0.002,
) -> Result:
    """A tick; a missed one has no observation, one without a `status` had no reply."""
    sealed = None
    if verdict is not Verdict.MISSED:
        reply = None if status is None else Reply(status, (), "{}", 2)
        sealed = Sealed(
            Observation(
                request=ProbeRequest(
                    probe_id, name, kind, "POST", CONTRACT.chat_url, (), "{}", "example-small", stream, "client-1"
                ),
                started_at=ended_at - timedelta(seconds=1),
                reply=reply,
                fault=None,
                timings=timings or Timings(total_s=0.75, connect_s=0.02, processing_s=0.5, transfer_s=0.1),
                connection=Connection("192.0.2.7", 443, reused=False, cert_expires_at=START + timedelta(days=30)),
                last_phase=Phase.TRANSFER,
            ),
            (),
            _SEAL,
        )
    return Result(
        probe_id=probe_id,
        target=name,
        kind=kind,
        due_at=ended_at - timedelta(seconds=1),
        ended_at=ended_at,
        judgement=Judgement(verdict, reason or FIRST_REASON[verdict], rule="test"),
        lateness_s=late_s,
        loop_lag_s=0.001,
        sealed=sealed,
        reading=Reading(usage=usage, quota=quota),
    )
