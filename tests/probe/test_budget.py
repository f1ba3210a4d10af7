"""The day's budget, as tables and as laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.budget import Budget, Spent, refills_in_s, remaining, rolled, sent, stopped_by, used
from probe.records import RequestKind, Usage

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
SCHEDULED, CONFIRM, SIBLING = RequestKind.SCHEDULED, RequestKind.CONFIRM, RequestKind.SIBLING


@pytest.mark.parametrize(
    ("probes", "tokens", "kind", "stopped"),
    [
        (0, 0, SCHEDULED, None),
        (99, 0, SCHEDULED, None),
        (100, 0, SCHEDULED, "probes"),
        (89, 0, CONFIRM, None),
        (90, 0, CONFIRM, "probes"),
        (90, 0, SIBLING, "probes"),
        (90, 0, RequestKind.REPLAY, "probes"),
        (90, 0, SCHEDULED, None),
        (0, 999, SCHEDULED, None),
        (0, 1000, SCHEDULED, "tokens"),
        (0, 899, CONFIRM, None),
        (0, 900, CONFIRM, "tokens"),
    ],
)
def test_confirmations_cannot_use_the_last_tenth(
    probes: int, tokens: int, kind: RequestKind, stopped: str | None
) -> None:
    assert stopped_by(Budget(100, 1000), Spent(TODAY, probes, tokens), NOON, kind) == stopped


def test_midnight_utc_begins_a_new_day_and_a_clock_that_steps_back_does_not() -> None:
    spent = Spent(TODAY, 7, 8)
    assert rolled(spent, NOON + timedelta(hours=12)) == Spent(TODAY + timedelta(days=1))
    assert rolled(spent, NOON - timedelta(days=1)) == spent


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, 0),
        (Usage(9, 1, 10), 10),
        (Usage(9, 1, None), 10),
        (Usage(None, None, None), 0),
        (Usage(None, None, -5), 0),
        (Usage(None, None, 10**12), 0),
    ],
)
def test_tokens_are_what_the_server_billed_as_far_as_it_is_sane(usage: Usage | None, tokens: int) -> None:
    assert used(Spent(TODAY), NOON, usage).tokens == tokens


@given(st.lists(st.sampled_from([SCHEDULED, CONFIRM, SIBLING]), max_size=200), st.integers(1, 60))
def test_no_order_of_requests_goes_over_the_budget_and_others_stay_out_of_its_last_tenth(
    kinds: list[RequestKind], probes: int
) -> None:
    budget, spent = Budget(probes, 10**9), Spent(TODAY)
    for kind in kinds:
        if stopped_by(budget, spent, NOON, kind) is None:
            assert kind is SCHEDULED or spent.probes + 1 <= probes * 0.9
            spent = sent(spent, NOON)
    assert spent.probes <= probes
    assert remaining(budget, spent, NOON)["probes"] == probes - spent.probes


def test_what_is_left_is_never_below_zero() -> None:
    assert remaining(Budget(1, 1), replace(Spent(TODAY), probes=5, tokens=5), NOON) == {"probes": 0, "tokens": 0}


def test_the_budget_refills_at_midnight_utc() -> None:
    assert refills_in_s(datetime(2026, 11, 24, 23, 0, tzinfo=UTC)) == 3600
    assert refills_in_s(datetime(2026, 11, 24, tzinfo=UTC)) == 86_400
    assert refills_in_s(datetime(2026, 11, 24, 23, 59, 59, 999_999, tzinfo=UTC)) == 1
