"""What the campaign is played in: the real process, and around it a provider, an S3 store, a Prometheus, a small disk
for `state`, a clock that can be set and a resolver that can be taken away."""

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.gateway import Gateway, Mood
from tests.servers import Process, free_port, get, moto, prometheus, until
from tests.servers.disk import Disk
from tests.servers.freezeframe import command, configure, contract
from tests.servers.scraped import Scraped, scrape

KEY = 'sk-fake-chaos-Qz7/w+x"=&9Lm'
HOST = "gateway.chaos.test"
CADENCE_S = 0.5
TARGETS = ("small", "large", "eu", "us", "small-stream", "eu-stream")
FAILURES, WINDOW, RECOVER = 3, 3, 2
DEFAULTS: dict[str, Any] = {
    "cadence": "500ms",
    "timeout": "450ms",
    "slow": "440ms",
    "freeze": {
        "failures": FAILURES,
        "window": WINDOW,
        "recover": RECOVER,
        "reopen": "1ms",
        "confirm": {"attempts": 1, "backoff": "1ms"},
    },
}
DISK = "24m"
# A view of /etc of its own: what resolves names there can be taken from this process and from no other.
_APART = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'


@dataclass
class Life:
    """From a start of the process to its end, on the machine's clocks. `first` and `rows` are how many requests had
    arrived, and how many rows were written, before it."""

    pid: int
    began: float  # wall
    first: int
    ready: float = 0.0
    ended: float | None = None
    how: str = ""


@dataclass(frozen=True)
class Outage:
    """Planned: these targets, answered badly from one moment to another (monotonic)."""

    targets: frozenset[str]
    mood: str
    began_s: float
    ended_s: float


@dataclass
class World:
    folder: Path
    chance: random.Random
    gateway: Gateway
    store: moto.S3
    disk: Disk
    prometheus: prometheus.Prometheus | None
    address: str
    lives: list[Life] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    offset_s: int = 0
    process: Process | None = None
    _numbers: int = 0

    # ------------------------------------------------------------ the process

    @property
    def file(self) -> Path:
        return self.folder / "freezeframe.yaml"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def life(self) -> Life:
        return self.lives[-1]

    def start(self) -> None:
        # A kill ends the process at once, and its connections to the provider a moment later.
        time.sleep(0.05)
        life = Life(0, time.time(), len(self.gateway.arrivals))
        env = self.store.env | _clock_env(self.folder / "clock") | {"KEY_OF_A": KEY}
        run = command("run", "--config", self.file)
        apart: list[str | Path] = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            _APART,
            "sh",
            self.folder / "hosts",
            self.folder / "resolv.conf",
        ]
        self.process = Process.start("freezeframe", self.folder, [*apart, *run], env)
        life.pid = self.process.child.pid
        self.lives.append(life)
        self.process.wait_until_answering(f"{self.url}/-/ready", 40)
        life.ready = time.time()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.life.ended, self.life.how = time.time(), "killed"

    def stop(self) -> int:
        assert self.process is not None
        code = self.process.terminate(60)
        self.life.ended, self.life.how = time.time(), "stopped"
        return code

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()

    def hang_up(self) -> None:
        """SIGHUP: it looks at its configuration again."""
        assert self.process is not None
        self.process.child.send_signal(signal.SIGHUP)

    def let_write(self, may: bool) -> None:
        """Whether this process may write to files at all, its log among them; what it has open stays open."""
        _, hard = resource.prlimit(self.life.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.life.pid, resource.RLIMIT_FSIZE, (hard if may else 0, hard))

    def log(self) -> str:
        return (self.folder / "freezeframe.log").read_text(errors="replace")

    # ------------------------------------------------------------ what it says

    def seen(self) -> Scraped:
        return scrape(self.url)

    def json(self, path: str) -> Any:
        return json.loads(get(self.url + path, Accept="application/json"))

    def until_tripped(self, names: Iterable[str]) -> None:
        """Each of them has an open incident by what the metrics say."""
        wanted = set(names)

        def tripped() -> bool:
            seen = self.seen()
            return all(seen.total("freezeframe_incident_active", target=name) for name in wanted)

        until(f"incidents of {sorted(wanted)}", tripped, 40)

    def until_quiet(self) -> None:
        """Nothing fails, nothing is owed."""

        def quiet() -> bool:
            seen = self.seen()
            return not (
                seen.total("freezeframe_incident_active")
                or seen.total("freezeframe_spooled_packets")
                or seen.total("freezeframe_window_failures")
            )

        until("no incident and nothing spooled", quiet, 90)
        until("every packet of an outage has its end", lambda: not self._open(), 60)

    def _open(self) -> list[str]:
        """Packets that somebody asked for have no outage of their own that could end."""
        listed = self.json("/packets?state=open&limit=500")["packets"]
        return [it["id"] for it in listed if it["trigger"] == "threshold"]

    # ------------------------------------------------------------ what is done to it

    def some(self, most: int = 3) -> tuple[str, ...]:
        return tuple(sorted(self.chance.sample(TARGETS, self.chance.randint(1, most))))

    @contextlib.contextmanager
    def outage(self, names: Iterable[str], mood: Mood) -> Iterator[None]:
        """The provider answers these like this, until the block ends."""
        names, began_s = frozenset(names), time.monotonic()
        self.gateway.moods |= dict.fromkeys(names, mood)
        try:
            yield
        finally:
            self.gateway.moods |= dict.fromkeys(names, Mood.GOOD)
            self.planned(names, mood, began_s)

    def planned(self, names: Iterable[str], mood: str, began_s: float) -> None:
        self.outages.append(Outage(frozenset(names), mood, began_s, time.monotonic()))

    def number(self) -> int:
        """One that was not given before."""
        self._numbers += 1
        return self._numbers

    def restart_prometheus(self) -> None:
        """On the same port, with what it had."""
        assert self.prometheus is not None
        was = self.prometheus.process
        self.prometheus.process = Process.start("prometheus", was.log.parent, [str(it) for it in was.child.args], {})  # type: ignore[union-attr]
        self.prometheus.process.wait_until_answering(f"{self.prometheus.url}/-/ready", 30)

    def pause(self, least_s: float, most_s: float) -> None:
        time.sleep(self.chance.uniform(least_s, most_s))

    def set_clock(self, ahead_s: int) -> None:
        self.offset_s = ahead_s
        whole = self.folder / "clock.new"
        whole.write_text(f"{ahead_s:+d}\n")
        whole.replace(self.folder / "clock")

    def resolve(self, *, knows: bool) -> None:
        """In place: the process looks at these very files."""
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {HOST if knows else ''}\n")


def _clock_env(file: Path) -> dict[str, str]:
    """As an administrator sets the time: the monotonic clock is the machine's (see tests/e2e/test_clock.py)."""
    wrapped = ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"]
    library = subprocess.run(wrapped, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


@contextlib.contextmanager
def world(folder: Path, chance: random.Random, running: Gateway, *, with_prometheus: bool) -> Iterator[World]:
    """Everything runs, and ends with the block, whatever happens in it."""
    with contextlib.ExitStack() as stack:

        def keep(process: Process) -> Process:
            stack.callback(process.kill)
            return process

        disk = Disk(folder / "state")
        disk.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk.folder], check=True)
        stack.callback(lambda: subprocess.run(["umount", "--lazy", disk.folder], check=True))
        (folder / "moto").mkdir()
        store = moto.start(folder / "moto", keep)
        stack.callback(lambda: store.process.kill())
        watching = None
        if with_prometheus:
            (folder / "prometheus").mkdir()
            watching = prometheus.start(folder / "prometheus")
            stack.callback(lambda: watching.process.kill())
        made = World(folder, chance, running, store, disk, watching, f"127.0.0.1:{free_port()}")
        stack.callback(made.end)
        _configure(made)
        os.environ.update(store.env)  # the library of the store reads the variables of this process
        yield made


def _configure(made: World) -> None:
    port = made.gateway.origin.rpartition(":")[2]
    base_url = f"http://{HOST}:{port}/v1"

    def change(config: dict[str, Any]) -> None:
        config["store"] = f"s3://{moto.BUCKET}/chaos"
        config["log"] = {"format": "json"}
        config["server"]["listen"] = made.address
        config["controls"] = [{"name": "outside", "url": f"{made.gateway.origin}/here", "role": "independent"}]
        config["budget"] = {"probes_per_day": 2_000_000, "tokens_per_day": 200_000_000}
        if made.prometheus is not None:
            config["prometheus"] = {"url": made.prometheus.url}

    targets = [
        {"name": name, "model": name, "credential": "a", **({"stream": True} if name.endswith("stream") else {})}
        for name in TARGETS
    ]
    configure(made.folder, base_url, targets, ["a"], defaults=DEFAULTS, change=change)
    (made.folder / "contract.yaml").write_text(json.dumps(contract(base_url)))
    (made.folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    made.resolve(knows=True)
    made.set_clock(0)
    if made.prometheus is not None:
        made.prometheus.scrape("chaos", made.address)
