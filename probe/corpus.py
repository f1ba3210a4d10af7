"""Recorded exchanges, one JSON object a line (tests/corpus/README.md): line -> Observation, and its label.

A line records what came back, not what was sent: the request of such an observation has an empty body, which the rules
read as "not known", and no secret.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from probe.classify import Expectation, classify
from probe.records import Fault, Json, Judgement, Observation, Phase, ProbeRequest, Reply, RequestKind, Timings
from probe.redact import Redactor

KINDS: Final = ("http", "stream", "exception")
RECORDED_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)  # a line has no time; nothing that is decided here uses one


class CorpusError(ValueError):
    """A line is not a recorded exchange: which field, what was expected there, and of what type it was."""

    def __init__(self, line: str, expected: str, found: str) -> None:
        super().__init__(f"{line}: expected {expected}, found {found}")
        self.line = line
        self.expected = expected
        self.found = found


def observation(case: Json) -> Observation:
    """One line as the probe would have observed it."""
    if not isinstance(case, Mapping):
        raise CorpusError("line", "a JSON object", type(case).__name__)
    name = f"case {case['id']}" if isinstance(case.get("id"), str) else "line"
    kind = _typed(case, name, "kind", str)
    if kind not in KINDS:
        raise CorpusError(f"{name}: kind", "one of " + ", ".join(KINDS), "another word")
    status = _typed(case, name, "status", int, None)
    fault_kind = _typed(case, name, "exception", str, None)
    body = _typed(case, name, "body", str, "") or ""
    if kind == "exception" and fault_kind is None:
        raise CorpusError(f"{name}: exception", "the client exception's name", "nothing")
    if kind != "exception" and status is None:
        raise CorpusError(f"{name}: status", "an HTTP status", "nothing")
    headers = _headers(case, name)
    is_fault = fault_kind is not None
    answered = "" if is_fault else body  # of an exception the body is its message
    reply = None
    if status is not None:
        reply = Reply(status, headers, answered, len(answered.encode("utf-8", "replace")), complete=not is_fault)
    return Observation(
        request=ProbeRequest(
            probe_id=str(case.get("id", "")),
            target=str(case.get("provider", "")),
            kind=RequestKind.SCHEDULED,
            method="POST",
            url="",
            headers=(),
            body="",
            model="",
            stream=kind == "stream"
            or any("event-stream" in v for n, v in headers if n.lower() == "content-type" and is_fault),
            client_request_id="",
        ),
        started_at=RECORDED_AT,
        reply=reply,
        fault=Fault(fault_kind, body) if fault_kind is not None else None,
        timings=Timings(total_s=0.0),
        connection=None,
        last_phase=Phase.NONE if reply is None else Phase.FIRST_BYTE if is_fault else Phase.TRANSFER,
    )


def classify_line(case: Json, expectation: Expectation | None = None, redactor: Redactor | None = None) -> Json:
    """The label of one line, as `freezeframe classify` writes it; `redactor`: what is quoted may be shown."""
    seen, known = observation(case), expectation or Expectation()
    return label(case.get("id"), classify(seen, known) if redactor is None else judged(seen, known, redactor))


def judged(seen: Observation, expectation: Expectation, redactor: Redactor) -> Judgement:
    """The judgement of what was recorded, quoted from its sealed form; where that is judged otherwise, from nowhere."""
    judgement, sealed = classify(seen, expectation), classify(redactor.seal(seen).value, expectation)
    if sealed.rule != judgement.rule:
        return replace(judgement, words=None, findings=())
    return replace(judgement, words=sealed.words, findings=sealed.findings)


def label(name: Any, judgement: Judgement) -> Json:
    """A judgement as `freezeframe classify` writes it."""
    return {
        "id": name,
        "verdict": str(judgement.verdict),
        "label": str(judgement.verdict),
        "reason": judgement.reason,
        "certain": judgement.certain,
        "runner_up": None if judgement.runner_up is None else str(judgement.runner_up),
        "rule": judgement.rule,
        "words": judgement.words,
        "findings": [asdict(finding) for finding in judgement.findings],
    }


_REQUIRED: Final = object()


def _typed(case: Mapping[str, Any], name: str, field: str, kind: type, default: Any = _REQUIRED) -> Any:
    value = case.get(field)
    if value is None and default is not _REQUIRED:
        return default
    if type(value) is not kind:
        raise CorpusError(f"{name}: {field}", f"a {kind.__name__}", type(value).__name__)
    return value


def _headers(case: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    headers = case.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise CorpusError(f"{name}: headers", "an object of strings", type(headers).__name__)
    pairs = tuple((str(key), value) for key, value in headers.items())
    for key, value in pairs:
        if not isinstance(value, str):
            raise CorpusError(f"{name}: headers.{key}", "a str", type(value).__name__)
    return pairs
