"""JSON Schema 2020-12, compiled; offline by construction, and its patterns run in linear time."""

from typing import Final, NoReturn

import jsonschema_rs

from probe.records import Json

# Rust's own engine: no lookaround and no backreference, so a text of any length takes time in proportion to it.
_LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 21)


def validator(schema: Json) -> jsonschema_rs.Validator:
    """A compiled schema (2020-12). It never leaves the machine, and its messages repeat no value."""
    return jsonschema_rs.Draft202012Validator(schema, retriever=_refuse, mask="the value", pattern_options=_LINEAR)


def _refuse(uri: str) -> NoReturn:
    raise ValueError("remote references are not followed")
