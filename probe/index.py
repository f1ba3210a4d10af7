"""The index of the store: a line for each packet, read from its zip. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from probe.render.archive import readable, verify

_NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class PacketEntry:
    """One line of the index. `state` is open, recovered, altered (a digest does not fit: what stands here may be false)
    or unreadable (then what stands in the zip is "not known")."""

    id: str
    target: str
    verdict: str
    reason: str
    trigger: str
    frozen_at: datetime
    incident: str
    state: str
    zip_sha256: str
    size_bytes: int


def entry(packet_id: str, data: bytes, written_at: datetime) -> PacketEntry:
    digest, size = hashlib.sha256(data).hexdigest(), len(data)
    try:
        document = orjson.loads(readable(data)["packet.json"])
        return PacketEntry(
            id=packet_id,
            target=str(document["target"]["name"]),
            verdict=str(document["verdict"]),
            reason=str(document["reason"]),
            trigger=str(document["trigger"]),
            frozen_at=datetime.fromisoformat(document["frozen_at"]),
            incident=str(document["incident"]),
            state="altered" if verify(data, packet_id) else "open",
            zip_sha256=digest,
            size_bytes=size,
        )
    except (LookupError, ValueError, TypeError):
        return PacketEntry(
            id=packet_id,
            target=_NOT_KNOWN,
            verdict=_NOT_KNOWN,
            reason=_NOT_KNOWN,
            trigger=_NOT_KNOWN,
            frozen_at=written_at,
            incident=_NOT_KNOWN,
            state="unreadable",
            zip_sha256=digest,
            size_bytes=size,
        )
