"""Both dashboards asked at a real Prometheus, in health and in an outage, and the exemplars that lead to packets."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from exporter.gateway_script import Behaviour
from tests.servers import ROOT, Process, get, prometheus, until
from tests.servers.board import Board, Series
from tests.servers.scraped import scrape
from tests.servers.stage import Stage, stage

pytestmark = pytest.mark.real

FOLDER = ROOT / "dashboards"
NAMES = ("overview", "incident")
FAULTS = {"small": Behaviour.OVERLOADED, "account": Behaviour.REVOKED}
# The incident view shows one target at a time; each of these has something that the others lack.
LOOKED_AT = ("small", "stream", "secure", "spent")
HEALTHY_S = 12.0
# What `step` and `window` become at this pace, once there is a minute of it; this test does not wait that long.
STEADY = {"step": "1", "window": "4"}

# (panel, query) that give nothing while all is well. In the outage they must give data.
EMPTY_IN_HEALTH = {
    ("Open incidents by verdict", "A"): "no incident",
    ("Targets", "B"): "no incident",
    ("Targets", "G"): "no packet yet",
    ("Failures by verdict", "A"): "no failure",
    ("Open incident", "A"): "no incident",
    ("Open since", "A"): "no incident",
    ("Evidence packets", "A"): "no packet yet",
    ("Failures by reason", "A"): "no failure",
}
OUR_LABELS = {"instance", "le", "url"}  # the scrape's, the histogram's, and the one that label_replace makes

Asked = dict[tuple[str, str], list[Series]]


@dataclass(frozen=True)
class Seen:
    """What both dashboards gave at one time: per (panel, query), and per annotation."""

    boards: Mapping[str, Board]
    answers: Mapping[str, Asked]
    annotations: Mapping[str, Mapping[str, list[Series]]]


def look(scene: Stage, began_s: float) -> Seen:
    """The incident view for one target after another; its answers are all of them together."""
    boards: dict[str, Board] = {}
    answers: dict[str, Asked] = {}
    annotations: dict[str, dict[str, list[Series]]] = {}
    for name in NAMES:
        for target in LOOKED_AT if name == "incident" else (None,):
            chosen = STEADY if target is None else STEADY | {"target": target}
            board = Board(FOLDER / f"{name}.json", scene.prometheus.url, began_s, time.time(), chosen)
            boards.setdefault(name, board)
            for panel in board.panels:
                for query in panel["targets"]:
                    kept = answers.setdefault(name, {}).setdefault((panel["title"], query["refId"]), [])
                    kept += board.ask(query)
            for annotation in board.model["annotations"]["list"]:
                known = annotations.setdefault(name, {}).setdefault(annotation["name"], [])
                known += board.annotated(annotation)
    return Seen(boards, answers, annotations)


@dataclass(frozen=True)
class Story:
    scene: Stage
    healthy: Seen
    failing: Seen


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]) -> Iterator[Story]:
    """Health, looked at; then two targets break and have packets, looked at again while they are still broken."""
    with stage(tmp_path_factory.mktemp("dashboards"), keep) as scene:
        began_s = time.time()
        watching = f'instance="{scene.probers["watching"].address}"'
        scene.prometheus.until(f"min(freezeframe_probes_total{{{watching},verdict='ok'}}) >= 6", 60)
        until("a few scrapes", lambda: time.time() - began_s >= HEALTHY_S, 60)
        healthy = look(scene, began_s)
        scene.play(FAULTS)
        for target in FAULTS:
            scene.probers["watching"].first_packet(target)
        shown = f"count(count_over_time(freezeframe_packet_info{{{watching}}}[1m]) >= 5) == {len(FAULTS)}"
        scene.prometheus.until(shown, 40)
        until("probes that carry the packet", lambda: packet_exemplars(scene, began_s), 30)
        yield Story(scene, healthy, look(scene, began_s))


def packet_exemplars(scene: Stage, began_s: float) -> bool:
    kept = scene.prometheus.exemplars('freezeframe_probes_total{target="small"}', began_s, time.time())
    return any("packet" in labels for labels in kept)


def empty(asked: Asked) -> set[tuple[str, str]]:
    return {which for which, found in asked.items() if not any(one.points for one in found)}


@pytest.mark.parametrize("name", NAMES)
def test_every_query_gives_data_in_health_or_says_why_not(name: str, story: Story) -> None:
    """That they parse is shown too: Prometheus refuses what it cannot read, and that is an error here."""
    asked = story.healthy.answers[name]
    expected = {which for which in EMPTY_IN_HEALTH if which in asked}
    assert empty(asked) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_query_gives_data_in_an_outage(name: str, story: Story) -> None:
    asked = story.failing.answers[name]
    assert empty(asked) == set()


@pytest.mark.parametrize("name", NAMES)
def test_trips_packets_and_open_incidents_are_annotations_of_the_outage_only(name: str, story: Story) -> None:
    assert all(not found for found in story.healthy.annotations[name].values())
    seen = story.failing.annotations[name]
    assert all(seen.values())
    (packet,) = {one.labels["url"] for one in seen["Packet frozen"] if one.labels["target"] == "small"}
    assert packet.startswith("http://127.0.0.1:9464/packets/")


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_filled(name: str, story: Story) -> None:
    for board in (story.healthy.boards[name], story.failing.boards[name]):
        assert all(board.values.values()), board.values
        assert set(board.options["target"]) == {"small", "stream", "account", "large", "secure", "spent"}
        assert len(board.options["prober"]) == 3
        (step,), (window,) = board.options["step"], board.options["window"]
        assert 1 <= int(step) <= 60
        assert int(step) < int(window) <= 4 * int(step)


def expressions(board: Board) -> Iterator[str]:
    for panel in board.panels:
        yield from (query["expr"] for query in panel["targets"])
    for annotation in board.model["annotations"]["list"]:
        assert annotation["expr"] == annotation["target"]["expr"]
        yield annotation["expr"]
    for variable in board.model["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


@pytest.mark.parametrize("name", NAMES)
def test_queries_name_only_metrics_and_labels_that_are_exposed(name: str, story: Story) -> None:
    exposed: dict[str, set[str]] = {}
    for prober in story.scene.probers.values():
        for sample in scrape(prober.url).samples:
            exposed.setdefault(sample.name, set()).update(sample.labels)
    every_label = set().union(*exposed.values()) | OUR_LABELS
    for expression in expressions(story.failing.boards[name]):
        for metric, selector in re.findall(r"\b((?:freezeframe|probe)_\w+)\b(?:\{([^}]*)\})?", expression):
            if metric == "freezeframe_url":
                continue
            assert metric in exposed, f"{metric} in {expression}"
            labels = set(re.findall(r"(\w+)(?:=~|!=|!~|=)\"", selector))
            assert labels <= exposed[metric] | {"instance"}, f"{metric} in {expression}"
        for listed in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expression):
            assert set(listed.split(", ")) <= every_label


def test_what_the_overview_says_of_each_target_is_what_happened(story: Story) -> None:
    board = story.failing.boards["overview"]
    (now,) = [query for query in board.named("Targets")["targets"] if query["refId"] == "A"]
    words = board.named("Verdict over time")["fieldConfig"]["defaults"]["mappings"][0]["options"]
    said = {one.labels["target"]: words[f"{one.last:g}"]["text"] for one in board.ask(now)}
    assert said["small"] == "degradation"
    assert said["account"] == "auth or account"
    assert (said["stream"], said["secure"]) == ("ok", "ok")
    assert said["spent"] == "budget stop"


@pytest.mark.parametrize(
    "series",
    [
        'freezeframe_probes_total{target="small",verdict="degradation"}',
        'freezeframe_probe_latency_seconds_bucket{target="small",outcome="failure"}',
    ],
)
def test_prometheus_keeps_the_exemplars_that_lead_to_the_packet(series: str, story: Story) -> None:
    """Read back from its exemplar storage: the probe's ID, and the packet's, which the exporter lists under that ID."""
    board = story.failing.boards["overview"]
    kept = story.scene.prometheus.exemplars(series, board.from_s, time.time())
    packets = {listed["id"] for listed in story.scene.probers["watching"].packets("small")}
    with_packet = [labels for labels in kept if "packet" in labels]
    assert with_packet
    assert {labels["packet"] for labels in with_packet} <= packets
    assert all(re.fullmatch(r"\d{8}T\d{9}Z-[0-9a-f]+", labels["probe"]) for labels in kept)


def test_panels_that_show_exemplars_get_them(story: Story) -> None:
    """By the panel's own expression, as Grafana asks."""
    for board in story.failing.boards.values():
        shown = [query for panel in board.panels for query in panel["targets"] if query["exemplar"]]
        assert shown
        for query in shown:
            assert all("probe" in labels for labels in board.exemplars(query)), query["expr"]
            assert board.exemplars(query), query["expr"]


def links(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "url" and isinstance(value, str):
                yield value
            yield from links(value)
    elif isinstance(part, list):
        for value in part:
            yield from links(value)


def test_links_to_freezeframe_resolve(story: Story) -> None:
    probe = story.scene.probers["watching"]
    packet = probe.packets("small")[0]["id"]
    boards = story.failing.boards.values()
    outward = {url for board in boards for url in links(board.model["panels"]) if url.startswith("${freezeframe_url}")}
    assert len(outward) == 2
    for url in outward:
        value = "small" if url.endswith("target=${__value.raw}") else packet
        get(url.replace("${freezeframe_url}", probe.url).replace("${__value.raw}", value))
    (frozen,) = {one.labels["url"] for one in story.failing.annotations["incident"]["Packet frozen"]}
    get(frozen.replace("http://127.0.0.1:9464", probe.url))


def test_since_when_an_incident_is_open_is_told_to_a_few_probes(story: Story) -> None:
    (told,) = story.failing.answers["overview"]["Targets", "B"][:1]
    frozen_at = story.failing.annotations["overview"]["Packet frozen"][0].last / 1000
    assert abs(told.last / 1000 - frozen_at) < 5


def test_a_prober_that_is_gone_is_no_health(story: Story) -> None:
    """Last of those that look at the story: one of its probers ends here, and its targets vanish from the figures."""
    board = story.failing.boards["overview"]
    (query,) = board.named("Probers lost")["targets"]
    assert [one.last for one in board.ask(query)] == [0]
    story.scene.probers["spent"].stop()

    def lost() -> bool:
        later = replace(board, to_s=time.time())
        return [one.last for one in later.ask(query)] == [1]

    until("one prober lost", lost, 20)


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_was_ever_scraped_no_figure_claims_health(
    name: str, tmp_path: Path, keep: Callable[[Process], Process]
) -> None:
    """Every query is still one that Prometheus reads, and none answers: a 0 would be a green tile."""
    server = prometheus.start(tmp_path)
    keep(server.process)
    now_s = time.time()
    board = Board(FOLDER / f"{name}.json", server.url, now_s - 600, now_s)
    assert (board.values["step"], board.values["window"]) == ("60", "240")
    assert [query for panel in board.panels for query in panel["targets"] if board.ask(query)] == []
    assert not any(board.annotated(annotation) for annotation in board.model["annotations"]["list"])
    server.process.kill()
