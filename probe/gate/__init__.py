"""The second look, by other code than redaction's: does any finished file still hold what is, or looks like, a live
secret?

Every byte is read plainly and with its encodings undone (`views`); looked for is what is configured (`literals`), what
has the form of a credential (`formats`), and what was made by chance beside a word that speaks of one (`beside`). The
gate says where, never what. In a document that somebody else published (`sources/`) examples are expected and context
says little: there a form counts only where it is a key for certain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import re2
from pydantic import SecretStr

from probe.gate import beside, formats
from probe.gate.literals import Literals
from probe.gate.look import Look
from probe.gate.views import View, views, without_white_space
from probe.records import Json

__all__ = ["CONFIGURED", "DROPPED", "LOOKS", "Hit", "drop", "inspect"]

DROPPED: Final = "<dropped: it held a configured secret>"
DROPPED_LOOK: Final = "<dropped: it looked like a live secret>"
CONFIGURED: Final = "a configured secret"
LOOKS: Final = (*formats.LOOKS, *beside.LOOKS)
_SOURCES: Final = "sources/"
_OWN_INDEX: Final = "sources/index.json"
_MOST_HITS: Final = 5  # of a file: enough to find them by
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """A file in which a secret was found: in which line and view, and of what kind."""

    file: str
    where: str
    kind: str


def inspect(files: Mapping[str, bytes], secrets: Sequence[SecretStr]) -> tuple[Hit, ...]:
    """Where a secret can still be read: a configured one, in whole or in part, or what looks like a live one."""
    literals = Literals(secrets)
    return tuple(hit for name, data in sorted(files.items()) for hit in _hits(name, data, literals))


def drop(document: Json, secrets: Sequence[SecretStr]) -> tuple[Json, tuple[str, ...]]:
    """The document without the strings in which a secret can be read, and their dotted paths."""
    literals = Literals(secrets)
    dropped: list[str] = []

    def sort(text: str) -> str | None:
        hit = next(_hits("", text.encode("utf-8", "replace"), literals), None)
        return None if hit is None else DROPPED if hit.kind == CONFIGURED else DROPPED_LOOK

    def string(value: str, path: str, name: str) -> str:
        # A value alone may say nothing that it says beside its name.
        found = sort(value) or (sort(f'"{name}": "{value}"') if name else None)
        if found is None:
            return value
        dropped.append(path)
        return found

    def walk(value: Any, path: str, name: str) -> Any:
        if isinstance(value, dict):
            made = {}
            for key, inner in value.items():
                shown = sort(key) or key
                at = f"{path}.{shown}" if path else shown
                if shown != key:
                    dropped.append(f"the name of {at}")
                made[shown] = walk(inner, at, key if shown == key else "")
            return made
        if isinstance(value, list):
            header = value[0] if len(value) == _PAIR and all(isinstance(it, str) for it in value) else name
            return [
                walk(inner, f"{path}[{number}]", header if number or len(value) != _PAIR else "")
                for number, inner in enumerate(value)
            ]
        return string(value, path, name) if isinstance(value, str) else value

    cleaned: Json = walk(document, "", "")
    return cleaned, tuple(dropped)


def _hits(name: str, data: bytes, literals: Literals) -> Iterator[Hit]:
    """The first few places, each named once."""
    abroad = name.startswith(_SOURCES) and name != _OWN_INDEX
    told: set[tuple[int, str]] = set()
    for view in views(data):
        for kind, at in _seen(view, literals, abroad):
            line = view.line(at)
            if (line, kind) in told:
                continue
            told.add((line, kind))
            yield Hit(name, f"line {line}, read as {view.name}: {kind}", kind)
            if len(told) == _MOST_HITS:
                return
    bare = without_white_space(View("plain text", data))
    at = literals.find_bare(bare.data)
    if at >= 0 and not any(kind == CONFIGURED for _, kind in told):
        yield Hit(name, f"line {bare.line(at)}, read as {bare.name}: {CONFIGURED}", CONFIGURED)


def _seen(view: View, literals: Literals, abroad: bool) -> Iterator[tuple[str, int]]:
    at = literals.find(view.data)
    if at >= 0:
        yield CONFIGURED, at
    for look, compiled in _COMPILED:
        if abroad and not look.abroad:
            continue
        for found in compiled.finditer(view.data):
            if _holds(look, found):
                yield look.name, found.start(found.re.groups)
                break


def _holds(look: Look, found: Any) -> bool:
    group = found.re.groups
    value, begins = found.group(group), found.start(group)
    before = found.group()[: begins - found.start()]
    return look.holds(value.decode("utf-8", "replace"), before.decode("utf-8", "replace"))


def _compiled(look: Look) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: a file need not be UTF-8
    options.max_mem = 64 << 20
    options.log_errors = False
    return re2.compile(look.regex.encode(), options)


# One by one: each finds its own first signs quickly, while a set of all has states without number.
_COMPILED: Final = tuple((look, _compiled(look)) for look in LOOKS)
