"""Which pod probes which target, where several share one configuration. Pure.

Rendezvous hashing: each shard draws a number for the target's name, and the highest draw owns it. So every pod finds
its own targets by itself, and one shard more or fewer moves only those that it takes or leaves, about 1 in so many.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count`, counted from 0."""

    index: int = 0
    count: int = 1

    @property
    def is_alone(self) -> bool:
        return self.count == 1

    def owns(self, target: str) -> bool:
        return owner(target, self.count) == self.index

    def words(self, owned: int, targets: int) -> str:
        """For people, who know the pod by its number."""
        return f"shard {self.index} (of {self.count}, counted from 0): {owned} of {targets} targets"


def owner(target: str, count: int) -> int:
    """The shard that probes a target, the same in every process and version."""
    return max(range(count), key=lambda index: (_draw(target, index), index))


def part(whole: int, ours: float, of_all: float) -> int:
    """Our part of a daily budget, by the rate of our targets: together the parts are not more than the whole, but that
    one of nothing would read as a budget that is spent."""
    return whole if ours == of_all else max(1, int(whole * ours / of_all))


def _draw(target: str, index: int) -> bytes:
    return hashlib.sha256(f"{index}\n{target}".encode()).digest()
