"""The readings of a text: as it stands and with its percent, JSON and HTML escapes undone, each with the way
back to the
place in the text."""

import html
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import re2

MOST_ROUNDS: Final = 4
_ESCAPE: Final = re2.compile(
    r"(?:%[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[nrtbf\"'/\\]"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|nbsp|commat|colon|equals|sol|lowbar|plus);"
)
_SIGNS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class View:
    """A reading of a text. `starts` and `sources` are the seams: from there on both run alike, or `widths` says
    how many
    characters of the source one sign takes."""

    text: str
    starts: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    before: "View | None" = None

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where in the first text this part of the reading comes from."""
        if self.before is None:
            return start, end
        return self.before.source(self._at(start)[0], self._at(end - 1)[1])

    def _at(self, place: int) -> tuple[int, int]:
        seam = bisect_right(self.starts, place) - 1
        width = self.widths[seam]
        at = self.sources[seam] + (place - self.starts[seam]) * width
        return at, at + width


def views(text: str) -> Iterator[View]:
    """The text and what undoing its escapes makes of it, once and again; the last may still hold escapes."""
    view = View(text)
    yield view
    for _ in range(MOST_ROUNDS):
        further = _undone(view)
        if further is None:
            return
        view = further
        yield view


def escaped(text: str) -> bool:
    """Whether undoing escapes would still make another text of it."""
    return _undone(View(text)) is not None


def _undone(view: View) -> View | None:
    text = view.text
    if "%" not in text and "\\" not in text and "&" not in text:
        return None
    pieces: list[str] = []
    starts: list[int] = [0]
    sources: list[int] = [0]
    widths: list[int] = [1]
    at = length = 0
    for found in _ESCAPE.finditer(text):
        begin, end = found.span()
        pieces.append(text[at:begin])
        length += begin - at
        place = begin
        for sign, width in _signs(text[begin:end]):
            starts.append(length)
            sources.append(place)
            widths.append(width)
            pieces.append(sign)
            length += 1
            place += width
        starts.append(length)
        sources.append(end)
        widths.append(1)
        at = end
    if not at:
        return None
    pieces.append(text[at:])
    return View("".join(pieces), tuple(starts), tuple(sources), tuple(widths), view)


def _signs(escape: str) -> list[tuple[str, int]]:
    """Each sign that an escape stands for and how many characters it takes in the source."""
    if escape[0] == "%":
        data = bytes.fromhex(escape.replace("%", ""))
        try:
            return [(sign, 3 * len(sign.encode())) for sign in data.decode()]
        except UnicodeDecodeError:
            return [(chr(byte), 3) for byte in data]
    if escape[0] == "&":
        return [(html.unescape(escape)[:1] or " ", len(escape))]
    if escape[1] == "u":
        units = [int(unit, 16) for unit in escape.split("\\u")[1:]]
        signs = b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", "replace")
        return [(sign, 12 if ord(sign) > 0xFFFF else 6) for sign in signs]
    if escape[1] == "x":
        return [(chr(int(escape[2:], 16)), 4)]
    return [(_SIGNS.get(escape[1], escape[1]), 2)]
