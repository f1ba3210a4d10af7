"""The files of a packet for whom it is meant, with all that is known now: rendered anew, addenda beside them. Pure."""

from typing import Final

from probe.packet import Addenda, Audience, addenda_for_support, for_support, merged
from probe.records import Json
from probe.render import files, json_bytes
from probe.render.archive import MANIFEST, manifest

FOLDER: Final = "addenda"


def export(document: Json, addenda: Addenda, audience: Audience, frozen_zip_sha256: str) -> dict[str, bytes]:
    """Every file by name. For support what is ours is taken out *before* anything is merged: nothing can follow from
    what is not there. `frozen_zip_sha256` names the original, which is not inside."""
    if audience == "support":
        document, addenda = for_support(document), addenda_for_support(addenda)
    now = merged(document, addenda)
    as_of = now["since_freeze"]["as_of"]
    made_from = f"made from packet {document['packet_id']} as of {as_of}"
    original = f"it is not the frozen original, whose zip has the SHA-256 {frozen_zip_sha256}"
    now["export"] = {
        "audience": audience,
        "packet_id": document["packet_id"],
        "as_of": as_of,
        "frozen_zip_sha256": frozen_zip_sha256,
        "words": f"for {audience}, {made_from}; {original}",
    }
    made = files(now, audience=audience)
    made |= {f"{FOLDER}/{name}": json_bytes(document) for name, document in addenda}
    del made[MANIFEST]
    return made | {MANIFEST: manifest(made)}
