"""Runs what the timetable says is due. Also the measure of our own lateness: a prober whose event loop is late reports
a slow provider.

A tick of a target falls at ``k * cadence + phase`` since the epoch; the phase follows from the target's name, which
spreads targets over the cadence without their knowing of each other. Every due time is accounted for exactly once: it
is probed, or it is reported as missed.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from probe.pong import Target
from probe.timetable import Due, Moment, Timetable

LAG_PERIOD_S = 0.05
LAG_KEPT_S = 130.0  # longer than any sensible deadline of a probe
LONGEST_WAIT_S: Final = 1.0  # a wall clock that was set is noticed within it
_SHORTEST_WAIT_S: Final = 0.001  # event loops count in milliseconds: a shorter wait would spin
_APART_S: Final = 0.1
_READINGS: Final = 5


def read_clocks(
    now: Callable[[], datetime] = lambda: datetime.now(UTC), monotonic: Callable[[], float] = time.monotonic
) -> Moment:
    """Both clocks at one instant; read again where we were held up in between, which would look like a step."""
    for _ in range(_READINGS):
        before_s = monotonic()
        moment = Moment(now(), monotonic())
        if moment.monotonic_s - before_s < _APART_S:
            break
    return moment


class Schedule:
    """Calls `tick(target, due_at, due_s)` at every due time, one at a time per target, and `missed(target, due_at,
    due_s, reason)` for each due time that could not be kept: ``overrun`` while the previous probe still waits for the
    provider, ``late`` when we ourselves were too late to start it. `due_s` is the due time on the monotonic clock.
    `on_step(seconds)` hears of a wall clock that was set."""

    def __init__(
        self,
        targets: Sequence[Target],
        tick: Callable[[Target, datetime, float], Coroutine[Any, Any, object]],
        missed: Callable[[Target, datetime, float, str], None],
        *,
        on_step: Callable[[float], None] = lambda _: None,
        clocks: Callable[[], Moment] = read_clocks,
    ) -> None:
        self._targets = tuple(targets)
        self._tick = tick
        self._missed = missed
        self._on_step = on_step
        self._clocks = clocks
        self._timetable: Timetable | None = None  # while it runs
        self._worker: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[object]] = {}
        self._replaced = asyncio.Event()

    def start(self) -> asyncio.Task[None]:
        """Begin; each target at its next due time. The task ends by `stop` only: otherwise something of ours broke."""
        now = self._clocks()
        self._timetable = Timetable(now)
        self._timetable.replace(self._targets, now)
        self._worker = asyncio.create_task(self._run(self._timetable), name="schedule")
        return self._worker

    def replace(self, targets: Sequence[Target]) -> None:
        """What a newly loaded configuration probes. A target that stays keeps its due times; a probe in flight of one
        that is gone ends by itself, and until then one of the same name does not begin."""
        self._targets = tuple(targets)
        if self._timetable is not None:
            self._timetable.replace(self._targets, self._clocks())
            self._replaced.set()

    async def stop(self, grace_s: float) -> None:
        """No further ticks; probes in flight may finish within `grace_s`, then they are cancelled."""
        self._timetable = None
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._running:
            _, unfinished = await asyncio.wait(self._running.values(), timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _run(self, timetable: Timetable) -> None:
        while True:
            now = self._clocks()
            look = timetable.look(now, self._running)
            for due in look.due:
                if due.missed is None:
                    self._begin(due)
                else:
                    self._missed(due.target, due.due_at, due.at_s, due.missed)
            if look.step_s:
                self._on_step(look.step_s)
            next_s = timetable.next_s()
            wait_s = math.inf if next_s is None else next_s - self._clocks().monotonic_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(_SHORTEST_WAIT_S, wait_s), LONGEST_WAIT_S)):
                    await self._replaced.wait()
            self._replaced.clear()

    def _begin(self, due: Due) -> None:
        name = due.target.name
        task = asyncio.create_task(self._tick(due.target, due.due_at, due.at_s), name=f"tick {name}")
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name))  # no other began under this name meanwhile


class LagMeter:
    """How late our own event loop runs: a sleep of `LAG_PERIOD_S` that ends later than it should is lag."""

    def __init__(self, listen: Callable[[float], None]) -> None:
        self._listen = listen
        self._seen: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Until cancelled. A timer of the loop, not a task that sleeps: it fires twenty times a second, for months."""
        self._look(time.monotonic() - LAG_PERIOD_S)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._next.cancel()

    def _look(self, before: float) -> None:
        now = time.monotonic()
        self._next = asyncio.get_running_loop().call_later(LAG_PERIOD_S, self._look, now)
        lag_s = max(0.0, now - before - LAG_PERIOD_S)
        self._seen.append((now, lag_s))
        while self._seen[0][0] < now - LAG_KEPT_S:
            self._seen.popleft()
        self._listen(lag_s)

    def worst_since(self, monotonic_s: float) -> float:
        """The worst lag in seconds measured since then; what is going on right now counts as well."""
        worst = max(0.0, time.monotonic() - self._seen[-1][0] - LAG_PERIOD_S) if self._seen else 0.0
        for at, lag_s in reversed(self._seen):
            if at < monotonic_s:
                break
            worst = max(worst, lag_s)
        return worst
