"""The files of a packet, from its document: text, page and curl from templates, HAR, digests."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from probe.packet import Audience, Problem, for_support, frozen, removed
from probe.records import Json
from probe.render.archive import MANIFEST, manifest, pack, unpack, verify
from probe.render.har import har
from probe.render.pictures import timeline, waterfall
from probe.render.templates import fill

__all__ = ["SOURCES_INDEX", "Audience", "Problem", "files", "json_bytes", "pack", "unpack", "verify"]

SOURCES_INDEX: Final = f"{frozen.FOLDER}/index.json"
NO_SOURCES: Final[Mapping[str, bytes]] = MappingProxyType({})
_LINE: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_SENT_ALONG: Final = {"content-type", "accept"}  # the other headers of a probe do not belong to a minimal repro


def files(
    document: Json, *, audience: Audience = "internal", sources: Mapping[str, bytes] = NO_SOURCES
) -> dict[str, bytes]:
    """Every file of the packet by name, of a frozen document or a merged one. Without a recorded request there is no
    repro.sh; `sources` are the copies of documents, by the names that the document gives them: what is not among them
    is only named."""
    if audience == "support":
        document = for_support(document)
    shown: Json = {"since_freeze": None, "export": None} | document
    shown |= {"for_internal": "internal" in document, "removed": removed.grouped(document["redaction"])}
    made = {
        "summary.md": fill("summary.md", shown),
        "packet.html": fill("packet.html", shown | {"timeline": timeline(document), "waterfall": waterfall(document)}),
        "packet.json": json_bytes(document),
        "exchange.har": json_bytes(har(document)),
        "history.jsonl": b"".join(orjson.dumps(tick, option=_LINE) for tick in document["history"]),
        "redaction.json": json_bytes(document["redaction"]),
    }
    if document["request"] is not None:
        made["repro.sh"] = fill("repro.sh", shown | {"curl": _curl(document["request"])})
    rows = document["documented"].get("frozen_sources", [])
    if any(row["fetched_at"] for row in rows):
        made |= {row["file"]: sources[row["file"]] for row in rows if row["file"] in sources}
        made[SOURCES_INDEX] = json_bytes(rows)
    return made | {MANIFEST: manifest(made)}


def json_bytes(document: Json | list[Json]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _curl(request: Json) -> Json:
    before, _, after = request["auth"]["format"].partition("{key}")
    along = [f"{name}: {value}" for name, value in request["headers"] if name.lower() in _SENT_ALONG]
    return {"auth_before": f"{request['auth']['header']}: {before}", "auth_after": after, "headers": along}
