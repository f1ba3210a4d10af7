"""Draws a dashboard from real query results as one HTML page. Only for looking: it is no Grafana and no test.

It keeps what decides whether a person understands a panel: place, size, words, units, colours, gaps.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

from tests.servers.board import Board, Json, Series, legend

COLUMN, ROW, GAP = 66, 36, 6
PALETTE = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#e0b400")
NAMED = {"green": "#56a64b", "red": "#e02f44", "orange": "#ff780a", "purple": "#a352cc", "text": "#d8d9da"}
STYLE = """
body{margin:0;background:#111217;color:#d8d9da;font:12px sans-serif}
.p{position:absolute;background:#181b1f;border:1px solid #2c3235;overflow:hidden;box-sizing:border-box}
.p>b{display:block;padding:4px 8px;font-weight:600}
.row{font-size:15px;font-weight:600;padding:6px 0;background:none;border:0}
.none{color:#8e8e8e;text-align:center;padding-top:20px;font-size:14px}.tiles{display:flex;height:calc(100% - 26px)}
.tile{flex:1;display:flex;flex-direction:column;align-items:center;justify-content:center;
font-size:24px;font-weight:600}
.tile small{font-size:12px;font-weight:400}table{border-collapse:collapse;width:100%}
th{text-align:left;color:#6e9fff;font-weight:500}
td,th{padding:3px 8px;border-bottom:1px solid #2c3235;white-space:nowrap}
a{color:#6e9fff}.legend span{margin:0 10px 0 8px}.bar{display:flex;align-items:center;padding:2px 8px;gap:8px}
.bar i{display:block;height:18px}.bar u{flex:1;background:#22252b;text-decoration:none}.bar span{width:110px}
"""


def page(board: Board) -> tuple[str, int]:
    """The page, and its height in pixels."""
    parts, bottom = [], 0
    for panel in board.model["panels"]:
        grid = panel["gridPos"]
        left, top = grid["x"] * COLUMN + GAP, grid["y"] * ROW + 60
        width, height = grid["w"] * COLUMN - GAP, grid["h"] * ROW - GAP
        bottom = max(bottom, top + height)
        place = f'style="left:{left}px;top:{top}px;width:{width}px;height:{height}px"'
        title = escape(panel["title"].replace("$target", board.values["target"]))
        if panel["type"] == "row":
            parts.append(f'<div class="p row" {place}>&#9662; {title}</div>')
        else:
            body = _Drawn(board, panel, width - 4, height - 30).body()
            parts.append(f'<div class="p" {place}><b>{title}</b>{body}</div>')
    chosen = "  ".join(
        f"{variable['label']}: {board.values[variable['name']]}"
        for variable in board.model["templating"]["list"]
        if variable["hide"] == 0
    )
    head = (
        f'<div style="padding:12px"><b style="font-size:18px">{escape(board.model["title"])}</b> {escape(chosen)}</div>'
    )
    return f'<meta charset="utf-8"><style>{STYLE}</style>{head}{"".join(parts)}', bottom + 20


def _colour(name: str) -> str:
    return NAMED.get(name, name)


def text_of(value: float, defaults: Json, now_s: float) -> str:
    """A number as Grafana would write it, near enough."""
    for mapping in defaults.get("mappings", []):
        if (found := mapping["options"].get(f"{value:g}")) is not None:
            return str(found["text"])
    match defaults.get("unit"):
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "s":
            return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
        case "d":
            return f"{value:.0f} days"
        case "dateTimeFromNow":
            return f"{now_s - value / 1000:.0f} seconds ago"
        case "dateTimeAsIso":
            return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return f"{value:.4g}"


def colour_of(value: float, defaults: Json, fallback: str = "#d8d9da") -> str:
    for mapping in defaults.get("mappings", []):
        if (found := mapping["options"].get(f"{value:g}")) is not None:
            return _colour(found["color"])
    chosen = fallback
    for step in defaults.get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            chosen = _colour(step["color"])
    return chosen


def _text(x: float, y: float, text: str, anchor: str, ink: str = "#8e8e8e") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{ink}" font-size="10" text-anchor="{anchor}">{text}</text>'


def _rect(box: tuple[float, float, float, float], ink: str, opacity: float = 1.0) -> str:
    x, y, width, height = box
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="{ink}" opacity="{opacity:.2f}"/>'


def _merged(points: list[tuple[float, float]], step_s: float) -> Iterator[tuple[float, float, float]]:
    """Neighbours of one value as one stretch: begin, end, value."""
    stretch: tuple[float, float, float] | None = None
    for at, value in points:
        if stretch is not None and stretch[2] == value and at <= stretch[1] + 1e-6:
            stretch = (stretch[0], at + step_s, value)
            continue
        if stretch is not None:
            yield stretch
        stretch = (at, at + step_s, value)
    if stretch is not None:
        yield stretch


class _Drawn:
    def __init__(self, board: Board, panel: Json, width: int, height: int) -> None:
        self.board, self.panel, self.width, self.height = board, panel, width, height
        self.defaults: Json = panel["fieldConfig"]["defaults"]
        self.answers = [(target, board.ask(target)) for target in panel["targets"]]
        self.named = [(legend(target, one.labels), one) for target, found in self.answers for one in found]
        self.steps_s = [board.expression(target)[1] for target, found in self.answers for _ in found]

    def body(self) -> str:
        if not self.named:
            return f'<div class="none">{escape(self.defaults["noValue"])}</div>'
        draw: dict[str, Callable[[], str]] = {
            "stat": self.stat,
            "table": self.table,
            "bargauge": self.bargauge,
            "timeseries": self.timeseries,
            "state-timeline": self.timeline,
            "heatmap": self.heatmap,
        }
        return draw[self.panel["type"]]()

    def _say(self, value: float, defaults: Json | None = None) -> str:
        return escape(text_of(value, defaults or self.defaults, self.board.to_s))

    def _override(self, name: str) -> Json:
        """What is special about a field, by its name or by a pattern of it."""
        special: Json = {}
        for override in self.panel["fieldConfig"]["overrides"]:
            kind, wanted = override["matcher"]["id"], override["matcher"]["options"]
            if name == wanted if kind == "byName" else re.search(wanted.strip("/"), name):
                special |= {one["id"]: one["value"] for one in override["properties"]}
        return special

    def stat(self) -> str:
        mode = self.panel["options"]["textMode"]
        tiles = []
        for name, one in self.named:
            text = name if mode == "name" else self._say(one.last)
            below = f"<small>{escape(name)}</small>" if mode == "value_and_name" else ""
            colour = colour_of(one.last, self.defaults)
            ink = "color:#d8d9da" if colour == NAMED["text"] else f"background:{colour};color:#fff"
            tiles.append(f'<div class="tile" style="{ink}">{text}{below}</div>')
        return f'<div class="tiles">{"".join(tiles)}</div>'

    def bargauge(self) -> str:
        bars = []
        for name, one in self.named:
            low, high = self.defaults.get("min", 0), self.defaults.get("max", 1)
            share = min(1.0, max(0.0, (one.last - low) / (high - low)))
            colour = colour_of(one.last, self.defaults)
            bars.append(
                f'<div class="bar"><span>{escape(name)}</span>'
                f'<u><i style="width:{share:.1%};background:{colour}"></i></u>'
                f'<b style="color:{colour}">{self._say(one.last)}</b></div>'
            )
        return "".join(bars)

    def table(self) -> str:
        rows: list[dict[str, Any]] = []
        many = len(self.answers) > 1
        for target, found in self.answers:
            for one in found:
                field = f"Value #{target['refId']}" if many else "Value"
                record: dict[str, Any] = {**one.labels, field: one.last}
                # As the transformation "merge": rows whose common fields agree become one.
                for row in rows:
                    common = (row.keys() & record.keys()) - {field}
                    if common and field not in row and all(row[key] == record[key] for key in common):
                        row.update(record)
                        break
                else:
                    rows.append(record)
        renamed = self.panel["transformations"][-1]["options"]["renameByName"]
        sorting = self.panel["options"]["sortBy"][0]
        key = next(name for name, shown in renamed.items() if shown == sorting["displayName"])
        rows.sort(key=lambda row: row.get(key, 0), reverse=sorting["desc"])
        head = "".join(f"<th>{escape(name)}</th>" for name in renamed.values())
        lines = ["".join(self._cell(shown, row.get(name)) for name, shown in renamed.items()) for row in rows]
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    def _cell(self, heading: str, value: Any) -> str:
        special = self._override(heading)
        defaults = self.defaults | special
        if value is None:
            return f'<td style="color:#8e8e8e">{escape(special.get("noValue", ""))}</td>'
        text = escape(value) if isinstance(value, str) else self._say(value, defaults)
        text = f"<a href=#>{text}</a>" if "links" in special else text
        kind = special.get("custom.cellOptions", {}).get("type")
        ink = "" if kind is None else colour_of(value, defaults)
        style = {"color-background": f"background:{ink};color:#fff", "color-text": f"color:{ink}"}.get(kind, "")
        return f'<td style="{style}">{text}</td>'

    # ------------------------------------------------------------ over time

    def _x(self, at_s: float) -> float:
        return 60 + (at_s - self.board.from_s) / (self.board.to_s - self.board.from_s) * (self.width - 70)

    def _clock(self, bottom: float) -> Iterator[str]:
        for part in range(7):
            at_s = self.board.from_s + (self.board.to_s - self.board.from_s) * part / 6
            label = datetime.fromtimestamp(at_s, UTC).strftime("%H:%M:%S")
            yield _text(self._x(at_s), bottom, label, "middle")

    def _svg(self, parts: list[str], height: float) -> str:
        return f'<svg width="{self.width}" height="{height:.0f}">{"".join(parts)}</svg>'

    def _legend(self, entries: list[tuple[str, str]]) -> str:
        shown = "".join(f'<span><b style="color:{ink}">&#9632;</b> {escape(name)}</span>' for name, ink in entries)
        return f'<div class="legend">{shown}</div>'

    def _ink(self, name: str, place: int) -> str:
        fixed = self._override(name).get("color")
        return _colour(fixed["fixedColor"]) if fixed else PALETTE[place % len(PALETTE)]

    def timeseries(self) -> str:
        height = self.height - 24
        custom = self.defaults["custom"]
        stacked = custom.get("stacking", {}).get("mode") == "normal"
        totals: dict[float, float] = {}
        for _, one in self.named:
            for at, value in one.points:
                totals[at] = totals.get(at, 0) + value if stacked else max(totals.get(at, 0), value)
        top = max([*(value for value in totals.values() if math.isfinite(value)), 1e-9]) * 1.1
        top = min(top, self.defaults.get("max", top)) or 1.0

        def y(value: float) -> float:
            return 6 + (1 - max(0.0, min(1.0, value / top))) * (height - 24)

        parts: list[str] = []
        for level in (top * part / 3 for part in range(4)):
            parts.append(
                f'<line x1="60" x2="{self.width - 10}" y1="{y(level):.0f}" y2="{y(level):.0f}" stroke="#2c3235"/>'
            )
            parts.append(_text(54, y(level) + 4, self._say(level), "end"))
        base: dict[float, float] = {}
        step_s = min(self.steps_s)
        bar = max(1.5, (self._x(self.board.from_s + step_s) - 60) * 0.7)
        for place, (name, one) in enumerate(self.named):
            ink = self._ink(name, place)
            if stacked:
                for at, value in one.points:
                    low = base.get(at, 0.0)
                    base[at] = low + value
                    parts.append(_rect((self._x(at) - bar / 2, y(base[at]), bar, max(0.0, y(low) - y(base[at]))), ink))
            else:
                parts += self._line(one, ink, y, self.steps_s[place])
        for target, _ in self.answers:
            parts += self._exemplars(target, height)
        parts += [*self._annotations(height - 18), *self._clock(height - 4)]
        return self._svg(parts, height) + self._legend(
            [(name, self._ink(name, place)) for place, (name, _) in enumerate(self.named)]
        )

    def _line(self, one: Series, ink: str, y: Callable[[float], float], step_s: float) -> Iterator[str]:
        path, before = "", None
        for at, value in one.points:
            if not math.isfinite(value):
                before = None
                continue
            joined = before is not None and at - before <= step_s * 1.5
            path += f"{'L' if joined else 'M'}{self._x(at):.1f},{y(value):.1f}"
            yield f'<circle cx="{self._x(at):.1f}" cy="{y(value):.1f}" r="1.3" fill="{ink}"/>'
            before = at
        yield f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="1.3"/>'

    def _exemplars(self, target: Json, height: float) -> Iterator[str]:
        if target["exemplar"] and (found := len(self.board.exemplars(target))):
            yield _text(self.width - 12, 12, f"&#9670; {found} exemplars", "end")

    def _annotations(self, height: float) -> Iterator[str]:
        shown = [annotation for annotation in self.board.model["annotations"]["list"] if annotation["enable"]]
        for annotation in shown:
            for series in self.board.annotated(annotation):
                times = [value / 1000 if annotation["useValueForTime"] else at for at, value in series.points]
                ink = _colour(annotation["iconColor"])
                if annotation["name"] == "Incident open":
                    width = self._x(max(times)) - self._x(min(times))
                    yield _rect((self._x(min(times)), 4, width, height), ink, 0.08)
                    continue
                for at in set(times):
                    x = self._x(at)
                    place = f'x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height}"'
                    yield f'<line {place} stroke="{ink}" stroke-dasharray="3 3"/>'

    def timeline(self) -> str:
        height = self.height - 24
        row = min(34.0, (height - 20) / len(self.named))
        step_s = self.board.expression(self.panel["targets"][0])[1]
        parts, seen = [], {}
        for place, (name, one) in enumerate(sorted(self.named, key=lambda named: named[0])):
            top = place * row + 4
            parts.append(_text(56, top + row / 2 + 2, escape(name), "end"))
            for begin, end, value in _merged(one.points, step_s):
                ink, text = colour_of(value, self.defaults), self._say(value)
                seen[text] = ink
                x, width = self._x(begin), max(1.0, self._x(end) - self._x(begin))
                parts.append(_rect((x, top, width, row * 0.85), ink))
                if width > 7 * len(text):
                    parts.append(
                        f'<text x="{x + 4:.1f}" y="{top + row / 2 + 2:.0f}" fill="#fff" font-size="11">{text}</text>'
                    )
        parts += self._clock(len(self.named) * row + 18)
        return self._svg(parts, height) + self._legend(list(seen.items()))

    def heatmap(self) -> str:
        height = self.height - 8
        buckets = sorted(self.named, key=lambda named: float(named[1].labels["le"]))
        row = (height - 22) / len(buckets)
        step_s = self.board.expression(self.panel["targets"][0])[1]
        below: dict[float, float] = {}
        cells = []
        for place, (_, one) in enumerate(buckets):
            for at, value in one.points:
                cells.append((place, at, value - below.get(at, 0.0)))
                below[at] = value
        most = max([count for _, _, count in cells] + [1e-9])
        ink = "#ff780a" if self.panel["options"]["color"]["scheme"] == "Oranges" else "#e02f44"
        parts = []
        for place, (name, _) in enumerate(buckets):
            y = height - 22 - (place + 1) * row
            parts.append(_text(54, y + row / 2 + 4, escape(name), "end"))
        for place, at, count in cells:
            if count > 1e-9:
                y = height - 22 - (place + 1) * row
                width = self._x(at + step_s) - self._x(at)
                parts.append(_rect((self._x(at), y, width, row - 1), ink, (count / most) ** 0.5))
        return self._svg([*parts, *self._clock(height - 4)], height)
