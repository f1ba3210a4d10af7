"""Where in a text something stands that must go: by form, by the name before it, by chance, in every reading."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import re2

from probe.patterns import PATTERNS, Pattern, present
from probe.records.sealed import TOKEN
from probe.redact import chance
from probe.redact.pairs import labelled, pairs
from probe.redact.views import MOST_ROUNDS, escaped, views

About = Literal["", "id", "digest"]

_KNOWN_PIECE_CHARS: Final = 12
_LONGEST_LINE_CHARS: Final = 256
_RANK: Final = {pattern.name: rank for rank, pattern in reversed(list(enumerate(PATTERNS)))}
_BY_NAME_RANK: Final = 1000
_BY_CHANCE_RANK: Final = 2000
# What in an ID looks like a number of somebody is part of the ID.
_NUMBERS: Final = frozenset(
    ("card", "phone", "device", "national_id", "vehicle", "wallet", "customer_number", "license_key", "account_id")
)
_DIGEST_BEFORE: Final = re2.compile(
    r"(?i)(?:sha-?[0-9]{1,3}|md5|digest|hash|etag|commit|revision|checksum|integrity|fingerprint|snapshot"
    r"|git)(?: (?:id|sha))?"
    r"[^A-Za-z0-9\n]{0,8}(?:(?:hex|base64|is|of)[^A-Za-z0-9\n]{0,4})?$"
)
_ID_BEFORE: Final = re2.compile(
    r"(?i)(?:(?:request|trace|span|ray|correlation|completion|generation|case|ticket|run|job|message|event|batch"
    r"|response|log|operation"
    r"|transaction|call|thread|conversation)[ _-]?id|trace|completion|generation|traceparent|root|请求"
    r"|request)[\"'`]?\s*[:=：(#]?\s*(?:<[^<>]*>)?[\"'`(]{0,2}$"
)
_COUNTED: Final = re2.compile(r" ?(?:requests|tokens|bytes|ms|ns|us|rows|calls|chars|characters|seconds|s)\b")
_DIGEST_PREFIX: Final = re2.compile(r"(?i)^(?:sha-?[0-9]{1,3}|md5)[-:=]")
_PRODUCT_BEFORE: Final = re2.compile(r"[A-Za-z]/$")
_FOLDED_REST: Final = re2.compile(r"(?:\\|=)?\r?\n[> \t]*([A-Za-z0-9+/=_-]{5,})(?:\\?\r?\n|$)")


class Span(NamedTuple):
    """A part of the source, what it is, and what it reads as."""

    start: int
    end: int
    kind: str
    value: str
    rank: int


class InDoubtError(Exception):
    """A text that cannot be read to its end: it goes whole. The rule says why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def find(text: str, about: About, known: Sequence[tuple[str, str]], trusted: Sequence[str]) -> list[Span]:
    """What must go, without overlaps, in order. `known` are values found elsewhere in the exchange, with their
    kinds."""
    spans: list[Span] = []
    rounds = 0
    for view in views(text):
        rounds += 1
        read = _without_tokens(view.text)
        for start, found, kind, rank in _in(read, about, known):
            value = view.text[start:found].rstrip(".")  # the full stop is its sentence's
            end = start + len(value)
            if any(value in kept for kept in trusted) or "\x00" in read[start:end]:
                continue
            spans.append(Span(*view.source(start, end), kind, value, rank))
    if rounds > MOST_ROUNDS and escaped(view.text):
        raise InDoubtError("dropped_encoded_too_deep")
    return _merged(spans) if len(spans) > 1 else spans


def _without_tokens(text: str) -> str:
    """Tokens are walls: nothing is found in them or over them."""
    return TOKEN.sub(lambda found: "\x00" * len(found.group()), text) if "<" in text else text


def _in(text: str, about: About, known: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str, int]]:
    for pattern in present(text):
        if about and pattern.name in _NUMBERS:
            continue
        for start, end in _formed(pattern, text):
            yield start, end, pattern.name, _RANK[pattern.name]
    if "=" in text or ":" in text or "：" in text or "＝" in text:
        for start, end, kind in pairs(text):
            yield start, end, kind, _BY_NAME_RANK
    if "</" in text or "<input" in text or "<meta" in text:
        for start, end, kind in labelled(text):
            yield start, end, kind, _BY_NAME_RANK
    if len(text) >= chance.SHORTEST_RUN:
        for start, end in _random(text, about):
            yield start, end, "credential", _BY_CHANCE_RANK
    for value, kind in known:
        for start, end in _shared(text, value):
            yield start, end, kind, _BY_NAME_RANK


def _formed(pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
    groups = pattern.compiled.groups
    for found in pattern.compiled.finditer(text):
        group = next((number for number in range(1, groups + 1) if found.group(number) is not None), 0)
        start, end = found.span(group)
        value = text[start:end]
        if pattern.holds is not None and not pattern.holds(value):
            continue
        if (
            pattern.name == "ip"
            and _PRODUCT_BEFORE.search(text[max(0, start - 2) : start])
            and text[end : end + 1] != ":"
        ):
            continue
        if pattern.name == "private_path":
            end = start + _folder(value.rstrip("."))
        if "\x00" in value or (pattern.name == "phone" and _COUNTED.match(text[end : end + 20])):
            continue
        yield start, end


_CODE_FILE: Final = re2.compile(
    r"[/\\]+[A-Za-z0-9_.-]+\.(?:py|pyc|js|mjs|cjs|ts|tsx|jsx|go|rs|java|kt|rb|php|c|cc|cpp|h|cs|so|dll|sh|toml|lock)$"
)
_LIBRARY: Final = re2.compile(r"[/\\]+(?:site-packages|dist-packages|node_modules|\.venv|venv|lib|vendor|pkg|src)[/\\]")


def _folder(path: str) -> int:
    """A library or a file of code under a private folder stays readable: a traceback lives by it."""
    library = _LIBRARY.search(path)
    if library is not None and _CODE_FILE.search(path):
        return int(library.start())
    code = _CODE_FILE.search(path)
    return len(path) if code is None else int(code.start())


def _random(text: str, about: About) -> Iterator[tuple[int, int]]:
    for found in chance.RUN.finditer(text):
        start, end = found.span()
        run = text[start:end]
        if chance.public_id(run):
            continue
        prefix = _DIGEST_PREFIX.match(run) if run[0] in "sSmM" else None
        if prefix is not None and chance.digest(run[prefix.end() :]):
            continue
        parts = chance.parts(run)
        if not parts or _named(text, start, run, about):
            continue
        yield from ((start + begin, start + stop) for begin, stop in parts)


def _named(text: str, start: int, run: str, about: About) -> bool:
    """An ID or a digest by its name, which holds no text in disguise."""
    before = text[max(0, start - 48) : start]
    if about == "digest" or _DIGEST_BEFORE.search(before):
        return chance.digest(run) or (about == "digest" and not chance.base64_text(run))
    if about == "id" or _ID_BEFORE.search(before):
        return not chance.base64_text(run)
    return False


def _shared(text: str, value: str) -> Iterator[tuple[int, int]]:
    """What a text shares with a value: the whole, or of a long one any part that holds one of its pieces."""
    if len(value) < 2 * _KNOWN_PIECE_CHARS:
        at = text.find(value)
        while at >= 0:
            yield at, at + len(value)
            at = text.find(value, at + len(value))
        return
    for begin in range(0, len(value) - _KNOWN_PIECE_CHARS + 1, _KNOWN_PIECE_CHARS):
        at = text.find(value[begin : begin + _KNOWN_PIECE_CHARS])
        while at >= 0:
            start, end = _grown(text, at, value, begin)
            yield start, end
            at = text.find(value[begin : begin + _KNOWN_PIECE_CHARS], end)


def _grown(text: str, at: int, value: str, begin: int) -> tuple[int, int]:
    start, end = at, at + _KNOWN_PIECE_CHARS
    left, right = begin, begin + _KNOWN_PIECE_CHARS
    while left > 0 and start > 0 and text[start - 1] == value[left - 1]:
        start, left = start - 1, left - 1
    while right < len(value) and end < len(text) and text[end] == value[right]:
        end, right = end + 1, right + 1
    return start, end


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping ones become one; the best known form names it, the longest gives its value."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start < out[-1].end:
            last = out[-1]
            named = span if span.rank < last.rank else last
            longest = span if span.end - span.start > last.end - last.start else last
            out[-1] = Span(last.start, max(last.end, span.end), named.kind, longest.value, named.rank)
        else:
            out.append(span)
    return out


def folded_rest(text: str, end: int) -> int:
    """Where a value ends that was folded over lines; `end` where the next line is no part of it."""
    while text[end : end + 1] in ("\n", "\r", "\\", "="):
        found = _FOLDED_REST.match(text[end : end + _LONGEST_LINE_CHARS])
        rest = "" if found is None else found.group(1).strip("=")
        if found is None or rest.islower() or rest.istitle() or rest.isdigit():
            return end
        end += int(found.end(1))
    return end
