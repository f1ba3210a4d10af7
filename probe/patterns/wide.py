"""A form of a pattern that finds at least as much and needs a fraction of the memory: what looks for all at once asks
only which rows are worth a look of their own.

The letters and numbers of all scripts are some hundred ranges; four patterns with a few classes of them are most of the
program. Here every sign beyond ASCII is taken for one. RE2 has no look-around, so a wider class finds no less.
"""

import re
from typing import Final

_BEYOND_ASCII: Final = r"\x{80}-\x{10FFFF}"
_WIDER: Final = {
    r"\p{Lu}": "A-Z" + _BEYOND_ASCII,
    r"\pL": "A-Za-z" + _BEYOND_ASCII,
    r"\pN": "0-9" + _BEYOND_ASCII,
}
# An escape, the beginning of a class (a bracket that comes first in it is a sign), any other sign.
_PARTS: Final = re.compile(r"\\p\{[^}]*\}|\\[pP].|\\.|\[\^?\]?|.", re.DOTALL)


def widened(regex: str) -> str:
    """The pattern with `\\p{Lu}`, `\\pL` and `\\pN` widened, except where a class excludes them."""
    out: list[str] = []
    opened = ""  # how the class began that we are in
    for part in _PARTS.findall(regex):
        if not opened and part.startswith("["):
            opened = part
        elif opened and part.endswith("]") and not part.startswith("\\"):
            opened = ""
        elif part in _WIDER and not opened.startswith("[^"):
            part = _WIDER[part] if opened else f"[{_WIDER[part]}]"
        out.append(part)
    return "".join(out)
