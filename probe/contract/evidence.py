"""Whether what a contract states really occurs in the documents that it cites. Pure, and linear in their size.

What is looked for follows from the kind of statement: addresses, header names, the names of fields, status codes. What
the contract file tells in words of its own is looked for by its `quote`. A `section` is only shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from probe.contract.facts import Contract, Shape, Source
from probe.contract.text import normalised, readable

NEAREST_CHARS: Final = 200
_STEP_CHARS: Final = 150
_MOST_PASSAGES: Final = 20_000
_MOST_NEEDLE_CHARS: Final = 120  # of what the nearest passage is looked for by
_ALIKE: Final = 50.0  # of 100: what is less alike is no passage that anybody would look for
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class Outcome(StrEnum):
    """What a look at the source of a statement showed."""

    VERIFIED = "verified"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Sought:
    """One thing that must occur: `shown` for people, and the ways in which it may be written, each of several parts."""

    shown: str
    ways: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the contract, and everything that must occur in its source for it to hold."""

    place: str
    source: Source
    sought: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The outcome of one claim: `missing` of the `looked_for` things; `nearest` is the passage most like the first of
    them; `why` says what stood in the way of looking."""

    place: str
    outcome: Outcome
    looked_for: int = 0
    missing: tuple[str, ...] = ()
    nearest: str | None = None
    why: str | None = None


def claims(contract: Contract) -> tuple[Claim, ...]:
    """Every statement of which something can be looked for; a shape that lists no field has nothing."""
    found = []
    for statement in contract.statements:
        source = statement.source
        if source.quote is not None:
            sought: tuple[Sought, ...] = (_words(source.quote),)
        else:
            sought = tuple(_sought(contract, statement.place, statement.texts, source))
        if sought:
            found.append(Claim(statement.place, source, tuple(dict.fromkeys(sought))))
    return tuple(found)


def occurrences(found: Iterable[Claim], text: str) -> tuple[Occurrence, ...]:
    """The outcome of each claim in one readable text."""
    flat = normalised(text)
    passages: list[tuple[str, str]] | None = None
    outcomes = []
    for claim in found:
        missing = tuple(it.shown for it in claim.sought if not _occurs(flat, it))
        if not missing:
            outcomes.append(Occurrence(claim.place, Outcome.VERIFIED, len(claim.sought)))
            continue
        passages = _passages(text) if passages is None else passages
        near = _nearest(missing[0], passages)
        outcomes.append(Occurrence(claim.place, Outcome.NOT_FOUND, len(claim.sought), missing, near))
    return tuple(outcomes)


def look(found: Sequence[Claim], body: bytes, media: str) -> tuple[Occurrence, ...]:
    """The outcome of each claim in a document as it came."""
    return occurrences(found, readable(body, media))


def unreachable(found: Iterable[Claim], why: str) -> tuple[Occurrence, ...]:
    return tuple(Occurrence(claim.place, Outcome.UNREACHABLE, len(claim.sought), why=why) for claim in found)


def area(place: str) -> str:
    """The name by which metrics and the status page know a place."""
    return place.removeprefix("values.").partition("[")[0]


def _sought(contract: Contract, place: str, texts: Sequence[str], source: Source) -> Iterable[Sought]:
    match place:
        case "values.base_url" | "values.catalogue":
            return (_address(texts[0]),)
        case "values.chat_path":
            return (Sought(texts[0], ((texts[0],), (texts[0].rstrip("/"),))),)
        case "values.auth":
            return _header(*texts)
        case "values.gateway_log":
            return (_address(texts[0]), *_header(*texts[1:]))
        case "values.request_id" if contract.request_id is not None:
            id_text = contract.request_id.value.text or ""
            headers = (_words(name) for name in contract.request_id.value.headers)
            return (*headers, *(_words(part.strip()) for part in id_text.split("{id}") if normalised(part)))
        case "error.statuses" if contract.error_statuses is not None:
            return (_words(status) for status in contract.error_statuses.value)
        case "request" | "response" | "stream_chunk" | "error":
            return _fields(getattr(contract, place))
    if place.startswith("routes."):
        # A page that is itself the route is there when it answers.
        return (Sought(texts[0], ((),)),) if texts[0] == source.url else (_words(texts[0].removeprefix("mailto:")),)
    return (_words(text) for text in texts if text)


def _words(text: str) -> Sought:
    return Sought(text, ((text,),))


def _address(url: str) -> Sought:
    """Whole, or as a host here and a path there."""
    bare, parts = url.rstrip("/"), urlsplit(url)
    path = parts.path.rstrip("/")
    apart = (parts.netloc, path) if path else (parts.netloc,)
    return Sought(url, ((bare,), apart))


def _header(name: str, shape: str) -> tuple[Sought, ...]:
    return (_words(name), *(_words(word) for word in shape.replace("{key}", " ").split()))


def _fields(shape: Shape) -> Iterable[Sought]:
    """The names at the top of a schema, those of an entry of `choices` and of `error`, and what ends a stream."""
    schema = shape.schema or {}
    yield from (_words(name) for name in _names(schema))
    properties = _mapping(schema.get("properties"))
    yield from (_words(name) for name in _names(_mapping(_mapping(properties.get("choices")).get("items"))))
    yield from (_words(name) for name in _names(_mapping(properties.get("error"))))
    if shape.terminal:
        yield _words(shape.terminal)


def _names(schema: Mapping[str, Any]) -> tuple[str, ...]:
    required = schema.get("required")
    stated = (*(required if isinstance(required, list) else ()), *_mapping(schema.get("properties")))
    return tuple(dict.fromkeys(str(name) for name in stated))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _occurs(flat: str, it: Sought) -> bool:
    return any(all(_stands(flat, normalised(part)) for part in way) for way in it.ways)


def _stands(flat: str, part: str) -> bool:
    """Whether it occurs, and not as a part of a longer word or number."""
    if not part:
        return False
    at = flat.find(part)
    while at >= 0:
        end = at + len(part)
        inside = part[0] in _WORD and at > 0 and flat[at - 1] in _WORD
        if not inside and not (part[-1] in _WORD and end < len(flat) and flat[end] in _WORD):
            return True
        at = flat.find(part, at + 1)
    return False


def _passages(text: str) -> list[tuple[str, str]]:
    """Lines, long ones in overlapping pieces: as they are shown and as they are compared."""
    pieces = (
        line[at : at + NEAREST_CHARS]
        for line in (line.strip() for line in text.splitlines())
        for at in range(0, max(1, len(line) - NEAREST_CHARS + _STEP_CHARS), _STEP_CHARS)
    )
    shown = (" ".join(piece.split()) for piece in pieces)
    return [(piece, normalised(piece)) for piece in islice((piece for piece in shown if piece), _MOST_PASSAGES)]


def _nearest(wanted: str, passages: Sequence[tuple[str, str]]) -> str | None:
    from rapidfuzz import fuzz  # two megabytes: most documents still say what is looked for

    needle = normalised(wanted)[:_MOST_NEEDLE_CHARS]
    best, nearest = _ALIKE, None
    for shown, flat in passages:
        if 2 * len(flat) < len(needle):
            continue
        score = fuzz.partial_ratio(needle, flat, score_cutoff=best)
        if score > best:
            best, nearest = score, shown
    return nearest
