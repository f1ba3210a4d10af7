"""The order of the rounds, from a seed. Pure."""

import random
from collections.abc import Iterator, Sequence

FIRST = ("kill", "clock")  # they end lives; what comes after them lives long enough for a curve of its memory
LAST = "everything"


def rounds(kinds: Sequence[str], chance: random.Random, *, kills: int) -> Iterator[str]:
    """First the kinds that kill, mixed; then each of the others in a new order, again and again, a storm at the end of
    each turn."""
    early = [kind for kind in kinds if kind in FIRST for _ in range(kills)]
    chance.shuffle(early)
    yield from early
    others = [kind for kind in kinds if kind not in FIRST and kind != LAST]
    while others:
        chance.shuffle(others)
        yield from others
        if LAST in kinds:
            yield LAST
