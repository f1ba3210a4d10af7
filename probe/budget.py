"""What may be spent in a day (UTC): probes counted when they are sent, tokens as the server billed them. Pure.

Confirmations, siblings and replays may not use the last tenth: it is kept for the schedule. A clock that steps back
over midnight does not refill: the day of what was spent never goes backwards.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from probe.records import RequestKind, Usage

# One minimal request cannot cost more; a larger number in a reply is a broken or hostile one.
MOST_TOKENS_A_REPLY: Final = 10_000_000


class BudgetSpent(Exception):
    """The day's budget does not allow a request that was asked for beside the schedule."""


@dataclass(frozen=True, slots=True)
class Budget:
    probes_per_day: int
    tokens_per_day: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent and billed on `day`."""

    day: date
    probes: int = 0
    tokens: int = 0


def rolled(spent: Spent, now: datetime) -> Spent:
    """What is spent of the day of `now`: nothing yet where a new day began."""
    return Spent(now.date()) if now.date() > spent.day else spent


def stopped_by(budget: Budget, spent: Spent, now: datetime, kind: RequestKind) -> str | None:
    """``probes`` or ``tokens`` where another request of this kind would go over the day's budget; else None."""
    spent = rolled(spent, now)
    kept = 0.0 if kind is RequestKind.SCHEDULED else 0.1
    if spent.probes + 1 > budget.probes_per_day * (1 - kept):
        return "probes"
    if spent.tokens >= budget.tokens_per_day * (1 - kept):
        return "tokens"
    return None


def sent(spent: Spent, now: datetime) -> Spent:
    """With one more request on the wire."""
    spent = rolled(spent, now)
    return Spent(spent.day, spent.probes + 1, spent.tokens)


def used(spent: Spent, now: datetime, usage: Usage | None) -> Spent:
    """With what a reply says it cost; nothing where it says nothing sane."""
    if usage is None:
        return spent
    total = usage.total_tokens
    if total is None:
        total = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    if not 0 < total <= MOST_TOKENS_A_REPLY:
        return spent
    spent = rolled(spent, now)
    return Spent(spent.day, spent.probes, spent.tokens + total)


def refills_in_s(now: datetime) -> int:
    """Seconds until the next day (UTC), at least one."""
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    return max(1, round((tomorrow - now).total_seconds()))


def remaining(budget: Budget, spent: Spent, now: datetime) -> dict[str, int]:
    """What is left of the day, by kind; never below 0."""
    spent = rolled(spent, now)
    return {
        "probes": max(0, budget.probes_per_day - spent.probes),
        "tokens": max(0, budget.tokens_per_day - spent.tokens),
    }
