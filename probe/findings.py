"""Disagreements with what the contract documents: which field, what was expected and seen, and where that was read."""

from datetime import UTC
from typing import Final

import re2

from probe.body import Body, bounded
from probe.contract import MISSING, Contract
from probe.expected import Expected, found, of_reason, stated
from probe.records import Finding, Judgement, Listing, Observation, Reading, Reply, Timings, Verdict
from probe.shapes import NAMED, violations
from probe.streams import checks

CLOCK_DRIFT: Final = "clock_drift"
CATALOGUE: Final = "catalogue"
ABOUT_THE_MODEL: Final = frozenset({"no_channel", "model_not_found", "model_retired"})  # what a model list bears on
_ERROR_OBJECT: Final = Expected("error", NAMED["error"][1], "the documented error object")
_DRIFT_S: Final = 5.0  # `Date` has whole seconds, and a clock that is kept is far better than this
_MEDIA: Final = re2.compile(r"\A[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}\z")


def finding(judgement: Judgement, observed: str, contract: Contract | None) -> Finding:
    """The one that decided."""
    return found(judgement.rule, of_reason(judgement.reason), observed, contract)


def findings(
    judgement: Judgement, observation: Observation, body: Body, contract: Contract | None
) -> tuple[Finding, ...]:
    """All disagreements: the one that decided, those with the documented shapes, and what a stream owes.

    What the server said is in none of them, only what kind of thing stood where. A schema that says more precisely
    what the decision says takes its row.
    """
    reply = observation.reply
    if reply is None:
        return ()
    others = [*violations(reply, body, contract)]
    if judgement.reason != "truncated_stream":  # its one row says that both are missing
        places = {other.place for other in others}
        others += [check for check in checks(observation, body, contract) if check.place not in places]
    is_no_json = stated(contract, "error") and reply.status >= 400 and body.kind != "json"
    if not is_no_json and judgement.verdict is not Verdict.CONTRACT_MISMATCH:
        return tuple(others)
    seen = f"HTTP {reply.status}, {_media(reply)}, {body.kind} body"
    if is_no_json:
        others.append(found("error is no JSON", _ERROR_OBJECT, seen, contract))
    if judgement.verdict is not Verdict.CONTRACT_MISMATCH:
        return tuple(others)
    decided = finding(judgement, seen, contract)
    same = [other for other in others if _says_the_same(decided, other)]
    return (*(same or [decided]), *(other for other in others if other not in same))


def _says_the_same(decided: Finding, other: Finding) -> bool:
    if decided.place != NAMED["response"][1] or other.rule not in (NAMED["response"][0], NAMED["stream_chunk"][0]):
        return other.place == decided.place
    # "No completion": a documented field is missing, or it is the choices that are not as documented.
    return other.observed == MISSING or other.place.startswith("choices") or other.place == decided.place


def _media(reply: Reply) -> str:
    media = bounded((reply.header("content-type") or "").partition(";")[0].strip().lower()[:100])
    if not media:
        return "no content-type"
    return media if _MEDIA.search(media) else "a content-type that is none"


def absence(listing: Listing) -> Finding:
    """That the provider's public model list, as we read it, does not name the model."""
    seen = "not listed; we never saw it there"
    if listing.last_listed_at is not None:
        last = listing.last_listed_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        seen = f"not listed; last seen there at {last}"
    return Finding(CATALOGUE, "model", "listed in the public model list", seen, listing.url, listing.looked_at)


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
