"""The index of the store: a line for each packet, read from its zip. Pure."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

_NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class PacketEntry:
    """One line of the index. `state` is open, recovered, or unreadable (then what stands in the zip is "not known")."""

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
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(f"{packet_id}/packet.json")
            if info.compress_type != zipfile.ZIP_STORED:  # ours are: what is packed could be a bomb
                raise ValueError("compressed")
            document = orjson.loads(archive.read(info))
        return PacketEntry(
            id=packet_id,
            target=str(document["target"]["name"]),
            verdict=str(document["verdict"]),
            reason=str(document["reason"]),
            trigger=str(document["trigger"]),
            frozen_at=datetime.fromisoformat(document["frozen_at"]),
            incident=str(document["incident"]),
            state="open",
            zip_sha256=digest,
            size_bytes=size,
        )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, LookupError, ValueError, TypeError):
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
