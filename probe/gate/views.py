"""Every reading of a file's bytes: as they stand, and with each encoding undone that a reader would undo.

A view keeps the line breaks of the file and makes none of its own (an escaped one becomes a form feed), so that the
line of what is found in it is the line of the file. Each is made in one pass and is no longer than the file, decoded
runs four times at most: the cost is linear.
"""

import base64
import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_JSON: Final = rb"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\"'\\/nrtfb])"
_PERCENT: Final = rb"%[0-9a-fA-F]{2}"
_HTML: Final = rb"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,30};)"
_MOST_ROUNDS: Final = 5  # escapes within escapes; redaction drops what is nested deeper
_MOST_NESTED: Final = 3
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX: Final = re.compile(rb"[0-9a-fA-F]{16,}")
_FOLD: Final = re.compile(rb"(?<=[A-Za-z0-9+/_.-]{8})[\\=]?\r?[\n\f][> \t]*(?=[A-Za-z0-9+/_.-]{4})")
# What an event stream says piece by piece.
_PIECE: Final = re.compile(
    rb'"(?:content|text|delta|arguments|reasoning|reasoning_content|refusal|partial_json|thinking)"[ ]?:[ ]?'
    rb'"((?:[^"\\\n]|\\.)*)"'
)
_BEGINS: Final = re.compile(rb"[A-Za-z]{2,4}[-_]")
_FEWEST_PIECES: Final = 2
_SIMPLE: Final = {b"\\n": b"\f", b"\\r": b"\f", b"\\t": b"\t", b"\\f": b"\f", b"\\b": b"", b"\n": b"\f", b"\r": b"\f"}


@dataclass(frozen=True, slots=True)
class View:
    """One reading. `lines` says where in it which line of the file begins; None where its own breaks are the file's."""

    name: str
    data: bytes
    lines: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def line(self, at: int) -> int:
        if self.lines is None:
            return self.data.count(b"\n", 0, at) + 1
        starts, numbers = self.lines
        return numbers[max(0, bisect_right(starts, at) - 1)]


def views(data: bytes) -> Iterator[View]:
    """The readings of a file, the plain one first; one that would be the same as another is left out."""
    plain = View("plain text", data)
    yield plain
    seen = {data}
    whole = plain
    for name, view in _unescaped(data):
        if view not in seen:
            seen.add(view)
            whole = View(name, view)
            yield whole
    joined = _joined(whole)
    yield from joined
    folded = _folded(whole)
    if folded is not None:
        yield folded
    bases = [plain, *joined[:1], *([] if whole is plain else [whole]), *([] if folded is None else [folded])]
    known: set[tuple[str, bytes]] = set()
    for base in bases:
        yield from _decoded(base, known, 1)


def without_white_space(view: View) -> View:
    """The same with nothing between its words: how a configured secret may be broken over lines."""
    lines = view.data.split(b"\n")
    return _pieces("text without white space", ((b"".join(line.split()), n) for n, line in enumerate(lines, 1)), b"")


def _unescaped(data: bytes) -> Iterator[tuple[str, bytes]]:
    if b"\\" in data:
        once = _JSON_ONLY.sub(_plain, data)
        yield "JSON escapes", once
        yield "JSON escapes twice", _JSON_ONLY.sub(_plain, once)
    if b"%" in data:
        yield "percent-encoding", _PERCENT_ONLY.sub(_plain, data)
    if b"&" in data:
        yield "HTML", _HTML_ONLY.sub(_plain, data)
    for _ in range(_MOST_ROUNDS):
        before, data = data, _ANY.sub(_plain, data)
        if data == before:
            return
        yield "JSON, percent and HTML", data


_JSON_ONLY: Final = re.compile(_JSON)
_PERCENT_ONLY: Final = re.compile(_PERCENT)
_HTML_ONLY: Final = re.compile(_HTML)
_ANY: Final = re.compile(b"|".join((_JSON, _PERCENT, _HTML)))


def _plain(found: re.Match[bytes]) -> bytes:
    """What an escape stands for."""
    escape = found.group()
    simple = _SIMPLE.get(escape)
    if simple is not None:
        return simple
    match escape[:2]:
        case b"\\u" | b"\\x":
            sign = _sign(int(escape[2:], 16))
        case b"&#":
            digits = escape[2:].rstrip(b";")
            sign = _sign(int(digits[1:], 16) if digits[:1] in b"xX" else int(digits))
        case two if two[:1] == b"\\":
            return two[1:]
        case two if two[:1] == b"%":
            sign = bytes((int(escape[1:], 16),))
        case _:
            sign = html.unescape(escape.decode()).encode()
    return _SIMPLE.get(sign, sign)


def _sign(code: int) -> bytes:
    return chr(code).encode("utf-8", "replace") if code <= 0x10FFFF else b"?"


def _joined(view: View) -> list[View]:
    """What the events of a stream say when their pieces are put together; once more with a gap before each piece that
    begins as a key does, which is no part of the word before it."""
    if b"data:" not in view.data:
        return []
    found = [(piece[1], piece.start()) for piece in _PIECE.finditer(view.data)]
    if len(found) < _FEWEST_PIECES:
        return []
    apart = [(b"\f" + piece if _BEGINS.match(piece) else piece, at) for piece, at in found]
    name = "the pieces of an event stream"
    return [_pieces(name, _numbered(view, each), b"") for each in (found, apart)]


def _folded(view: View) -> View | None:
    """Words that were broken over lines, in one; a line of the view stands for the first of the lines."""
    rest, out, at, line = view.data, [], 0, 1
    for fold in _FOLD.finditer(rest):
        kept = rest[at : fold.start()]
        out.append((kept, line))
        line += kept.count(b"\n") + fold.group().count(b"\n")
        at = fold.end()
    if not out:
        return None
    out.append((rest[at:], line))
    return _pieces("lines put together", ((part, n) for text, n in out for part, n in _by_line(text, n)), b"")


def _by_line(text: bytes, first: int) -> Iterator[tuple[bytes, int]]:
    for number, part in enumerate(text.splitlines(keepends=True), first):
        yield part, number


def _decoded(view: View, known: set[tuple[str, bytes]], depth: int) -> Iterator[View]:
    """Runs that may be base64 or hex, decoded, with what is encoded in them in turn; those that are known are not
    decoded once more."""
    for name, run, decode in (("base64", _RUN, _base64), ("hex", _HEX, _hex)):
        fresh = [at for at in run.finditer(view.data) if (name, at.group()) not in known]
        known.update((name, at.group()) for at in fresh)
        runs = [(piece, at.start()) for at in fresh for piece in decode(at.group())]
        if not runs:
            continue
        inner = _pieces(f"{name}" if depth == 1 else f"{name} in it", _numbered(view, runs), b"\f")
        yield inner
        plain = _ANY.sub(_plain, _ANY.sub(_plain, inner.data)) if _ANY.search(inner.data) else inner.data
        if len(plain) != len(inner.data):
            numbered = ((_ANY.sub(_plain, _ANY.sub(_plain, piece)), line) for piece, line in _numbered(view, runs))
            yield _pieces(f"{name}, then unescaped", numbered, b"\f")
        if depth < _MOST_NESTED:
            yield from _decoded(inner, known, depth + 1)


def _numbered(view: View, found: list[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Each piece with the line of the file that it stands in; places come in order."""
    at, line = 0, 1
    for piece, place in found:
        if view.lines is None:
            line += view.data.count(b"\n", at, place)
            at = place
            yield piece, line
        else:
            yield piece, view.line(place)


def _pieces(name: str, pieces: Iterator[tuple[bytes, int]], between: bytes) -> View:
    out: list[bytes] = []
    starts: list[int] = []
    numbers: list[int] = []
    at = 0
    for piece, line in pieces:
        out.append(piece)
        if not numbers or numbers[-1] != line:
            starts.append(at)
            numbers.append(line)
        at += len(piece) + len(between)
    return View(name, between.join(out), (tuple(starts), tuple(numbers)))


def _base64(run: bytes) -> Iterator[bytes]:
    plain = run.replace(b"-", b"+").replace(b"_", b"/")
    for offset in range(4):  # a run may begin with other characters of the alphabet
        part = plain[offset:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + b"=" * (-len(part) % 4))


def _hex(run: bytes) -> Iterator[bytes]:
    for offset in range(2):
        part = run[offset:]
        yield bytes.fromhex(part[: len(part) // 2 * 2].decode())
