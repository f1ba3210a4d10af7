"""The threshold, as tables of plain values and as laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.records import REASONS, FreezePolicy, Recovered, Reopened, Trip, Verdict
from probe.window import Entry, Window, packet_id, step, vetoed

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
CADENCE_S = 30.0
POLICY = FreezePolicy(failures=3, window=5, recover=3, reopen_s=1800, confirm_attempts=0, confirm_backoff_s=2)

# One letter a probe: what a run of probes looks like at a glance.
LETTERS = {
    ".": (Verdict.OK, "ok"),
    "D": (Verdict.DEGRADATION, "upstream_overloaded"),
    "d": (Verdict.DEGRADATION, "read_timeout"),
    "A": (Verdict.AUTH_OR_ACCOUNT, "invalid_key"),
    "Q": (Verdict.QUOTA_OR_BILLING, "insufficient_quota"),
    "C": (Verdict.CONTRACT_MISMATCH, "missing_choices"),
    "f": (Verdict.PROBE_FAULT, "dns_failure"),
    "m": (Verdict.MISSED, "late"),
}


def entry(number: int, letter: str, gap_s: float = CADENCE_S) -> Entry:
    verdict, reason = LETTERS[letter]
    return Entry(f"p{number}", START + timedelta(seconds=number * gap_s), verdict, reason)


def run(letters: str, policy: FreezePolicy = POLICY, gap_s: float = CADENCE_S):
    """Feed a run of probes; give the last window and every decision with the number of the probe that made it."""
    window, decisions = Window(), []
    for number, letter in enumerate(letters):
        window, decision = step(window, "small", entry(number, letter, gap_s), policy, CADENCE_S)
        if decision is not None:
            decisions.append((number, decision))
    return window, decisions


def told(letters: str, policy: FreezePolicy = POLICY) -> list[tuple[int, str]]:
    return [
        (number, f"{type(decision).__name__} {getattr(decision, 'verdict', '')}".strip())
        for number, decision in run(letters, policy)[1]
    ]


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("....", []),
        ("DD..DD", [(4, "Trip degradation")]),  # three of the last five
        ("DD...D", []),
        ("DDD", [(2, "Trip degradation")]),
        ("DDDDDDDD", [(2, "Trip degradation")]),
        (".D.D.D", [(5, "Trip degradation")]),
        ("DmDfD", [(4, "Trip degradation")]),  # ours neither count nor evict
        ("mmmmmm", []),
        ("ffffff", []),
        ("DDD..D...", [(2, "Trip degradation"), (8, "Recovered")]),
        ("DDD...D", [(2, "Trip degradation"), (5, "Recovered")]),  # one hiccup after recovery is no incident
        ("DDD...DDD", [(2, "Trip degradation"), (5, "Recovered"), (8, "Reopened degradation")]),
        ("DDD...ddd", [(2, "Trip degradation"), (5, "Recovered"), (8, "Trip degradation")]),
        ("DDD...AAA", [(2, "Trip degradation"), (5, "Recovered"), (8, "Trip auth_or_account")]),
        ("DDDAAA", [(2, "Trip degradation"), (5, "Trip auth_or_account")]),
        ("DDDAAAAAADDD", [(2, "Trip degradation"), (5, "Trip auth_or_account")]),
        ("DDDAA.A.AA", [(2, "Trip degradation"), (6, "Trip auth_or_account")]),
        ("DDA", [(2, "Trip degradation")]),  # mixed: the most frequent
        ("DAQ", [(2, "Trip quota_or_billing")]),  # the newest on a tie
        ("DAD", [(2, "Trip degradation")]),
    ],
)
def test_a_run_of_probes_decides_exactly_this(letters: str, expected: list[tuple[int, str]]) -> None:
    assert told(letters) == expected


def test_the_trip_names_the_failing_probes_and_counts_every_verdict() -> None:
    _, [(_, trip)] = run("D.AD")
    assert isinstance(trip, Trip)
    assert trip.entries == ("p0", "p2", "p3")
    assert trip.counts == (
        (Verdict.DEGRADATION, "upstream_overloaded", 2),
        (Verdict.AUTH_OR_ACCOUNT, "invalid_key", 1),
    )
    assert (trip.probe_id, trip.due_at) == ("p3", START + timedelta(seconds=90))


def test_the_reason_is_the_most_frequent_one_and_the_newest_on_a_tie() -> None:
    policy = replace(POLICY, failures=4)
    assert run("DdDA", policy)[1][0][1].reason == "upstream_overloaded"
    assert run("DdDd", policy)[1][0][1].reason == "read_timeout"


def test_recovery_tells_first_failure_last_reproduction_and_the_share_that_failed() -> None:
    _, decisions = run("..D.DDD...")
    recovered = decisions[-1][1]
    assert isinstance(recovered, Recovered)
    assert recovered.first_failed_at == START + timedelta(seconds=60)
    assert recovered.last_reproduced_at == START + timedelta(seconds=180)
    assert recovered.recovered_at == START + timedelta(seconds=270)
    assert (recovered.failures, recovered.probes) == (4, 8)
    assert recovered.packets == (packet_id("small", "p5", START + timedelta(seconds=150)),)


def test_a_reopened_packet_keeps_its_id_and_recovers_under_it() -> None:
    _, decisions = run("DDD...DDD...")
    trip, first, reopened, second = (decision for _, decision in decisions)
    assert isinstance(trip, Trip)
    assert isinstance(reopened, Reopened)
    assert first.packets == second.packets == (reopened.packet_id,)


def test_after_the_reopen_time_the_same_signature_is_a_new_packet() -> None:
    letters = "DDD" + "." * 64 + "DDD"  # 64 x 30 s is more than 30 min
    assert [type(decision).__name__ for _, decision in run(letters)[1]] == ["Trip", "Recovered", "Trip"]


def test_entries_older_than_window_times_two_cadences_expire() -> None:
    """Three failures spread over hours (a paused laptop, a stopped pod) are three isolated ones."""
    assert run("DDD", gap_s=2 * 5 * CADENCE_S + 1)[1] == []
    assert len(run("DDD", gap_s=5 * CADENCE_S)[1]) == 1


def test_the_packet_id_follows_from_target_and_probe_alone_and_is_safe_in_a_path() -> None:
    due = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    assert packet_id("eu/../small stream", "p", due) == packet_id("eu/../small stream", "p", due)
    assert packet_id("eu/../small stream", "p", due).startswith("20261124T010203Z-eu-small-stream-")
    assert packet_id("a.b", "p", due) != packet_id("a-b", "p", due)


policies = st.builds(
    lambda failures, extra, recover, reopen_s: FreezePolicy(failures, failures + extra, recover, reopen_s, 0, 1.0),
    st.integers(1, 5),
    st.integers(0, 5),
    st.integers(1, 5),
    st.sampled_from([0.0, 60.0, 1800.0]),
)
runs = st.text(alphabet="".join(LETTERS), max_size=80)


@given(runs, policies)
def test_never_two_trips_of_a_verdict_without_a_recovery_between(letters: str, policy: FreezePolicy) -> None:
    active: set[Verdict] = set()
    for _, decision in run(letters, policy)[1]:
        if isinstance(decision, Recovered):
            active.clear()
        else:
            assert decision.verdict not in active
            active.add(decision.verdict)


@given(runs, policies)
def test_ours_never_trip_and_never_change_the_window(letters: str, policy: FreezePolicy) -> None:
    window = run(letters, policy)[0]
    for letter in "fm":
        assert step(window, "small", entry(len(letters), letter), policy, CADENCE_S) == (window, None)


@given(runs, policies)
def test_a_trip_follows_a_failing_probe_and_enough_failures(letters: str, policy: FreezePolicy) -> None:
    for number, decision in run(letters, policy)[1]:
        if isinstance(decision, Recovered):
            assert letters[number] == "."
            continue
        assert LETTERS[letters[number]][0].is_failure
        assert decision.reason in REASONS[decision.verdict]
        if isinstance(decision, Trip):
            assert len(decision.entries) >= policy.failures
            assert sum(count for _, _, count in decision.counts) == len(decision.entries) <= policy.window


@given(runs, policies)
def test_an_incident_is_open_exactly_between_a_trip_and_its_recovery(letters: str, policy: FreezePolicy) -> None:
    window, decisions = run(letters, policy)
    is_open = bool(decisions) and not isinstance(decisions[-1][1], Recovered)
    assert (window.incident is not None) == is_open


@given(runs, policies)
def test_packet_ids_of_trips_never_repeat(letters: str, policy: FreezePolicy) -> None:
    trips = [decision for _, decision in run(letters, policy)[1] if isinstance(decision, Trip)]
    assert len({packet_id(trip.target, trip.probe_id, trip.due_at) for trip in trips}) == len(trips)


def test_a_vetoed_trip_leaves_nothing_that_counts_towards_the_next() -> None:
    window, [(_, trip)] = run("..DDD")
    after = vetoed(window, packet_id("small", trip.probe_id, trip.due_at))
    assert after == Window()
    assert step(after, "small", entry(5, "D"), POLICY, CADENCE_S)[1] is None


def test_a_veto_takes_one_packet_out_of_an_incident_of_two() -> None:
    window, [(_, first), (_, second)] = run("DDDAAA")
    after = vetoed(window, packet_id("small", second.probe_id, second.due_at))
    assert [known.packet_id for known in after.incident.packets] == [packet_id("small", first.probe_id, first.due_at)]
    assert after.entries == window.entries


def test_a_veto_that_comes_after_the_recovery_forgets_the_signature() -> None:
    window, [(_, trip), _] = run("DDD...")
    assert vetoed(window, packet_id("small", trip.probe_id, trip.due_at)) == Window()


@pytest.mark.parametrize("bad", range(1, 13))
@pytest.mark.parametrize("good", range(1, 13))
def test_flapping_at_every_period_is_one_packet_that_goes_on(bad: int, good: int) -> None:
    """Whatever the period: one packet at most, and what returns within `reopen` reopens it once per return."""
    letters = ("D" * bad + "." * good) * 20
    _, decisions = run(letters)
    kinds = [type(decision).__name__ for _, decision in decisions]
    if not any(letters[at : at + 5].count("D") >= 3 for at in range(len(letters))):
        assert kinds == []
        return
    turns = ["Recovered", "Reopened"] * 20
    assert kinds == ["Trip", *turns[: len(kinds) - 1]]
    assert (len(kinds) > 1) == (good >= 3)


@pytest.mark.parametrize("pause", [59, 60, 61, 62, 80])
def test_a_failure_that_returns_after_the_reopen_time_is_a_new_packet(pause: int) -> None:
    """1,800 s are 60 cadences after the recovery, which is the third good probe."""
    _, decisions = run("DDD" + "." * pause + "DDD")
    kinds = [type(decision).__name__ for _, decision in decisions]
    returned = (pause - 3 + 3) * CADENCE_S  # from the recovery to the probe that trips again
    assert kinds == ["Trip", "Recovered", "Reopened" if returned <= POLICY.reopen_s else "Trip"]
