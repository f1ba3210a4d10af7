"""Figures: medians, quantiles, and what is kept of a measured part."""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


def doubt(ours: Sequence[float], theirs: Sequence[float], draws: int = 200) -> float:
    """How far the ratio of two medians may be off by chance: two standard errors, by drawing the samples again."""
    chance = random.Random(0)
    ratios = [
        median(chance.choices(ours, k=len(ours))) / median(chance.choices(theirs, k=len(theirs))) for _ in range(draws)
    ]
    return 2 * statistics.stdev(ratios)


@dataclass(frozen=True, slots=True)
class Target:
    """One promise: what was measured, what it may be at most, in which unit."""

    what: str
    measured: float
    most: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.measured <= self.most


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bench: its promises, and rows to read (headings first)."""

    name: str
    says: str
    targets: tuple[Target, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    notes: tuple[str, ...] = field(default=())
