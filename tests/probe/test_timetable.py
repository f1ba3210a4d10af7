"""Laws of what is due when, over any sequence of real time, wall clock steps and reloads. Both clocks are numbers.

*Prompt* means: looked at the very instant of each tick, as by a loop that nothing holds up.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probe.pong import Target
from probe.timetable import MOST_AT_ONCE, SHORTEST_GRACE_S, STEP_S, Due, Moment, Timetable, due_at
from tests.probe.evidence import target as example

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR_S = 3600.0
YEAR_S = 365 * 24 * HOUR_S
ROUNDING_S = 0.0001  # the wall clock counts in microseconds
MS = timedelta(milliseconds=1)


def target(name: str = "t", cadence_s: float = 30.0) -> Target:
    return replace(example(), name=name, cadence_s=cadence_s)


@dataclass
class Left:
    """A due time as it left the timetable, and what the clocks showed."""

    due: Due
    wall: datetime
    monotonic_s: float


@dataclass
class World:
    """Two clocks and a timetable. Time passes as it is told to."""

    targets: Sequence[Target] = ()
    wall: datetime = START
    monotonic_s: float = 1000.0
    running: set[str] = field(default_factory=set)
    left: list[Left] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.table = Timetable(self.now)
        self.replace(self.targets)

    @property
    def now(self) -> Moment:
        return Moment(self.wall, self.monotonic_s)

    def replace(self, targets: Sequence[Target]) -> None:
        self.table.replace(targets, self.now)

    def step(self, seconds: float) -> None:
        """The wall clock is set. Nobody looks."""
        self.wall += timedelta(seconds=seconds)

    def seen_step(self, seconds: float) -> None:
        self.step(seconds)
        self.look()

    def stall(self, seconds: float) -> None:
        """Time passes. Nobody looks."""
        self.wall += timedelta(seconds=seconds)
        self.monotonic_s += seconds

    def look(self) -> tuple[Due, ...]:
        look = self.table.look(self.now, self.running)
        self.left += [Left(due, self.wall, self.monotonic_s) for due in look.due]
        self.steps += [look.step_s] if look.step_s else []
        return look.due

    def prompt(self, seconds: float) -> None:
        """Time passes, looked at the very instant when something is due, and at its end."""
        until_s = self.monotonic_s + seconds
        while (next_s := self.table.next_s()) is not None and next_s <= until_s:
            self.stall(max(0.0, next_s - self.monotonic_s))
            self.monotonic_s = max(self.monotonic_s, next_s)  # not a rounding before it
            self.look()
        self.stall(until_s - self.monotonic_s)
        self.look()

    def ticks(self, count: int) -> None:
        """As `prompt`, until so many ticks have come."""
        for _ in range(count):
            if (next_s := self.table.next_s()) is not None:
                self.prompt(max(0.0, next_s - self.monotonic_s))

    def live(self, actions: Iterable[tuple[str, float]]) -> None:
        for name, argument in actions:
            getattr(self, name)(argument)

    def due(self, name: str = "t") -> list[datetime]:
        return [left.due.due_at for left in self.left if left.due.target.name == name]

    def came_s(self, name: str = "t") -> list[float]:
        return [left.monotonic_s for left in self.left if left.due.target.name == name]

    def missed(self) -> list[tuple[datetime, str]]:
        return [(left.due.due_at, left.due.missed) for left in self.left if left.due.missed]


def gaps(instants: Iterable[datetime]) -> list[timedelta]:
    return [after - before for before, after in itertools.pairwise(instants)]


def gaps_s(instants: Iterable[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(instants)]


def grid(asked: Target, after: datetime, until: datetime) -> list[datetime]:
    """Every grid time in (after, until], counted from the epoch."""
    first, cadence = due_at(asked, after), timedelta(seconds=asked.cadence_s)
    return [first + number * cadence for number in range(1, (until - first) // cadence + 1)]


# ---------------------------------------------------------------- laws

Action = tuple[str, float]
cadences = st.sampled_from([0.3, 1.0, 7.5, 30.0, HOUR_S])
sets = st.dictionaries(st.sampled_from(["t", "a", "b"]), cadences, max_size=3)
somewhere = st.integers(0, 100_000).map(lambda ms: START + ms * MS)
prompt = st.tuples(st.just("prompt"), st.floats(0, 40))
ticks = st.tuples(st.just("ticks"), st.integers(1, 6))
stalls = st.tuples(st.just("stall"), st.floats(0, 100))
jumps = st.one_of(st.floats(0, 100), st.sampled_from([0.5, 1.0, 15.0, 30.0, 45.0, HOUR_S, 2 * HOUR_S, 9 * YEAR_S]))
steps = st.tuples(st.sampled_from(["step", "seen_step"]), st.one_of(jumps, jumps.map(lambda seconds: -seconds)))


def made(cadence_of: Mapping[str, float]) -> list[Target]:
    return [target(name, cadence_s) for name, cadence_s in cadence_of.items()]


@given(sets, somewhere, st.lists(st.one_of(prompt, ticks, stalls, steps, sets), max_size=25))
def test_due_times_of_a_target_strictly_increase_whatever_happens(
    first: dict[str, float], wall: datetime, actions: list[Action | dict[str, float]]
) -> None:
    """Also over a clock that is set back by years, over a removal and a return, over another cadence. A due time names
    its probe: so each leaves exactly once."""
    world = World(made(first), wall)
    for action in actions:
        if isinstance(action, dict):
            world.replace(made(action))
        else:
            world.live([action])
    world.stall(50)
    world.look()
    for name in ("t", "a", "b"):
        assert all(before < after for before, after in itertools.pairwise(world.due(name)))
    assert all(left.due.due_at.microsecond % 1000 == 0 for left in world.left), "an ID counts milliseconds"


@given(cadences, somewhere, st.lists(st.one_of(prompt, ticks, steps, sets), max_size=25))
def test_looked_at_promptly_ticks_are_half_to_one_and_a_half_cadences_of_real_time_apart(
    cadence_s: float, wall: datetime, actions: list[Action | dict[str, float]]
) -> None:
    """However often the wall clock is set in between, and whatever happens to other targets: no silence, no burst.
    Nothing is missed either, since time that did not pass makes nobody late."""
    world = World([target("t", cadence_s)], wall)
    began_s = world.monotonic_s
    for action in actions:
        if isinstance(action, dict):
            world.replace(made(action | {"t": cadence_s}))
        else:
            world.live([action])
    came_s = world.came_s()
    assert all(cadence_s / 2 - ROUNDING_S <= gap_s <= 1.5 * cadence_s + ROUNDING_S for gap_s in gaps_s(came_s))
    quiet = gaps_s([began_s, *came_s, world.monotonic_s])
    assert max(quiet) <= 1.5 * cadence_s + ROUNDING_S
    assert world.missed() == []


@given(st.lists(cadences, min_size=1, max_size=3), somewhere, st.lists(st.one_of(prompt, ticks, stalls), max_size=12))
def test_on_a_clock_that_is_left_alone_each_grid_time_leaves_once_however_rarely_we_look(
    each: list[float], wall: datetime, actions: list[Action]
) -> None:
    """The grid does not depend on when we began, so a restart or a second writer arrives at the same due times."""
    asked = [target(f"t{number}", cadence_s) for number, cadence_s in enumerate(each)]
    world = World(asked, wall)
    world.live(actions)
    while world.look():
        pass
    just_before = world.wall - MS  # the monotonic instant of a grid time is rounded
    for one in asked:
        assert world.due(one.name) in (grid(one, wall, just_before), grid(one, wall, world.wall + MS))


@given(cadences, somewhere, st.floats(0, 200), st.booleans())
def test_a_stall_makes_late_all_but_a_last_one_within_its_grace(
    cadence_s: float, wall: datetime, stall_s: float, running: bool
) -> None:
    world = World([target("t", cadence_s)], wall, running={"t"} if running else set())
    world.stall(stall_s)
    while world.look():
        pass
    grace_s = max(SHORTEST_GRACE_S, cadence_s / 2)
    late_s = {left.due.due_at: (world.wall - left.due.due_at).total_seconds() for left in world.left}
    assume(all(abs(seconds - grace_s) > ROUNDING_S for seconds in late_s.values()))
    for number, left in enumerate(reversed(world.left)):
        if late_s[left.due.due_at] > grace_s:
            assert left.due.missed == "late"
        elif running:
            assert left.due.missed == "overrun"
        else:
            assert left.due.missed == ("late" if number else None)


@given(cadences, somewhere, st.lists(st.one_of(prompt, stalls, steps), max_size=15))
def test_as_many_ticks_come_as_real_time_has_passed_for(
    cadence_s: float, wall: datetime, actions: list[Action]
) -> None:
    """Neither a stall nor a step makes ticks of time that did not pass, or loses those of time that did."""
    world = World([target("t", cadence_s)], wall)
    began_s = world.monotonic_s
    world.live(actions)
    while world.look():
        pass
    passed = (world.monotonic_s - began_s) / cadence_s
    assert passed / 1.5 - 1 - ROUNDING_S <= len(world.left) <= passed * 2 + 1 + ROUNDING_S


@given(cadences, somewhere, st.lists(st.one_of(prompt, ticks, st.tuples(st.just("step"), jumps)), max_size=15))
def test_a_clock_that_only_goes_forward_shows_each_due_time_when_it_comes(
    cadence_s: float, wall: datetime, actions: list[Action]
) -> None:
    """Nobody is an hour late because a clock went an hour forward."""
    world = World([target("t", cadence_s)], wall)
    world.live(actions)
    assert all(abs((left.wall - left.due.due_at).total_seconds()) <= STEP_S + 0.002 for left in world.left)


@given(cadences, cadences, somewhere, st.floats(0, 100), st.lists(steps, max_size=2))
def test_another_cadence_holds_from_the_next_tick_on(
    first_s: float, second_s: float, wall: datetime, elapsed_s: float, actions: list[Action]
) -> None:
    """It comes half a new cadence after the last one at the earliest; and one and a half after it, or one from now, at
    the latest: also where the clock is set meanwhile."""
    assume(first_s != second_s)
    world = World([target("t", first_s)], wall)
    world.ticks(1)
    world.prompt(elapsed_s)
    world.replace([target("t", second_s)])
    before_s, now_s = world.came_s(), world.monotonic_s
    for action in actions:
        world.live([action, ("prompt", 0.0)])
    world.ticks(1)
    came_s = world.came_s()[len(before_s)]
    assert came_s >= before_s[-1] + second_s / 2 - ROUNDING_S
    assert came_s <= max(before_s[-1] + 1.5 * second_s, now_s + second_s) + ROUNDING_S


@given(st.lists(st.one_of(st.floats(-100, 100), st.sampled_from([-9 * YEAR_S, 9 * YEAR_S])), max_size=6))
def test_a_step_is_told_once_with_its_size_and_slewing_is_not(sizes_s: list[float]) -> None:
    assume(all(abs(abs(size_s) - STEP_S) > ROUNDING_S for size_s in sizes_s))
    world = World([target()])
    for size_s in sizes_s:
        world.step(size_s)
        world.prompt(1)
        world.prompt(1)
    assert world.steps == pytest.approx([size_s for size_s in sizes_s if abs(size_s) > STEP_S], abs=ROUNDING_S)


# ---------------------------------------------------------------- cases


def test_a_restart_and_a_second_writer_arrive_at_the_same_due_times() -> None:
    one = World([target()], START, monotonic_s=5.0)
    other = World([target()], START + timedelta(seconds=100), monotonic_s=777_777.7)
    one.prompt(400)
    other.prompt(300)
    assert one.due()[-10:] == other.due()[-10:]
    assert len(other.due()) == 10


def test_after_a_step_back_due_times_creep_and_ticks_keep_their_pace_until_the_grid_holds_again() -> None:
    world = World([target()])
    world.prompt(300)
    before = len(world.left)
    world.step(-HOUR_S)
    world.prompt(HOUR_S + 300)
    creeping, again = world.due()[before : before + 119], world.due()[before + 122 :]
    assert {after - earlier for earlier, after in itertools.pairwise(creeping)} == {MS}
    assert again == [due_at(target(), due) for due in again]
    assert gaps_s(world.came_s()[before + 1 :]) == pytest.approx([30.0] * (len(world.left) - before - 2), abs=0.001)


def test_a_target_that_is_removed_and_comes_back_never_uses_a_due_time_twice() -> None:
    world = World([target("t"), target("other")])
    world.prompt(300)
    latest = world.due()[-1]
    world.replace([target("other")])
    world.step(-HOUR_S)
    world.prompt(10)
    world.replace([])
    world.replace([target("t")])
    world.prompt(60)
    assert world.due()[-2:] == [latest + MS, latest + 2 * MS]


def test_a_target_that_comes_back_within_a_cadence_goes_on_where_it_was() -> None:
    world = World([target()])
    world.prompt(300)
    world.replace([])
    world.prompt(1)
    world.replace([target()])
    world.prompt(60)
    assert world.due() == grid(target(), START, world.wall)


def test_a_machine_that_slept_missed_nothing_and_ticks_at_the_next_grid_time() -> None:
    """Its monotonic clock stood still, and the wall clock is hours ahead."""
    asked = target(cadence_s=24 * HOUR_S)
    world = World([asked])
    world.ticks(1)
    world.prompt(HOUR_S)
    world.step(8 * HOUR_S)
    world.look()
    world.ticks(1)
    assert world.steps == [8 * HOUR_S]
    assert world.missed() == []
    assert world.due() == grid(asked, START, world.wall)
    assert gaps_s(world.came_s()) == pytest.approx([16 * HOUR_S], abs=0.001)


def test_a_due_time_that_a_clock_jumps_over_never_came() -> None:
    world = World([target(cadence_s=HOUR_S)])
    world.ticks(1)
    world.prompt(0.9 * HOUR_S)
    world.seen_step(0.2 * HOUR_S)
    assert world.look() == ()
    world.ticks(1)
    assert gaps_s(world.came_s()) == pytest.approx([1.5 * HOUR_S])
    assert world.missed() == []


@pytest.mark.parametrize("drift", [-0.0005, 0.0005])
def test_drift_over_a_long_cadence_is_followed_in_silence(drift: float) -> None:
    """500 ppm is the most that a kernel slews by: 43 s a day."""
    asked = target(cadence_s=24 * HOUR_S)
    world = World([asked])
    for _ in range(3 * 24 * 60):
        world.step(60 * drift)
        world.prompt(60)
    assert world.steps == []
    assert world.missed() == []
    assert world.due() == grid(asked, START, world.wall)
    assert all(abs(left.wall - left.due.due_at) <= timedelta(seconds=STEP_S) for left in world.left)


@pytest.mark.parametrize("size_s", [-HOUR_S, -17.0, -7.0004, 23.0, HOUR_S])
def test_a_clock_that_is_set_again_and_again_puts_no_tick_off(size_s: float) -> None:
    world = World([target()])
    for _ in range(100):
        world.prompt(7)
        world.seen_step(size_s)
    assert max(gaps_s(world.came_s())) <= 45 + ROUNDING_S
    assert min(gaps_s(world.came_s())) >= 15 - ROUNDING_S
    assert all(due.microsecond % 1000 == 0 for due in world.due())


@pytest.mark.parametrize("wall", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2232, 1, 1, tzinfo=UTC)])
def test_a_clock_that_is_set_by_ages_makes_no_more_ticks_than_time_has_passed_for(wall: datetime) -> None:
    """From 1970, where a machine without a battery begins, to the last year that a kernel takes, and back."""
    world = World([target(), target("a", 0.3)])
    world.prompt(30)
    begun = len(world.left)
    world.wall = wall
    world.prompt(60)
    assert len(world.left) - begun == pytest.approx(202, abs=2)
    assert world.missed() == []


def test_after_a_long_stall_what_was_missed_leaves_in_parts_in_order_and_whole() -> None:
    asked = [target("a", 1.0), target("b", 2.0)]
    world = World(asked)
    world.stall(HOUR_S)
    parts = []
    while part := world.look():
        parts.append(len(part))
    assert parts == [MOST_AT_ONCE] * 10 + [400]
    assert [left.due.due_at for left in world.left] == sorted(left.due.due_at for left in world.left)
    assert world.due("a") == grid(asked[0], START, world.wall)
    assert world.due("b") == grid(asked[1], START, world.wall)
    assert {reason for _, reason in world.missed()} == {"late"}
    assert len(world.left) - len(world.missed()) == 2, "the last of each is probed"


def test_a_clock_that_is_set_during_a_long_stall_is_told_once_when_all_has_left() -> None:
    rare = [target(f"rare{number}", HOUR_S / 2) for number in range(5)]
    world = World([target("t", 1.0), *rare])
    world.stall(HOUR_S)
    world.step(HOUR_S)
    assert len(world.look()) == MOST_AT_ONCE
    assert world.steps == []
    while world.look():
        pass
    assert world.steps == [HOUR_S]
    assert len(world.due("t")) == pytest.approx(3600, abs=2)
    assert all(world.due(one.name) for one in rare)


def test_a_tick_while_the_previous_probe_runs_is_an_overrun_and_the_next_one_is_probed() -> None:
    world = World([target("t"), target("other")], running={"t"})
    world.ticks(2)
    world.running.clear()
    world.ticks(2)
    assert [reason for _, reason in world.missed()] == ["overrun"]
    assert world.missed()[0][0] == world.due()[0]


def test_what_has_come_before_a_reload_is_still_due_after_it() -> None:
    world = World([target()])
    world.stall(40)
    world.replace([target(cadence_s=7.5)])
    world.look()
    assert world.due()[0] == grid(target(), START, world.wall)[0]
    assert all(gap <= timedelta(seconds=7.5) for gap in gaps(world.due()))


def test_a_much_shorter_cadence_begins_on_its_grid_and_not_at_once() -> None:
    """Else a reload would send the probes of all targets in one burst."""
    short = target(cadence_s=7.5)
    world = World([target(cadence_s=HOUR_S)])
    world.ticks(1)
    world.prompt(HOUR_S / 2 + 1)
    now = world.wall
    world.replace([short])
    world.prompt(60)
    assert world.due()[1:] == grid(short, now, world.wall)


@pytest.mark.parametrize("part_s", [-0.002, 0.007])
def test_a_clock_that_is_slewed_in_small_parts_loses_no_grid_time(part_s: float) -> None:
    asked = target(cadence_s=0.3)
    world = World([asked])
    for _ in range(1000):
        world.seen_step(part_s)
        world.prompt(0.02)
    assert world.steps == []
    assert world.due() == grid(asked, START, world.wall)


def test_without_targets_nothing_is_due() -> None:
    world = World()
    world.prompt(1000)
    assert world.table.next_s() is None
    assert world.left == []
