"""The files of a packet, from its document: text, page and curl from templates, HAR, digests."""

from typing import Final

import orjson

from probe.packet import Audience, Problem, for_support
from probe.records import Json
from probe.render.archive import MANIFEST, manifest, pack, unpack, verify
from probe.render.har import har
from probe.render.pictures import timeline, waterfall
from probe.render.templates import fill

__all__ = ["Audience", "Problem", "files", "json_bytes", "pack", "unpack", "verify"]

_LINE: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_SENT_ALONG: Final = {"content-type", "accept"}  # the other headers of a probe do not belong to a minimal repro


def files(document: Json, *, audience: Audience = "internal") -> dict[str, bytes]:
    """Every file of the packet by name, of a frozen document or a merged one. Without a recorded request there is no
    repro.sh."""
    if audience == "support":
        document = for_support(document)
    shown = {"since_freeze": None, "export": None} | document | {"for_internal": "internal" in document}
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
    return made | {MANIFEST: manifest(made)}


def json_bytes(document: Json) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _curl(request: Json) -> Json:
    before, _, after = request["auth"]["format"].partition("{key}")
    along = [f"{name}: {value}" for name, value in request["headers"] if name.lower() in _SENT_ALONG]
    return {"auth_before": f"{request['auth']['header']}: {before}", "auth_after": after, "headers": along}
