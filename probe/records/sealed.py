"""Redaction as a type."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar, final

import re2

T = TypeVar("T")

# What redaction leaves in the place of a value. Its name is ours: whoever reads a sealed text for the server's words
# passes over it.
TOKEN: Final = re2.compile(
    r"<(?:[a-z][a-z_]{0,30}:[0-9a-f]{6}|redacted|configured_secret|dropped: redaction failed"
    r"|dropped: it held a configured secret|dropped: it looked like a live secret)>"
)


@dataclass(frozen=True, slots=True)
class Removal:
    """One line of the redaction report: what kind of thing was taken out, where, how often; never the value."""

    rule: str
    place: str
    count: int


_SEAL: Final = object()  # only probe.redact may pass it (a test holds that)


@final
class Sealed(Generic[T]):
    """A value that went through redaction. History, vault, log and pages accept nothing else."""

    __slots__ = ("_removals", "_value")

    def __init__(self, value: T, removals: tuple[Removal, ...], seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only probe.redact makes a Sealed")
        self._value = value
        self._removals = removals

    @property
    def value(self) -> T:
        return self._value

    @property
    def removals(self) -> tuple[Removal, ...]:
        return self._removals

    def __repr__(self) -> str:
        return f"Sealed({type(self._value).__name__})"
