"""A pattern is a row: what it is called, its form, where the form is stated, what it takes and what it leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2


@dataclass(frozen=True, slots=True)
class Pattern:
    """A row without hits and near misses cannot be written. Where it has a group, that is taken out and the
    rest stays."""

    name: str
    regex: str
    source: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    holds: Callable[[str], bool] | None = None  # a checksum that a value must also pass

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"pattern {self.name} needs hits and near misses")

    @property
    def compiled(self) -> Any:
        """Made when a text first needs it: most rows never do, and together they are five megabytes."""
        return _program(self.regex)


@cache
def _program(regex: str) -> Any:
    return re2.compile(regex)
