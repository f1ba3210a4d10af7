"""Confirmations fit between two ticks or are not made; siblings are asked once each. Time is played."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probe.followup import Time, Tried, ask_siblings, confirm, next_tick_s, retry_after_s
from probe.pong import Target
from probe.records import Judgement, Reading, RequestKind, Result, Timings, Verdict
from tests.probe.evidence import START, target, tick


class Played:
    """Answers from a list, each taking its seconds; the clock runs only here."""

    def __init__(self, answers: Sequence[tuple[Verdict, str, float] | None], began_s: float = 0.0) -> None:
        self.answers = list(answers)
        self.now_s = began_s
        self.asked: list[tuple[str, RequestKind, float, float]] = []  # name, kind, at, deadline

    def now(self) -> datetime:
        return START + timedelta(seconds=self.now_s)

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def attempt(self, asked: Target, kind: RequestKind, name: str, due_at: datetime) -> Result | None:
        self.asked.append((name, kind, round(self.now_s, 3), round(asked.timeout_s, 3)))
        answer = self.answers.pop(0)
        if answer is None:
            return None
        verdict, reason, took_s = answer
        took_s = min(took_s, asked.timeout_s)
        self.now_s += took_s
        return answered(name, asked.name, verdict, reason, took_s)


def answered(name: str, target_name: str, verdict: Verdict, reason: str, took_s: float = 0.1) -> Result:
    made = tick(5, Judgement(verdict, reason, "played"), timings=Timings(total_s=took_s))
    return replace(made, target=target_name, probe_id=name)


BUSY = (Verdict.DEGRADATION, "upstream_overloaded")
GOOD = (Verdict.OK, "ok")
SUBJECT = replace(answered("p5", "small", *BUSY), due_at=START)


async def tried(played: Played, verdict: Verdict = Verdict.DEGRADATION, subject: Result = SUBJECT) -> Tried:
    clock = Time(played.now, played.monotonic, played.sleep)
    return await confirm(target(), subject, verdict, played.attempt, target().cadence_s, clock)


async def test_two_confirmations_each_after_the_backoff() -> None:
    played = Played([(*BUSY, 1.0), (*BUSY, 1.0)], began_s=1.0)
    done = await tried(played)
    assert [known.verdict for known in done.attempts] == [Verdict.DEGRADATION] * 2
    assert done.stopped is None
    assert [(name, kind, at) for name, kind, at, _ in played.asked] == [
        ("p5-c1", RequestKind.CONFIRM, 3.0),
        ("p5-c2", RequestKind.CONFIRM, 6.0),
    ]


async def test_every_confirmation_ends_before_the_next_tick() -> None:
    played = Played([(*BUSY, 1.0), (*BUSY, 1.0)], began_s=20.0)
    await tried(played)
    assert all(at + deadline_s < target().cadence_s for _, _, at, deadline_s in played.asked)


async def test_a_provider_that_hangs_past_the_timeout_leaves_no_time_to_ask_again() -> None:
    played = Played([], began_s=28.5)
    assert await tried(played) == Tried((), "no time was left before the next tick")
    assert played.asked == []


async def test_a_confirmation_cut_off_by_the_next_tick_proves_nothing() -> None:
    played = Played([(Verdict.DEGRADATION, "read_timeout", 99.0)], began_s=20.0)
    done = await tried(played)
    assert done.attempts == ()
    assert "cut off" in str(done.stopped)


def test_the_next_tick_is_counted_from_what_was_measured_and_not_by_the_wall_clock() -> None:
    late = replace(SUBJECT, lateness_s=0.5)
    assert next_tick_s(target(), late, 1000.0) == pytest.approx(1000.0 + 30.0 - 0.5 - 0.1)
    ours = replace(late, sealed=None)
    assert next_tick_s(target(), ours, 1000.0) == pytest.approx(1000.0 + 30.0 - 0.5)


async def test_a_quota_is_not_asked_again() -> None:
    played = Played([])
    assert (await tried(played, Verdict.QUOTA_OR_BILLING)).attempts == ()
    assert played.asked == []


async def test_the_providers_retry_after_is_honoured() -> None:
    waiting = replace(SUBJECT, reading=Reading(retry_after="7"))
    played = Played([(*BUSY, 0.1), (*BUSY, 0.1)])
    await tried(played, subject=waiting)
    assert played.asked[0][2] == 7.0
    far = replace(SUBJECT, reading=Reading(retry_after="600"))
    assert (await tried(Played([]), subject=far)).stopped == "no time was left before the next tick"


async def test_a_budget_in_its_last_tenth_stops_confirmations_and_says_so() -> None:
    done = await tried(Played([(*BUSY, 0.1), None]))
    assert len(done.attempts) == 1
    assert "budget" in str(done.stopped)


async def test_our_own_fault_is_no_confirmation() -> None:
    done = await tried(Played([(Verdict.PROBE_FAULT, "local_resource", 0.1), (*GOOD, 0.1)]))
    assert [known.verdict for known in done.attempts] == [Verdict.OK]


async def test_each_sibling_is_asked_once_and_those_without_budget_are_left_out() -> None:
    played = Played([(*GOOD, 0.1), None, (*BUSY, 0.1)])
    siblings = [replace(target(), name=f"s{number}") for number in range(3)]
    found = await ask_siblings(siblings, "p5", played.attempt, played.now)
    assert [(known.target, known.verdict) for known in found] == [("s0", Verdict.OK), ("s2", Verdict.DEGRADATION)]
    assert {kind for _, kind, _, _ in played.asked} == {RequestKind.SIBLING}


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        (None, 0.0),
        ("3", 3.0),
        (" 12 ", 12.0),
        ("99999", 3600.0),
        ("999999999999", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("Tue, 24 Nov 2026 03:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 02:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_for_ever(stated: str | None, seconds: float) -> None:
    assert retry_after_s(stated, datetime(2026, 11, 24, 3, 0, tzinfo=UTC)) == seconds
