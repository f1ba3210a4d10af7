"""The latest facts that gauges are read from: one of each kind per target, and how long a result speaks for now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from probe.contract import Contract
from probe.pong import Target
from probe.records import BudgetChanged, Listing, Result, Verdict, WindowChanged
from probe.watch import AreaSeen

# Without a result for this many cadences a target's last result says nothing about now.
STALE_CADENCES: Final = 2


@dataclass(frozen=True, slots=True)
class LatestPacket:
    packet_id: str
    verdict: Verdict
    frozen_at: datetime


@dataclass(slots=True)
class Latest:
    """The latest facts, replaced one by one by `metrics`; a scrape on another thread reads what is there."""

    version: str
    budget: Mapping[str, int]
    targets: tuple[Target, ...] = ()
    contracts: tuple[Contract, ...] = ()
    config_loaded_at: datetime | None = None
    state_since_s: float | None = None
    reload_succeeded: bool = True  # the start is the first load
    canary_holds: bool | None = None
    budget_left: BudgetChanged | None = None
    spooled: int | None = None
    store_failed: tuple[datetime, str] | None = None  # when it last did, and at which operation
    results: dict[str, Result] = field(default_factory=dict)
    windows: dict[str, WindowChanged] = field(default_factory=dict)
    packets: dict[str, LatestPacket] = field(default_factory=dict)
    quotas: dict[str, Result] = field(default_factory=dict)
    controls: dict[str, bool] = field(default_factory=dict)
    listings: Callable[[], Mapping[tuple[str, str], Listing]] = dict
    areas: Callable[[], Mapping[tuple[str, str], AreaSeen]] = dict

    def forget(self, target: str) -> None:
        for facts in (self.results, self.windows, self.packets, self.quotas):
            facts.pop(target, None)


def is_fresh(target: Target, result: Result, now: datetime) -> bool:
    return now - result.ended_at <= timedelta(seconds=STALE_CADENCES * target.cadence_s)
