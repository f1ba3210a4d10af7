"""The words of a packet: they follow the facts as counted, tie expectations to sources and never name a root cause.

Text that a server sent stands between backticks on one line, so that it can neither break a table nor pass for ours.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from probe.findings import ABOUT_THE_MODEL
from probe.packet.case import Case
from probe.packet.documented import auth, fields, how_read, provider, relied_on, sources
from probe.packet.facts import body_shape, received_bytes, repetition, request_sent, started, utc
from probe.records import Json, Result, Verdict

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
OUTCOME_WORDS: Final = {
    "deterministic": "deterministic: it failed every time",
    "intermittent": "intermittent: it failed at some times and not at others",
    "isolated": "isolated: it did not fail again",
    "not known": "not known: it was not asked again",
}
_ARTICLES: Final = {"reproducible": "a", "intermittent": "an", "isolated": "an", "repeated": "a"}
_ABOUT_ERRORS: Final = {"error_schema", "error is no JSON"}  # what they leave open is what a good answer looks like
_TIMED: Final = {"slow", "request_timeout", "read_timeout", "connect_timeout"}


def quoted(text: str) -> str:
    """A server's words inside our sentence: one line, no control or direction marks, no backtick of its own."""
    shown = one_line(text)
    return f"`{shown[:TEXT_LIMIT] + ' [cut]' if len(shown) > TEXT_LIMIT else shown or ' '}`"


def title(case: Case) -> str:
    what = "no failing attempt"
    if case.failing:
        newest = case.failing[-1]
        fault = newest.sealed.value.fault if newest.sealed else None
        seen = ["no reply" if newest.status is None else f"HTTP {newest.status}", *([fault.kind] if fault else [])]
        what = f"{VERDICT_WORDS[case.verdict]}: {case.reason} ({', '.join(seen)})"
    return f"{provider(case.target.contract)} chat API, {what}, model {quoted(case.target.model)}, {_mode(case)}"


def message(case: Case, expectation: str) -> list[str]:
    """The seed article's escalation summary, sentence by sentence."""
    contract, judgement = case.target.contract, case.subject.judgement
    counted = repetition(case)
    first = f"No failing attempt is recorded; frozen at {utc(case.frozen_at)} (UTC), trigger {case.trigger}."
    if case.failing:
        when = " to ".join(dict.fromkeys((started(case.failing[0]), started(case.failing[-1]))))
        first = f"We observed {_ARTICLES[counted['kind']]} {counted['kind']} chat API issue at {when} (UTC): "
        first += f"{counted['words']}. Classified as: {VERDICT_WORDS[case.verdict]} ({case.reason})."
    if not judgement.certain and judgement.runner_up:
        first += f" The class is not certain; it could also be: {VERDICT_WORDS[judgement.runner_up]}."
    cited = contract.chat_path.source
    verified = f"The request contract was {how_read(cited)} (UTC)"
    others = [source for source in relied_on(contract) if not source.is_verified]
    if cited.look is None and not cited.verified_live:
        verified += "; it was not verified live"
    elif cited.is_verified and any(source.look is not None for source in others):
        verified += "; parts of it were not found in the documents as fetched"
    elif cited.is_verified and others:
        verified += "; parts of it were read from stored copies"
    attached = "A sanitized repro is attached (repro.sh)."
    return [
        first,
        f"{verified}.",
        attached if request_sent(case) else "No request is recorded, so no repro is attached.",
        f"Expected behavior: {expectation}",
        f"Observed behavior: {observed(case)}",
        f"Impact: {impact(case)} Scope as of {utc(case.scope.as_of)}: {case.scope.sentence}",
        "Secrets and customer content have been redacted; the prompt is synthetic.",
    ]


def expected(case: Case, findings: Sequence[Json], statuses: Sequence[Json]) -> str:
    """Tied to a source, then to the last good exchange; our own deadlines are called our own."""
    target, contract, good = case.target, case.target.contract, case.last_good
    sentences = []
    broken = [found for found in findings if found["source"]]
    sentences += [
        f"At {quoted(found['place'])}: {quoted(found['expected'])} ({_cited(found)})." for found in broken[:2]
    ]
    shape = contract.stream_chunk if target.stream else contract.response
    documented = fields(shape) if shape else None
    if shape is None or documented is None:
        sentences.append("The contract documents no shape of the answer.")
    elif all(found["rule"] in _ABOUT_ERRORS for found in broken):
        name = "A stream of chunks" if target.stream else "An answer"
        sentences.append(f"{name} of the documented shape ({documented}; {how_read(shape.source)}).")
    if case.reason in _TIMED:
        limit_s = target.slow_s if case.reason == "slow" else target.timeout_s
        sentences.append(f"Within {limit_s:g} s, which is our own configured limit and not a documented one.")
    last = "No earlier good exchange is recorded."
    if good and good.timings:
        last = f"The same request was last answered well at {started(good)}: "
        last += f"HTTP {good.status} in {good.timings.total_s:.3f} s."
    sentences.append(last)
    sentences += [
        f"The documents say of status {said['status']}: {quoted(said['words'])} ({said['how']})."
        for said in statuses[:2]
    ]
    return " ".join(sentences)


def observed(case: Case) -> str:
    """Status, error or deviation, and latency; attempts that failed alike are told in one clause."""
    if not case.failing:
        return f"No failing attempt; the newest probe: {_seen(case.subject)}{_class_of_newest(case.subject)}."
    counted = Counter(_signature(result) for result in case.failing)
    newest = {_signature(result): result for result in case.failing}
    clauses = [f"{counted[alike]} of {len(case.failing)} failing attempts: {_seen(newest[alike])}" for alike in counted]
    took = [result.timings.total_s for result in case.failing if result.timings]
    latency = " to ".join(dict.fromkeys((f"{min(took):.3f}", f"{max(took):.3f}"))) if took else None
    return "; ".join(clauses) + "." + (f" Latency {latency} s." if latency else "") + _listed(case)


def _class_of_newest(newest: Result) -> str:
    """How a probe was judged that is no failing attempt, and how long it took."""
    took = f", in {newest.timings.total_s:.3f} s" if newest.timings else ""
    if newest.verdict is Verdict.OK:
        return took
    return f"{took}; classified as: {VERDICT_WORDS[newest.verdict]} ({newest.judgement.reason})"


def _listed(case: Case) -> str:
    """That the provider's own list names the model which it has no channel for; that it does not is a finding."""
    listing = case.subject.listing
    if listing is None or not listing.listed or case.subject.judgement.reason not in ABOUT_THE_MODEL:
        return ""
    return f" The model is in the provider's public list ({listing.url}) as read at {utc(listing.looked_at)}."


def impact(case: Case) -> str:
    if case.impact is None:
        return "not known; none is declared."
    return f"declared in configuration, not observed: {case.impact.rstrip('. ')}."


def template(case: Case, document: Json) -> list[list[str]]:
    """The seed article's 14 fields in its order."""
    contract, happened = case.target.contract, document["happened"]
    reproduced = happened["last_failed_at"] if len(case.failing) > 1 else None
    once = "not reproduced yet: one attempt failed" if case.failing else NOT_KNOWN_YET
    routes = "; ".join(f"{row['value']} ({row['how']})" for row in document["escalation"])
    request = document["request"]
    return [
        ["Incident title", document["title"]],
        ["First observed", happened["first_failed_at"] or NOT_KNOWN_YET],
        ["Last reproduced", reproduced or once],
        [f"{document['provider']} doc source", "; ".join(how_read(source) for source in sources(contract))],
        ["Support source", routes or NOT_KNOWN_YET],
        ["Endpoint path", f"{contract.chat_path.value} ({how_read(contract.chat_path.source)})"],
        ["Auth format", f"{quoted(auth(contract))} ({how_read(contract.auth.source)})"],
        ["Request body", f"`{one_line(request['body'])}`" if request else NOT_KNOWN],
        ["Expected behavior", document["expected"]["words"]],
        ["Observed behavior", happened["observed"]],
        ["Scope", scope_entry(document["target"], document["scope"], document["impact"]["words"])],
        ["Mitigation", NOT_KNOWN_YET],
        ["Escalation ID", NOT_KNOWN_YET],
        ["Follow-up owner", f"{case.owner or NOT_KNOWN_YET}; next review {NOT_KNOWN_YET}"],
    ]


def scope_entry(target: Json, scope: Json, impact: str) -> str:
    """The template's field; also for a scope and an impact that became known later."""
    mode = "streaming" if target["stream"] else "non-streaming"
    return (
        f"{scope['sentence']} (as of {scope['as_of']}) This packet: target {target['name']}, "
        f"model {quoted(target['model'])}, {mode}. Impact {impact}"
    )


def one_line(text: str) -> str:
    """Without control and direction marks, and without backticks."""
    return flat(text).replace("`", "'")


def flat(text: str) -> str:
    """On one line, without control and direction marks."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _signature(result: Result) -> tuple[object, ...]:
    """What attempts share that are told in one clause; their texts differ by the request ID inside."""
    fault, error = (result.sealed.value.fault if result.sealed else None), result.reading.error
    kinds = (error.code, error.type) if error else None
    return result.status, fault.kind if fault else None, kinds, result.judgement.reason


def _seen(result: Result) -> str:
    """Status, error or deviation of one attempt."""
    if result.sealed is None:
        return "no exchange is recorded"
    seen, error = result.sealed.value, result.reading.error
    parts = [f"HTTP {seen.reply.status}" if seen.reply else "no reply"]
    if seen.fault:
        received = received_bytes(seen)
        parts.append(f"{seen.fault.kind} {quoted(seen.fault.message)}")
        parts.append(f"last completed phase {seen.last_phase}")
        parts.append(f"bytes of body received: {NOT_KNOWN if received is None else received}")
    elif seen.reply and seen.reply.truncated:
        parts.append(f"{seen.reply.body_bytes} bytes of body read, then stopped at our own limit")
    if error:
        named = {"error code": error.code, "type": error.type, "message": error.message}
        parts += [f"{name} {quoted(value)}" for name, value in named.items() if value]
    elif result.judgement.words and not (seen.fault and seen.fault.message in result.judgement.words):
        parts.append(f"words {quoted(result.judgement.words)}")
    if seen.reply:
        parts.append(f"body: {quoted(body_shape(seen.reply))}")
    if result.reading.retry_after:
        parts.append(f"Retry-After {quoted(result.reading.retry_after)}")
    parts += [f"at {quoted(found.place)}: {quoted(found.observed)}" for found in result.judgement.findings[:1]]
    return ", ".join(parts)


def _cited(found: Json) -> str:
    return str(found["how"] or found["source"])


def _mode(case: Case) -> str:
    return "streaming" if case.target.stream else "non-streaming"
