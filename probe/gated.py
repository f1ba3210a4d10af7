"""What passes the gate: the bytes of a packet and the document of an addendum, without the fields that hold a secret.

A secret that is found once its field was dropped is not explained away: then there are no bytes, only the place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import SecretStr

from probe import gate, packet, render
from probe.packet import Case, frozen
from probe.records import Json


def build(case: Case, secrets: Sequence[SecretStr]) -> tuple[bytes | None, tuple[str, ...]]:
    """The zip of a packet that passed the gate, or None and where (never what) it found a secret."""
    case = _without_secret_documents(case, secrets)
    document, sources = packet.draft(case), frozen.files(case)
    files = render.files(document, sources=sources)
    if _inspect(files, sources, secrets):
        document, dropped = gate.drop(document, secrets)
        document = packet.with_dropped(document, dropped)
        files = render.files(document, sources=sources)
        hits = _inspect(files, sources, secrets)
        if hits:
            return None, tuple(f"{hit.file}: {hit.where}" for hit in hits)
    return render.pack(files), ()


def passed(document: Json, secrets: Sequence[SecretStr]) -> tuple[Json, tuple[gate.Hit, ...]]:
    """An addendum without the fields that look like a live secret, and what is found nevertheless. One with a
    configured secret in it is not written at all."""
    hits = _look(document, secrets)
    if hits and all(hit.kind != gate.CONFIGURED for hit in hits):
        document, _ = gate.drop(document, secrets)
        hits = _look(document, secrets)
    return document, hits


def _look(document: Json, secrets: Sequence[SecretStr]) -> tuple[gate.Hit, ...]:
    return gate.inspect({"addendum.json": render.json_bytes(document)}, secrets)


def _without_secret_documents(case: Case, secrets: Sequence[SecretStr]) -> Case:
    """A public document in which a secret can be read is named, not carried."""
    hits = {hit.file for hit in gate.inspect(frozen.files(case), secrets)}
    if not hits:
        return case
    held = {row["url"] for row in frozen.rows(case) if row["file"] in hits}
    return replace(case, documents=tuple(replace(it, body=None) if it.url in held else it for it in case.documents))


def _inspect(
    files: Mapping[str, bytes], sources: Mapping[str, bytes], secrets: Sequence[SecretStr]
) -> tuple[gate.Hit, ...]:
    """The gate's look at everything but the copies of documents, which have had theirs."""
    return gate.inspect({name: content for name, content in files.items() if name not in sources}, secrets)
