"""Grafana's classic dashboard model, as far as it is used here: panels, queries, and where a panel stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

SCHEMA_VERSION: Final = 41  # Grafana 12.0's; older and newer servers take it as it is
DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS: Final = 24
# Two steps are a cadence (or a scrape, where that is longer): `$__rate_interval` then spans two cadences at the least.
STEP: Final = "${step}s"
# Quantiles need more than two probes: these ranges span eight cadences at the least.
WIDE_STEP: Final = "${window}s"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query. A `legend` names the series; an instant query gives the present, as a table where told."""

    promql: str
    legend: str = ""
    instant: bool = False
    format: str = "time_series"
    exemplars: bool = False
    min_step: str = STEP

    def to_json(self, ref: str) -> Json:
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "exemplar": self.exemplars,
            "expr": self.promql,
            "format": self.format,
            "instant": self.instant,
            "interval": self.min_step,
            "legendFormat": self.legend or "__auto",
            "range": not self.instant,
            "refId": ref,
        }


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel before it has a place. `description` says what it tells and what to do; `empty` what no data means."""

    kind: str
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str
    width: int
    height: int = 7
    empty: str = "Nothing yet"
    defaults: Json = field(default_factory=dict)
    options: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    transformations: tuple[Json, ...] = ()

    def to_json(self) -> Json:
        return {
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "targets": [query.to_json(chr(ord("A") + place)) for place, query in enumerate(self.queries)],
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": self.empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": self.options,
            "transformations": list(self.transformations),
        }


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    panels: tuple[Panel, ...]


def dashboard(uid: str, title: str, description: str, **parts: Any) -> Json:
    """The whole model; what Grafana would fill in by itself is stated, so that saving it there changes nothing."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["freezeframe"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,  # one crosshair over all panels
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "timezone": "browser",
        "refresh": "30s",
        "timepicker": {},
        "preload": False,
        **parts,
    }


def placed(sections: Iterable[Section]) -> list[Json]:
    """Panels from left to right, wrapped at 24 columns; a line is as high as its highest panel."""
    panels: list[Json] = []

    def put(panel: Json, x: int, y: int, size: tuple[int, int]) -> None:
        grid = {"x": x, "y": y, "w": size[0], "h": size[1]}
        panels.append({"id": len(panels) + 1, **panel, "gridPos": grid})

    y = 0
    for section in sections:
        put({"type": "row", "title": section.title, "collapsed": False, "panels": []}, 0, y, (COLUMNS, 1))
        x, y, line = 0, y + 1, 0
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y, line = 0, y + line, 0
            put(panel.to_json(), x, y, (panel.width, panel.height))
            x, line = x + panel.width, max(line, panel.height)
        y += line
    return panels
