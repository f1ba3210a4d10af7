"""SIGKILL at random moments, sixty times: every outage still leaves exactly one whole packet with one end."""

import asyncio
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from probe import render
from probe.index import PacketEntry
from probe.vault import Vault
from tests.servers import Process, until
from tests.servers.chat import GOOD, chat, error
from tests.servers.freezeframe import command, configure

pytestmark = pytest.mark.real

PROBERS = 4
OUTAGES = 10  # of each prober; each outage has a kill while it fails, every other one a second while it heals
DEFAULTS: dict[str, Any] = {
    "cadence": "150ms",
    "timeout": "140ms",
    "slow": "139ms",
    "freeze": {
        "failures": 2,
        "window": 3,
        "recover": 2,
        "reopen": "1ms",
        "confirm": {"attempts": 1, "backoff": "1ms"},
    },
}
DOWN = error(503, "The upstream is overloaded", "server_error", "x")


def test_a_prober_that_is_killed_at_any_moment_freezes_each_outage_once_and_ends_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(PROBERS) as pool:
        kills = list(
            pool.map(lambda number: _one_prober(tmp_path / str(number), random.Random(number)), range(PROBERS))
        )
    assert sum(kills) >= 50


def _one_prober(folder: Path, chance: random.Random) -> int:
    """Drives one prober through its outages; how often it was killed."""
    folder.mkdir()
    kills, fails = 0, threading.Event()
    with chat(lambda _: DOWN if fails.is_set() else GOOD) as server:
        file = configure(
            folder, server.base_url, [{"name": "t", "model": "m", "credential": "a"}], ["a"], defaults=DEFAULTS
        )

        def start() -> Process:
            return Process.start("run", folder, command("run", "--config", file), {"KEY_OF_A": "sk-fake-killed"})

        def packets(state: str) -> list[PacketEntry]:
            assert process.child.poll() is None, process.log_tail()
            return [entry for entry in entries(folder) if entry.state == state]

        process = start()
        try:
            for outage in range(OUTAGES):
                fails.set()
                time.sleep(chance.uniform(0, 1.6))  # the moment of the kill is the matter of this test
                process.kill()
                process = start()
                kills += 1
                until("an open packet", lambda: packets("open"), 40)
                fails.clear()
                if outage % 2:
                    time.sleep(chance.uniform(0, 0.6))
                    process.kill()
                    process = start()
                    kills += 1
                until("its recovery", lambda: not packets("open"), 40)
        finally:
            process.kill()
    asyncio.run(_check(folder))
    return kills


def entries(folder: Path) -> tuple[PacketEntry, ...]:
    return asyncio.run(Vault.open("packets", folder).entries())


async def _check(folder: Path) -> None:
    vault = Vault.open("packets", folder)
    known = await vault.entries()
    assert [entry.state for entry in known] == ["recovered"] * OUTAGES
    assert len({entry.incident for entry in known}) == OUTAGES
    for entry in known:
        assert render.verify(await vault.read(entry.id)) == ()
        assert await vault.problems(entry.id) == ()
        kinds = Counter(document["kind"] for _, document in await vault.addenda(entry.id))
        assert kinds["recovery"] == 1
        assert kinds["confirmation"] <= 1  # a kill may come between a packet and its confirmation
