"""The dashboards held to Grafana's own types (npm: @grafana/schema) by the TypeScript compiler."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers import CACHE, ROOT
from tests.servers.board import Json

pytestmark = pytest.mark.real

FOLDER = ROOT / "dashboards"
NAMES = ("overview", "incident")
PANEL_TYPES = {
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg",
    "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg",
    "stat": "stat/panelcfg/x/StatPanelCfg",
    "table": "table/panelcfg/x/TablePanelCfg",
    "bargauge": "bargauge/panelcfg/x/BarGaugePanelCfg",
}
# JSON holds the text of an enum. What the datasource plugin adds to queries, annotations and variables is stated here.
PRELUDE = """
import type * as g from '@grafana/schema';
type Plain<T> = unknown extends T ? T : T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? {[K in keyof T]: Plain<T[K]>} : T;
type Query = g.DataQuery & {expr: string; editorMode: 'code' | 'builder'; exemplar: boolean; instant: boolean;
  range: boolean; interval: string; legendFormat: string; format: 'time_series' | 'table' | 'heatmap'};
type Annotation = Omit<g.AnnotationQuery, 'target'> & {target: Query; expr: string; step: string; tagKeys: string;
  titleFormat: string; textFormat: string; useValueForTime: boolean};
type Variable = g.VariableModel & {definition?: string};
type Board = Omit<g.Dashboard, 'annotations' | 'templating'>
  & {annotations: {list: Annotation[]}; templating: {list: Variable[]}};
"""


def typescript(boards: Mapping[str, Json]) -> Iterator[str]:
    """Each part as a literal of the type that it must have: only for a literal are unknown fields errors."""
    yield PRELUDE
    for kind, module in PANEL_TYPES.items():
        source = f"@grafana/schema/dist/esm/raw/composable/{module}_types.gen"
        yield f"import type * as {kind.replace('-', '')} from '{source}';"

    def literal(name: str, type_: str, value: object) -> str:
        return f"export const {name}: Plain<{type_}> = {json.dumps(value)};"

    for board, model in boards.items():
        yield literal(board, "Board", model)
        for panel in model["panels"]:
            name, kind = f"{board}{panel['id']}", panel["type"].replace("-", "")
            if kind == "row":
                yield literal(name, "g.RowPanel", panel)
                continue
            yield literal(name, "g.Panel", panel)
            yield literal(f"{name}queries", "Query[]", panel["targets"])
            yield literal(f"{name}options", f"{kind}.Options", panel["options"])
            if (custom := panel["fieldConfig"]["defaults"].get("custom")) is not None:
                yield literal(f"{name}custom", f"{kind}.FieldConfig", custom)


def compiled(folder: Path, boards: Mapping[str, Json]) -> str:
    """What the TypeScript compiler says; nothing when it has no objection."""
    (folder / "node_modules").symlink_to(CACHE / "grafana/node_modules")
    (folder / "check.mts").write_text("\n".join(typescript(boards)))
    strict = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"]
    run = subprocess.run(
        ["node_modules/.bin/tsc", *strict, "check.mts"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    return run.stdout + run.stderr


def models() -> dict[str, Json]:
    return {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in NAMES}


def test_grafanas_own_types_accept_both(tmp_path: Path) -> None:
    """No Grafana server is at hand; this is its published schema, by its own compiler."""
    assert shutil.which("node")
    assert compiled(tmp_path, models()) == ""


def test_grafanas_types_would_refuse_a_wrong_panel(tmp_path: Path) -> None:
    """The check checks: an unknown field, a wrong type and a word outside an enum are refused."""
    boards: dict[str, Any] = models()
    panels = [panel for panel in boards["overview"]["panels"] if panel["type"] != "row"]
    panels[0]["colour"] = "red"
    panels[1]["gridPos"]["w"] = "4"
    panels[2]["options"]["colorMode"] = "loud"
    said = compiled(tmp_path, boards)
    assert "'\"colour\"' does not exist" in said
    assert "'string' is not assignable to type 'number'" in said
    assert '"loud"' in said
