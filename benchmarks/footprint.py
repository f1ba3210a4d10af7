"""`python -m benchmarks.footprint`: memory and CPU of one `freezeframe run`, for the chart's requests and limits.

Twenty targets every 30 s against a gateway on loopback, each connection new, scraped every 30 s: first all is well for
two minutes, then everything fails for two, so that every target freezes a packet. Read from /proc of that process.
"""

import os
import tempfile
import time
from pathlib import Path

from tests.servers import Process, get
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import command, configure, listens_on

TARGETS = 20
GOOD_S, FAILING_S = 120, 120
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, which: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{which}:"))


def main() -> None:
    failing = False

    def answer(_: Asked) -> Said:
        return error(503, "overloaded", "server_error", "overloaded") if failing else GOOD

    folder = Path(tempfile.mkdtemp(prefix="freezeframe-footprint-"))
    targets = [{"name": f"t{n}", "model": f"m{n}", "credential": "a"} for n in range(TARGETS)]
    defaults = {"cadence": "30s", "timeout": "25s", "slow": "10s"}
    with chat(answer) as server:
        file = configure(folder, server.base_url, targets, ["a"], defaults=defaults)
        process = Process.start("footprint", folder, command("run", "--config", file), {"KEY_OF_A": "fake-key-of-a"})
        url = f"http://{listens_on(file)}"
        process.wait_until_answering(f"{url}/-/ready", 60)
        pid = process.child.pid
        started = cpu_s(pid)
        print(f"start                      {started:.2f} s of CPU, {memory_mb(pid, 'VmRSS'):.0f} MB")
        for what, seconds, state in (("all well", GOOD_S, False), ("everything fails", FAILING_S, True)):
            failing = state
            before = cpu_s(pid)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                get(f"{url}/metrics")
                time.sleep(min(30.0, max(0.0, until - time.monotonic())))
            share = (cpu_s(pid) - before) / seconds
            print(f"{what:18s} {seconds:4d} s  {share * 1000:.0f} m of a core, {memory_mb(pid, 'VmRSS'):.0f} MB")
        print(f"most memory ever           {memory_mb(pid, 'VmHWM'):.0f} MB")
        print(f"packets                    {len(list((folder / 'packets').glob('*.zip')))}")
        process.terminate(45)


if __name__ == "__main__":
    main()
