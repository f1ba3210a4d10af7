"""The templates, and how each kind of text is written into them: code, cells, columns, text that must stay inert."""

import re
import shlex
from functools import partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from probe.packet.later import NOTE_LABELS
from probe.packet.wording import OUTCOME_WORDS, flat, one_line
from probe.records import Json
from probe.redact.groups import Group
from probe.render.compiled import Compiled

_SPECIAL: Final = re.compile(r"[\\\[\]|*`]")  # what makes a link, a cell, emphasis or code in Markdown
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_CODE: Final = re.compile("(`[^`]*`)")
_RUN: Final = re.compile(r"\{(?=[{%])")  # what begins a command of a site generator, also inside code


def fill(name: str, values: Json) -> bytes:
    """A file from its template."""
    return TEMPLATES.get_template(name).render(values).encode()


def inert(text: str, *, cell: bool = False) -> str:
    """Text of others in Markdown that may be published: one line, without HTML, links, images, table cells or commands
    of a site generator. What stands between backticks stays code; in a `cell` of a table its pipes are escaped too."""
    shown = _RUN.sub("{ ", flat(text))
    parts = [_span(part, cell) if _CODE.fullmatch(part) else _words(part) for part in _CODE.split(shown)]
    return "".join(parts)


def _words(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", _ENTITY.sub("&amp;", text)).replace("<", "&lt;")


def _span(code: str, cell: bool) -> str:
    """A backslash before a pipe is set apart: renderers differ on which of the two it would escape."""
    if code == "``":
        return "` `"
    return re.sub(r"\\(?=\|)", r"\\ ", code).replace("|", r"\|") if cell else code


def _code(text: str) -> Markup:
    """Backtick spans as code, everything escaped."""
    parts = text.split("`")
    spans = [f"<code>{escape(part)}</code>" if index % 2 else str(escape(part)) for index, part in enumerate(parts)]
    return Markup("".join(spans))  # noqa: S704 - each part is escaped above


def _cell(value: Any) -> str:
    """A value in a plain text table: one line, `-` where there is none."""
    return one_line("" if value is None else str(value)) or "-"


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


TEMPLATES: Final = Environment(
    loader=PackageLoader("probe"),
    bytecode_cache=Compiled(Path(__file__).parent.parent / "templates"),
    optimized=False,  # no filter's result is compiled in
    autoescape=select_autoescape(["html"], default=False),  # Markdown and shell quote in their own ways
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {
    "cell": _cell,
    "code": _code,
    "columns": _columns,
    "excerpt": _excerpt,
    "inert": inert,
    "inert_cell": partial(inert, cell=True),
    "merged": _merged,
    "outcome": OUTCOME_WORDS.__getitem__,
    "percent": "{:.1%}".format,
    "seconds": _seconds,
    "shell": shlex.quote,
}
TEMPLATES.globals |= {"NOTE_LABELS": NOTE_LABELS, "DOUBT": Group.DOUBT.value}
