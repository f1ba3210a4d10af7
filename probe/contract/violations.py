"""Where a JSON value is not as a schema says, in words: which field, what the schema says there, what kind was there.

Never the value itself: what a server sent does not stand in a finding. Names of fields may, each cut to 80 characters.
The work is bounded: a value of more than `room` parts is held against the schema up to its first violation only.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jsonschema_rs
import re2

from probe.records.sealed import TOKEN

NAME_CHARS: Final = 80
_PLACE_CHARS: Final = 240
_WORDS_CHARS: Final = 200
_PLAIN_NAME: Final = re2.compile(r"\A[A-Za-z_$@][A-Za-z0-9_$@-]*\z")
_NAMES_OTHERS: Final = frozenset({"additionalProperties", "unevaluatedProperties"})
_OF_CHARACTERS: Final = frozenset({"enum", "const", "pattern", "format", "minLength", "maxLength"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One disagreement: `place` as people write it (``choices[0].message.content``, "" for the whole value)."""

    place: str
    expected: str
    observed: str

    @property
    def is_missing(self) -> bool:
        return self.observed == MISSING

    @property
    def is_about_extra_fields(self) -> bool:
        return self.expected == NO_OTHERS


MISSING: Final = "missing"
NO_OTHERS: Final = "no fields beside the documented ones"


def size(value: Any, limit: int) -> int:
    """How many parts a value has, counted no further than the limit."""
    todo, count = [value], 0
    while todo and count < limit:
        part = todo.pop()
        count += 1
        if isinstance(part, dict | list) and part:
            todo += list(part.values() if isinstance(part, dict) else part)[: limit - count]
    return count


def violations(schema: jsonschema_rs.Validator, value: Any, room: int) -> tuple[Violation, ...]:
    """Every violation, each once, what is missing first. ValueError or RecursionError: too deep to be checked."""
    try:
        return _violations(schema, value, room)
    except UnicodeEncodeError:  # half an emoji at a chunk's end is JSON by the letter, and no text for the validator
        return _violations(schema, json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")), room)


def _violations(schema: jsonschema_rs.Validator, value: Any, room: int) -> tuple[Violation, ...]:
    if schema.is_valid(value):
        return ()
    found: dict[Violation, None] = {}
    for error in _first(schema, value) if size(value, room) >= room else schema.iter_errors(value):
        found |= dict.fromkeys(_told(error, value))
    return tuple(sorted(found, key=lambda violation: (not violation.is_missing, violation.place)))


def _first(schema: jsonschema_rs.Validator, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
    try:
        schema.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


def _told(error: jsonschema_rs.ValidationError, whole: Any) -> Iterator[Violation]:
    name, facts, path = error.kind.name, error.kind.as_dict(), _names(whole, error.instance_path)
    if name == "required":
        yield Violation(_place([*path, facts["property"]]), "present (required)", MISSING)
        return
    value = error.instance  # a copy: not made where it is not looked at
    if name in _OF_CHARACTERS and isinstance(value, str) and TOKEN.search(value[:_WORDS_CHARS]):
        return
    others = facts["unexpected"] if name in _NAMES_OTHERS else ()
    extra = ", ".join(_place([other]) for other in others[:5])
    seen = f"also {extra}" if extra else observed(value)
    yield Violation(_place(path), _expected(error, facts), seen)


def _names(value: Any, path: Sequence[str | int]) -> Iterator[str | int]:
    """The path with its names as names: the validator gives one that reads as a number for a position in a list."""
    for step in path:
        name = str(step) if isinstance(step, int) and isinstance(value, dict) else step
        yield name
        is_there = name in value if isinstance(value, dict) else isinstance(value, list) and isinstance(name, int)
        value = value[name] if is_there else None


def _place(path: Iterable[str | int]) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_NAME.search(step[:NAME_CHARS].encode("utf-8", "replace").decode()):
            text += f".{step[:NAME_CHARS]}" if text else step[:NAME_CHARS]
        else:
            text += f'["{"".join(sign if sign.isprintable() else " " for sign in step[:NAME_CHARS])}"]'
        if len(text) > _PLACE_CHARS:
            return text[:_PLACE_CHARS] + "…"
    return text


# ---------------------------------------------------------------- what the schema says

_TYPES: Final[Mapping[str, str]] = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_EXPECTED: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "type": lambda facts: _either(facts["types"]),
    "enum": lambda facts: f"one of {_listed(facts['options'])}",
    "const": lambda facts: f"exactly {_listed([facts['expected_value']])}",
    "minItems": lambda facts: f"at least {_count(facts['limit'], 'item')}",
    "maxItems": lambda facts: f"at most {_count(facts['limit'], 'item')}",
    "minLength": lambda facts: f"at least {_count(facts['limit'], 'character')}",
    "maxLength": lambda facts: f"at most {_count(facts['limit'], 'character')}",
    "minProperties": lambda facts: f"at least {_count(facts['limit'], 'field')}",
    "maxProperties": lambda facts: f"at most {_count(facts['limit'], 'field')}",
    "minimum": lambda facts: f"a number of {facts['limit']} or more",
    "maximum": lambda facts: f"a number of {facts['limit']} or less",
    "exclusiveMinimum": lambda facts: f"a number over {facts['limit']}",
    "exclusiveMaximum": lambda facts: f"a number under {facts['limit']}",
    "multipleOf": lambda facts: f"a multiple of {facts['multiple_of']}",
    "pattern": lambda facts: f"a string that matches {facts['pattern']}",
    "uniqueItems": lambda _: "no item twice",
    "contains": lambda _: "an item of the documented form",
    "additionalProperties": lambda _: NO_OTHERS,
    "unevaluatedProperties": lambda _: NO_OTHERS,
    "falseSchema": lambda _: "absent",
}


def _expected(error: jsonschema_rs.ValidationError, facts: dict[str, Any]) -> str:
    name = error.kind.name
    if name == "falseSchema" and error.schema_path[-1:] == ["additionalProperties"]:
        return NO_OTHERS
    if name in ("anyOf", "oneOf"):
        return _one_form(facts.get("context", ()))
    say = _EXPECTED.get(name)
    return (say(facts) if say else f"as the schema says ({name})")[:_WORDS_CHARS]


def _one_form(branches: Sequence[Sequence[jsonschema_rs.ValidationError]]) -> str:
    """Where every form asks for another type only: for one of these types."""
    types: list[str] = []
    for branch in branches:
        if len(branch) != 1 or branch[0].kind.name != "type":
            return "one of the documented forms"
        types += branch[0].kind.as_dict()["types"]
    return _either(types) if types else "one of the documented forms"


def _either(types: Sequence[str]) -> str:
    *others, last = dict.fromkeys(words for name, words in _TYPES.items() if name in types)  # null comes last
    return f"{', '.join(others)} or {last}" if others else last


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(json.dumps(value, ensure_ascii=False, default=str) for value in values)


def _count(limit: int, noun: str) -> str:
    return f"{limit} {noun}{'' if limit == 1 else 's'}"


# ---------------------------------------------------------------- what was there


def observed(value: Any) -> str:
    """The kind of a value: of texts and lists whether they are empty, of all others nothing more."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string" if value else "an empty string"
        case list():
            return "a list" if value else "an empty list"
    return "an object" if value else "an empty object"
