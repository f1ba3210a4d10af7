"""What follows a trip: the controls once more (is it us?), the packet at once, then confirmations and one probe of each
sibling target; what they show is the packet's first addendum.

Confirmations are paid requests between two ticks: only as far as they fit before the next tick, never on a quota, with
the provider's Retry-After honoured. A confirmation that our own shortened deadline cut off proves nothing and is not
counted. Siblings are asked by the leading packet of an incident only: 50 targets that fail at once are one question.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from probe.pong import Target
from probe.records import RequestKind, Result, Verdict

SIBLINGS_AT_ONCE = 8
MARGIN_S = 0.2  # a confirmation ends this long before the next tick
LONGEST_RETRY_AFTER_S = 3600.0

Attempt = Callable[[Target, RequestKind, str, datetime], Awaitable[Result | None]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tried:
    """`attempts` ran to their end; `stopped` says why there are not more."""

    attempts: tuple[Result, ...]
    stopped: str | None


@dataclass(frozen=True, slots=True)
class Time:
    """The wall clock for what is named by it, the monotonic one for how long there is, and waiting."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep


def next_tick_s(target: Target, subject: Result, monotonic_s: float) -> float:
    """When the tick after `subject`, which has just ended, comes on the monotonic clock."""
    took_s = subject.lateness_s + _took_s(subject)
    return monotonic_s + target.cadence_s - took_s


async def confirm(
    target: Target, subject: Result, verdict: Verdict, attempt: Attempt, before_s: float, clock: Time
) -> Tried:
    """Ask again, `confirm_attempts` times at most, each after the backoff, and all before the instant `before_s`."""
    if verdict is Verdict.QUOTA_OR_BILLING:
        return Tried((), "a quota is not asked again, which would use it up")
    done: list[Result] = []
    last = subject
    for number in range(1, target.freeze.confirm_attempts + 1):
        wait_s = max(target.freeze.confirm_backoff_s, retry_after_s(last.reading.retry_after, clock.now()))
        left_s = before_s - clock.monotonic() - MARGIN_S - wait_s
        if left_s <= 0:
            return Tried(tuple(done), "no time was left before the next tick")
        await clock.sleep(wait_s)
        timeout_s = min(target.timeout_s, left_s)
        result = await attempt(
            replace(target, timeout_s=timeout_s), RequestKind.CONFIRM, f"{subject.probe_id}-c{number}", clock.now()
        )
        if result is None:
            return Tried(tuple(done), "the last tenth of the budget is kept for the schedule")
        if timeout_s < target.timeout_s and _took_s(result) >= timeout_s * 0.95:
            return Tried(tuple(done), "it was cut off by the next tick before it had its full time")
        if result.verdict is Verdict.OK or result.verdict.is_failure:
            done.append(result)
        last = result
    return Tried(tuple(done), None)


async def ask_siblings(
    siblings: Sequence[Target], name: str, attempt: Attempt, now: Callable[[], datetime]
) -> tuple[Result, ...]:
    """One probe of each, a few at once; those that the budget allowed."""
    gate = asyncio.Semaphore(SIBLINGS_AT_ONCE)

    async def one(number: int, target: Target) -> Result | None:
        async with gate:
            return await attempt(target, RequestKind.SIBLING, f"{name}-s{number}", now())

    found = await asyncio.gather(*(one(number, target) for number, target in enumerate(siblings, start=1)))
    return tuple(result for result in found if result is not None)


def retry_after_s(stated: str | None, now: datetime) -> float:
    """Seconds to wait by a Retry-After header, which is seconds or a date; 0 where there is none or it is broken."""
    if stated is None:
        return 0.0
    text = stated.strip()
    if text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        until = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=now.tzinfo)
    except ValueError:
        return 0.0
    return min(max(0.0, (until - now).total_seconds()), LONGEST_RETRY_AFTER_S)


def _took_s(result: Result) -> float:
    return 0.0 if result.timings is None else result.timings.total_s
