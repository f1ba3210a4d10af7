"""Cases from plain facts, for tests of the packet, its files and its store. All values are fake."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probe import records
from probe.contract import AuthShape, Contract, RequestIdPlaces, Shape, Source, Sourced
from probe.packet import Case, Scope
from probe.pong import PROMPT, Target
from probe.records import (
    Connection,
    ErrorBody,
    Fault,
    FreezePolicy,
    Judgement,
    Observation,
    Phase,
    ProbeRequest,
    Reading,
    Removal,
    Reply,
    RequestId,
    RequestKind,
    Result,
    Sealed,
    Timings,
    Trigger,
    Trip,
    Verdict,
)
from probe.records.sealed import _SEAL
from probe.redact import bare

START = datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=UTC)
DOCS = "https://docs.example.test/chat"
READ_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SOURCE = Source(DOCS, READ_AT, "Create a chat completion")
ERRORS = Source("https://docs.example.test/errors", READ_AT)


def contract(**changes: Any) -> Contract:
    plain = Contract(
        name="example",
        provider="example-gateway",
        base_url=Sourced("https://api.example.test/v1", SOURCE),
        chat_path=Sourced("/chat/completions", SOURCE),
        auth=Sourced(AuthShape("Authorization", "Bearer {key}"), SOURCE),
        request=Shape(SOURCE, {"required": ["model", "messages"], "properties": {"model": {}, "stream": {}}}),
        response=Shape(SOURCE, {"required": ["id", "choices"]}),
        stream_chunk=Shape(SOURCE, {"required": ["choices"]}, "[DONE]"),
        error=Shape(ERRORS, {"required": ["error"]}),
        error_statuses=Sourced({"503": "overloaded: retry with backoff"}, ERRORS),
        error_retry=None,
        catalogue=None,
        request_id=Sourced(RequestIdPlaces(("x-example-request-id",), "request id: {id}"), ERRORS),
        limits=(),
        routes={"support": Sourced("https://example.test/support", SOURCE)},
    )
    return replace(plain, **changes)


def target(**changes: Any) -> Target:
    plain = Target(
        name="small",
        contract=contract(),
        model="example-small",
        stream=False,
        credential="team-a",
        labels={"region": "eu"},
        cadence_s=30,
        timeout_s=25,
        slow_s=10,
        reuse_connection=False,
        freeze=FreezePolicy(3, 5, 3, 1800, 2, 2),
        request={},
    )
    return replace(plain, **changes)


def request(
    number: int, model: str = "example-small", url: str = "https://api.example.test/v1/chat/completions"
) -> ProbeRequest:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": PROMPT}]})
    return ProbeRequest(
        probe_id=f"p{number:04d}",
        target="small",
        kind=RequestKind.SCHEDULED,
        method="POST",
        url=url,
        headers=(
            ("host", "api.example.test"),
            ("authorization", "Bearer <REDACTED>"),
            ("content-type", "application/json"),
            ("x-client-request-id", f"ours-{number:04d}"),
        ),
        body=body,
        model=model,
        stream=False,
        client_request_id=f"ours-{number:04d}",
    )


def tick(
    number: int,
    judgement: Judgement,
    *,
    reply: Reply | None = None,
    fault: Fault | None = None,
    last_phase: Phase = Phase.TRANSFER,
    timings: Timings | None = None,
    reading: Reading | None = None,
    removals: tuple[Removal, ...] = (),
    sent: ProbeRequest | None = None,
    connected: bool = True,
) -> Result:
    """The outcome of the tick that was due `number` cadences after START."""
    due = START + timedelta(seconds=30 * number)
    took = timings or Timings(
        0.4 + number / 1000,
        resolve_s=0.002,
        connect_s=0.02,
        tls_s=0.03,
        send_s=0.001,
        processing_s=0.3,
        transfer_s=0.04,
    )
    seen = Observation(
        request=sent or request(number),
        started_at=due + timedelta(milliseconds=4),
        reply=reply,
        fault=fault,
        timings=took,
        connection=Connection("192.0.2.10", 443, False, "TLSv1.3", None, "HTTP/1.1") if connected else None,
        last_phase=last_phase,
    )
    return Result(
        probe_id=seen.request.probe_id,
        target="small",
        kind=RequestKind.SCHEDULED,
        due_at=due,
        ended_at=due + timedelta(seconds=took.total_s),
        judgement=judgement,
        lateness_s=0.004,
        loop_lag_s=0.002,
        sealed=Sealed(seen, removals, _SEAL),
        reading=reading or Reading(),
    )


def good(number: int, *, kept: bool = False) -> Result:
    """A healthy probe; only the last good one keeps what was said."""
    body = '{"id":"chatcmpl-1","choices":[{"message":{"content":"pong"}}],"model":"example-small-2026"}'
    result = tick(
        number,
        Judgement(Verdict.OK, "ok", "answered"),
        reply=Reply(
            200, (("content-type", "application/json"), ("x-example-request-id", f"good{number}")), body, len(body)
        ),
        reading=Reading(
            request_ids=(RequestId("header x-example-request-id", f"good{number}"),),
            model_answered="example-small-2026",
        ),
    )
    return result if kept or result.sealed is None else replace(result, sealed=bare(result.sealed), reading=Reading())


def overloaded(number: int, message: str | None = None) -> Result:
    """503 with an ID in header and text, as this family of gateways answers."""
    server_id = f"2026112403{number:04d}gJBlzjtp"
    text = message or f"no capacity left (request id: {server_id})"
    body = json.dumps({"error": {"message": text, "type": "example_error", "code": "overloaded"}})
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "upstream_overloaded", "overloaded_words", words="no capacity left"),
        reply=Reply(503, (("content-type", "application/json"), ("x-example-request-id", server_id)), body, len(body)),
        reading=Reading(
            request_ids=(RequestId("header x-example-request-id", server_id), RequestId("error text", server_id)),
            cf_ray=f"8f{number:04d}-FRA",
            retry_after="7",
            error=ErrorBody(text, "example_error", "overloaded", None),
        ),
        removals=(
            Removal("openai_key", "response.body", 1),
            Removal("header_not_known_safe", "response.headers x-spend", 2),
        ),
    )


def cut_off(number: int) -> Result:
    """No reply: the server took the request and never answered."""
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "read_timeout", "read_timeout"),
        fault=Fault("ReadTimeout", "no byte for 25 s"),
        last_phase=Phase.REQUEST_SENT,
        timings=Timings(25.0, resolve_s=0.002, connect_s=0.02, tls_s=0.03, send_s=0.001),
    )


def missing_choices(number: int) -> Result:
    """A success that breaks the documented shape."""
    body = '{"id":"chatcmpl-2","object":"chat.completion","model":"example-small-2026"}'
    finding = records.Finding("response_schema", "$.choices", "a non-empty array", "missing", DOCS, READ_AT)
    return tick(
        number,
        Judgement(Verdict.CONTRACT_MISMATCH, "missing_choices", "response_schema", findings=(finding,)),
        reply=Reply(200, (("content-type", "application/json"),), body, len(body)),
        reading=Reading(
            request_ids=(RequestId("header x-example-request-id", f"mm{number}"),), model_answered="example-small-2026"
        ),
    )


def missed(number: int) -> Result:
    due = START + timedelta(seconds=30 * number)
    judgement = Judgement(Verdict.MISSED, "overrun", "overrun")
    return Result(f"p{number:04d}", "small", RequestKind.SCHEDULED, due, due, judgement, 0.0, 0.0)


def case(*history: Result, **changes: Any) -> Case:
    """The case that a trip on the newest of these ticks makes."""
    failing = tuple(result for result in history if result.verdict.is_failure)
    subject = history[-1]
    healthy = [result for result in history if result.verdict is Verdict.OK]
    trip = None
    if failing:
        counts = ((subject.verdict, subject.judgement.reason, len(failing)),)
        ids = tuple(result.probe_id for result in failing)
        trip = Trip("small", subject.verdict, subject.judgement.reason, subject.probe_id, subject.due_at, ids, counts)
    frozen_at = subject.ended_at + timedelta(milliseconds=50)
    plain = Case(
        packet_id=f"small-{subject.probe_id}",
        incident=f"small-{subject.probe_id}",
        trigger=Trigger.THRESHOLD,
        frozen_at=frozen_at,
        target=target(),
        verdict=subject.verdict,
        reason=subject.judgement.reason,
        subject=subject,
        failing=failing,
        history=history,
        last_good=good(int(healthy[-1].probe_id[1:]), kept=True) if healthy else None,
        trip=trip,
        scope=Scope(
            f"Failing at that moment: small ({len(failing)} of {len(history)}).",
            (
                (
                    "small",
                    "example-small",
                    "non-streaming",
                    "team-a",
                    "region=eu",
                    f"{len(failing)} of {len(history)} failed",
                    "failing",
                ),
            ),
            frozen_at,
        ),
        impact="Checkout assistant cannot answer.",
        owner="llm-platform on-call",
        posts="/posts/",
        earlier=("small-p0000",),
        request_ids_policy="keep",
        egress_ip_policy="drop",
        version="0.1.0",
    )
    return replace(plain, **changes)
