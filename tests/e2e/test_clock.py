"""A wall clock that really steps under the real process: neither silence nor burst, and what fails is still frozen."""

import itertools
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.servers import until
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Freezeframe, Start, configure, verify

pytestmark = pytest.mark.real

CADENCE_S = 0.4
NOTICED_S = 1.0
BUSY_S = 1.0  # what a busy machine may add
DEFAULTS = {
    "cadence": "400ms",
    "timeout": "390ms",
    "slow": "380ms",
    "freeze": {
        "failures": 3,
        "window": 3,
        "recover": 2,
        "reopen": "1ms",
        "confirm": {"attempts": 0, "backoff": "1s"},
    },
}
DOWN = error(503, "The upstream is overloaded", "server_error", "x")


@dataclass
class Gateway:
    """Counts chat requests by the clock of this process, which nobody sets."""

    base_url: str = ""
    fails: threading.Event = field(default_factory=threading.Event)
    arrived_s: list[float] = field(default_factory=list)

    def answer(self, _: Asked) -> Said:
        self.arrived_s.append(time.monotonic())
        return DOWN if self.fails.is_set() else GOOD

    def wait_for(self, more: int) -> None:
        wanted = len(self.arrived_s) + more
        until(f"{more} more probes", lambda: len(self.arrived_s) >= wanted, 10 + 5 * more * CADENCE_S, pause_s=0.02)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    with chat(made.answer) as server:
        made.base_url = server.base_url
        yield made


@dataclass
class WallClock:
    """The wall clock of one process. Its monotonic clock is the machine's, as where an administrator sets the time."""

    file: Path

    def set(self, ahead_s: int) -> None:
        whole = self.file.with_suffix(".new")
        whole.write_text(f"{ahead_s:+d}\n")
        whole.replace(self.file)

    @property
    def env(self) -> dict[str, str]:
        wrapped = ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"]  # it knows where its library is
        library = subprocess.run(wrapped, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        return {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # a fix for old C libraries; here threads would starve each other
        }


def frozen(probe: Freezeframe, count: int) -> bool:
    return len(probe.packets("t")) == count


def recovered(probe: Freezeframe) -> bool:
    return all(listed["state"] == "recovered" for listed in probe.packets("t"))


def test_a_clock_that_steps_neither_silences_nor_bursts_and_each_outage_is_frozen_once(
    tmp_path: Path, gateway: Gateway, run: Start
) -> None:
    clock = WallClock(tmp_path / "clock")
    clock.set(0)
    target = {"name": "t", "model": "m", "credential": "a"}
    file = configure(tmp_path, gateway.base_url, [target], ["a"], defaults=DEFAULTS)
    probe = run("stepped", file, clock.env | {"KEY_OF_A": "sk-fake-clock"})
    gateway.wait_for(4)

    for outages, ahead_s in enumerate((-3600, 3600), start=1):
        clock.set(ahead_s)
        gateway.wait_for(8)
        gateway.fails.set()
        until("its packet", partial(frozen, probe, outages), 30)
        gateway.wait_for(4)
        gateway.fails.clear()
        until("its recovery", partial(recovered, probe), 30)
        assert frozen(probe, outages), "one outage is one packet"

    steps = re.findall(r"the wall clock was set.* seconds=(-?[\d.]+)", probe.process.log_tail(100_000))
    assert [round(float(seconds)) for seconds in steps] == [-3600, 7200]
    seen = gateway.arrived_s
    assert max(after - before for before, after in itertools.pairwise(seen)) < 2 * CADENCE_S + NOTICED_S + BUSY_S
    # One that was held up arrives close to the next; five do not.
    assert min(fifth - first for first, fifth in zip(seen, seen[4:], strict=False)) > 1.5 * CADENCE_S
    until("both count the same", lambda: len(seen) == probe.total("freezeframe_requests_total") == len(seen), 10, 0.01)
    verify(probe.first_packet("t"))
    probe.stop()
