"""Packets of many different faults, for whatever must hold of every packet. All values are fake."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from probe.packet import Case
from probe.records import (
    Connection,
    ErrorBody,
    Fault,
    Finding,
    Judgement,
    Listing,
    Phase,
    QuotaReading,
    Reading,
    Removal,
    Reply,
    RequestId,
    RequestKind,
    Result,
    Sealed,
    Timings,
    Trigger,
    Usage,
    Verdict,
)
from probe.records.sealed import _SEAL
from probe.records.verdicts import REASONS
from tests.probe.evidence import (
    DOCS,
    READ_AT,
    START,
    case,
    cut_off,
    good,
    missed,
    missing_choices,
    overloaded,
    request,
    target,
    tick,
)
from tests.probe.test_frozen_sources import BOTH, frozen_case

_JSON: Final = ("content-type", "application/json")
HOSTILE: Final = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`}}{{ 7*7 }}\n```\n# heading | cell \u202e <!-- "
)


def refused(number: int, status: int, verdict: Verdict, reason: str, code: str, message: str) -> Result:
    """An error answer of the one-api family, with its request ID in header and text."""
    server_id = f"2026112403{number:04d}gJBlzjtp"
    text = f"{message} (request id: {server_id})"
    body = json.dumps({"error": {"message": text, "type": "example_error", "param": None, "code": code}})
    headers = (_JSON, ("x-example-request-id", server_id), ("date", "Tue, 24 Nov 2026 03:00:01 GMT"))
    ids = (RequestId("header x-example-request-id", server_id), RequestId("error text", server_id))
    return tick(
        number,
        Judgement(verdict, reason, code, words=message),
        reply=Reply(status, headers, body, len(body)),
        reading=Reading(
            request_ids=ids,
            error=ErrorBody(text, "example_error", code, None),
            server_date=START + timedelta(seconds=30 * number),
            clock_offset_s=-0.4,
            quota=(QuotaReading("requests", 60, 0),),
        ),
    )


def quota(number: int) -> Result:
    words = "Insufficient quota: the balance is used up"
    return refused(number, 429, Verdict.QUOTA_OR_BILLING, "insufficient_quota", "insufficient_quota", words)


def auth(number: int) -> Result:
    words = "This API key has been revoked"
    return refused(number, 401, Verdict.AUTH_OR_ACCOUNT, "invalid_key", "invalid_api_key", words)


def no_channel(number: int) -> Result:
    """The model is in the public list, and the gateway has no channel for it."""
    words = "no available channel for group default and model example-small"
    found = refused(number, 503, Verdict.DEGRADATION, "no_channel", "model_not_found", words)
    seen = START - timedelta(minutes=4)
    judgement = replace(found.judgement, certain=False, runner_up=Verdict.CONTRACT_MISMATCH)
    return replace(found, judgement=judgement, listing=Listing("https://api.example.test/models", seen, True, seen))


def tls_failure(number: int) -> Result:
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "tls_failure", "tls_failure"),
        fault=Fault(
            "ConnectError", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"
        ),
        last_phase=Phase.CONNECT,
        timings=Timings(0.08, resolve_s=0.002, connect_s=0.02),
    )


def unreachable(number: int) -> Result:
    """No connection: nothing is known of the other end."""
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "connect_timeout", "connect_timeout"),
        fault=Fault("ConnectTimeout", "no connection within 25 s"),
        last_phase=Phase.RESOLVE,
        timings=Timings(25.0, resolve_s=0.002),
        connected=False,
    )


def stream_cut(number: int) -> Result:
    """Half a stream, then the connection ended."""
    event = {"id": "chatcmpl-7", "model": "example-small-2026", "choices": [{"index": 0, "delta": {"content": "po"}}]}
    body = f"data: {json.dumps(event)}\n\n"
    sent = replace(request(number), stream=True)
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "truncated_body", "truncated_body"),
        sent=sent,
        reply=Reply(200, (("content-type", "text/event-stream"),), body, len(body), complete=False),
        fault=Fault("RemoteProtocolError", "peer closed connection without sending complete message body"),
        last_phase=Phase.FIRST_TOKEN,
        timings=Timings(1.2, 0.002, 0.02, 0.03, 0.001, 0.3, 0.85, 0.35, 0.35, 0.36, 0.8),
        reading=Reading(completion_id="chatcmpl-7", model_answered="example-small-2026"),
    )


def slow(number: int) -> Result:
    answered = good(number, kept=True)
    assert answered.sealed is not None
    return tick(
        number,
        Judgement(Verdict.DEGRADATION, "slow", "slow"),
        reply=answered.sealed.value.reply,
        timings=Timings(12.5, 0.002, 0.02, 0.03, 0.001, 12.4, 0.04, 12.45),
        reading=replace(answered.reading, usage=Usage(19, 1, 20), finish_reason="stop"),
    )


def ours(number: int) -> Result:
    """A fault on our side: it freezes nothing by itself, and by hand all the same."""
    return tick(
        number,
        Judgement(Verdict.PROBE_FAULT, "proxy_error", "proxy_error"),
        fault=Fault("ProxyError", "407 Proxy Authentication Required"),
        last_phase=Phase.NONE,
        timings=Timings(0.01),
        connected=False,
    )


def hostile() -> Case:
    """A server that writes markup, control characters and half surrogates wherever it can."""
    failed = overloaded(3, HOSTILE)
    assert failed.sealed is not None
    reply = Reply(503, (("x-evil", HOSTILE), ("content-type", HOSTILE)), HOSTILE * 200, 9)
    finding = Finding("response_schema", HOSTILE, "a non-empty array", HOSTILE, "javascript:alert(1)", READ_AT)
    reading = replace(
        failed.reading, model_answered=HOSTILE, cf_ray=HOSTILE, request_ids=(RequestId("error text", HOSTILE),)
    )
    seen = replace(failed.sealed.value, reply=reply)
    judgement = replace(failed.judgement, findings=(finding,), words="\ud800 " + HOSTILE)
    return case(replace(failed, sealed=Sealed(seen, (), _SEAL), reading=reading, judgement=judgement))


def of_reason(verdict: Verdict, reason: str) -> Case:
    """Three attempts in a row of one verdict and reason, with long words of the server."""
    found = Finding("response_schema", "$.choices", "a non-empty array", "missing", DOCS, READ_AT)

    def one(number: int) -> Result:
        plain = refused(number, 500, Verdict.DEGRADATION, "upstream_5xx", "code", "some words of the server " * 12)
        return replace(plain, judgement=Judgement(verdict, reason, reason, words="some words", findings=(found,)))

    return case(good(1), good(2, kept=True), one(3), one(4), one(5))


def _v6() -> Case:
    failed = overloaded(3)
    assert failed.sealed is not None
    connection = Connection("2001:db8::7", 443, True, "TLSv1.3", START + timedelta(days=60), "HTTP/2")
    seen = replace(failed.sealed.value, connection=connection)
    return case(replace(failed, sealed=Sealed(seen, (Removal("dropped_too_deep", "response.body", 1),), _SEAL)))


_STREAMING: Final = target(stream=True)
FAULTS: Final[Mapping[str, Case]] = {
    "overloaded": case(good(1), good(2), overloaded(3), overloaded(4), overloaded(5)),
    "intermittent": case(overloaded(1), good(2), overloaded(3), good(4), overloaded(5)),
    "in two ways": case(good(1), overloaded(3), auth(4), auth(5)),
    "read timeout": case(good(1), cut_off(3), cut_off(4), cut_off(5)),
    "no connection": case(unreachable(3), unreachable(4), unreachable(5)),
    "tls": case(good(1), tls_failure(3), tls_failure(4), tls_failure(5)),
    "stream cut": case(good(1), stream_cut(3), stream_cut(4), stream_cut(5), target=_STREAMING),
    "quota": case(good(1), quota(3), quota(4), quota(5)),
    "auth": case(good(1), auth(3), auth(4), auth(5)),
    "no channel": case(good(1), no_channel(3), no_channel(4), no_channel(5)),
    "mismatch": case(good(1), missing_choices(3), missing_choices(4), missing_choices(5)),
    "slow": case(good(1), slow(3), slow(4), slow(5)),
    "isolated": case(good(1), good(2), overloaded(3)),
    "forty": case(*(overloaded(number) for number in range(1, 41))),
    "with a confirmation": case(overloaded(3), overloaded(4), replace(overloaded(5), kind=RequestKind.CONFIRM)),
    "documents fetched": frozen_case(*BOTH),
    "alert": case(good(1), good(2, kept=True), trigger=Trigger.ALERT),
    "by hand": case(good(1), good(2, kept=True), trigger=Trigger.MANUAL),
    "by hand, ours": case(good(1), ours(2), trigger=Trigger.MANUAL),
    "nothing recorded": case(missed(3), trigger=Trigger.MANUAL),
    "nothing declared": case(good(1), auth(3), impact=None, owner=None, posts=None, earlier=()),
    "no history": replace(case(good(1), overloaded(3)), history=()),
    "over ipv6": _v6(),
    "hostile": hostile(),
}
# Every verdict and reason that can freeze a packet.
REASONED: Final[Mapping[str, Case]] = {
    f"{verdict}/{reason}": of_reason(verdict, reason)
    for verdict, reasons in REASONS.items()
    if verdict.is_failure
    for reason in reasons
}
