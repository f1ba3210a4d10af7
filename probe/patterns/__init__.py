"""What is taken out of text by its form: a row a pattern, in families, found together in one pass."""

from typing import Final

import re2

from probe.patterns import credentials, personal, places, spoken
from probe.patterns.row import Pattern
from probe.patterns.wide import widened

__all__ = ["PATTERNS", "SYNTHETIC_PROMPTS", "Pattern", "present"]

# The project's own prompts: evidence, not somebody's text.
SYNTHETIC_PROMPTS: Final = (
    "Return the word pong. This is a sanitized incident reproduction.",
    "Return the word pong.",
    "Reply with exactly: pong",
)

# Credentials first: where two rows take the same text, the first one names it.
PATTERNS: Final = (*credentials.ROWS, *places.ROWS, *personal.ROWS, *spoken.ROWS)


def _all() -> re2.Set:
    options = re2.Options()
    # Room for what is learned from texts, up to which a hostile server can make it grow. A fifth of it would do.
    options.max_mem = 32 << 20
    options.log_errors = False
    together = re2.Set.SearchSet(options)
    for pattern in PATTERNS:
        together.Add(widened(pattern.regex))
    together.Compile()
    return together


_TOGETHER: Final = _all()


def present(text: str) -> list[Pattern]:
    """The rows that may find something in the text, in their order."""
    return [PATTERNS[number] for number in sorted(_TOGETHER.Match(text) or ())]
