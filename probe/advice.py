"""Should I escalate? The seed article's answer as a recommendation with its reasons: pure, total over every verdict.

Escalate what is reproducible, of high impact, unclear after the contract was verified, or inconsistent with the
documents; first find out whether it is isolated or our own request construction.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from probe.records import Verdict


class Advice(StrEnum):
    ESCALATE = "escalate"
    HOLD = "hold"
    FIX_OUR_REQUEST = "fix our own request"
    VERIFY_ACCOUNT = "verify account"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Known:
    """What decides. `outcome` is what confirmations showed (deterministic, intermittent, isolated, not known), None
    before they were made; `inconsistent` is whether a finding cites a documented expectation that was not met; `worked`
    is whether the same request was answered well before; `well_elsewhere` whether other probers that send it are
    well."""

    verdict: Verdict
    reason: str
    certain: bool
    failed: int
    attempts: int
    outcome: str | None
    impact: str | None
    inconsistent: bool
    verified_live: bool
    worked: bool
    well_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    advice: Advice
    words: str
    reasons: tuple[str, ...]


_WORDS: Final = {
    Advice.ESCALATE: "Send the message by one of the documented routes, with this packet attached.",
    Advice.HOLD: "Wait: it was isolated. The packet is kept; it goes on by itself if the failure returns.",
    Advice.FIX_OUR_REQUEST: "Compare our request with the documents first: the provider rejects the request itself.",
    Advice.VERIFY_ACCOUNT: "Look at key, account, quota and balance in the provider's own pages first; escalate what"
    " they do not explain.",
    Advice.OURS: "Nothing to escalate: the cause is on our side of the network.",
}

DECLARED_IMPACT: Final = "Impact is declared in configuration; it was not observed by the probe."

# The provider objects to how the request is made, and not to who sends it or to its own state.
_OUR_REQUEST: Final = frozenset(
    {
        "unsupported_parameter",
        "request_rejected",
        "path_not_found",
        "method_not_allowed",
        "unsupported_media_type",
        "payload_too_large",
        "context_length",
        "model_not_found",
        "model_retired",
    }
)


def recommend(known: Known) -> Recommendation:
    """What to do now, and why."""
    advice = _advice(known)
    return Recommendation(advice, _WORDS[advice], _reasons(known))


def _advice(known: Known) -> Advice:
    if known.verdict in (Verdict.PROBE_FAULT, Verdict.MISSED):
        return Advice.OURS
    if known.verdict is Verdict.OK or known.outcome == "isolated":
        return Advice.HOLD
    if known.verdict in (Verdict.AUTH_OR_ACCOUNT, Verdict.QUOTA_OR_BILLING):
        return Advice.VERIFY_ACCOUNT
    if known.reason in _OUR_REQUEST and not known.worked:
        return Advice.FIX_OUR_REQUEST
    unclear = known.verified_live and not known.certain
    if known.failed > 1 or known.inconsistent or unclear or known.impact is not None:
        return Advice.ESCALATE
    return Advice.HOLD


def _reasons(known: Known) -> tuple[str, ...]:
    reasons = []
    if known.verdict in (Verdict.PROBE_FAULT, Verdict.MISSED):
        return ("The probe did not reach the provider, or was not sent, for a cause of ours.",)
    counted = f"{known.failed} of {known.attempts} probes failed"
    if known.outcome is None:
        reasons.append(f"{counted}; it has not been asked again yet.")
    elif known.outcome == "isolated":
        reasons.append(f"Isolated: {counted}, and none when asked again.")
    elif known.outcome == "not known":
        reasons.append(f"{counted}; it was not asked again.")
    else:
        reasons.append(f"Reproducible, {known.outcome}: {counted}, and it failed again when asked again.")
    if known.inconsistent:
        reasons.append("The answer is inconsistent with the documents: a possible contract mismatch.")
    if known.verdict is Verdict.AUTH_OR_ACCOUNT:
        reasons.append("It failed before the model ran: key, account, permission or region are to be verified.")
    if known.verdict is Verdict.QUOTA_OR_BILLING:
        reasons.append("Limits and balance are to be verified from provider-controlled sources, not from this answer.")
    if known.reason in _OUR_REQUEST:
        reasons.append(
            "The provider rejects the request, although the same request was answered well before."
            if known.worked
            else "The provider rejects the request, and no good answer to it is on record."
        )
    if known.well_elsewhere:
        reasons.append("Other probers send the same request and are well: look at the network of this one first.")
    if known.impact is not None:
        reasons.append(DECLARED_IMPACT)
    if not known.certain:
        reasons.append("The class is not certain: a second engineer could fairly choose another one.")
    if not known.verified_live:
        reasons.append("The contract was read from stored copies; verify it live before you send.")
    return tuple(reasons)
