"""Two probers of one gateway, seen by a real Prometheus: what the other one sees is part of the scope, and the same
target probed twice with the same credential is a warning."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from probe.client import Client, Network
from probe.peers import OWN_NUMBER, Peers, twins
from probe.settings import load
from tests.servers import until
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, configure
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.real

KEY = "sk-fake-peers-0001"
DEFAULTS: dict[str, Any] = {
    "cadence": "1s",
    "timeout": "900ms",
    "slow": "800ms",
    "freeze": {"failures": 3, "window": 3, "recover": 2, "reopen": "1s", "confirm": {"attempts": 0}},
}
DOWN = error(503, "The model is overloaded", "server_error", "x")


def answer(asked: Asked) -> Said:
    return DOWN if asked.model == "down" else GOOD


ENV = {"KEY_OF_A": KEY}


def config(folder: Path, base_url: str, prometheus: str | None, *targets: Mapping[str, Any]) -> Path:
    folder.mkdir()
    return configure(
        folder,
        base_url,
        targets,
        ["a"],
        defaults=DEFAULTS,
        change=lambda stated: stated.update(prometheus={"url": prometheus}),
    )


def target(name: str, model: str, region: str) -> dict[str, Any]:
    return {"name": name, "model": model, "credential": "a", "labels": {"region": region}}


def test_what_another_prober_sees_is_in_the_final_scope_and_a_twin_is_told(
    tmp_path: Path, real_prometheus: Prometheus, run: Start
) -> None:
    with chat(answer) as server:
        base_url = server.base_url
        same = target("same", "up", "eu")
        there = run("there", config(tmp_path / "there", base_url, None, target("small", "up", "us"), same), ENV)
        file = config(tmp_path / "here", base_url, real_prometheus.url, target("small", "up", "eu"), same)
        here = run("here", file, ENV)
        try:
            for name, probe in (("peers-there", there), ("peers-here", here)):
                real_prometheus.scrape(name, probe.address)
            real_prometheus.until('count(probe_success{run=~"peers-.*"} == 1) == 4', 30)
            real_prometheus.until(f'count({OWN_NUMBER}{{run=~"peers-.*"}}) == 2', 30)
            _twins_are_seen(here, there, real_prometheus.url)

            # The warning of the running process: it looks at its start, when nothing is scraped yet, so start it anew.
            here.stop()
            here = run("here", file, ENV)
            until("a warning", lambda: "another prober probes the same targets" in here.process.log_tail(), 30)
            assert f"targets=same instances={there.address}" in here.process.log_tail()
            until("the page says so", lambda: f"same also by {there.address}" in here.get("/", "text/html").decode(), 9)

            stated = json.loads(file.read_text())
            stated["targets"][0]["model"] = "down"
            file.write_text(json.dumps(stated))
            packet = here.first_packet("small")
            scope = until("the final scope", lambda: _final_scope(here, packet.listed["id"]), 20)
            assert scope["sentence"].startswith("Only the model down"), scope["sentence"]
            rows = {row[0]: row[-1] for row in scope["table"]}
            assert rows == {
                "small": "failing",
                "same": "healthy",
                "same at instance 2": "healthy",
                "small at instance 2": "healthy",
            }
            assert there.address not in json.dumps(scope)
        finally:
            for probe in (there, here):
                probe.process.kill()


def _twins_are_seen(here: Freezeframe, there: Freezeframe, url: str) -> None:
    """Our own rows are left out by the number that only our state has, and only what is alike in all is a twin."""
    loaded = load(here.folder / "freezeframe.yaml", ENV)
    exposed = here.get("/metrics", "text/plain").decode().splitlines()
    [own] = [float(line.split()[1]) for line in exposed if line.startswith(f"{OWN_NUMBER} ")]

    def look() -> tuple[tuple[str, str], ...]:
        seen = asyncio.run(Peers(url, Client(Network()).fetch, own).look())
        assert seen is not None
        assert here.address not in {it.address for it in seen}
        return twins(loaded.targets, [it for it in seen if it.address == there.address])

    assert look() == (("same", there.address),)


def _final_scope(probe: Freezeframe, packet: str) -> Any:
    addenda = json.loads(probe.get(f"/packets/{packet}"))["addenda"]
    return next((it["document"]["scope"] for it in addenda if it["document"]["kind"] == "confirmation"), None)
