"""What is due when, on a clock that steps. Pure: both clocks come in as one `Moment`.

*Which* instants are due is the wall clock's affair (the grid of `due_at`, so that a restart or a second writer ticks at
the same ones); *when* they come is the monotonic clock's. Each tick is planned as a monotonic instant from the distance
of the two clocks as it is then, so slow drift is followed without a trace. Where that distance jumps (a wall clock set
back or forward, a machine that slept) the pending ticks are planned anew at the new wall time. Whatever the wall clock
does, two due ticks of a target are half a cadence to one and a half cadences of real time apart: no silence, no burst.

Forward, the due times that were jumped over never came: nobody missed them. Back, the grid's instants come a second
time, and a probe's ID follows from its due time; so a due time is always at least a millisecond after the one before
it. For as long as the clock was set back, due times therefore creep along in milliseconds while ticks keep their pace,
then the grid holds again. That keeps due times unique and in order for everything that sorts, expires or counts by
them; the alternative (the grid's instants again, made distinct) is neither.
"""

import hashlib
import heapq
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from probe.pong import Target

STEP_S: Final = 0.5  # more than any slewing between two looks, less than anything that matters to a cadence
SHORTEST_GRACE_S: Final = 1.0
MOST_AT_ONCE: Final = 500  # after a long stall the rest comes with the next looks: others have their turn in between
_MS: Final = timedelta(milliseconds=1)
_HAIR_S: Final = 1e-5  # the wall clock counts in microseconds
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks."""

    wall: datetime
    monotonic_s: float

    @property
    def offset_s(self) -> float:
        """How far the wall clock is ahead of the monotonic one."""
        return (self.wall - _EPOCH).total_seconds() - self.monotonic_s

    def wall_at(self, monotonic_s: float) -> datetime:
        """What the wall clock shows then, if it is left alone."""
        return self.wall + timedelta(seconds=monotonic_s - self.monotonic_s)

    def monotonic_at(self, wall: datetime) -> float:
        return self.monotonic_s + (wall - self.wall).total_seconds()


@dataclass(frozen=True, slots=True)
class Due:
    """A due time that has come: to be probed now, or `missed`: ``late`` (ours) or ``overrun``. `at_s` is that instant
    on the monotonic clock, which alone tells how late we are."""

    target: Target
    due_at: datetime
    at_s: float
    missed: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What has come, oldest first, and how far the wall clock was set since the last look (0: it was left alone)."""

    due: tuple[Due, ...]
    step_s: float


@dataclass(frozen=True, slots=True)
class _Tick:
    at_s: float  # monotonic
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Plan:
    """The pending tick of a target, the one before it, and the offset of the clocks that it was planned with."""

    target: Target
    last: _Tick
    next: _Tick
    offset_s: float


def due_at(target: Target, now: datetime) -> datetime:
    """The latest tick of `target` at or before `now`. In whole milliseconds: a grid of floats would wander."""
    cadence = _cadence(target)
    phase = int.from_bytes(hashlib.sha256(target.name.encode()).digest()[:8]) % (cadence // _MS) * _MS
    return _EPOCH + (now - _EPOCH - phase) // cadence * cadence + phase


class Timetable:
    """The pending tick of every target. Each due time leaves it exactly once, through `look`."""

    def __init__(self, now: Moment) -> None:
        self._pending: list[tuple[float, str, _Plan]] = []  # a heap
        self._left: dict[str, datetime] = {}  # the latest due time of each target that was removed: it may come back
        self._seen_s = self._followed_s = now.offset_s

    def replace(self, targets: Sequence[Target], now: Moment) -> None:
        """New targets begin at their next grid time, removed ones end, the others go on; where the cadence of one
        changed its next tick is planned anew."""
        before = {name: plan for _, name, plan in self._pending}
        self._keep([self._adopted(target, before.pop(target.name, None), now) for target in targets])
        self._left |= {name: plan.last.due_at for name, plan in before.items()}

    def look(self, now: Moment, running: Container[str]) -> Look:
        """Everything that has come since the last look, `MOST_AT_ONCE` at most. Of several due times of one target,
        which only a stall of ours brings together, at most the last is still probed."""
        found: list[Due] = []
        while self._pending and self._pending[0][0] <= now.monotonic_s:
            if len(found) == MOST_AT_ONCE:
                return Look(tuple(found), 0.0)
            plan = self._pending[0][2]
            following = _next(plan.target, _came(plan, now), now)
            heapq.heapreplace(self._pending, _entry(following))
            missed = _missed(plan, following, now, running)
            found.append(Due(plan.target, following.last.due_at, plan.next.at_s, missed))
        return Look(tuple(found), self._follow(now))

    def next_s(self) -> float | None:
        """The monotonic instant of the next tick of all."""
        return self._pending[0][0] if self._pending else None

    def _adopted(self, target: Target, plan: _Plan | None, now: Moment) -> _Plan:
        if plan is None:
            latest = due_at(target, now.wall)
            left = self._left.pop(target.name, latest)
            return _next(target, _Tick(now.monotonic_at(latest), max(latest, left)), now)
        if plan.target.cadence_s == target.cadence_s or plan.next.at_s <= now.monotonic_s:  # what has come is due
            return replace(plan, target=target)
        last = plan.last
        if last.at_s + 1.5 * target.cadence_s < now.monotonic_s:  # so much shorter: as if half of one had passed
            last = replace(last, at_s=now.monotonic_s - target.cadence_s / 2)
        return _anew(target, last, now)

    def _follow(self, now: Moment) -> float:
        """Plan anew what a step of the wall clock, or drift over a long cadence, has displaced; the step in seconds."""
        step_s, self._seen_s = now.offset_s - self._seen_s, now.offset_s
        if abs(now.offset_s - self._followed_s) > STEP_S / 2:
            self._followed_s = now.offset_s
            self._keep([_followed(plan, now) for _, _, plan in self._pending])
        return step_s if abs(step_s) > STEP_S else 0.0

    def _keep(self, plans: Sequence[_Plan]) -> None:
        self._pending = [_entry(plan) for plan in plans]
        heapq.heapify(self._pending)


def _entry(plan: _Plan) -> tuple[float, str, _Plan]:
    return plan.next.at_s, plan.target.name, plan


def _came(plan: _Plan, now: Moment) -> _Tick:
    """The pending tick, which has come. Where the wall clock was set since it was planned, it is due at what that clock
    would have shown: nobody is an hour late because a clock went an hour forward."""
    if _displaced_s(plan, now) <= STEP_S:
        return plan.next
    return replace(plan.next, due_at=_after(plan.last, _whole_ms(now.wall_at(plan.next.at_s))))


def _missed(plan: _Plan, following: _Plan, now: Moment, running: Container[str]) -> str | None:
    if now.monotonic_s - plan.next.at_s > max(SHORTEST_GRACE_S, plan.target.cadence_s / 2):
        return "late"
    if plan.target.name in running:
        return "overrun"
    return "late" if following.next.at_s <= now.monotonic_s else None


def _followed(plan: _Plan, now: Moment) -> _Plan:
    return _anew(plan.target, plan.last, now) if _displaced_s(plan, now) > STEP_S / 2 else plan


def _displaced_s(plan: _Plan, now: Moment) -> float:
    return abs(now.offset_s - plan.offset_s)


def _next(target: Target, last: _Tick, now: Moment) -> _Plan:
    """The first grid time at least half a cadence after the last: the very next one, unless the clock moved."""
    return _plan(target, last, now, last.at_s + target.cadence_s / 2)


def _anew(target: Target, last: _Tick, now: Moment) -> _Plan:
    """The same, but nothing that lies in the past by the clock as it is now."""
    return _plan(target, last, now, max(now.monotonic_s, last.at_s + target.cadence_s / 2))


def _plan(target: Target, last: _Tick, now: Moment, earliest_s: float) -> _Plan:
    """The first grid time from `earliest_s` on. A clock that is set again and again must not put a tick off for ever:
    one and a half cadences after the last it comes, on the grid or not."""
    earliest = now.wall_at(earliest_s)
    due = due_at(target, earliest)
    if due < earliest:
        due += _cadence(target)
    at_s = now.monotonic_at(due)
    latest_s = last.at_s + 1.5 * target.cadence_s
    if at_s > latest_s + _HAIR_S:
        at_s, due = latest_s, _whole_ms(now.wall_at(latest_s))
    return _Plan(target, last, _Tick(at_s, _after(last, due)), now.offset_s)


def _after(last: _Tick, due: datetime) -> datetime:
    return max(due, last.due_at + _MS)


def _cadence(target: Target) -> timedelta:
    return round(target.cadence_s * 1000) * _MS


def _whole_ms(wall: datetime) -> datetime:
    return wall - timedelta(microseconds=wall.microsecond % 1000)
