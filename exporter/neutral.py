"""Text that others wrote, made harmless for a terminal and for a line of the log: it can move no cursor, set no title,
turn no line around and begin no line of its own. Pure."""

import json
import unicodedata
from collections.abc import Callable
from typing import Final

# Controls, formats (bidirectional overrides among them), lone surrogates, line and paragraph separators.
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_ALLOWED: Final = "\n\t"


def neutral(text: str) -> str:
    """For people: lines and tabs stay, everything else that a terminal could obey becomes a visible mark."""
    return _mapped(text, _ALLOWED, lambda _: "\ufffd")


def escaped(text: str, allowed: str = "") -> str:
    """For machines: the same characters as JSON spells them, so that a value inside a JSON string stays the same."""
    return _mapped(text, allowed, lambda char: json.dumps(char)[1:-1])


def document(text: str) -> str:
    """A JSON text as it is, but for such characters inside its strings."""
    return escaped(text, _ALLOWED)


def _mapped(text: str, allowed: str, replace: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        replace(char) if unicodedata.category(char) in _OBEYED and char not in allowed else char for char in text
    )
