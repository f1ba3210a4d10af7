"""What the timetable says, done: on a loop whose time passes only while nothing is to be done, so nobody waits."""

import asyncio
import itertools
import selectors
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from probe.pong import Target
from probe.schedule import LONGEST_WAIT_S, Schedule, read_clocks
from probe.timetable import Moment
from tests.probe.evidence import target as example

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CADENCE_S = 30.0
TARGET = replace(example(), name="t", cadence_s=CADENCE_S)


class _Selector(selectors.DefaultSelector):
    """Where a loop would wait for its next timer, that long has passed."""

    now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen"
            self.now_s += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s

    def hold_up(self, seconds: float) -> None:
        """Time passes and the loop does not run."""
        self._clock.now_s += seconds


@dataclass
class World:
    """A schedule on such a loop and a wall clock that can be set. A probe takes `probe_s`."""

    probe_s: float = 0.1
    ahead_s: float = 0.0
    began: list[tuple[float, str, datetime]] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)
    missed: list[tuple[str, datetime, str]] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    first: asyncio.Event = field(default_factory=asyncio.Event)

    def clocks(self) -> Moment:
        now_s = asyncio.get_running_loop().time()
        return Moment(START + timedelta(seconds=now_s + self.ahead_s), now_s)

    async def probe(self, target: Target, due_at: datetime, due_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        assert now_s >= due_s
        self.began.append((now_s, target.name, due_at))
        self.first.set()
        await asyncio.sleep(self.probe_s)
        self.ended.append(due_at)

    def schedule(self, *targets: Target) -> Schedule:
        return Schedule(
            targets,
            self.probe,
            lambda target, due_at, _, reason: self.missed.append((target.name, due_at, reason)),
            on_step=self.steps.append,
            clocks=self.clocks,
        )

    def due(self, name: str = "t") -> list[datetime]:
        return [due_at for _, of, due_at in self.began if of == name]


def play(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(story)


def hold_up(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    loop.hold_up(seconds)


def steps(due: Sequence[datetime]) -> set[timedelta]:
    return {after - before for before, after in itertools.pairwise(due)}


def test_every_due_time_is_probed_or_missed_exactly_once() -> None:
    world = World(probe_s=70)

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await asyncio.sleep(600)
        await schedule.stop(100)

    play(story())
    assert world.due() == world.ended
    assert {reason for _, _, reason in world.missed} == {"overrun"}
    due = sorted([*world.due(), *(at for _, at, _ in world.missed)])
    assert len(due) == 20
    assert steps(due) == {timedelta(seconds=CADENCE_S)}
    assert steps(world.due()) == {timedelta(seconds=3 * CADENCE_S)}


def test_ticks_begin_within_a_millisecond_of_their_due_time() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET, *(replace(TARGET, name=f"t{number}") for number in range(100)))
        schedule.start()
        await asyncio.sleep(600)
        await schedule.stop(1)

    play(story())
    late_s = [(START + timedelta(seconds=at_s) - due_at).total_seconds() for at_s, _, due_at in world.began]
    assert len(late_s) == 101 * 20
    assert min(late_s) > -0.0001
    assert max(late_s) < 0.0011


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0, -47.3, 11.1])
def test_a_clock_that_is_set_neither_silences_nor_bursts(step_s: float) -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await asyncio.sleep(100)
        world.ahead_s = step_s
        await asyncio.sleep(LONGEST_WAIT_S)
        assert world.steps == pytest.approx([step_s], abs=0.001)
        await asyncio.sleep(200)
        await schedule.stop(1)

    play(story())
    assert len(world.steps) == 1
    gaps_s = [after - before for (before, _, _), (after, _, _) in itertools.pairwise(world.began)]
    assert min(gaps_s) > CADENCE_S * 0.5 - 0.01
    assert max(gaps_s) < CADENCE_S * 1.5 + 0.01
    assert world.missed == [], "nothing is reported for time that did not pass"
    assert sorted(set(world.due())) == world.due(), "a due time names its probe"


def test_a_clock_that_is_slewed_in_small_parts_is_followed_in_silence() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        for _ in range(1000):
            await asyncio.sleep(1)
            world.ahead_s += 0.01
        await schedule.stop(1)

    play(story())
    assert world.steps == []
    assert world.missed == []
    assert steps(world.due()) == {timedelta(seconds=CADENCE_S)}


def test_a_loop_that_was_held_up_reports_what_it_missed_as_late() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await asyncio.sleep(100)
        hold_up(1000)
        await asyncio.sleep(200)
        await schedule.stop(1)

    play(story())
    assert {reason for _, _, reason in world.missed} == {"late"}
    assert len(world.missed) in (32, 33, 34)
    assert steps(sorted([*world.due(), *(at for _, at, _ in world.missed)])) == {timedelta(seconds=CADENCE_S)}


def test_a_reload_adds_and_removes_targets_and_leaves_the_others_on_their_grid() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET, replace(TARGET, name="gone"))
        schedule.start()
        await asyncio.sleep(100)
        schedule.replace([TARGET, replace(TARGET, name="added", cadence_s=0.5)])
        before = len(world.began)
        await asyncio.sleep(100)
        assert {name for _, name, _ in world.began[before:]} == {"t", "added"}
        await schedule.stop(1)

    play(story())
    assert steps(world.due()) == {timedelta(seconds=CADENCE_S)}
    assert len(world.due("added")) == 200
    assert steps(world.due("added")) == {timedelta(seconds=0.5)}, "also where it is due before the loop looks again"
    assert world.missed == []


def test_targets_that_are_replaced_before_the_start_are_those_that_are_probed() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.replace([replace(TARGET, name="other")])
        schedule.start()
        await asyncio.sleep(100)
        await schedule.stop(1)

    play(story())
    assert {name for _, name, _ in world.began} == {"other"}


def test_another_cadence_never_makes_a_due_time_come_twice() -> None:
    world = World()

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await asyncio.sleep(100)
        schedule.replace([replace(TARGET, cadence_s=7.5)])
        await asyncio.sleep(100)
        await schedule.stop(1)

    play(story())
    assert sorted(set(world.due())) == world.due()
    assert steps(world.due()[-10:]) == {timedelta(seconds=7.5)}


def test_a_probe_in_flight_of_a_removed_target_ends() -> None:
    world = World(probe_s=20)

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await world.first.wait()
        schedule.replace([])
        await asyncio.sleep(100)
        assert world.ended == world.due()
        await schedule.stop(0)

    play(story())
    assert len(world.ended) == 1


def test_a_target_that_is_removed_and_comes_back_has_one_probe_at_a_time() -> None:
    """The probe of before is still in flight: it is neither lost nor joined by another one."""
    world = World(probe_s=50)

    async def story() -> None:
        schedule = world.schedule(TARGET)
        schedule.start()
        await world.first.wait()
        schedule.replace([])
        schedule.replace([replace(TARGET, model="another")])
        await asyncio.sleep(100)
        await schedule.stop(100)

    play(story())
    assert world.ended == world.due()
    assert [reason for _, _, reason in world.missed] == ["overrun"] * len(world.missed)
    assert steps(world.due()) == {timedelta(seconds=2 * CADENCE_S)}


@pytest.mark.parametrize(("grace_s", "ends"), [(5.0, 1), (0.5, 0)])
def test_a_stop_lets_a_probe_finish_within_the_grace_and_cancels_it_after(grace_s: float, ends: int) -> None:
    world = World(probe_s=3)

    async def story() -> None:
        schedule = world.schedule(TARGET)
        worker = schedule.start()
        await world.first.wait()
        asked_s = asyncio.get_running_loop().time()
        await schedule.stop(grace_s)
        assert asyncio.get_running_loop().time() - asked_s <= min(grace_s, world.probe_s)
        assert worker.cancelled(), "which is how it ends where nothing is wrong"
        schedule.replace([TARGET])
        await asyncio.sleep(100)

    play(story())
    assert (len(world.began), len(world.ended)) == (1, ends)


def test_a_schedule_that_breaks_ends_its_task_with_the_error() -> None:
    async def story() -> None:
        def broken(target: Target, due_at: datetime, due_s: float, reason: str) -> None:
            raise OSError("no space left")

        world = World(probe_s=100)
        schedule = Schedule([TARGET], world.probe, broken, clocks=world.clocks)
        worker = schedule.start()
        with pytest.raises(OSError, match="no space left"):
            await worker
        await schedule.stop(100)
        assert len(world.ended) == 1, "a stop still lets the probe finish"

    play(story())


def test_a_probe_that_breaks_stops_neither_the_schedule_nor_its_target() -> None:
    began: list[datetime] = []

    async def story() -> None:
        async def broken(target: Target, due_at: datetime, due_s: float) -> None:
            began.append(due_at)
            raise OSError("no route")

        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        schedule = Schedule([TARGET], broken, lambda *_: None, clocks=World().clocks)
        schedule.start()
        await asyncio.sleep(100)
        await schedule.stop(1)

    play(story())
    assert len(began) in (3, 4)


async def test_on_the_real_clocks_a_tick_comes_when_it_is_due() -> None:
    due = asyncio.get_running_loop().create_future()

    async def probe(target: Target, due_at: datetime, due_s: float) -> None:
        due.set_result(datetime.now(UTC) - due_at)

    schedule = Schedule([replace(TARGET, cadence_s=0.3)], probe, lambda *_: None)
    schedule.start()
    late = await asyncio.wait_for(due, 10)
    await schedule.stop(1)
    assert timedelta(milliseconds=-5) < late < timedelta(seconds=5)


def test_both_clocks_are_read_at_one_instant() -> None:
    before_s = time.monotonic()
    moment = read_clocks()
    assert before_s <= moment.monotonic_s <= time.monotonic()
    assert moment.wall.tzinfo is UTC


@pytest.mark.parametrize(
    ("monotonic_s", "read_s"),
    [((1.0, 1.01), 1.01), ((1.0, 9.0, 9.1, 9.15), 9.15), (tuple(map(float, range(10))), 9.0)],
    ids=["at once", "again", "in the end anyhow"],
)
def test_clocks_are_read_again_where_we_were_held_up_between_them(
    monotonic_s: tuple[float, ...], read_s: float
) -> None:
    readings = iter(monotonic_s)
    assert read_clocks(lambda: START, lambda: next(readings)).monotonic_s == read_s
