"""A running process takes over a changed configuration: asked to, or because a file changed, as in Kubernetes too."""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers import until
from tests.servers.chat import GOOD, Asked, ChatServer, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, configure, contract
from tests.servers.scraped import Scraped, scrape
from tests.servers.secrets import leaks

pytestmark = pytest.mark.real

# Of no form that would be known as a key: only what was read from the file tells that these are secret.
FIRST_KEY, SECOND_KEY = "first/of+two=0001", "second/of+two=0002"
STAYS = "stays"
DEFAULTS = {"cadence": "2s", "timeout": "1900ms", "slow": "1800ms"}
FILES = ("freezeframe.yaml", "contract.yaml")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Gate:
    """Answers well; requests for a model that is held wait until it is let go."""

    held: dict[str, threading.Event] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    def answer(self, asked: Asked) -> Said:
        if (let_go := self.held.get(asked.model)) is not None:
            self.waiting.add(asked.model)
            let_go.wait(10)
            self.waiting.discard(asked.model)
        return GOOD

    @contextmanager
    def hold(self, model: str) -> Iterator[None]:
        event = self.held[model] = threading.Event()
        try:
            yield
        finally:
            del self.held[model]
            event.set()


@dataclass
class Running:
    """A process, the gateway it probes, and how its configuration is put in place."""

    probe: Freezeframe
    server: ChatServer
    gate: Gate
    publish: Callable[[Path, str], object]

    @property
    def file(self) -> Path:
        return self.probe.folder / "freezeframe.yaml"

    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self.file.read_text())
        return config

    def change(self, config: dict[str, Any]) -> None:
        self.publish(self.file, json.dumps(config))

    def scrape(self) -> Scraped:
        return scrape(self.probe.url)

    def log(self, *parts: str) -> list[str]:
        """The lines that hold all of these."""
        return [line for line in self.probe.process.log.read_text().splitlines() if all(part in line for part in parts)]

    def reload(self) -> tuple[int, dict[str, Any]]:
        """POST /-/reload: its status and document."""
        asked = urllib.request.Request(self.probe.url + "/-/reload", method="POST", headers={"Accept": "*/*"})
        try:
            with _DIRECT.open(asked, timeout=20) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read())


def target(name: str) -> dict[str, Any]:
    return {"name": name, "model": name, "credential": "a"}


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


def by_swap(file: Path, text: str) -> None:
    """As the kubelet updates a ConfigMap: the new files in a folder of their own, then `..data` is renamed over."""
    mount = file.parent
    old = mount / os.readlink(mount / "..data")
    new = mount / f"..{time.time_ns()}"
    new.mkdir()
    for name in FILES:
        (new / name).write_text(text if name == file.name else (old / name).read_text())
    (mount / "..data_tmp").symlink_to(new.name)
    (mount / "..data_tmp").replace(mount / "..data")
    for name in FILES:
        (old / name).unlink()
    old.rmdir()


def as_mounted(mount: Path) -> None:
    """Turn a folder of files into what the kubelet mounts: links to files behind `..data`."""
    (mount / "..first").mkdir()
    (mount / "..data").symlink_to("..first")
    for name in FILES:
        (mount / name).rename(mount / "..first" / name)
        (mount / name).symlink_to(f"..data/{name}")


@contextmanager
def started(name: str, tmp_path_factory: pytest.TempPathFactory, run: Start, *, mounted: bool) -> Iterator[Running]:
    """Two targets: one stays through everything, the other goes with the next change."""
    folder, own, gate = tmp_path_factory.mktemp(name), tmp_path_factory.mktemp(f"{name}-own"), Gate()

    def with_own_folders(config: dict[str, Any]) -> None:
        config |= {"state": str(own / "state"), "store": str(own / "packets")}

    with chat(gate.answer) as server:
        targets = [target(STAYS), target("goes-first")]
        file = configure(folder, server.base_url, targets, ["a"], defaults=DEFAULTS, change=with_own_folders)
        if mounted:
            as_mounted(folder)
        probe = run(name, file, {"KEY_OF_A": FIRST_KEY})
        yield Running(probe, server, gate, by_swap if mounted else in_place)
        probe.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, run: Start) -> Iterator[Running]:
    """One process that takes over one change after another."""
    with started("reloaded", tmp_path_factory, run, mounted=False) as it:
        yield it


@pytest.fixture
def in_kubernetes(tmp_path_factory: pytest.TempPathFactory, run: Start) -> Iterator[Running]:
    """One whose configuration is a mounted ConfigMap."""
    with started("reloaded-mounted", tmp_path_factory, run, mounted=True) as it:
        yield it


def ask_by_signal(running: Running) -> None:
    running.probe.process.child.send_signal(signal.SIGHUP)


def ask_by_http(running: Running) -> None:
    status, document = running.reload()
    assert (status, document["reloaded"]) == (200, True)


def do_not_ask(running: Running) -> None:
    """It looks by itself."""


class Watched:
    """Scrapes, and with each of them sees that no counter of the target that stays went back or away."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.first = self._last = running.scrape().counts(STAYS)

    def __call__(self) -> Scraped:
        seen = self._running.scrape()
        now = seen.counts(STAYS)
        gone_back = {series for series, value in self._last.items() if now.get(series, -1) < value}
        assert not gone_back
        self._last = now
        return seen

    def ok(self) -> float:
        return self().total("freezeframe_probes_total", target=STAYS, verdict="ok")


CAUSES = {"SIGHUP": ask_by_signal, "http": ask_by_http, "file": do_not_ask}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_target_comes_with_its_series_at_0_another_goes_with_its_own_and_the_rest_goes_on(
    cause: str, running: Running
) -> None:
    """Nothing of the target that stays is reset, and the first request of the new one is counted from 0."""
    _one_comes_and_one_goes(running, cause)


def test_the_swap_of_a_symlink_in_kubernetes_is_a_change_as_any_other(in_kubernetes: Running) -> None:
    """The file's name stays the same link; what is behind it is another file, also when that happens again."""
    _one_comes_and_one_goes(in_kubernetes, "file")
    config = in_kubernetes.config()
    config["targets"].append(target("added-later"))
    in_kubernetes.change(config)
    until("its series", lambda: in_kubernetes.scrape().about("added-later"), 20)


def _one_comes_and_one_goes(running: Running, cause: str) -> None:
    added = f"added-by-{cause}"
    until("both were probed", lambda: all(running.server.count(it["model"]) for it in running.config()["targets"]), 10)
    watched = Watched(running)
    ok = watched.ok()
    config = running.config()
    removed = config["targets"][1]["name"]
    config["targets"][1] = target(added)

    def scrapes_with_added() -> list[Scraped]:
        seen = watched()
        return [seen] if seen.about(added) else []

    with running.gate.hold(added):
        running.change(config)
        CAUSES[cause](running)
        [seen] = until("the new series", scrapes_with_added, 20, pause_s=0.02)
        assert seen.about(removed) == []
        counts = {series: value for series, value in seen.counts(added).items() if value}
        assert {name for name, _ in counts} <= {"freezeframe_requests_total"}, "nothing but a request under way"
        assert len(seen.of("freezeframe_probes_total", target=added)) == len(
            seen.of("freezeframe_probes_total", target=STAYS)
        )
        assert seen.of("freezeframe_probes_total", target=added, verdict="ok") == [0]
        assert len(seen.of("freezeframe_target_info")) == 2
    until("the new target's first good probe", lambda: watched().total("probe_success", target=added), 10)
    asked = running.server.count(removed)
    until("two more of the one that stays", lambda: watched.ok() >= ok + 2, 20)
    assert running.server.count(removed) == asked
    assert watched().about(removed) == []
    assert running.log(" reloaded ", f"cause={cause}", f"added={added}", f"removed={removed}")


@pytest.mark.parametrize("which", [0, 1], ids=["stays", "goes"])
def test_a_probe_in_flight_during_a_reload_ends_and_is_counted_where_its_target_is_still_known(
    which: int, running: Running
) -> None:
    """That of a target that went ends as well, but must not bring its series back."""
    config = running.config()
    name, going = config["targets"][which]["name"], config["targets"][1]["name"]
    config["targets"][1] = target(f"after-{going}")
    with running.gate.hold(name):
        until("a probe in flight", lambda: name in running.gate.waiting, 10, pause_s=0.01)
        asked = running.server.count(name)
        watched = Watched(running)
        before = watched().total("freezeframe_probes_total", target=name)
        running.change(config)
        status, document = running.reload()
        assert (status, document["removed"]) == (200, [going])
        assert running.server.count(name) == asked, "it is still the same one that is under way"
    if name == STAYS:
        until("its end", lambda: watched().total("freezeframe_probes_total", target=name) == before + 1, 5, 0.02)
        seen = watched()
        assert seen.total("freezeframe_failures_total", target=name) == 0
        assert seen.total("freezeframe_probes_total", target=name, verdict="missed") == 0
        assert seen.total("freezeframe_requests_total", target=name) == asked
    else:
        ok = watched.ok()
        until("two more of the one that stays", lambda: watched.ok() >= ok + 2, 20)
        assert watched().about(name) == []
        assert running.server.count(name) == asked


def test_an_invalid_file_keeps_the_old_one_until_it_is_mended(running: Running) -> None:
    """It says so in a metric, in the log and to whoever asks for it; the probing goes on."""
    watched = Watched(running)

    def successful() -> tuple[float, float]:
        seen = watched()
        name = "freezeframe_config_last_reload_success"
        return seen.total(f"{name}ful"), seen.total(f"{name}_timestamp_seconds")

    assert successful()[0] == 1
    good = running.config()
    bad = running.config()
    bad["targets"][0]["cadence"] = "30 parsecs"
    bad["targets"][1]["name"] = "never-seen"
    running.change(bad)
    until("a failed load, seen without being asked", lambda: successful()[0] == 0, 20)
    since = successful()[1]
    assert running.log("reload failed", "cause=file", "targets[0].cadence: expected a duration")
    ok = watched.ok()
    status, problem = running.reload()
    assert status == 400
    assert "targets[0].cadence: expected a duration" in problem["detail"]
    assert running.log("reload failed", "cause=http", "targets[0].cadence: expected a duration")
    until("probing goes on", lambda: watched.ok() >= ok + 2, 20)
    assert successful() == (0, since)
    assert watched().about("never-seen") == []
    assert watched().about(good["targets"][1]["name"])
    running.change(good)
    assert running.reload()[0] == 200
    reloaded, at = successful()
    assert reloaded == 1
    assert at > since


# ---------------------------------------------------------------- a key that rotates


MARK = "the-echo-begins-here"


@dataclass
class Rotating:
    """Knows some keys. Two models tell every key that was ever known, one of them only from the rotation on."""

    known: set[str] = field(default_factory=lambda: {FIRST_KEY})
    rotated: bool = False

    def answer(self, asked: Asked) -> Said:
        echoes = asked.model == "echo" or (asked.model == "echo-later" and self.rotated)
        if asked.key in self.known and not echoes:
            return GOOD
        told = f"{MARK}: {asked.key} is not {FIRST_KEY}" + (f" nor {SECOND_KEY}" if self.rotated else "")
        return error(401, told, "invalid_request_error", "invalid_api_key")


def test_a_key_file_that_rotates_is_used_by_the_next_probe_and_neither_key_is_left_anywhere(
    tmp_path: Path, run: Start
) -> None:
    """Without any command to reload; the server knows only the new key from then on and echoes both."""
    gateway = Rotating()
    (key_file := tmp_path / "key").write_text(FIRST_KEY + "\n")
    (folder := tmp_path / "run").mkdir()

    def with_key_file(config: dict[str, Any]) -> None:
        config["credentials"] = {"a": {"file": str(key_file)}}

    with chat(gateway.answer) as server:
        (folder / "of-stays.yaml").write_text(json.dumps(contract(server.base_url)))  # no trip asks it as a sibling
        # Its next probe comes long before anything looks at files: that is done every two seconds, and twice.
        quick = {"cadence": "1s", "timeout": "900ms", "slow": "850ms", "contract": "./of-stays.yaml"}
        targets = [target(STAYS) | quick, target("echo"), target("echo-later")]
        file = configure(folder, server.base_url, targets, ["a"], defaults=DEFAULTS, change=with_key_file)
        probe = run("rotated", file, {})

        def keys() -> list[str]:
            return [asked.key for asked in tuple(server.asked) if asked.model == STAYS]

        def ok() -> float:
            return scrape(probe.url).total("freezeframe_probes_total", target=STAYS, verdict="ok")

        first = probe.first_packet("echo")
        probes = len(keys())
        until("a probe that just ended", lambda: len(keys()) > probes and ok() == len(keys()), 10, pause_s=0.01)
        probes = len(keys())
        (renewed := tmp_path / "renewed").write_text(SECOND_KEY + "\n")
        gateway.known = {SECOND_KEY}
        renewed.replace(key_file)
        until("the next probe", lambda: len(keys()) > probes, 10, pause_s=0.01)
        assert keys() == [FIRST_KEY] * probes + [SECOND_KEY]
        assert "reloaded" not in probe.process.log.read_text()
        gateway.rotated = True
        second = probe.first_packet("echo-later")
        until("more good probes", lambda: ok() >= probes + 2, 20)
        assert set(keys()[probes:]) == {SECOND_KEY}
        seen = scrape(probe.url)
        assert seen.total("freezeframe_failures_total", target=STAYS) == 0
        pages = {
            path: probe.get(path, accept)
            for accept in ("text/html", "application/json")
            for path in ("/", "/metrics", "/packets", *(f"/packets/{it.listed['id']}" for it in (first, second)))
        }
        probe.stop()

    for packet in (first, second):
        assert MARK in (packet.folder / "exchange.har").read_text(), "the echo did reach the packet"
    files = {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*") if it.is_file()}
    assert any(name.startswith("state/history.sqlite") for name in files)
    assert sum(name.startswith("packets/") and name.endswith(".zip") for name in files) == 2
    for key in (FIRST_KEY, SECOND_KEY):
        assert [leak for name, data in (files | pages).items() for leak in leaks(key, name, data)] == []
    assert leaks(SECOND_KEY, "the key file", key_file.read_bytes()), "the search finds what is there"
