"""A pattern is a row: what it is called, its form, where the form is stated, what it takes and what it leaves."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"pattern {self.name} needs hits and near misses")
        object.__setattr__(self, "compiled", re2.compile(self.regex))
