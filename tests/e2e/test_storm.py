"""Fifty targets that fail in one moment, providers that flap and hang, a configuration that changes in an incident."""

import asyncio
import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from probe import render
from probe.vault import Vault
from tests.servers import until
from tests.servers.chat import GOOD, Asked, ChatServer, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, command, contract
from tests.servers.scraped import Scraped, scrape

pytestmark = pytest.mark.real

KEY = "sk-fake-storm"
BAD = error(503, "The upstream is overloaded", "server_error", "x")


def freeze(**changed: object) -> dict[str, object]:
    policy: dict[str, object] = {"failures": 3, "window": 5, "recover": 3, "reopen": "30m"}
    return policy | {"confirm": {"attempts": 0, "backoff": "1s"}} | changed


def listed(probe: Freezeframe) -> list[dict[str, Any]]:
    """Every packet, newest first."""
    packets: list[dict[str, Any]] = json.loads(probe.get("/packets?limit=500"))["packets"]
    return packets


def shown(probe: Freezeframe, packet: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(probe.get(f"/packets/{packet}"))
    return document


def kinds(packet: dict[str, Any]) -> list[str]:
    return [addendum["document"]["kind"] for addendum in packet["addenda"]]


# ---------------------------------------------------------------- a storm

MANY = 50
STORM: dict[str, Any] = {
    "cadence": "2s",
    "timeout": "1500ms",
    "slow": "1400ms",
    "freeze": freeze(failures=2, window=3, recover=2, confirm={"attempts": 1, "backoff": "100ms"}),
}


@dataclass(frozen=True)
class Storm:
    """What a storm left behind: each packet as GET /packets/{id} shows it, the last scrape, the folder of the run."""

    packets: dict[str, dict[str, Any]]
    seen: Scraped
    folder: Path
    received: int


@pytest.fixture(scope="module")
def storm(freezeframe: Start) -> Iterator[Storm]:
    """All well, then all failing at once, then all well again."""
    failing = threading.Event()
    targets = [{"name": f"t{number:02d}", "model": f"m{number:02d}", "credential": "a"} for number in range(MANY)]
    with chat(lambda _: BAD if failing.is_set() else GOOD) as server:
        probe = freezeframe("storm", server.base_url, targets, {"a": KEY}, defaults=STORM)

        def ok() -> float:
            return scrape(probe.url).total("freezeframe_probes_total", verdict="ok")

        def confirmed() -> bool:
            return len(tuple((probe.folder / "packets").glob("*.001.json"))) >= MANY

        until("each target answered well", lambda: ok() >= MANY, 20)
        failing.set()
        until("as many packets as targets, each confirmed", confirmed, 40)
        failing.clear()
        until("each packet has its end", lambda: all(it["state"] == "recovered" for it in listed(probe)), 40)
        well = ok()
        until("each target answered well once more", lambda: ok() >= well + MANY, 20)
        packets = {it["id"]: shown(probe, it["id"]) for it in listed(probe)}
        seen = scrape(probe.url)
        probe.stop()
        yield Storm(packets, seen, probe.folder, len(server.asked))


def test_each_of_fifty_targets_has_one_packet_and_they_are_one_incident(storm: Storm) -> None:
    """Fifty targets are one ticket: the incident is the ID of the packet that leads."""
    assert Counter(it["target"] for it in storm.packets.values()) == {f"t{number:02d}": 1 for number in range(MANY)}
    assert storm.seen.total("freezeframe_trips_total") == MANY
    assert storm.seen.total("freezeframe_packets_total") == MANY
    [incident] = {it["incident"] for it in storm.packets.values()}
    assert incident in storm.packets


def test_each_packet_is_confirmed_once_and_ended_once(storm: Storm) -> None:
    """And nothing else stands beside it."""
    for packet in storm.packets.values():
        assert kinds(packet) == ["confirmation", "recovery"], packet["id"]


def test_the_storm_asks_each_sibling_once_at_most(storm: Storm) -> None:
    """Fifty leaders would be 2450 paid requests; a confirmation each is what was configured."""
    asked = {
        kind: storm.seen.total("freezeframe_requests_total", kind=kind) for kind in ("scheduled", "sibling", "confirm")
    }
    assert 0 < asked["sibling"] <= MANY - 1
    assert asked["confirm"] <= MANY
    assert sum(asked.values()) <= storm.received  # the last scrape came before the stop


def test_each_packet_of_the_storm_verifies(storm: Storm) -> None:
    """Some of them by the command, which is slow to start; all of them by what it does: zip and chain of addenda."""

    def verify(packet: str) -> str:
        file = storm.folder / "freezeframe.yaml"
        ran = subprocess.run(
            command("packets", "verify", packet, "--config", file),
            env={"KEY_OF_A": KEY},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return "" if ran.returncode == 0 else ran.stdout + ran.stderr

    some = sorted(storm.packets)[::10]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(verify, some)) == [""] * len(some)
    asyncio.run(_verify(Vault.open("packets", storm.folder), storm.packets))


async def _verify(vault: Vault, packets: Iterable[str]) -> None:
    for packet in packets:
        assert render.verify(await vault.read(packet)) == (), packet
        assert await vault.problems(packet) == (), packet


def test_freezing_fifty_packets_makes_no_probe_late(storm: Storm) -> None:
    """Packets are written off the probe path: no tick is missed, and nearly all begin within a quarter of a second."""
    seen = storm.seen
    assert seen.total("freezeframe_probes_total", verdict="missed") == 0
    ticks = seen.total("freezeframe_schedule_lateness_seconds_count")
    in_time = seen.total("freezeframe_schedule_lateness_seconds_bucket", le="0.25")
    assert in_time >= 0.98 * ticks, f"{ticks - in_time:g} of {ticks:g} ticks began more than a quarter of a second late"


# ---------------------------------------------------------------- flapping, hanging, changing


@dataclass(frozen=True)
class Flap:
    """So many bad answers, then so many good ones, so many times, then good ones for ever; and what it must leave."""

    bad: int
    good: int
    cycles: int
    packets: int
    reopened: int = 0
    recovered: int = 0
    reopen: str = "30m"

    def answer(self, number: int) -> Said:
        period = self.bad + self.good
        return BAD if number <= period * self.cycles and (number - 1) % period < self.bad else GOOD


FLAPS = {
    # Never three good ones in a row before the end: one outage.
    "two-bad-one-good": Flap(2, 1, 10, packets=1, recovered=1),
    # As many good ones as end an incident, and the threshold met again each time: one packet that goes on.
    "three-and-three": Flap(3, 3, 6, packets=1, reopened=5, recovered=6),
    "five-and-five": Flap(5, 5, 3, packets=1, reopened=2, recovered=3),
    # Never three of five: no outage.
    "one-bad-two-good": Flap(1, 2, 10, packets=0),
    # The same as above where nothing may be reopened: `reopen` is what makes the difference.
    "not-reopened": Flap(3, 3, 4, packets=4, recovered=4, reopen="1ms"),
}
HANGING = range(4, 9)  # the requests that are never answered
FLAPPING: dict[str, Any] = {"cadence": "500ms", "timeout": "450ms", "slow": "440ms", "freeze": freeze()}


class Flapping:
    """One process with a target for each story; every target has a contract of its own, so that none asks another."""

    def __init__(self, server: ChatServer, folder: Path, freezeframe: Start) -> None:
        self.server = server
        self.relabelled_fails = threading.Event()
        targets = [
            *(self._target(name, freeze=freeze(reopen=flap.reopen)) for name, flap in FLAPS.items()),
            self._target("relabelled", labels={"region": "eu"}),
            self._target("hanging", cadence="1s", timeout="500ms", slow="450ms"),
        ]
        for target in targets:
            file = folder / f"{target['name']}.yaml"
            file.write_text(json.dumps(contract(server.base_url)))
            target["contract"] = str(file)
        self.probe = freezeframe("flapping", server.base_url, targets, {"a": KEY}, defaults=FLAPPING)

    @staticmethod
    def _target(name: str, **more: object) -> dict[str, Any]:
        return {"name": name, "model": name, "credential": "a", **more}

    def ended(self, target: str, requests: int) -> bool:
        """The story of a target was told, and nothing of it is open."""
        seen = scrape(self.probe.url)  # asked first: a process that ended is told of at once
        return self.server.count(target) >= requests and not seen.total("freezeframe_incident_active", target=target)

    def packets(self, target: str) -> list[dict[str, Any]]:
        """Of that target, each whole, once what was owed to the store is there."""

        def written() -> bool:
            return all(packet["state"] == "recovered" for packet in self.probe.packets(target))

        until(f"the store knows the end of {target}", written, 10)
        return [shown(self.probe, packet["id"]) for packet in self.probe.packets(target)]


@pytest.fixture(scope="module")
def flapping(tmp_path_factory: pytest.TempPathFactory, freezeframe: Start) -> Iterator[Flapping]:
    """Everything runs from the start and at the same time; each test waits for its own story."""
    stopping = threading.Event()
    fails = threading.Event()

    def answer(asked: Asked) -> Said:
        match asked.model:
            case "relabelled":
                return BAD if fails.is_set() else GOOD
            case "hanging":
                if asked.number in HANGING:
                    stopping.wait(3)  # three cadences
                return GOOD
            case name:
                return FLAPS[name].answer(asked.number)

    with chat(answer) as server:
        running = Flapping(server, tmp_path_factory.mktemp("flapping-contracts"), freezeframe)
        running.relabelled_fails = fails
        yield running
        stopping.set()
        running.probe.stop()


def test_a_label_that_changes_in_an_open_incident_neither_ends_it_nor_freezes_again(flapping: Flapping) -> None:
    """By SIGHUP: the incident goes on where it was and its packet gets its end."""
    probe, file = flapping.probe, flapping.probe.folder / "freezeframe.yaml"

    def seen(name: str, **labels: str) -> float:
        return scrape(probe.url).total(name, target="relabelled", **labels)

    flapping.relabelled_fails.set()
    until("a packet", lambda: probe.packets("relabelled"), 20)
    config = json.loads(file.read_text())
    next(it for it in config["targets"] if it["name"] == "relabelled")["labels"] = {"region": "us"}
    file.write_text(json.dumps(config))
    probe.process.child.send_signal(signal.SIGHUP)
    until("the new label", lambda: seen("freezeframe_target_info", label_region="us"), 10, pause_s=0.05)
    assert seen("freezeframe_target_info", label_region="eu") == 0
    assert seen("freezeframe_incident_active") == 1
    before = seen("freezeframe_failures_total")
    until("enough failures to trip anew", lambda: seen("freezeframe_failures_total") >= before + 4, 20)
    assert seen("freezeframe_incident_active") == 1
    flapping.relabelled_fails.clear()
    until("its end", lambda: not seen("freezeframe_incident_active"), 20)
    [packet] = flapping.packets("relabelled")
    assert kinds(packet) == ["confirmation", "recovery"]
    assert packet["packet"]["target"]["labels"] == {"region": "eu"}
    failed = packet["addenda"][1]["document"]["failures"]
    assert failed == seen("freezeframe_failures_total"), "the end counts the failures before and after the change"
    assert (seen("freezeframe_trips_total"), seen("freezeframe_reopens_total")) == (1, 0)


def test_a_provider_that_hangs_is_one_outage_and_its_ticks_are_all_made(flapping: Flapping) -> None:
    """The deadline is shorter than the cadence: a probe that waits in vain is over before the next is due."""
    until("its end", partial(flapping.ended, "hanging", HANGING.stop + 2), 40)
    [packet] = flapping.packets("hanging")
    assert (packet["verdict"], packet["reason"]) == ("degradation", "read_timeout")
    assert kinds(packet) == ["confirmation", "recovery"]
    seen = scrape(flapping.probe.url)
    timeouts = seen.total("freezeframe_failures_total", target="hanging", reason="read_timeout")
    assert timeouts == seen.total("freezeframe_failures_total", target="hanging") == len(HANGING)
    assert seen.total("freezeframe_probes_total", target="hanging", verdict="missed") == 0
    for attempt in packet["packet"]["happened"]["attempts"]:
        assert 0.49 <= attempt["phases"]["total_s"] < 1.0, "it took the deadline, not the hang"


@pytest.mark.parametrize("name", FLAPS)
def test_flapping_within_reopen_goes_on_in_one_packet(name: str, flapping: Flapping) -> None:
    """The same failure that is back soon reopens its packet by an addendum instead of freezing another."""
    flap = FLAPS[name]
    until("its end", partial(flapping.ended, name, (flap.bad + flap.good) * flap.cycles + 3), 60)
    packets = flapping.packets(name)
    assert len(packets) == flap.packets
    written = [kinds(packet) for packet in packets]
    counted = Counter(kind for kinds_of_one in written for kind in kinds_of_one)
    assert counted == {
        kind: count
        for kind, count in (
            ("confirmation", flap.packets),
            ("reopening", flap.reopened),
            ("recovery", flap.recovered),
        )
        if count
    }
    ends = [kind for kinds_of_one in written for kind in kinds_of_one if kind != "confirmation"]
    assert all(before != after for before, after in pairwise(ends) if flap.packets == 1), "they take turns"
    assert len({packet["incident"] for packet in packets}) == flap.packets
    seen = scrape(flapping.probe.url)
    assert seen.total("freezeframe_trips_total", target=name) == flap.packets + flap.reopened
    assert seen.total("freezeframe_reopens_total", target=name) == flap.reopened
    assert seen.total("freezeframe_packets_total", target=name) == flap.packets
