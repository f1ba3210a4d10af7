"""The evidence packet as one document: pure. Facts in (`Case`), packet.json out (`draft`); words follow the facts as counted.

Instants in the document are RFC 3339 UTC with milliseconds, durations are seconds (``_s``), what is not known is null.
Text that a server sent stands between backticks on one line, so that it can neither break a table nor pass for ours.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from probe.contract import Contract, Shape, Source, Sourced
from probe.pong import Target
from probe.records import (
    Finding,
    Json,
    Observation,
    Phase,
    Recovered,
    Removal,
    Reopened,
    RequestKind,
    Result,
    Trigger,
    Trip,
    Verdict,
)

SCHEMA_VERSION: Final = "1"
NOT_KNOWN: Final = "not known"
NOT_KNOWN_YET: Final = "not known yet"
TEXT_LIMIT: Final = 300  # characters of a server's words inside a sentence; the whole text is in the exchange

# The seed article's labels. A mismatch stays a possible one until the provider confirms it.
VERDICT_WORDS: Final = {
    Verdict.OK: "no failure",
    Verdict.CONTRACT_MISMATCH: "possible contract mismatch",
    Verdict.DEGRADATION: "availability or latency degradation",
    Verdict.AUTH_OR_ACCOUNT: "authentication or account issue",
    Verdict.QUOTA_OR_BILLING: "quota, limit, or billing uncertainty",
    Verdict.PROBE_FAULT: "fault on the probe's side",
    Verdict.MISSED: "missed probe",
}
_KINDS: Final = {"reproducible": "a reproducible", "intermittent": "an intermittent", "repeated": "a repeated"} | {
    "isolated": "an isolated"
}
_TIMED: Final = {"slow", "request_timeout", "read_timeout", "connect_timeout"}
_PROVIDER_NAMES: Final = {"cometapi": "CometAPI"}
_BEFORE_ANY_BYTE: Final = {Phase.NONE, Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.REQUEST_SENT}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which traffic is affected, as worked out at `as_of`. The first row of `table` is its heading."""

    sentence: str
    table: tuple[tuple[str, ...], ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """All that a packet is drafted from. `failing` and `history` are oldest first; `earlier` are IDs of packets of the
    same signature."""

    packet_id: str
    incident: str
    trigger: Trigger
    frozen_at: datetime
    target: Target
    verdict: Verdict
    reason: str
    subject: Result
    failing: tuple[Result, ...]
    history: tuple[Result, ...]
    last_good: Result | None
    trip: Trip | None
    scope: Scope
    impact: str | None
    owner: str | None
    posts: str | None
    earlier: tuple[str, ...]
    request_ids_policy: str
    egress_ip_policy: str
    version: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a stored file: `kind` is altered, missing, extra or unreadable."""

    file: str
    kind: str


# ---------------------------------------------------------------- the documents


def draft(case: Case) -> Json:
    """The whole packet document."""
    target, contract = case.target, case.target.contract
    findings = _findings(case)
    repetition = _repetition(case)
    exchanges = {
        result.probe_id: _exchange(result.sealed.value)
        for result in (*case.failing, case.subject, *_given(case.last_good))
        if result.sealed is not None
    }
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "generator": {"name": "freezeframe", "version": case.version},
        "packet_id": case.packet_id,
        "incident": case.incident,
        "trigger": case.trigger,
        "frozen_at": utc(case.frozen_at),
        "title": _title(case),
        "verdict": case.verdict,
        "verdict_words": VERDICT_WORDS[case.verdict],
        "reason": case.reason,
        "provider": _provider(contract),
        "target": {
            "name": target.name,
            "contract": contract.name,
            "model": target.model,
            "stream": target.stream,
            "credential": target.credential,
            "labels": dict(target.labels),
            "cadence_s": target.cadence_s,
            "timeout_s": target.timeout_s,
            "slow_s": target.slow_s,
            "connection": "reuse" if target.reuse_connection else "fresh",
            "freeze": asdict(target.freeze),
        },
        "message": _message(case, findings, repetition),
        "documented": {
            "cited": _source(contract.chat_path.source),
            "verified_live": all(source.verified_live for source in _relied_on(contract)),
            "areas": _areas(contract),
        },
        "request": _request(case),
        "happened": {
            "first_failed_at": _started(case.failing[0]) if case.failing else None,
            "last_failed_at": _started(case.failing[-1]) if case.failing else None,
            "repetition": repetition,
            "retries": {
                "count": 0,
                "words": "The probe makes no retries: every attempt is one request on the wire.",
                "confirmations": sum(result.kind is RequestKind.CONFIRM for result in case.failing),
            },
            "observed": _observed(case),
            "attempts": [_attempt(result) for result in case.failing],
            "counts": [
                {"verdict": verdict, "reason": reason, "count": count}
                for verdict, reason, count in (case.trip.counts if case.trip else ())
            ],
        },
        "subject": _attempt(case.subject),
        "expected": {
            "words": _expected(case, findings),
            "findings": findings,
            "last_good": _attempt(case.last_good) if case.last_good else None,
        },
        "judgement": {
            "verdict": case.subject.verdict,
            "reason": case.subject.judgement.reason,
            "rule": case.subject.judgement.rule,
            "certain": case.subject.judgement.certain,
            "runner_up": case.subject.judgement.runner_up,
            "words": case.subject.judgement.words,
        },
        "impact": {"declared": case.impact, "words": _impact(case)},
        "scope": {
            "sentence": case.scope.sentence,
            "table": [list(row) for row in case.scope.table],
            "as_of": utc(case.scope.as_of),
        },
        "escalation": [
            {"route": name, "value": route.value} | _source(route.source)
            for name, route in sorted(contract.routes.items())
        ],
        "own_share": _own_share(case),
        "history": [_tick(result) for result in case.history],
        "redaction": {
            "request_ids": case.request_ids_policy,
            "egress_ip": case.egress_ip_policy,
            "removals": _removals((*case.failing, case.subject, *case.history, *_given(case.last_good))),
        },
        "exchanges": exchanges,
    }
    document["internal"] = {
        "owner": case.owner,
        "posts": case.posts,
        "earlier_packets": list(case.earlier),
        "template": _template(case, document),
        "notes": [],
    }
    plain: Json = _plain(document)
    return plain


def for_support(document: Json) -> Json:
    """The document without what is ours alone: owner, posts, notes, earlier packets and the template that holds them."""
    return {key: value for key, value in document.items() if key != "internal"}


def recovery(recovered: Recovered) -> Json:
    """The addendum that ends an incident."""
    share = recovered.failures / recovered.probes if recovered.probes else None
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "recovery",
        "at": utc(recovered.recovered_at),
        "target": recovered.target,
        "packets": list(recovered.packets),
        "first_failed_at": utc(recovered.first_failed_at),
        "last_reproduced_at": utc(recovered.last_reproduced_at),
        "recovered_at": utc(recovered.recovered_at),
        "failures": recovered.failures,
        "probes": recovered.probes,
        "failure_share": share,
        "words": f"First failed {utc(recovered.first_failed_at)}, last reproduced "
        f"{utc(recovered.last_reproduced_at)}, recovered {utc(recovered.recovered_at)}; "
        f"{recovered.failures} of {recovered.probes} probes failed"
        + (f" ({share:.1%})." if share is not None else "."),
    }


def reopening(reopened: Reopened) -> Json:
    """The addendum that says that the same failure is back."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "reopening",
        "at": utc(reopened.at),
        "target": reopened.target,
        "packet_id": reopened.packet_id,
        "verdict": reopened.verdict,
        "reason": reopened.reason,
        "probe_id": reopened.probe_id,
        "words": f"The same failure ({VERDICT_WORDS[reopened.verdict]}, {reopened.reason}) met the threshold "
        f"again at {utc(reopened.at)}, probe {reopened.probe_id}.",
    }


def summary_line(document: Json) -> str:
    """One line for a log or a terminal."""
    counted, first = document["happened"]["repetition"], document["happened"]["first_failed_at"]
    return (
        f"packet {document['packet_id']} target={document['target']['name']} "
        f"{document['verdict']}/{document['reason']} {counted['kind']} {counted['failed']}/{counted['attempts']} "
        f"first_failed_at={first or NOT_KNOWN.replace(' ', '-')} trigger={document['trigger']} "
        f"incident={document['incident']}"
    )


def utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quoted(text: str) -> str:
    """A server's words inside our sentence: one line, no control or direction marks, no backtick of its own."""
    shown = "".join(char if char.isprintable() else " " for char in text).replace("`", "'")
    shown = " ".join(shown.split())
    if len(shown) > TEXT_LIMIT:
        shown = shown[:TEXT_LIMIT] + " [cut]"
    return f"`{shown}`"


# ---------------------------------------------------------------- what happened


def _attempt(result: Result) -> Json:
    observation = result.sealed.value if result.sealed else None
    reply = observation.reply if observation else None
    connection = observation.connection if observation else None
    reading, timings = result.reading, result.timings
    received = reply.body_bytes if reply else None
    if observation and reply is None and observation.last_phase in _BEFORE_ANY_BYTE:
        received = 0
    return _tick(result) | {
        "started_at": _started(result),
        "client_request_id": observation.request.client_request_id if observation else None,
        "request_ids": [{"place": found.place, "value": found.value} for found in reading.request_ids],
        "cf_ray": reading.cf_ray,
        "completion_id": reading.completion_id,
        "model_asked": observation.request.model if observation else None,
        "model_answered": reading.model_answered,
        "finish_reason": reading.finish_reason,
        "peer": _peer(observation),
        "http_version": connection.http_version if connection else None,
        "tls_version": connection.tls_version if connection else None,
        "cert_expires_at": _utc_or_none(connection.cert_expires_at if connection else None),
        "connection_reused": connection.reused if connection else None,
        "last_phase": observation.last_phase if observation else None,
        "received_bytes": received,
        "complete": reply.complete if reply else None,
        "truncated": reply.truncated if reply else None,
        "fault": asdict(observation.fault) if observation and observation.fault else None,
        "phases": asdict(timings) if timings else None,
        "error": asdict(reading.error) if reading.error else None,
        "words": result.judgement.words,
        "retry_after": reading.retry_after,
        "server_date": _utc_or_none(reading.server_date),
        "clock_offset_s": reading.clock_offset_s,
        "usage": asdict(reading.usage) if reading.usage else None,
        "quota": [asdict(seen) for seen in reading.quota],
        "rule": result.judgement.rule,
        "certain": result.judgement.certain,
        "runner_up": result.judgement.runner_up,
    }


def _tick(result: Result) -> Json:
    return {
        "probe_id": result.probe_id,
        "kind": result.kind,
        "due_at": utc(result.due_at),
        "ended_at": utc(result.ended_at),
        "verdict": result.verdict,
        "reason": result.judgement.reason,
        "status": result.status,
        "total_s": result.timings.total_s if result.timings else None,
        "lateness_s": result.lateness_s,
        "loop_lag_s": result.loop_lag_s,
    }


def _exchange(seen: Observation) -> Json:
    request, reply = seen.request, seen.reply
    return {
        "started_at": utc(seen.started_at),
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": [list(pair) for pair in request.headers],
            "body": request.body,
        },
        "reply": asdict(reply) | {"headers": [list(pair) for pair in reply.headers]} if reply else None,
    }


def _repetition(case: Case) -> Json:
    """Counted from the first failing attempt on: what succeeded before it is not part of the failure."""
    if not case.failing:
        return {"kind": "none", "failed": 0, "attempts": 0, "ways": 0, "words": "No failing attempt is recorded."}
    since = case.failing[0].due_at
    succeeded = sum(tick.verdict is Verdict.OK and tick.due_at >= since for tick in case.history)
    failed, ways = len(case.failing), len({(tick.verdict, tick.judgement.reason) for tick in case.failing})
    if succeeded:
        kind, words = "intermittent", f"{succeeded} of {failed + succeeded} attempts since the first failure succeeded"
    elif failed == 1:
        kind, words = "isolated", "one attempt failed"
    elif ways > 1:
        kind, words = "repeated", f"all {failed} attempts since the first failure failed, in {ways} different ways"
    elif failed >= case.target.freeze.failures:
        kind, words = "reproducible", f"all {failed} attempts since the first failure failed the same way"
    else:
        kind, words = "repeated", f"all {failed} attempts since the first failure failed the same way, too few to trip"
    return {"kind": kind, "failed": failed, "attempts": failed + succeeded, "ways": ways, "words": words}


def _signature(result: Result) -> tuple[str | None, ...]:
    """What two attempts must share to be told in one clause; texts differ by the request ID inside them."""
    seen, error = result.sealed, result.reading.error
    fault = seen.value.fault if seen else None
    return (
        str(result.status),
        fault.kind if fault else None,
        error.code if error else None,
        error.type if error else None,
        result.judgement.reason,
    )


def _observed(case: Case) -> str:
    if not case.failing:
        return f"No failing attempt; the newest probe: {_seen(case.subject)}."
    newest = {_signature(result): result for result in case.failing}
    counted = Counter(_signature(result) for result in case.failing)
    clauses = [
        f"{counted[signature]} of {len(case.failing)} failing attempts: {_seen(newest[signature])}"
        for signature in newest
    ]
    totals = [result.timings.total_s for result in case.failing if result.timings]
    took = ""
    if totals:
        low, high = f"{min(totals):.3f}", f"{max(totals):.3f}"
        took = f" Latency {low} s." if low == high else f" Latency {low} to {high} s."
    return "; ".join(clauses) + "." + took


def _seen(result: Result) -> str:
    """Status, error or deviation of one attempt, in words."""
    if result.sealed is None:
        return "no exchange is recorded"
    seen, error = result.sealed.value, result.reading.error
    parts = [f"HTTP {seen.reply.status}" if seen.reply else "no reply"]
    if seen.fault:
        received = _attempt(result)["received_bytes"]
        parts.append(f"{seen.fault.kind} {quoted(seen.fault.message)}")
        parts.append(f"last completed phase {seen.last_phase}, {_or(received)} bytes received")
    elif seen.reply and seen.reply.truncated:
        parts.append(f"{seen.reply.body_bytes} bytes read, then stopped at our limit")
    if error:
        named = {"error code": error.code, "type": error.type, "message": error.message}
        parts += [f"{name} {quoted(value)}" for name, value in named.items() if value]
    elif result.judgement.words:
        parts.append(f"words {quoted(result.judgement.words)}")
    parts += [f"at {quoted(found.place)}: {quoted(found.observed)}" for found in result.judgement.findings[:1]]
    return ", ".join(parts)


def _own_share(case: Case) -> Json:
    ran = [result for result in (*case.failing, case.subject) if result.sealed is not None]
    lag = max((result.loop_lag_s for result in ran), default=None)
    late = max((result.lateness_s for result in ran), default=None)
    words = "Not measured: no exchange is recorded."
    if lag is not None:
        words = (
            f"At most {lag:.3f} s of an attempt's measured time could be the probe's own (worst delay of its event "
            f"loop meanwhile). Attempts started at most {late:.3f} s after they were due; that is not in their "
            "measured time. TCP retransmits: not measured."
        )
    return {"loop_lag_max_s": lag, "lateness_max_s": late, "tcp_retransmits": None, "words": words}


def _removals(results: Iterable[Result]) -> list[Json]:
    found: Counter[tuple[str, str]] = Counter()
    seals = {id(result.sealed): result.sealed for result in results if result.sealed}
    removals: list[Removal] = [removal for sealed in seals.values() for removal in sealed.removals]
    for removal in removals:
        found[removal.rule, removal.place] += removal.count
    return [{"rule": rule, "place": place, "count": count} for (rule, place), count in sorted(found.items())]


# ---------------------------------------------------------------- what is documented


def _relied_on(contract: Contract) -> tuple[Source, ...]:
    """The sources of what every request is made of."""
    return contract.base_url.source, contract.chat_path.source, contract.auth.source, contract.request.source


def _source(source: Source | None) -> Json:
    return {
        "source": source.url if source else None,
        "accessed": utc(source.accessed) if source else None,
        "section": source.section if source else None,
        "verified_live": source.verified_live if source else None,
        "how": (_how(source) if source else "not documented in the contract"),
    }


def _how(source: Source) -> str:
    if source.verified_live:
        return f"verified against {source.url} at {utc(source.accessed)}"
    return f"read from a stored copy of {source.url} at {utc(source.accessed)}"


def _areas(contract: Contract) -> list[Json]:
    """Every contract area of the seed's table with value and source; an undocumented one says so."""
    statuses, request_id = contract.error_statuses, contract.request_id
    rows: list[tuple[str, str, str | None, Source | None]] = [
        ("Endpoint paths", "base URL", contract.base_url.value, contract.base_url.source),
        ("Endpoint paths", "chat path", contract.chat_path.value, contract.chat_path.source),
        ("Auth headers", "format", _auth(contract), contract.auth.source),
        ("Request fields", "body", _fields(contract.request), contract.request.source),
        ("Response fields", "body", *_shape(contract.response)),
        ("Response fields", "stream chunk", *_shape(contract.stream_chunk)),
        ("Response fields", "request ID", *_id_places(request_id)),
        ("Error behavior", "body", *_shape(contract.error)),
        (
            "Error behavior",
            "statuses",
            "; ".join(f"{status}: {text}" for status, text in sorted(statuses.value.items())) if statuses else None,
            statuses.source if statuses else None,
        ),
        ("Error behavior", "retry guidance", *_sourced(contract.error_retry)),
        *(("Rate-limit or billing assumptions", "limit", *_sourced(limit)) for limit in contract.limits or (None,)),
        *(("Escalation route", name, *_sourced(route)) for name, route in sorted(contract.routes.items())),
    ]
    return [{"area": area, "item": item, "value": value} | _source(source) for area, item, value, source in rows]


def _sourced(value: Sourced[str] | None) -> tuple[str | None, Source | None]:
    return (value.value, value.source) if value else (None, None)


def _shape(shape: Shape | None) -> tuple[str | None, Source | None]:
    return (_fields(shape), shape.source) if shape else (None, None)


def _id_places(places: Any) -> tuple[str | None, Source | None]:
    if places is None:
        return None, None
    named = [
        *(f"header {name}" for name in places.value.headers),
        *([f"text {places.value.text}"] if places.value.text else []),
    ]
    return ", ".join(named) or None, places.source


def _fields(shape: Shape) -> str | None:
    """The shape in one line: its required and its other documented fields, and what ends a stream."""
    if shape.schema is None:
        return None
    required = [str(name) for name in shape.schema.get("required", ())]
    others = sorted(str(name) for name in shape.schema.get("properties", {}) if name not in required)
    parts = ["required: " + ", ".join(required)] if required else []
    parts += ["also documented: " + ", ".join(others)] if others else []
    parts += [f"ends with {shape.terminal}"] if shape.terminal else []
    return "; ".join(parts) or "a JSON value"


def _auth(contract: Contract) -> str:
    shape = contract.auth.value
    return f"{shape.header}: {shape.format.replace('{key}', '<REDACTED>')}"


def _findings(case: Case) -> list[Json]:
    """Every disagreement with the documents, once, and what they say of the statuses that were seen."""
    contract = case.target.contract
    live = {source.url for source in _sources(contract) if source.verified_live}
    failing = case.failing or (case.subject,)
    distinct: dict[Finding, None] = {found: None for result in failing for found in result.judgement.findings}
    rows = [
        asdict(found)
        | {"accessed": _utc_or_none(found.accessed), "verified_live": found.source in live if found.source else None}
        for found in distinct
    ]
    if documented := contract.error_statuses:
        seen = sorted({str(result.status) for result in failing if result.status is not None})
        rows += [
            {
                "rule": "documented_status",
                "place": f"status {status}",
                "expected": documented.value[status],
                "observed": f"status {status}",
                "source": documented.source.url,
                "accessed": utc(documented.source.accessed),
                "verified_live": documented.source.verified_live,
            }
            for status in seen
            if status in documented.value
        ]
    return rows


def _sources(contract: Contract) -> list[Source]:
    optional = (contract.response, contract.stream_chunk, contract.error, contract.error_statuses, contract.error_retry)
    return [*_relied_on(contract), *(area.source for area in optional if area)]


# ---------------------------------------------------------------- words


def _message(case: Case, findings: Sequence[Json], repetition: Json) -> list[str]:
    """The seed article's escalation summary, sentence by sentence."""
    contract = case.target.contract
    if case.failing:
        first, last = _started(case.failing[0]), _started(case.failing[-1])
        when = first if first == last else f"{first} to {last}"
        observed = f"We observed {_KINDS[repetition['kind']]} chat API issue at {when} (UTC): {repetition['words']}."
        observed += f" Classified as: {VERDICT_WORDS[case.verdict]} ({case.reason})."
    else:
        observed = f"Frozen on request ({case.trigger}) at {utc(case.frozen_at)} (UTC); no failing attempt is recorded."
    if not case.subject.judgement.certain and case.subject.judgement.runner_up:
        observed += f" Not certain; it could also be: {VERDICT_WORDS[case.subject.judgement.runner_up]}."
    stored = next((source for source in _relied_on(contract) if not source.verified_live), None)
    verified = f"The request contract was {_how(stored or contract.chat_path.source)} (UTC)"
    if stored:
        verified = f"The request contract was {_how(contract.chat_path.source)} (UTC)"
        verified += (
            ", not verified live" if not contract.chat_path.source.verified_live else ", in part from stored copies"
        )
    has_request = _request(case) is not None
    return [
        observed,
        verified + ".",
        "A sanitized repro is attached (repro.sh)."
        if has_request
        else "No request is recorded, so no repro is attached.",
        f"Expected behavior: {_expected(case, findings)}",
        f"Observed behavior: {_observed(case)}",
        f"Impact: {_impact(case)} Scope as of {utc(case.scope.as_of)}: {case.scope.sentence}",
        "Secrets and customer content have been redacted; the prompt is synthetic.",
    ]


def _expected(case: Case, findings: Sequence[Json]) -> str:
    """Tied to a source, then to the last good exchange; our own deadlines are called our own."""
    target, contract = case.target, case.target.contract
    sentences = []
    for found in [found for found in findings if found["source"]][:2]:
        how = "verified against" if found["verified_live"] else "read from a stored copy of"
        at = f" at {found['accessed']}" if found["accessed"] else ""
        sentences.append(f"{found['place']}: {quoted(found['expected'])} ({how} {found['source']}{at}).")
    shape = contract.stream_chunk if target.stream else contract.response
    name = "a stream of documented chunks" if target.stream else "an answer of the documented shape"
    if shape is None or shape.schema is None:
        sentences.append("The contract documents no shape of the answer.")
    elif not any(found["rule"] != "documented_status" and found["source"] for found in findings):
        sentences.append(f"{name} ({_fields(shape)}; {_how(shape.source)}).")
    if case.reason in _TIMED:
        limit = target.slow_s if case.reason == "slow" else target.timeout_s
        sentences.append(f"Within {limit:g} s, which is our own configured limit and not a documented one.")
    good = case.last_good
    if good and good.timings:
        sentences.append(
            f"The same request was last answered well at {_started(good)}: HTTP {_or(good.status)} in {good.timings.total_s:.3f} s."
        )
    else:
        sentences.append("No earlier good exchange is recorded.")
    return " ".join(sentences)


def _impact(case: Case) -> str:
    if case.impact is None:
        return "not known: none is declared."
    return f"declared in configuration, not observed: {case.impact.rstrip('.')}."


def _title(case: Case) -> str:
    what = "no failing attempt"
    if case.failing:
        newest = case.failing[-1]
        fault = newest.sealed.value.fault if newest.sealed else None
        seen = f"HTTP {newest.status}" if newest.status is not None else "no reply"
        what = f"{VERDICT_WORDS[case.verdict]}: {case.reason} ({seen}{', ' + fault.kind if fault else ''})"
    mode = "streaming" if case.target.stream else "non-streaming"
    return f"{_provider(case.target.contract)} chat API, {what}, model {quoted(case.target.model)}, {mode}"


def _template(case: Case, document: Json) -> list[list[str]]:
    """The seed article's 14 fields in its order."""
    contract, happened = case.target.contract, document["happened"]
    urls = dict.fromkeys(_how(source) for source in _sources(contract))
    last = happened["last_failed_at"] if len(case.failing) > 1 else None
    once = "not reproduced: one attempt failed" if case.failing else NOT_KNOWN_YET
    request = document["request"]
    asked = f"model {quoted(case.target.model)}, {'streaming' if case.target.stream else 'non-streaming'}"
    return [
        ["Incident title", document["title"]],
        ["First observed", happened["first_failed_at"] or NOT_KNOWN_YET],
        ["Last reproduced", last or once],
        [f"{document['provider']} doc source", "; ".join(urls)],
        [
            "Support source",
            "; ".join(f"{row['value']} ({row['how']})" for row in document["escalation"]) or NOT_KNOWN_YET,
        ],
        ["Endpoint path", f"{contract.chat_path.value} ({_how(contract.chat_path.source)})"],
        ["Auth format", f"{_auth(contract)} ({_how(contract.auth.source)})"],
        ["Request body", quoted_body(request["body"]) if request else NOT_KNOWN],
        ["Expected behavior", document["expected"]["words"]],
        ["Observed behavior", happened["observed"]],
        ["Scope", f"{case.scope.sentence} (as of {utc(case.scope.as_of)}); seen here: {asked}. Impact {_impact(case)}"],
        ["Mitigation", NOT_KNOWN_YET],
        ["Escalation ID", NOT_KNOWN_YET],
        ["Follow-up owner", f"{case.owner or NOT_KNOWN_YET}; next review {NOT_KNOWN_YET}"],
    ]


def quoted_body(body: str) -> str:
    return f"`{' '.join(body.split()).replace('`', chr(39))}`"


def _request(case: Case) -> Json | None:
    """The request as sent: of the tripping attempt, else of any that is recorded."""
    known = (case.subject, *reversed(case.failing), *_given(case.last_good))
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
        "auth": {"header": case.target.contract.auth.value.header, "format": case.target.contract.auth.value.format},
    }


# ---------------------------------------------------------------- small words


def _provider(contract: Contract) -> str:
    return _PROVIDER_NAMES.get(contract.provider.lower(), contract.provider)


def _peer(observation: Observation | None) -> str | None:
    if observation is None or observation.connection is None:
        return None
    host, port = observation.connection.peer_ip, observation.connection.peer_port
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _started(result: Result) -> str:
    return utc(result.sealed.value.started_at if result.sealed else result.due_at)


def _given(result: Result | None) -> tuple[Result, ...]:
    return () if result is None else (result,)


def _or(value: object | None) -> str:
    return NOT_KNOWN if value is None else str(value)


def _utc_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else utc(instant)


def _plain(value: Any) -> Any:
    """As JSON can hold it: a server's half surrogates and giant numbers must not stop a packet from being written."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        return str(value)
    return value
