"""Configuration and contract files as people and broken disks leave them: the examples, changed by the dice. Pure."""

import json
import random
from copy import deepcopy
from typing import Any

NAMES = ("freezeframe.yaml", "contract.yaml")
SECRET = "sk-fake-pasted-Qz7wEchoLm94TtVv2"  # where a literal was pasted, no message may repeat it

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 10**30, 1e308, float("inf"), float("nan"), "", " ", "\0", "0s", "-5s", "1e9h"),
    *(
        "9" * 400,
        "30 parsecs",
        "\u202e",
        "\ud800",
        [],
        {},
        [[]],
        [None],
        {"a": {}},
        {"": ""},
        {"env": ""},
        {"file": "/"},
    ),
    *("../../etc/passwd", "/dev/zero", "file:///etc/passwd", "http://[::1", "http://a:b@c", "s3://", "javascript:x"),
    *({"$ref": "https://127.0.0.1:1/x"}, {"$ref": "#"}, {"pattern": "(a+)+$"}, {"type": "nonsense"}, {"enum": []}),
    *(["x"] * 300, {f"k{n}": n for n in range(300)}, "x" * 70_000, SECRET, {"key": SECRET}, f"Bearer {SECRET}"),
)
_NAMES = ("", "api_key", "password", "__proto__", "store ", "targets", "defaults", SECRET, "\u200b", "a" * 5000, "0")
_TEXTS = (
    b"\t",
    b"\0",
    b"&a [*a]",
    b"*a",
    b"<<: *b",
    b"!!python/object:os.system x",
    b"---\n",
    b"\xff\xfe",
    b"{",
    b"]:",
)


def changed(document: Any, chance: random.Random) -> Any:
    """The document after one to three changes somewhere in it."""
    other = deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        _change(other, chance)
    return other


def _change(document: Any, chance: random.Random) -> None:
    places = [(inner, key) for inner in _containers(document) for key in _keys(inner)]
    inner, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del inner[key]
        case 1 if isinstance(inner, dict):
            inner[chance.choice(_NAMES)] = deepcopy(chance.choice(_VALUES))
        case 2 if isinstance(inner, list):
            inner.append(deepcopy(inner[key]))
        case _:
            inner[key] = deepcopy(chance.choice(_VALUES))


def _containers(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [node, *(it for value in node.values() for it in _containers(value))]
    if isinstance(node, list):
        return [node, *(it for value in node[:20] for it in _containers(value))]
    return []


def _keys(node: Any) -> list[Any]:
    return list(node) if isinstance(node, dict) else list(range(min(len(node), 20)))


def torn(raw: bytes, chance: random.Random) -> bytes:
    """The bytes after one to four kinds of damage."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(5):
            case 0:
                raw = raw[:at]
            case 1:
                raw = raw[:at] + raw[at + chance.randint(1, 30) :]
            case 2:
                raw = raw[:at] + chance.choice(_TEXTS) + raw[at:]
            case 3:
                raw = raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
            case _:
                raw = raw[:at] + raw[at : at + 60] * chance.randint(2, 30) + raw[at:]
    return raw


def written(document: Any) -> bytes:
    """As YAML that every reader reads alike: JSON, in which what JSON has no word for stands as YAML has it."""
    return json.dumps(document).replace("NaN", ".nan").replace("Infinity", ".inf").encode()
