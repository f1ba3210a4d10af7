"""How we are ourselves: what tells whether to believe the rest of the status page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from exporter.answers import age, utc
from exporter.latest import Latest
from probe.budget import refills_in_s

LATE_S: Final = 1.0  # a probe that starts later, or a loop that is held longer, makes our times doubtful
STORE_TROUBLE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about us. `is_good` is None where it is not known or is neither."""

    name: str
    words: str
    is_good: bool | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What went of the day's budget of one kind; `used` is None before the first request."""

    kind: str
    used: int | None
    limit: int

    @property
    def share(self) -> float:
        return 0.0 if not self.used or not self.limit else min(1.0, self.used / self.limit)


def budget(latest: Latest, now: datetime) -> tuple[list[Spent], str]:
    """Today's spending by kind, and when the day ends."""
    left = latest.budget_left
    rest = {} if left is None else {"probes": left.probes, "tokens": left.tokens}
    rows = [
        Spent(kind, None if kind not in rest else max(0, limit - rest[kind]), limit)
        for kind, limit in latest.budget.items()
    ]
    return rows, age(refills_in_s(now))


def health(latest: Latest, late: float | None, lag: float | None, now: datetime) -> list[Fact]:
    """`late` and `lag` are the worst of the recent probes, in seconds."""
    return list(_facts(latest, late, lag, now))


def _facts(latest: Latest, late: float | None, lag: float | None, now: datetime) -> Iterator[Fact]:
    yield Fact("Probes start", "not known yet" if late is None else f"at most {late:.3f} s late", _below(late))
    yield Fact("Own delay", "not known yet" if lag is None else f"at most {lag:.3f} s in a probe", _below(lag))
    yield _store(latest, now)
    waiting = latest.spooled
    words = {None: "not known yet", 0: "nothing waits"}.get(waiting, f"{waiting} wait for the store")
    yield Fact("Spool", words, None if waiting is None else waiting == 0)
    canary = {None: "not known yet", True: "a planted secret was taken out", False: "failed: no packet is written"}
    yield Fact("Redaction", canary[latest.canary_holds], latest.canary_holds)
    loaded = latest.config_loaded_at
    since = "" if loaded is None else f", in use since {utc(loaded)}"
    held = "the last one held" if latest.reload_succeeded else "the last change did not hold: see the log"
    yield Fact("Configuration", held + since, latest.reload_succeeded)
    yield Fact("Version", latest.version, None)


def _store(latest: Latest, now: datetime) -> Fact:
    if latest.store_failed is None:
        return Fact("Store", "no failure since the start", True)
    at, operation = latest.store_failed
    words = f"{operation} last failed {age((now - at).total_seconds())} ago"
    return Fact("Store", words, now - at > STORE_TROUBLE)


def _below(seconds: float | None) -> bool | None:
    return None if seconds is None else seconds < LATE_S
