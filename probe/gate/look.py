"""One thing that the gate takes for a live secret, with what it must find and what it must let pass."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """`regex` is re2 over bytes; its first group, or all of it where it has none, is shown to `holds` with what stands
    before that in the match. `abroad`: it counts in a document that somebody else published as well."""

    name: str
    regex: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    holds: Callable[[str, str], bool]
    abroad: bool = False
