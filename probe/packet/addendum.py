"""The stored form of an addendum: one object that holds its document and chains to the object before it.

``{"document", "previous", "sha256"}``: `previous` is the digest of the object before (the packet's zip, then the
addendum before), `sha256` that of `document` as compact JSON with sorted keys. The bytes follow from the content, so
every flipped byte shows, and a successor shows that its predecessor was changed. The end of the chain can be cut off
unseen. An addendum that is not whole says nothing: `decode` gives no document of it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from probe.packet.case import Problem
from probe.records import Json

_HEX: Final = re.compile(r"[0-9a-f]{64}")


def encode(document: Json, previous: bytes) -> bytes:
    """The bytes to store for a document that follows the object `previous`."""
    return _sealed(document, _digest(previous))


def decode(data: bytes) -> Json | None:
    """The document of a stored addendum that is whole in itself, or None."""
    envelope = _envelope(data)
    return envelope["document"] if envelope and _is_whole(data, envelope) else None


def problems(packet_id: str, zipped: bytes | None, addenda: Sequence[tuple[int, bytes]]) -> tuple[Problem, ...]:
    """What is wrong with the addenda of a packet, given as number and bytes in order; each file is named once. Without
    the zip only what they say of each other is checked.

    A whole addendum that does not fit the object before it says that *that* one is no longer what it was; unless it
    is known by the others to stand in the wrong place itself.
    """
    found: dict[str, Problem] = {}
    known = _Chain.of(zipped, addenda)
    last = addenda[-1][0] if addenda else 0
    expected, before_name = 1, f"{packet_id}.zip"
    for number, data in addenda:
        name = addendum_name(packet_id, number)
        for missing in range(expected, number):
            found.setdefault(addendum_name(packet_id, missing), Problem(addendum_name(packet_id, missing), "missing"))
        envelope = _envelope(data)
        if envelope is None:
            found[name] = Problem(name, "unreadable")
        elif number not in known.previous:
            found[name] = Problem(name, "altered")
        elif not _is_of(packet_id, envelope["document"]) or known.is_elsewhere(number):
            found[name] = Problem(name, "extra" if number == last else "altered")
        elif number == expected and known.blames_the_one_before(number):
            found.setdefault(before_name, Problem(before_name, "altered"))
        expected, before_name = number + 1, name
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Chain:
    """Digests of the stored objects by number, 0 for the zip; what each addendum that is whole states as the one
    before; and the place of each that can be reached from the zip, link by link."""

    digests: Mapping[int, str]
    previous: Mapping[int, str]
    place: Mapping[int, int]

    @classmethod
    def of(cls, zipped: bytes | None, addenda: Sequence[tuple[int, bytes]]) -> "_Chain":
        digests = {number: _digest(data) for number, data in (*([(0, zipped)] if zipped is not None else []), *addenda)}
        envelopes = {number: (data, envelope) for number, data in addenda if (envelope := _envelope(data))}
        previous = {number: it["previous"] for number, (data, it) in envelopes.items() if _is_whole(data, it)}
        following = {stated: number for number, stated in sorted(previous.items(), reverse=True)}
        place: dict[int, int] = {}
        at = digests.get(0)
        while at in following and following[at] not in place:
            place[following[at]] = len(place) + 1
            at = digests[following[at]]
        return cls(digests, previous, place)

    def fits(self, number: int) -> bool:
        """Whether it was written after the object that stands before it, as far as that is there."""
        return self.digests.get(number - 1) in (None, self.previous[number])

    def is_elsewhere(self, number: int) -> bool:
        """Whether the others say that its place is another one, or none."""
        if self.fits(number):
            return False
        if number in self.place:
            return self.place[number] != number
        return self.previous[number] in self.digests.values() or self.digests[number - 1] in self.previous.values()

    def blames_the_one_before(self, number: int) -> bool:
        """Where it does not fit, and no doubt is thrown on itself by the one behind it."""
        if self.fits(number) or number in self.place:
            return False
        return number + 1 not in self.previous or self.fits(number + 1)


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


def _is_whole(data: bytes, envelope: Json) -> bool:
    if not isinstance(envelope["previous"], str) or not _HEX.fullmatch(envelope["previous"]):
        return False
    try:
        return data == _sealed(envelope["document"], envelope["previous"])
    except orjson.JSONEncodeError:  # nested deeper than anything that was ever written
        return False


def _is_of(packet_id: str, document: Json) -> bool:
    """Whether it says of no other packet that it is its addendum."""
    stated = document.get("packets", document.get("packet_id", packet_id))
    return packet_id in stated if isinstance(stated, list) else packet_id == stated


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sealed(document: Json, previous: object) -> bytes:
    digest = _digest(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
    whole = {"document": document, "previous": previous, "sha256": digest}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
