"""Two pods of one release share its targets and its object store: each probes its own, any serves every packet, and the
scope of a failure is that of both, as a real Prometheus has it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from probe.shards import owner
from tests.servers import Process, moto, until
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, command, configure
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.real

KEY = {"KEY_OF_A": "sk-fake-sharded-0001"}
DEFAULTS: dict[str, Any] = {
    "cadence": "500ms",
    "timeout": "450ms",
    "slow": "440ms",
    "freeze": {"failures": 2, "window": 3, "recover": 2, "reopen": "1ms", "confirm": {"attempts": 0}},
}
NAMES = [
    *[f"t{n}" for n in range(50) if owner(f"t{n}", 2) == 0][:2],
    *[f"t{n}" for n in range(50) if owner(f"t{n}", 2)][:2],
]
DOWN = error(503, "The upstream is overloaded", "server_error", "x")


def test_two_shards_probe_their_own_targets_and_tell_the_scope_of_both(
    tmp_path: Path, keep: Callable[[Process], Process], run: Start, real_prometheus: Prometheus
) -> None:
    store = moto.start(tmp_path, keep)
    down: set[str] = set()

    def answer(asked: Asked) -> Said:
        return DOWN if asked.model in down else GOOD

    with chat(answer) as server:
        pods = [_pod(tmp_path / str(n), n, server.base_url, real_prometheus.url, run, store.env) for n in (0, 1)]
        try:
            for n, pod in enumerate(pods):
                real_prometheus.scrape(f"shard-{n}", pod.address)
            for n, pod in enumerate(pods):
                until("its targets", lambda it=pod, own=set(NAMES[2 * n : 2 * n + 2]): _probed(it) == own, 10)
                said = f"This is shard {n} (of 2, counted from 0): 2 of 4 targets"
                assert said in pod.get("/", "text/html").decode()
            assert [pod.total("freezeframe_budget_limit") for pod in pods] == [500_500] * 2
            real_prometheus.until('count(probe_success{run=~"shard-.*"} == 1) == 4', 20)

            down.add(NAMES[0])
            packet = pods[0].first_packet(NAMES[0])
            frozen = packet.document["scope"]["sentence"]
            assert frozen.endswith("Not known: 2 more targets of this contract, which other shards probe."), frozen
            scope = until("the final scope", lambda: _final_scope(pods[0], packet.listed["id"]), 20)
            assert {row[0]: row[-1] for row in scope["table"]} == {
                NAMES[0]: "failing",
                NAMES[1]: "healthy",
                f"{NAMES[2]} at instance 2": "healthy",
                f"{NAMES[3]} at instance 2": "healthy",
            }
            assert "Not known" not in scope["sentence"]
            path = f"/packets/{packet.listed['id']}/packet.zip"
            assert pods[1].get(path, "*/*") == packet.zip_file.read_bytes()
            until("the other pod lists it", lambda: pods[1].packets(NAMES[0]), 10)
            assert _probed(pods[1]) == set(NAMES[2:])  # but none of its metrics are about a target of another pod
        finally:
            for pod in pods:
                pod.process.kill()
            store.kill()


def _pod(folder: Path, index: int, base_url: str, prometheus: str, run: Start, env: dict[str, str]) -> Freezeframe:
    folder.mkdir()

    def change(stated: dict[str, Any]) -> None:
        stated["shard"] = {"count": 2}
        stated["store"] = f"s3://{moto.BUCKET}/sharded"
        stated["prometheus"] = {"url": prometheus}
        stated["budget"] = {"probes_per_day": 1000, "tokens_per_day": 1_000_000}

    targets = [{"name": name, "model": name, "credential": "a"} for name in NAMES]
    file = configure(folder, base_url, targets, ["a"], defaults=DEFAULTS, change=change)
    pod = KEY | env | {"FREEZEFRAME_SHARD__INDEX": f"release-freezeframe-{index}"}
    if index:
        asked = command("config", "check", "--config", file)
        checked = subprocess.run(asked, env=pod, capture_output=True, text=True, timeout=60)
        assert "fine, shard 1 (of 2, counted from 0): 2 of 4 targets" in checked.stdout, checked.stdout + checked.stderr
    return run(f"shard-{index}", file, pod)


def _probed(pod: Freezeframe) -> set[str]:
    """The targets that its metrics speak of."""
    lines = pod.get("/metrics", "text/plain").decode().splitlines()
    return {part.partition('"')[0] for line in lines for part in line.split('target="')[1:]}


def _final_scope(pod: Freezeframe, packet: str) -> Any:
    addenda = json.loads(pod.get(f"/packets/{packet}"))["addenda"]
    return next((it["document"]["scope"] for it in addenda if it["document"]["kind"] == "confirmation"), None)
