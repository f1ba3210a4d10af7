"""The dashboards of a target that is probed every five minutes: nothing is skipped, nothing looks like a gap."""

import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from tests.servers import ROOT, Process, prometheus
from tests.servers.board import Board

pytestmark = pytest.mark.real

SPARSE_S, SCRAPE_S, HOURS = 300, 30, 6


def sparse_history(end_s: int) -> Iterator[str]:
    """Six hours of one target at a cadence of five minutes; its probe of three hours ago failed, as no other did."""
    begin_s = end_s - HOURS * 3600
    constant = {
        "freezeframe_target_cadence_seconds": ('target="slow"', float(SPARSE_S)),
        "freezeframe_target_info": ('target="slow",contract="c",model="m",stream="false",credential="k"', 1.0),
        "freezeframe_build_info": ('version="1"', 1.0),
    }
    buckets = ("0.1", "0.5", "1.0", "+Inf")
    rows: dict[str, list[str]] = {name: [] for name in (*constant, "probes", "stops", "latency")}
    for at_s in range(begin_s, end_s + 1, SCRAPE_S):
        ticks = (at_s - begin_s + 10) // SPARSE_S
        failed = int(at_s - begin_s + 10 >= HOURS * 1800)
        for name, (labels, value) in constant.items():
            rows[name].append(f'{name}{{instance="p",{labels}}} {value} {at_s}')
        for verdict, count in (("ok", ticks - failed), ("degradation", failed)):
            which = f'instance="p",target="slow",verdict="{verdict}"'
            rows["probes"].append(f"freezeframe_probes_total{{{which}}} {count} {at_s}")
        rows["stops"].append(f'freezeframe_budget_stops_total{{instance="p",target="slow"}} 0 {at_s}')
        for bound in buckets:
            which = f'instance="p",target="slow",outcome="success",le="{bound}"'
            count = 0 if bound == "0.1" else ticks - failed
            rows["latency"].append(f"freezeframe_probe_latency_seconds_bucket{{{which}}} {count} {at_s}")
    for lines in rows.values():
        yield from sorted(lines, key=lambda line: line.rpartition(" ")[0].rpartition(" ")[0])
    yield "# EOF\n"


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]) -> Board:
    """The overview at a Prometheus that holds such a history."""
    folder = tmp_path_factory.mktemp("sparse")
    end_s = int(time.time()) // SPARSE_S * SPARSE_S
    (folder / "history.om").write_text("\n".join(sparse_history(end_s)))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"{folder}/history.om", f"{folder}/data"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    server = prometheus.start(folder)
    keep(server.process)
    return Board(ROOT / "dashboards/overview.json", server.url, end_s - HOURS * 3600 + 1200, end_s)


def test_a_probe_every_five_minutes_has_no_gaps_and_its_one_failure_is_seen(sparse: Board) -> None:
    assert (sparse.values["step"], sparse.values["window"]) == ("150", "600")
    (series,) = sparse.ask(sparse.named("Verdict over time")["targets"][0])
    times = [at for at, _ in series.points]
    assert {after - before for before, after in pairwise(times)} == {150.0}
    failing = [at for at, value in series.points if value > 1]
    assert 1 <= len(failing) <= 4  # two cadences at the most, in steps of half a cadence


def test_its_quantiles_are_there_at_every_step(sparse: Board) -> None:
    for query in sparse.named("Latency of good probes")["targets"]:
        (series,) = sparse.ask(query)
        assert all(0.1 < value <= 0.5 for _, value in series.points)
        assert len(series.points) >= 20
