"""The values with what the comment above each says: values.yaml is where a value is described, and nowhere else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from helm.paths import CHART

_KEY: Final = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z]\w*):(?: .*)?")


@dataclass(frozen=True, slots=True)
class Value:
    """A dotted key, its default, and its description."""

    key: str
    default: Any
    description: str


def values() -> tuple[Value, ...]:
    """In the order of the file."""
    text = (CHART / "values.yaml").read_text()
    whole = yaml.safe_load(text)
    return tuple(Value(key, _at(whole, key), words) for key, words in _described(text.splitlines()))


def _described(lines: list[str]) -> Iterator[tuple[str, str]]:
    parents: list[tuple[int, str]] = []
    words = ""
    for line in lines:
        if line.lstrip().startswith("# -- "):
            words = line.lstrip().removeprefix("# -- ")
        elif match := _KEY.fullmatch(line):
            indent = len(match["indent"])
            parents = [parent for parent in parents if parent[0] < indent]
            parents.append((indent, match["key"]))
            if words:
                yield ".".join(key for _, key in parents), words
            words = ""


def _at(whole: Any, key: str) -> Any:
    for step in key.split("."):
        whole = whole[step]
    return whole


def undescribed(whole: Any, described: set[str], at: str = "") -> Iterator[str]:
    """The leaves that neither have a description themselves nor are a part of something that has one."""
    for key, value in whole.items():
        here = f"{at}.{key}".removeprefix(".")
        if here in described:
            continue
        if isinstance(value, dict) and value:
            yield from undescribed(value, described, here)
        else:
            yield here
