"""When each target is due: a fixed grid, so that nothing drifts and a second writer or a restart ticks at the same
instants. Also the measure of our own lateness: a prober whose event loop is late reports a slow provider.

A tick of a target falls at ``k * cadence + phase`` since the epoch; the phase follows from the target's name, which
spreads targets over the cadence without their knowing of each other. Every due time is accounted for exactly once: it
is probed, or it is reported as missed.
"""

import asyncio
import hashlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from probe.pong import Target

LAG_PERIOD_S = 0.05
LAG_KEPT_S = 130.0  # longer than any sensible deadline of a probe
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def due_at(target: Target, now: datetime) -> datetime:
    """The latest tick of `target` at or before `now`. In whole milliseconds: a grid of floats would wander."""
    cadence_ms = round(target.cadence_s * 1000)
    phase_ms = int.from_bytes(hashlib.sha256(target.name.encode()).digest()[:8]) % cadence_ms
    since_ms = (now - _EPOCH) // _MS
    return _EPOCH + ((since_ms - phase_ms) // cadence_ms * cadence_ms + phase_ms) * _MS


class Schedule:
    """Calls `tick(target, due_at)` at every due time, one at a time per target, and `missed(target, due_at, reason)`
    for each due time that could not be kept: ``overrun`` while the previous probe still waits for the provider,
    ``late`` when we ourselves were too late to start it."""

    def __init__(
        self,
        targets: Sequence[Target],
        tick: Callable[[Target, datetime], Awaitable[object]],
        missed: Callable[[Target, datetime, str], None],
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._tick = tick
        self._missed = missed
        self._accounted: dict[str, datetime] = {}  # the latest due time that was probed or reported as missed
        self._running: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._on_overrun, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._on_late, EVENT_JOB_MISSED)

    def start(self) -> None:
        now = datetime.now(UTC)
        for target in self._targets.values():
            previous = due_at(target, now)
            self._accounted[target.name] = previous
            first = previous + timedelta(seconds=target.cadence_s)
            self._scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=target.cadence_s, start_date=first, timezone=UTC),
                args=[target],
                id=target.name,
                next_run_time=first,
                max_instances=1,
                coalesce=False,  # each due time of a stall is told apart, not folded into one
                misfire_grace_time=max(1, math.floor(target.cadence_s / 2)),
            )
        self._scheduler.start()

    async def stop(self, grace_s: float) -> None:
        """No further ticks; probes in flight may finish within `grace_s`, then they are cancelled."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        if self._running:
            _, unfinished = await asyncio.wait(self._running, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # it ends in a callback of its own

    async def _run(self, target: Target) -> None:
        due = due_at(target, datetime.now(UTC) + _MS)  # a timer may fire a hair early
        if due <= self._accounted[target.name]:
            return
        self._account(target, due - timedelta(seconds=target.cadence_s), "late")
        self._accounted[target.name] = due
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._tick(target, due)
        finally:
            self._running.discard(task)

    def _on_overrun(self, event: JobSubmissionEvent) -> None:
        target = self._targets[event.job_id]
        self._account(target, due_at(target, event.scheduled_run_times[-1] + _MS), "overrun")

    def _on_late(self, event: JobExecutionEvent) -> None:
        target = self._targets[event.job_id]
        self._account(target, due_at(target, event.scheduled_run_time + _MS), "late")

    def _account(self, target: Target, until: datetime, reason: str) -> None:
        """Report every due time up to and including `until` that nothing has accounted for yet."""
        due = self._accounted[target.name] + timedelta(seconds=target.cadence_s)
        while due <= until:
            self._accounted[target.name] = due
            self._missed(target, due, reason)
            due += timedelta(seconds=target.cadence_s)


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
