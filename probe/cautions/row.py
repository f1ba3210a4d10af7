"""A row of what not to send: its kind, the words that give it away, what takes a warning back, and examples of both.

Patterns are re2 (linear time), case-insensitive; `excused` is looked for in the same sentence, in `ANYWHERE` rows in
the whole text. A hit quotes no more than the pattern's own words: rows match no names, values or contents of others.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

import re2

OWN_WORDS: Final = "own words"  # a sentence, without what stands in quotes: that is what somebody else said
SENTENCE: Final = "sentence"
ANYWHERE: Final = "anywhere"


class CautionKind(StrEnum):
    LIVE_TOKEN = "live_token"  # noqa: S105 - the name of a kind
    PRODUCTION_PROMPT = "production_prompt"
    TRANSCRIPT = "transcript"
    SCREENSHOT = "screenshot"
    ROOT_CAUSE = "root_cause"
    UNSOURCED_CLAIM = "unsourced_claim"


@dataclass(frozen=True, slots=True)
class Row:
    """A row without hits and near misses cannot be written; each line of the pattern is one idea, shown by a hit."""

    name: str
    kind: CautionKind
    where: str
    lines: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    excused: str = ""

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"row {self.name!r} needs examples: hits and near misses")

    def compiled(self, *lines: str) -> Any:
        """These lines of the row as one program."""
        return _program(f"(?im){'|'.join(lines)}")

    def found(self, text: str) -> str | None:
        """The words that give it away; None: nothing does, or it is taken back."""
        match = self.compiled(*self.lines).search(text)
        if match is None or (self.excused and self.compiled(self.excused).search(text)):
            return None
        return " ".join(match.group().split())


@cache
def _program(pattern: str) -> Any:
    """Made when a text first needs it: while all is well no row does."""
    return re2.compile(pattern)
