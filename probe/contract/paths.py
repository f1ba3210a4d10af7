"""Where in a documented JSON answer a value stands: `data.items`, `data[].id`. Pure.

Names between dots; `[]` stands for each element of the list at that place. A text on the way that holds JSON is opened
where the caller says so: some gateways keep a part of a row as JSON inside a string.
"""

import re
from typing import Any, Final

import orjson

_NAMES: Final = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*"
_FIELD: Final = re.compile(_NAMES)
_EACH: Final = re.compile(rf"(?:{_NAMES})?\[\](?:\.{_NAMES})?")


def is_field_path(text: str) -> bool:
    """Whether it reads like `a.b`."""
    return _FIELD.fullmatch(text) is not None


def is_list_path(text: str) -> bool:
    """Whether it reads like `a.b[].c`, with one list."""
    return _EACH.fullmatch(text) is not None


def at(document: Any, path: str, *, opens_text: bool = False) -> Any:
    """The value at a path such as `a.b` ("" is the document); None where there is none."""
    for name in path.split(".") if path else ():
        if opens_text and isinstance(document, str):
            document = _opened(document)
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def each(document: Any, path: str) -> list[Any] | None:
    """What stands at a path such as `a.b[].c` in each element of that list (None in one that lacks it); None where the
    document holds no such list."""
    before, _, after = path.partition("[]")
    found = at(document, before)
    return [at(element, after.removeprefix(".")) for element in found] if isinstance(found, list) else None


def _opened(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
