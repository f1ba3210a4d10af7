"""Whether a run of signs was made by chance, as keys are, or stands for one in an example."""

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

LEAST_BITS: Final = 2.9  # of Shannon's entropy a sign: 16 signs of base64 have 3.6 or more, 32 of hex 3.2 or more
LEAST_TURNS: Final = 0.16  # of neighbours that are of different sorts: by chance 0.45 and more, in names 0.1
_SORTS: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "a" * 26 + "A" * 26 + "0" * 10
)
_STANDS_FOR: Final = re.compile(
    r"(?i)example|place.?holder|(?:^|[-_. /])(?:your|(?:my|not[-_]a)[-_. ])|x{4}|0{6}|\*{3}|\.{3}|…|redacted|dummy"
    r"|sample|change.?me|(?:secret|api)[-_]key|token[-_]here|[-_]here\b|^[<$%\[{]|[$%{][({]|%s"
)
_WORD: Final = re.compile(r"[A-Z]?[a-z]{3,}")  # by chance they cover a third of letters, in names nearly all
_LONGEST_SHOWN: Final = 120  # a longer run may hold one of these words by chance


def entropy_bits(text: str) -> float:
    """Shannon's, a sign."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if text else 0.0


def stands_for_one(text: str) -> bool:
    """Whether it says itself that it is no key: a word, few signs, the alphabet."""
    if len(text) <= _LONGEST_SHOWN and _STANDS_FOR.search(text):
        return True
    return len(set(text)) < 6 or _in_order(text) * 2 >= len(text)


def random(text: str, least: int) -> bool:
    """Whether at least that many signs of it look drawn by chance."""
    core = text.strip("=.,;:-_/")
    if len(core) < least or stands_for_one(core):
        return False
    sorts = core.translate(_SORTS)
    if sum(len(word) for word in _WORD.findall(core)) * 5 >= len(core) * 4:
        return False
    turns = sum(a != b and a in "aA0" and b in "aA0" for a, b in pairwise(sorts))
    if turns < LEAST_TURNS * len(core):
        return False
    return len(set(sorts) & set("aA0")) > 1 and entropy_bits(core) >= LEAST_BITS


def worded(text: str, least: int) -> bool:
    """Whether it could be a password: signs of two sorts or more, and not one that stands for another."""
    sorts = set(text.translate(_SORTS)) & set("aA0")
    return len(text) >= least and len(sorts) > 1 and "0" in sorts and not stands_for_one(text)


def _in_order(text: str) -> int:
    """How many signs stand in runs of four or more that count up, down or repeat."""
    total, run, before = 0, 1, 2
    for a, b in pairwise(text):
        step = ord(b) - ord(a)
        if step == before and -1 <= step <= 1:
            run += 1
        else:
            total += run if run >= 4 else 0
            run, before = (2, step) if -1 <= step <= 1 else (1, 2)
    return total + (run if run >= 4 else 0)
