"""Due times under a wall clock that is set, and under a reload. Cadences are short, steps are injected."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probe.pong import Target
from probe.schedule import Schedule
from tests.probe.evidence import target as example

CADENCE_S = 0.2
TARGET = replace(example(), name="t", cadence_s=CADENCE_S)


class Wall:
    """A wall clock that can be set; what is measured is told by the loop's own clock."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.ticks: list[tuple[float, str, datetime]] = []
        self.missed: list[tuple[str, datetime, str]] = []
        self.steps: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    async def tick(self, target: Target, due: datetime) -> None:
        self.ticks.append((asyncio.get_running_loop().time(), target.name, due))

    def schedule(self, *targets: Target, tick: Callable[..., object] | None = None) -> Schedule:
        return Schedule(
            targets,
            tick or self.tick,  # type: ignore[arg-type]
            lambda target, due, reason: self.missed.append((target.name, due, reason)),
            now=self.now,
            stepped=self.steps.append,
        )


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0, -7.3, 11.1])
async def test_a_clock_that_is_set_neither_silences_nor_bursts(step_s: float) -> None:
    wall = Wall()
    schedule = wall.schedule(TARGET)
    schedule.start()
    await asyncio.sleep(1.0)
    wall.ahead_s = step_s
    await asyncio.sleep(2.0)
    await schedule.stop(1)
    assert [round(step, 0) for step in wall.steps] == [round(step_s, 0)]
    times = [at for at, _, _ in wall.ticks]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert min(gaps) > CADENCE_S * 0.4
    assert max(gaps) < 0.5 + 2 * CADENCE_S  # the step is noticed within half a second
    assert len(wall.missed) <= 1, "nothing is reported for time that did not pass"
    due = [due for _, _, due in wall.ticks]
    assert len(set(due)) == len(due), "a due time names its probe"


async def test_a_clock_that_is_slewed_in_small_parts_is_followed_in_silence() -> None:
    wall = Wall()
    schedule = wall.schedule(TARGET)
    schedule.start()
    for _ in range(10):
        await asyncio.sleep(0.15)
        wall.ahead_s += 0.01
    await schedule.stop(1)
    assert wall.steps == []
    assert wall.missed == []
    assert {(due.microsecond // 1000) % 200 for _, _, due in wall.ticks} == {
        (wall.ticks[0][2].microsecond // 1000) % 200
    }


async def test_a_reload_adds_and_removes_targets_and_leaves_the_others_on_their_grid() -> None:
    wall = Wall()
    added = replace(TARGET, name="added")
    schedule = wall.schedule(TARGET, replace(TARGET, name="gone"))
    schedule.start()
    await asyncio.sleep(0.5)
    schedule.replace([TARGET, added])
    before = len(wall.ticks)
    await asyncio.sleep(0.7)
    await schedule.stop(1)
    assert {name for _, name, _ in wall.ticks[before:]} == {"t", "added"}
    kept = [due for _, name, due in wall.ticks if name == "t"]
    assert {after - before for before, after in itertools.pairwise(kept)} == {timedelta(seconds=CADENCE_S)}
    assert wall.missed == []


async def test_a_probe_in_flight_of_a_removed_target_ends() -> None:
    wall = Wall()
    ended: list[str] = []
    began = asyncio.Event()

    async def slow(target: Target, due: datetime) -> None:
        began.set()
        await asyncio.sleep(0.3)
        ended.append(target.name)

    schedule = wall.schedule(TARGET, tick=slow)
    schedule.start()
    await began.wait()
    schedule.replace([])
    await schedule.stop(1)
    assert ended == ["t"]


async def test_another_cadence_never_makes_a_due_time_come_twice() -> None:
    wall = Wall()
    schedule = wall.schedule(TARGET)
    schedule.start()
    await asyncio.sleep(0.5)
    schedule.replace([replace(TARGET, cadence_s=0.1)])
    await asyncio.sleep(0.5)
    await schedule.stop(1)
    due = [due for _, _, due in wall.ticks]
    assert sorted(set(due)) == due
    assert due[-1] - due[-2] == timedelta(seconds=0.1)
