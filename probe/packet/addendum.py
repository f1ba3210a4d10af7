"""The stored form of an addendum: one object that holds its document and chains to the object before it.

``{"document", "previous", "sha256"}``: `previous` is the digest of the object before (the packet's zip, then the
addendum before), `sha256` that of `document` as compact JSON with sorted keys. The bytes follow from the content, so
every flipped byte shows, and a successor shows that its predecessor was changed. The end of the chain can be cut off
unseen.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from probe.packet.case import Problem
from probe.records import Json


def encode(document: Json, previous: bytes) -> bytes:
    """The bytes to store for a document that follows the object `previous`."""
    return _sealed(document, hashlib.sha256(previous).hexdigest())


def decode(data: bytes) -> Json | None:
    """The document of a stored addendum, or None when it is not one."""
    envelope = _envelope(data)
    return envelope["document"] if envelope else None


def problems(packet_id: str, zipped: bytes, addenda: Sequence[tuple[int, bytes]]) -> tuple[Problem, ...]:
    """What is wrong with the addenda of a packet, given as number and bytes in order; each file is named once.

    A whole addendum that does not fit the object before it says that *that* one is no longer what it was.
    """
    found: dict[str, Problem] = {}
    before_name, before, expected = f"{packet_id}.zip", zipped, 1
    for number, data in addenda:
        name = addendum_name(packet_id, number)
        for missing in range(expected, number):
            found.setdefault(addendum_name(packet_id, missing), Problem(addendum_name(packet_id, missing), "missing"))
        envelope = _envelope(data)
        if envelope is None:
            found[name] = Problem(name, "unreadable")
        elif data != _sealed(envelope["document"], envelope["previous"]):
            found[name] = Problem(name, "altered")
        elif number == expected and envelope["previous"] != hashlib.sha256(before).hexdigest():
            found.setdefault(before_name, Problem(before_name, "altered"))
        before_name, before, expected = name, data, number + 1
    return tuple(found.values())


def addendum_name(packet_id: str, number: int) -> str:
    return f"{packet_id}.{number:03d}.json"


def _envelope(data: bytes) -> Json | None:
    try:
        envelope: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(envelope, dict) or envelope.keys() != {"document", "previous", "sha256"}:
        return None
    return envelope if isinstance(envelope["document"], dict) else None


def _sealed(document: Json, previous: object) -> bytes:
    digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    whole = {"document": document, "previous": previous, "sha256": digest}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
