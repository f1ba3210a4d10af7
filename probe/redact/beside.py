"""What the request of an exchange tells of the rest: the values that its answer and the notes on it may repeat."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from probe.patterns import SYNTHETIC_PROMPTS
from probe.records import Headers
from probe.redact.names import meaning
from probe.redact.pairs import ordinary
from probe.redact.walk import parsed, pong

_SHORTEST: Final = 12
_MOST_VALUES: Final = 24
_LONGEST_CHARS: Final = 1024
_ROUTINE: Final = ("model", "role", "type", "object", "id")


@dataclass(frozen=True, slots=True)
class Beside:
    """Values with their kinds, and whether somebody else's words were sent."""

    values: tuple[tuple[str, str], ...] = ()
    strange: bool = False

    def and_(self, other: "Beside") -> "Beside":
        return Beside((*self.values, *other.values)[:_MOST_VALUES], self.strange or other.strange)


def in_headers(headers: Headers) -> Beside:
    values: dict[str, str] = {}
    for name, value in headers:
        if meaning(name).sort in ("secret", "code"):
            last = value.split(" ")[-1].strip()
            if len(last) >= _SHORTEST and not ordinary(last):
                values[last[:_LONGEST_CHARS]] = "credential"
    return Beside(tuple(values.items()))


def in_body(body: str) -> Beside:
    values: dict[str, str] = {}
    strange = False
    for key, text in _words(parsed(body), "", 0):
        if text in SYNTHETIC_PROMPTS or pong(text) or text.startswith("<"):
            continue
        if key in ("content", "text") or meaning(key).sort == "prompt":
            strange = True
        if len(text) >= _SHORTEST and key not in _ROUTINE and (" " in text or not text.isascii() or meaning(key).sort):
            values[text[:_LONGEST_CHARS]] = "prompt" if " " in text else "credential"
        if len(values) >= _MOST_VALUES:
            break
    return Beside(tuple(values.items()), strange)


def _words(value: Any, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 12:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _words(inner, name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner, key, depth + 1)
    elif isinstance(value, str):
        yield key, value
