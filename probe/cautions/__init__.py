"""What not to send: the message and notes are read for what the seed article warns of. Pure; it warns, never refuses.

What a server said stands between backticks or in quotes, and is nobody's claim here. A warning quotes only the words
that gave it away. A live secret is looked for by the gate, which says where and never what; exports and notes that hold
one are refused elsewhere.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import SecretStr

from probe import gate
from probe.cautions import causes, claims, contents
from probe.cautions.row import ANYWHERE, OWN_WORDS, CautionKind, Row
from probe.records import Json

__all__ = [
    "NOTE_IS_SEEN",
    "ROWS",
    "Caution",
    "CautionKind",
    "Row",
    "as_json",
    "kinds",
    "of_document",
    "of_note",
    "parts",
]

ROWS: Final = (*causes.ROWS, *claims.ROWS, *contents.ROWS)
NOTE_IS_SEEN: Final = "seen on the packet's page, in internal exports and posts; an export for support holds no notes"
_MESSAGE_IS_SEEN: Final = "in the message, which every export holds"
_ADVICE: Final = MappingProxyType(
    {
        CautionKind.LIVE_TOKEN: "looks like a live secret: take it out, and revoke it if it left this house",
        CautionKind.PRODUCTION_PROMPT: "looks like a prompt of real use: put a synthetic one in its place",
        CautionKind.TRANSCRIPT: "is about what customers said: leave it out, request IDs are enough",
        CautionKind.SCREENSHOT: "may show an account's secrets or a customer: look before it is sent",
        CautionKind.ROOT_CAUSE: "names a cause: state what was observed, or call it possible",
        CautionKind.UNSOURCED_CLAIM: "is a limit, price or bill without a source: give its URL and when it was read",
    }
)
_QUOTED: Final = re.compile(r"`[^`]*`|\"[^\"\n]*\"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|^>.*$", re.MULTILINE)
_CODE: Final = re.compile(r"`[^`]*`")
_END: Final = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\n")


@dataclass(frozen=True, slots=True)
class Caution:
    """One warning: its kind, the field or line it stands in, and what to do about it."""

    kind: CautionKind
    where: str
    words: str


def of_document(document: Json, secrets: Sequence[SecretStr] = ()) -> tuple[Caution, ...]:
    """Of a packet's document, frozen or merged: its message, and the notes where it holds them."""
    found = [
        _caution(kind, said, f"message, line {number}", _MESSAGE_IS_SEEN)
        for number, sentence in enumerate(document.get("message", []), 1)
        for kind, said in _found(sentence, secrets, _CODE.sub("` `", sentence))
    ]
    for note in document.get("internal", {}).get("notes", []):
        found += _of_texts(note, secrets, f"{note.get('name', 'note')}, ")
    return tuple(found)


def of_note(stated: Mapping[str, Any], secrets: Sequence[SecretStr] = ()) -> tuple[Caution, ...]:
    """Of what a person states in a note, by its fields."""
    return tuple(_of_texts(stated, secrets, ""))


def kinds(text: str) -> tuple[CautionKind, ...]:
    """What a text by itself would be warned of, each once."""
    return tuple(dict.fromkeys(kind for kind, _ in _found(text, ())))


def as_json(cautions: Sequence[Caution]) -> list[Json]:
    return [asdict(caution) for caution in cautions]


def _of_texts(stated: Mapping[str, Any], secrets: Sequence[SecretStr], before: str) -> list[Caution]:
    return [
        _caution(kind, said, before + field, NOTE_IS_SEEN)
        for field, text in stated.items()
        if isinstance(text, str) and field in _WRITTEN
        for kind, said in _found(text, secrets)
    ]


# The fields of a note that people write freely; the others are IDs, instants and names.
_WRITTEN: Final = frozenset({"mitigation", "impact", "text", "route", "owner", "escalation_id"})


def _caution(kind: CautionKind, said: str, where: str, seen: str) -> Caution:
    quoted = f'"{said}" ' if said else "what stands here "
    return Caution(kind, where, f"{quoted}{_ADVICE[kind]} ({seen})")


def _found(text: str, secrets: Sequence[SecretStr], own: str | None = None) -> Iterator[tuple[CautionKind, str]]:
    """Each kind once, with the words that gave it away where they may be repeated. `own` is the text without what it
    quotes of a server, where all that it quotes is a server's."""
    if gate.inspect({"text": text.encode("utf-8", "replace")}, secrets):
        yield CautionKind.LIVE_TOKEN, ""
    seen: set[CautionKind] = set()
    for row in ROWS:
        if row.kind in seen:
            continue
        said = next((words for part in parts(row, text if own is None else own) if (words := row.found(part))), None)
        if said is not None:
            seen.add(row.kind)
            yield row.kind, "" if row.where == ANYWHERE else said


def parts(row: Row, text: str) -> Sequence[str]:
    """What a row looks at: the whole, or sentence by sentence."""
    if row.where == ANYWHERE:
        return (text,)
    return _END.split(_QUOTED.sub("“…”", text) if row.where == OWN_WORDS else text)
