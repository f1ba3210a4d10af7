"""The files of a packet for whom it is meant, with all that is known now: rendered anew, addenda beside them. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from probe.packet import Addenda, Audience, addenda_for_support, for_support, frozen, merged
from probe.records import Json
from probe.render import files, json_bytes
from probe.render.archive import MANIFEST, manifest, unpack

FOLDER: Final = "addenda"


@dataclass(frozen=True, slots=True)
class Original:
    """The frozen packet, which is not inside: the digest that names it, and the copies of public documents in it."""

    zip_sha256: str
    sources: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> "Original":
        copies = {name: content for name, content in unpack(data).items() if name.startswith(f"{frozen.FOLDER}/")}
        return cls(hashlib.sha256(data).hexdigest(), copies)


def export(document: Json, addenda: Addenda, audience: Audience, original: Original) -> dict[str, bytes]:
    """Every file by name. For support what is ours is taken out *before* anything is merged: nothing can follow from
    what is not there."""
    if audience == "support":
        document, addenda = for_support(document), addenda_for_support(addenda)
    now = merged(document, addenda)
    as_of = now["since_freeze"]["as_of"]
    made_from = f"made from packet {document['packet_id']} as of {as_of}"
    not_this = f"it is not the frozen original, whose zip has the SHA-256 {original.zip_sha256}"
    now["export"] = {
        "audience": audience,
        "packet_id": document["packet_id"],
        "as_of": as_of,
        "frozen_zip_sha256": original.zip_sha256,
        "words": f"for {audience}, {made_from}; {not_this}",
    }
    made = files(now, audience=audience, sources=original.sources)
    made |= {f"{FOLDER}/{name}": json_bytes(document) for name, document in addenda}
    del made[MANIFEST]
    return made | {MANIFEST: manifest(made)}
