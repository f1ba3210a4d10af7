"""The configured secrets: taken out by literal, in every spelling, before any pattern could split one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import re2

from probe import literals

_MOST_BYTES: Final = 64 << 20
_MOST_TOGETHER: Final = 32  # more make one look slower than two


class Secrets:
    """As many of them in one look as RE2 has room for."""

    def __init__(self, values: frozenset[str]) -> None:
        longest_first = sorted(values, key=len, reverse=True)
        self._finders = tuple(literals.finder(value) for value in longest_first)
        self._looks = tuple(_looks(self._finders, longest_first, 0))

    def taken_out(self, text: str, note: Callable[[str, int], None]) -> str:
        for number in self._found(text):
            text, count = re2.compile(self._finders[number], _options()).subn("<configured_secret>", text)
            if count:  # none where it was a part of a longer one
                note("configured_secret", count)
        return text

    def _found(self, text: str) -> Iterator[int]:
        for first, many, together in self._looks:
            if together is not None:
                yield from sorted(first + number for number in together.Match(text) or ())
            else:
                yield from range(first, first + many)


def _looks(finders: Sequence[str], values: Sequence[str], first: int) -> Iterator[tuple[int, int, re2.Set | None]]:
    """Number of the first, how many, and what looks for them together; None where one alone is too long for that.

    RE2 does not say where it has no room: it then finds nothing, also of what is there. So each is tried on itself.
    """
    if not finders:
        return
    together = _together(finders) if len(finders) <= _MOST_TOGETHER else None
    if together is not None and all(n in (together.Match(value) or ()) for n, value in enumerate(values)):
        yield first, len(finders), together
    elif len(finders) == 1:
        yield first, 1, None
    else:
        half = len(finders) // 2
        yield from _looks(finders[:half], values[:half], first)
        yield from _looks(finders[half:], values[half:], first + half)


def _together(finders: Sequence[str]) -> re2.Set | None:
    together = re2.Set.SearchSet(_options())
    try:
        for finder in finders:
            together.Add(finder)
        together.Compile()
    except re2.error:
        return None
    return together


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MOST_BYTES
    options.log_errors = False
    return options
