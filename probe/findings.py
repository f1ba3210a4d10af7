"""Disagreements with what the contract documents: which field, what was expected and seen, and where that was read."""

from collections.abc import Mapping
from typing import Final

from probe.body import Body
from probe.contract import Contract, Source
from probe.records import Finding, Judgement, Reading, Reply, Timings, Verdict

# reason -> the area of the contract that documents it, the field, and what was expected there.
_COMPLETION: Final = ("response", "response body", "a chat completion as one JSON object")
_EXPECTED: Final[Mapping[str, tuple[str, str, str]]] = {
    "error_in_200": ("error", "response status", "an error carries an error status, a 2xx carries a completion"),
    "missing_choices": ("response", "choices", "a list of choices"),
    "empty_choices": ("response", "choices", "at least one choice"),
    "content_null": ("response", "choices[0].message.content", "text, since the answer ended normally"),
    "empty_body": _COMPLETION,
    "html_on_200": _COMPLETION,
    "invalid_json": _COMPLETION,
    "wrong_shape": _COMPLETION,
    "bad_content_encoding": ("response", "content-encoding", "a body that decodes as announced"),
    "wrong_content_type": ("response", "content-type", "application/json, or text/event-stream for a stream"),
    "truncated_stream": ("stream_chunk", "stream", "a finish reason, then the terminal frame"),
    "missing_done": ("stream_chunk", "terminal frame", "data: [DONE] as the last event"),
    "missing_finish_reason": ("response", "choices[0].finish_reason", "why the answer ended"),
    "stream_not_honoured": ("stream_chunk", "stream", "server-sent events, since stream is true"),
    "invalid_sse": ("stream_chunk", "stream chunk", "one JSON object in each event"),
    "content_filtered": ("response", "choices[0]", "an answer to a harmless prompt"),
    "path_not_found": ("chat_path", "path", "the documented path exists"),
    "method_not_allowed": ("chat_path", "method", "POST is allowed on the documented path"),
    "redirect": ("chat_path", "URL", "the documented URL answers itself"),
    "model_not_found": ("catalogue", "model", "the documented model is served"),
    "model_retired": ("catalogue", "model", "the documented model is served"),
}
CLOCK_DRIFT: Final = "clock_drift"
_DRIFT_S: Final = 5.0  # `Date` has whole seconds, and a clock that is kept is far better than this
_REQUEST_ALLOWED: Final = ("request", "request", "the documented request is accepted")


def _source(contract: Contract | None, area: str) -> Source | None:
    documented = getattr(contract, area, None)
    return documented.source if documented is not None else None


def finding(judgement: Judgement, observed: str, contract: Contract | None) -> Finding:
    area, place, expected = _EXPECTED.get(judgement.reason, _REQUEST_ALLOWED)
    source = _source(contract, area) or (_source(contract, "request") if area == "catalogue" else None)
    return Finding(
        rule=judgement.rule,
        place=place,
        expected=expected,
        observed=observed,
        source=source.url if source else None,
        accessed=source.accessed if source else None,
    )


def findings(judgement: Judgement, reply: Reply, body: Body, contract: Contract | None) -> tuple[Finding, ...]:
    """All disagreements: the one that decided, and an error whose body is not the documented object."""
    media = reply.header("content-type") or "no content-type"
    seen = f"HTTP {reply.status}, {media[:80]}, {body.kind} body"
    found = []
    if judgement.verdict is Verdict.CONTRACT_MISMATCH:
        found.append(finding(judgement, f"{seen}: {judgement.words}" if judgement.words else seen, contract))
    if contract is not None and contract.error is not None and reply.status >= 400 and body.kind != "json":
        source = contract.error.source
        found.append(
            Finding("error is no JSON", "error body", "the documented error object", seen, source.url, source.accessed)
        )
    return tuple(found)


def clock_drift(reading: Reading, timings: Timings) -> Finding | None:
    """That the provider's clock and ours are apart. Whose is wrong is not known; no document is disagreed with.

    A server may write `Date` when it took the request, so what the answer took is no difference of clocks.
    """
    ahead_s = reading.clock_offset_s
    if ahead_s is None:
        return None
    if ahead_s < 0:
        ahead_s = min(0.0, ahead_s + timings.total_s)
    if abs(ahead_s) <= _DRIFT_S:
        return None
    words = f"the provider's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    return Finding(CLOCK_DRIFT, "header date", f"within {_DRIFT_S:g} s of our clock", words)
