"""What happened, as JSON: attempts, exchanges, counts, and how much of a latency could be our own."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from probe import sse
from probe.packet.case import Case
from probe.records import Json, Listing, Observation, Phase, Reply, Result, Verdict

_BEFORE_ANY_BYTE: Final = {Phase.NONE, Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.REQUEST_SENT}


def utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else utc(instant)


def started(result: Result) -> str:
    return utc(result.sealed.value.started_at if result.sealed else result.due_at)


def tick(result: Result) -> Json:
    """One line of the history: numbers and enums, no text of the server."""
    return {
        "probe_id": result.probe_id,
        "kind": result.kind,
        "due_at": utc(result.due_at),
        "ended_at": utc(result.ended_at),
        "verdict": result.verdict,
        "reason": result.judgement.reason,
        "status": result.status,
        "total_s": result.timings.total_s if result.timings else None,
        "first_token_s": result.timings.first_token_s if result.timings else None,
        "longest_gap_s": result.timings.longest_gap_s if result.timings else None,
        "lateness_s": result.lateness_s,
        "loop_lag_s": result.loop_lag_s,
    }


def attempt(result: Result) -> Json:
    """Everything about one attempt but its headers and bodies, which are in its exchange."""
    seen = result.sealed.value if result.sealed else None
    reply = seen.reply if seen else None
    connection = seen.connection if seen else None
    reading, timings = result.reading, result.timings
    return tick(result) | {
        "started_at": started(result),
        "client_request_id": seen.request.client_request_id if seen else None,
        "request_ids": [asdict(found) for found in reading.request_ids],
        "cf_ray": reading.cf_ray,
        "completion_id": reading.completion_id,
        "model_asked": seen.request.model if seen else None,
        "model_answered": reading.model_answered,
        "finish_reason": reading.finish_reason,
        "peer": _peer(connection.peer_ip, connection.peer_port) if connection else None,
        "http_version": connection.http_version if connection else None,
        "tls_version": connection.tls_version if connection else None,
        "cert_expires_at": utc_or_none(connection.cert_expires_at if connection else None),
        "connection_reused": connection.reused if connection else None,
        "tcp_rtt_s": connection.tcp_rtt_s if connection else None,
        "tcp_retransmits": connection.tcp_retransmits if connection else None,
        "last_phase": seen.last_phase if seen else None,
        "body_shape": body_shape(reply) if reply else None,
        "received_bytes": received_bytes(seen) if seen else None,
        "complete": reply.complete if reply else None,
        "truncated": reply.truncated if reply else None,
        "fault": asdict(seen.fault) if seen and seen.fault else None,
        "phases": asdict(timings) if timings else None,
        "error": asdict(reading.error) if reading.error else None,
        "words": result.judgement.words,
        "retry_after": reading.retry_after,
        "server_date": utc_or_none(reading.server_date),
        "clock_offset_s": reading.clock_offset_s,
        "usage": asdict(reading.usage) if reading.usage else None,
        "quota": [asdict(stated) for stated in reading.quota],
        "rule": result.judgement.rule,
        "certain": result.judgement.certain,
        "runner_up": result.judgement.runner_up,
        "outside_reachable": result.outside_reachable,
        "listing": listing(result.listing),
    }


def listing(known: Listing | None) -> Json | None:
    """What the provider's public model list said of the model when the attempt was judged."""
    if known is None:
        return None
    return {
        "url": known.url,
        "looked_at": utc(known.looked_at),
        "listed": known.listed,
        "last_listed_at": utc_or_none(known.last_listed_at),
    }


def received_bytes(seen: Observation) -> int | None:
    """Bytes of the body; 0 where the exchange ended before a first byte; None where a head broke off uncounted."""
    if seen.reply:
        return seen.reply.body_bytes
    return 0 if seen.last_phase in _BEFORE_ANY_BYTE else None


def body_shape(reply: Reply) -> str:
    """What kind of body it is, without its content: its two upper levels of keys when it is JSON; of a stream how many
    events it has, and the keys of the first."""
    if not reply.body:
        return "empty"
    kind = reply.header("content-type") or "no content type"
    events = sse.parse(reply.body).events
    if events:
        count = f"{len(events)} event{'s' if len(events) != 1 else ''}"
        return f"{kind}, {count}, the first {_shape(events[0].data)}"
    return f"{kind}, {_shape(reply.body)}"


def _shape(text: str) -> str:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "not JSON"
    if not isinstance(body, dict):
        return f"JSON {type(body).__name__}"
    keys = [
        f"{key}{{{', '.join(map(str, value))}}}" if isinstance(value, dict) else str(key) for key, value in body.items()
    ]
    return f"JSON {{{', '.join(keys)}}}"


def exchange(seen: Observation) -> Json:
    request, reply = seen.request, seen.reply
    return {
        "started_at": utc(seen.started_at),
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": [list(pair) for pair in request.headers],
            "body": request.body,
            "model": request.model,
            "stream": request.stream,
        },
        "reply": asdict(reply) if reply else None,
    }


def request_sent(case: Case) -> Json | None:
    """The request as sent: of the tripping attempt, else of any that is recorded."""
    known = (case.subject, *reversed(case.failing), *([case.last_good] if case.last_good else []))
    sent = next((result.sealed.value.request for result in known if result.sealed), None)
    if sent is None:
        return None
    return {
        "probe_id": sent.probe_id,
        "method": sent.method,
        "url": sent.url,
        "headers": [list(pair) for pair in sent.headers],
        "body": sent.body,
        "model": sent.model,
        "stream": sent.stream,
        "auth": asdict(case.target.contract.auth.value),
    }


def repetition(case: Case) -> Json:
    """How often it failed, counted from the first failing attempt on: what succeeded before is no part of it."""
    if not case.failing:
        return {"kind": "none", "failed": 0, "attempts": 0, "ways": 0, "words": "no failing attempt is recorded"}
    since = case.failing[0].due_at
    succeeded = sum(result.verdict is Verdict.OK and result.due_at >= since for result in case.history)
    failed = len(case.failing)
    ways = len({(result.verdict, result.judgement.reason) for result in case.failing})
    everyone = f"all {failed} attempts since the first failure failed"
    if succeeded:
        kind, words = "intermittent", f"{failed} of {failed + succeeded} attempts since the first failure failed"
    elif failed == 1:
        kind, words = "isolated", "one attempt failed"
    elif ways > 1:
        kind, words = "repeated", f"{everyone}, in {ways} different ways"
    elif failed < case.target.freeze.failures:
        kind, words = "repeated", f"{everyone} the same way, too few to call it reproducible"
    else:
        kind, words = "reproducible", f"{everyone} the same way"
    return {"kind": kind, "failed": failed, "attempts": failed + succeeded, "ways": ways, "words": words}


def own_share(case: Case) -> Json:
    """How much of a measured latency could be the probe's own, and how far its clock was from the server's."""
    ran = list({it.probe_id: it for it in (*case.failing, case.subject) if it.sealed is not None}.values())
    unknown = {"loop_lag_max_s": None, "lateness_max_s": None, "clock_offset_s": None, "tcp_retransmits": None}
    if not ran:
        return unknown | {"words": "Not measured: no exchange is recorded."}
    lag = max(result.loop_lag_s for result in ran)
    late = max(result.lateness_s for result in ran)
    stated = [offset for result in ran if (offset := result.reading.clock_offset_s) is not None]
    offset = max(stated, key=abs) if stated else None
    words = (
        f"At most {lag:.3f} s of an attempt's measured time could be the probe's own (the worst delay of its event "
        f"loop meanwhile). Attempts started at most {late:.3f} s after they were due, which is no part of their "
        f"measured time. {_retransmitted(ran)} {_clock(offset)}"
    )
    return {
        "loop_lag_max_s": lag,
        "lateness_max_s": late,
        "clock_offset_s": offset,
        "tcp_retransmits": _retransmits(ran),
        "words": words,
    }


def _retransmits(ran: Sequence[Result]) -> int | None:
    """How many segments our side sent again in these attempts; None where the kernel said it of none."""
    told = [seen.connection.tcp_retransmits for it in ran if it.sealed and (seen := it.sealed.value).connection]
    counted = [count for count in told if count is not None]
    return sum(counted) if counted else None


def _retransmitted(ran: Sequence[Result]) -> str:
    count = _retransmits(ran)
    if count is None:
        return "TCP retransmits: not measured."
    trips = [seen.connection.tcp_rtt_s for it in ran if it.sealed and (seen := it.sealed.value).connection]
    longest_s = max((trip for trip in trips if trip is not None), default=None)
    trip = "" if longest_s is None else f"; longest round trip of a connection {1000 * longest_s:.1f} ms"
    return f"TCP segments that our side had to send again: {count}{trip} (as the kernel counts)."


def _clock(offset_s: float | None) -> str:
    if offset_s is None:
        return "The probe's clock beside the server's: not known, no Date was read."
    side = "ahead of" if offset_s > 0 else "behind"
    return f"The server's Date (whole seconds) was at most {abs(offset_s):.1f} s {side} the probe's clock."


def plain(value: Any) -> Any:
    """As JSON can hold it: a server's half surrogates and giant numbers must not stop a packet from being written."""
    if type(value) is str and value.isascii():  # nearly all of it: the table of a scope has thousands
        return value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        return str(value)
    return value


def _peer(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
