"""The files of a packet, from its document: text, page and curl from templates, HAR, digests."""

import shlex
from typing import Any, Final, Literal

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from probe.packet import Problem, for_support
from probe.records import Json
from probe.render.archive import MANIFEST, manifest, pack, unpack, verify
from probe.render.har import har
from probe.render.pictures import timeline, waterfall

__all__ = ["Audience", "Problem", "files", "json_bytes", "pack", "unpack", "verify"]

Audience = Literal["internal", "support"]

_LINE: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_SENT_ALONG: Final = {"content-type", "accept"}  # the other headers of a probe do not belong to a minimal repro


def files(document: Json, *, audience: Audience = "internal") -> dict[str, bytes]:
    """Every file of the packet by name. Without a recorded request there is no repro.sh."""
    if audience == "support":
        document = for_support(document)
    shown = document | {"for_internal": "internal" in document}
    made = {
        "summary.md": _text("summary.md", shown),
        "packet.html": _text("packet.html", shown | {"timeline": timeline(document), "waterfall": waterfall(document)}),
        "packet.json": json_bytes(document),
        "exchange.har": json_bytes(har(document)),
        "history.jsonl": b"".join(orjson.dumps(tick, option=_LINE) for tick in document["history"]),
        "redaction.json": json_bytes(document["redaction"]),
    }
    if document["request"] is not None:
        made["repro.sh"] = _text("repro.sh", shown | {"curl": _curl(document["request"])})
    return made | {MANIFEST: manifest(made)}


def json_bytes(document: Json) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _code(text: str) -> Markup:
    """Backtick spans as code, everything escaped."""
    parts = text.split("`")
    spans = [f"<code>{escape(part)}</code>" if index % 2 else str(escape(part)) for index, part in enumerate(parts)]
    return Markup("".join(spans))  # noqa: S704 - each part is escaped above


def _cell(value: Any) -> str:
    """A value in a plain text table: one line, `-` where there is none."""
    shown = "".join(char if char.isprintable() else " " for char in ("" if value is None else str(value)))
    return " ".join(shown.replace("`", "'").split()) or "-"


def _columns(rows: list[list[Any]]) -> str:
    """Rows as aligned columns of plain text."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def _merged(ids: list[Json]) -> list[Json]:
    """Request IDs, each once with all its places; two different ones stay two."""
    values = dict.fromkeys(found["value"] for found in ids)
    return [
        {"value": value, "places": ", ".join(found["place"] for found in ids if found["value"] == value)}
        for value in values
    ]


def _excerpt(text: str, limit: int = 4000) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n[cut: {len(text) - limit} more characters in packet.json]"


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f} s"


_TEMPLATES: Final = Environment(
    loader=PackageLoader("probe"),
    autoescape=select_autoescape(["html"], default=False),  # Markdown and shell quote in their own ways
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {
    "cell": _cell,
    "code": _code,
    "columns": _columns,
    "excerpt": _excerpt,
    "merged": _merged,
    "seconds": _seconds,
    "shell": shlex.quote,
}


def _text(name: str, values: Json) -> bytes:
    return _TEMPLATES.get_template(name).render(values).encode()


def _curl(request: Json) -> Json:
    before, _, after = request["auth"]["format"].partition("{key}")
    along = [f"{name}: {value}" for name, value in request["headers"] if name.lower() in _SENT_ALONG]
    return {"auth_before": f"{request['auth']['header']}: {before}", "auth_after": after, "headers": along}
