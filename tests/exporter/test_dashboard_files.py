"""The dashboards as files: made from the Python beside them, and whole before any server sees them."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from dashboards.__main__ import files
from probe.records import Verdict

Json = dict[str, Any]
BOARDS: dict[str, Json] = {file.stem: json.loads(text) for file, text in files().items()}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
GRAFANA_COLUMNS = 24


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_the_json_is_what_the_python_makes(file: Any) -> None:
    """After a change: `python -m dashboards`."""
    assert file.read_text() == files()[file]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_ids_are_unique_and_no_panel_covers_another(board: Json) -> None:
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    titles = [panel["title"] for panel in panels]
    assert len(set(titles)) == len(titles)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= GRAFANA_COLUMNS
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_tells_in_which_unit_and_what_no_data_means(panel: Json) -> None:
    assert len(panel["description"].split()) >= 8
    assert panel["description"].endswith((".", ")"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_query_asks_the_chosen_datasource(board: Json) -> None:
    uids = re.findall(r'"uid": "([^"]*)"', json.dumps({**board, "uid": None}))
    assert set(uids) == {"${datasource}"}
    asking = [*board["annotations"]["list"], *(p for p in board["panels"] if p["type"] != "row")]
    assert all(one["datasource"]["uid"] == "${datasource}" for one in asking)


@pytest.mark.parametrize("panel", PANELS)
def test_ranges_follow_the_cadence(panel: Json) -> None:
    """A fixed range would be empty for a target that is probed every five minutes; the burn rate is an hour by name."""
    for target in panel["targets"]:
        ranges = set(re.findall(r"\[([^\]:]+)", target["expr"]))
        assert ranges <= {"$__rate_interval", "$__range", "${window}s", "$objective_window"} | (
            {"1h"} if "1 h" in panel["title"] else set()
        )
        assert target["interval"] in ("${step}s", "${window}s")


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_variable_is_there_before_it_is_used(board: Json) -> None:
    built_in = {"__interval", "__rate_interval", "__range", "__range_s", "__value", "__field", "__url_time_range", "1"}
    known: set[str] = set()

    def used(text: str) -> set[str]:
        return {found.split(".")[0].split(":")[0] for found in re.findall(r"\$\{?([\w.:]+)", text)}

    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            assert used(variable["query"]["query"]) <= known
            assert variable["refresh"] == 2
        known.add(variable["name"])
    rest = {name: part for name, part in board.items() if name != "templating"}
    assert used(json.dumps(rest)) - {"datasource"} <= known | built_in
    assert {"datasource", "contract", "target", "freezeframe_url"} <= known


def test_the_two_lead_to_each_other_with_the_same_time_and_choices() -> None:
    overview, incident = BOARDS["overview"], BOARDS["incident"]
    assert (overview["uid"], incident["uid"]) == ("freezeframe-overview", "freezeframe-incident")
    for board, other in ((overview, incident), (incident, overview)):
        link, outward = board["links"]
        assert outward["url"] == "${freezeframe_url}/"
        assert link["url"] == f"/d/{other['uid']}"
        assert link["keepTime"]
        assert link["includeVars"]
    assert f"/d/{incident['uid']}?var-target=${{__field.labels.target}}" in json.dumps(overview)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_times_are_the_readers_own_and_the_refresh_is_gentle(board: Json) -> None:
    assert board["timezone"] in ("browser", "utc")
    assert board["refresh"] == "30s"
    assert board["schemaVersion"] >= 39


def test_every_verdict_has_a_word_in_the_timeline() -> None:
    (panel,) = [panel for panel in BOARDS["overview"]["panels"] if panel["title"] == "Verdict over time"]
    expression = panel["targets"][0]["expr"]
    codes = {found[1]: found[0] for found in re.findall(r'(\d) \* \(increase\(\w+\{[^}]*verdict="(\w+)"', expression)}
    assert set(codes) == {verdict.value for verdict in Verdict}
    words = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert set(codes.values()) < set(words)


def test_latency_shows_the_probes_and_their_packets() -> None:
    for board in BOARDS.values():
        latency = [panel for panel in board["panels"] if "probe_latency_seconds" in json.dumps(panel.get("targets"))]
        assert latency
        assert all(any(target["exemplar"] for target in panel["targets"]) for panel in latency)
