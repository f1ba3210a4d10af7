"""What two answers look like beside each other, and line by line: bounded, whatever a server sent. Pure."""

import difflib
from dataclasses import dataclass
from typing import Final

import orjson

from probe.records import Json

MOST_SHOWN: Final = 4_000  # characters of a body on the page; the whole of it is in the packet's files
MOST_PARSED: Final = 64 * 1024
MOST_LINES: Final = 160  # compared: the worst case grows with the cube; at this size it was measured at 13 ms
MOST_LINE: Final = 240
CONTEXT: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """`sign` is - (in the last good one only), + (in the failing one only), a blank (in both) or @ (lines left out)."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """`is_cut` where only the beginning of the bodies was compared."""

    lines: tuple[Line, ...]
    is_cut: bool


def excerpt(text: str, most: int = MOST_SHOWN) -> str:
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}\n[cut here: {left} more characters in packet.json]"


def diff(good: Json | None, failing: Json | None) -> Diff | None:
    """From the body of the last good answer to that of the failing one; None where one of them has no body."""
    before, after = _body(good), _body(failing)
    if not before or not after:
        return None
    (old, old_cut), (new, new_cut) = _lines(before), _lines(after)
    return Diff(tuple(_changes(old, new)), old_cut or new_cut)


def _body(exchange: Json | None) -> str:
    reply = (exchange or {}).get("reply") or {}
    return str(reply.get("body") or "")


def _lines(body: str) -> tuple[list[str], bool]:
    """Its first lines, of JSON that is small enough those of its indented form."""
    text = body
    if len(body) <= MOST_PARSED:
        try:
            text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
            text = body
    lines = text[: MOST_LINES * MOST_LINE].splitlines()
    is_cut = len(text) > MOST_LINES * MOST_LINE or len(lines) > MOST_LINES or any(len(it) > MOST_LINE for it in lines)
    return [it if len(it) <= MOST_LINE else f"{it[:MOST_LINE]} ..." for it in lines[:MOST_LINES]], is_cut


def _changes(old: list[str], new: list[str]) -> list[Line]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lines: list[Line] = []
    shown = 0  # of `old`
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if left_out := group[0][1] - shown:
            lines.append(Line("@", f"{left_out} equal lines"))
        for kind, old_from, old_to, new_from, new_to in group:
            if kind == "equal":
                lines += [Line(" ", text) for text in old[old_from:old_to]]
            else:
                lines += [Line("-", text) for text in old[old_from:old_to]]
                lines += [Line("+", text) for text in new[new_from:new_to]]
        shown = group[-1][2]
    if lines and (left_out := len(old) - shown):
        lines.append(Line("@", f"{left_out} equal lines"))
    return lines
