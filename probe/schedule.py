"""When each target is due: a fixed grid, so that nothing drifts and a second writer or a restart ticks at the same
instants. Also the measure of our own lateness: a prober whose event loop is late reports a slow provider.

A tick of a target falls at ``k * cadence + phase`` since the epoch; the phase follows from the target's name, which
spreads targets over the cadence without their knowing of each other. Every due time is accounted for exactly once: it
is probed, or it is reported as missed.

The grid is of the wall clock, the waiting of the monotonic one. A wall clock that is set forward or back is noticed by
the difference of the two: every target is then planned anew, at most a cadence and a half ahead, and nothing is
reported for time that did not pass. After a step back the grid is shifted a little, because a due time names its probe
and must not come twice.
"""

import asyncio
import hashlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from probe.pong import Target

LAG_PERIOD_S = 0.05
LAG_KEPT_S = 130.0  # longer than any sensible deadline of a probe
STEP_S: Final = 0.5  # the clocks differ by this much more than before: the wall clock was set
WATCH_S: Final = 0.5
_SHIFT_MS: Final = 7
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def due_at(target: Target, now: datetime, shift_ms: int = 0) -> datetime:
    """The latest tick of `target` at or before `now`. In whole milliseconds: a grid of floats would wander."""
    cadence_ms = round(target.cadence_s * 1000)
    phase_ms = (int.from_bytes(hashlib.sha256(target.name.encode()).digest()[:8]) + shift_ms) % cadence_ms
    since_ms = (now - _EPOCH) // _MS
    return _EPOCH + ((since_ms - phase_ms) // cadence_ms * cadence_ms + phase_ms) * _MS


@dataclass(slots=True)
class _Line:
    """The plan of one target: the latest due time that is accounted for, and what is under way."""

    target: Target
    accounted: datetime
    timer: asyncio.TimerHandle | None = None
    running: asyncio.Task[None] | None = None
    fired_at_s: float = -math.inf  # monotonic


class Schedule:
    """Calls `tick(target, due_at)` at every due time, one at a time per target, and `missed(target, due_at, reason)`
    for each due time that could not be kept: ``overrun`` while the previous probe still waits for the provider,
    ``late`` when we ourselves were too late to start it. `stepped(seconds)` is told when the wall clock was set."""

    def __init__(
        self,
        targets: Sequence[Target],
        tick: Callable[[Target, datetime], Awaitable[object]],
        missed: Callable[[Target, datetime, str], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stepped: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._targets = tuple(targets)
        self._tick = tick
        self._missed = missed
        self._now = now
        self._stepped = stepped
        self._lines: dict[str, _Line] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._shift_ms = 0
        self._offset_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # while it runs

    def start(self) -> None:
        """Begin; needs a running loop. The first tick of each target is at its next due time."""
        loop = self._loop = asyncio.get_running_loop()
        self._offset_s = self._difference_s()
        self.replace(self._targets)
        self._watch = loop.call_later(WATCH_S, self._look)

    def replace(self, targets: Sequence[Target]) -> None:
        """What a newly loaded configuration probes. A target that stays keeps its due times; a probe in flight ends."""
        self._targets = tuple(targets)
        if self._loop is None:
            return
        wanted = {target.name: target for target in targets}
        for name in self._lines.keys() - wanted.keys():
            line = self._lines.pop(name)
            if line.timer is not None:
                line.timer.cancel()
        for name, target in wanted.items():
            line = self._lines.setdefault(name, _Line(target, self._due_at(target)))
            if line.target.cadence_s != target.cadence_s:
                line.accounted = max(line.accounted, self._due_at(target))
            line.target = target
            self._plan(line)

    async def stop(self, grace_s: float) -> None:
        """No further ticks; probes in flight may finish within `grace_s`, then they are cancelled."""
        for timer in (self._watch, *(line.timer for line in self._lines.values())):
            if timer is not None:
                timer.cancel()
        self._lines.clear()
        self._watch = self._loop = None
        if self._running:
            _, unfinished = await asyncio.wait(self._running, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _due_at(self, target: Target) -> datetime:
        return due_at(target, self._now() + _MS, self._shift_ms)  # a timer may fire a hair early

    def _plan(self, line: _Line) -> None:
        if line.timer is not None:
            line.timer.cancel()
        due = line.accounted + timedelta(seconds=line.target.cadence_s)
        wait_s = max(0.0, (due - self._now()).total_seconds())
        line.timer = asyncio.get_running_loop().call_later(wait_s, self._fire, line)

    def _fire(self, line: _Line) -> None:
        if self._was_set():
            return
        target, now, due = line.target, self._now(), self._due_at(line.target)
        if due <= line.accounted:
            self._plan(line)
            return
        self._account(line, due - timedelta(seconds=target.cadence_s), "late")
        line.fired_at_s = asyncio.get_running_loop().time()
        if (now - due).total_seconds() > max(1, math.floor(target.cadence_s / 2)):
            self._account(line, due, "late")
        elif line.running is not None and not line.running.done():
            self._account(line, due, "overrun")
        else:
            line.accounted = due
            line.running = asyncio.get_running_loop().create_task(self._run(target, due), name=f"tick {target.name}")
            self._running.add(line.running)
            line.running.add_done_callback(self._running.discard)
        self._plan(line)

    async def _run(self, target: Target, due: datetime) -> None:
        await self._tick(target, due)

    def _account(self, line: _Line, until: datetime, reason: str) -> None:
        """Report every due time up to and including `until` that nothing has accounted for yet."""
        due = line.accounted + timedelta(seconds=line.target.cadence_s)
        while due <= until:
            line.accounted = due
            self._missed(line.target, due, reason)
            due += timedelta(seconds=line.target.cadence_s)

    def _look(self) -> None:
        self._was_set()
        self._watch = asyncio.get_running_loop().call_later(WATCH_S, self._look)

    def _difference_s(self) -> float:
        return (self._now() - _EPOCH).total_seconds() - asyncio.get_running_loop().time()

    def _was_set(self) -> bool:
        """Whether the wall clock was set since the last look; then everything is planned anew."""
        step_s = self._difference_s() - self._offset_s
        self._offset_s += step_s  # what is slewed in small parts never adds up to a step
        if abs(step_s) < STEP_S:
            return False
        if step_s < 0:
            self._shift_ms += _SHIFT_MS
        for line in self._lines.values():
            line.accounted = self._due_at(line.target)
            following = line.accounted + timedelta(seconds=line.target.cadence_s)
            since_s = asyncio.get_running_loop().time() - line.fired_at_s + (following - self._now()).total_seconds()
            if since_s < line.target.cadence_s / 2:
                line.accounted = following
            self._plan(line)
        self._stepped(step_s)
        return True


class LagMeter:
    """How late our own event loop runs: a sleep of `LAG_PERIOD_S` that ends later than it should is lag."""

    def __init__(self, listen: Callable[[float], None]) -> None:
        self._listen = listen
        self._seen: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(LAG_PERIOD_S)
            now = time.monotonic()
            lag_s = max(0.0, now - before - LAG_PERIOD_S)
            before = now
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
