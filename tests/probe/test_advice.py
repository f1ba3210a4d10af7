"""Should I escalate? One answer for everything that can be known."""

from itertools import product

import pytest

from probe.advice import Advice, Known, recommend
from probe.records import REASONS, Verdict


def known(verdict: Verdict = Verdict.DEGRADATION, reason: str = "upstream_overloaded", **changes) -> Known:
    plain = {
        "certain": True,
        "failed": 3,
        "attempts": 5,
        "outcome": None,
        "impact": None,
        "inconsistent": False,
        "verified_live": True,
        "worked": True,
    }
    return Known(verdict, reason, **(plain | changes))


MISMATCH, AUTH, QUOTA = Verdict.CONTRACT_MISMATCH, Verdict.AUTH_OR_ACCOUNT, Verdict.QUOTA_OR_BILLING


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        (known(), Advice.ESCALATE),
        (known(outcome="deterministic"), Advice.ESCALATE),
        (known(outcome="intermittent"), Advice.ESCALATE),
        (known(outcome="not known"), Advice.ESCALATE),
        (known(outcome="isolated"), Advice.HOLD),
        (known(failed=1, attempts=1), Advice.HOLD),
        (known(failed=1, attempts=1, impact="checkout"), Advice.ESCALATE),
        (known(failed=1, attempts=1, certain=False), Advice.ESCALATE),
        (known(failed=1, attempts=1, certain=False, verified_live=False), Advice.HOLD),
        (known(MISMATCH, "missing_choices", failed=1, attempts=1, inconsistent=True), Advice.ESCALATE),
        (known(MISMATCH, "request_rejected", worked=False), Advice.FIX_OUR_REQUEST),
        (known(MISMATCH, "request_rejected", worked=True), Advice.ESCALATE),
        (known(MISMATCH, "model_not_found", worked=False), Advice.FIX_OUR_REQUEST),
        (known(AUTH, "invalid_key"), Advice.VERIFY_ACCOUNT),
        (known(QUOTA, "rate_limited"), Advice.VERIFY_ACCOUNT),
        (known(Verdict.PROBE_FAULT, "dns_failure"), Advice.OURS),
        (known(Verdict.MISSED, "late"), Advice.OURS),
    ],
)
def test_what_to_do(facts: Known, advice: Advice) -> None:
    assert recommend(facts).advice is advice


def test_there_is_an_answer_with_reasons_for_every_verdict_reason_and_outcome() -> None:
    outcomes = (None, "deterministic", "intermittent", "isolated", "not known")
    for verdict, reasons in REASONS.items():
        for reason, outcome, yes in product(reasons, outcomes, (True, False)):
            advised = recommend(
                known(verdict, reason, outcome=outcome, certain=yes, inconsistent=yes, verified_live=yes, worked=yes)
            )
            assert advised.words
            assert advised.reasons


def test_a_declared_impact_is_never_told_as_observed() -> None:
    reasons = recommend(known(impact="checkout is down")).reasons
    assert any("declared in configuration; it was not observed" in reason for reason in reasons)


def test_a_disagreement_is_a_possible_contract_mismatch() -> None:
    reasons = recommend(known(MISMATCH, "missing_choices", inconsistent=True)).reasons
    assert any("possible contract mismatch" in reason for reason in reasons)


def test_other_probers_that_are_well_turn_the_look_to_our_own_network() -> None:
    words = "Other probers send the same request and are well: look at the network of this one first."
    assert words in recommend(known(well_elsewhere=True)).reasons
    assert words not in recommend(known()).reasons
