"""`python -m benchmarks.capacity`: what one process of freezeframe needs for so many targets, against a gateway on
loopback in a process of its own. It is read from the outside and from its own metrics; half of the targets stream."""

import argparse
import asyncio
import gzip
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from exporter.gateway import Gateway
from exporter.gateway_docs import MODELS, contract

KEY = "sk-fake-capacity-0001"
SIZES = (20, 100, 300, 1000)
CADENCE_S = 30
SCRAPE_EVERY_S = 15
SETTLE_S = 8.0  # what starting costs is not what running costs
_TICKS_A_S = os.sysconf("SC_CLK_TCK")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Need:
    """Of one size, over the seconds that were measured; a p99 is the bound of the bucket that holds it."""

    targets: int
    probes: int
    missed: int
    cpu_percent: float
    rss_mib: float
    late_p99_ms: float
    lag_p99_ms: float
    series: int
    metrics_kib: float
    metrics_gzip_kib: float
    scrape_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--targets", type=int, nargs="+", default=SIZES, help="how many, one run each")
    parser.add_argument("--seconds", type=float, default=40, help="measured of each run (default: 40)")
    parser.add_argument("--json", action="store_true", help="figures for machines on standard output")
    parser.add_argument("--gateway", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.gateway:
        asyncio.run(_serve())
        return 0
    needs = [_measure(targets, arguments.seconds) for targets in arguments.targets]
    if arguments.json:
        print(json.dumps([asdict(need) for need in needs], indent=2))
        return 0
    table = Table(title=f"one process, a probe of each target in {CADENCE_S} s, {os.cpu_count()} cores")
    table.add_column("")
    for need in needs:
        table.add_column(f"{need.targets} targets", justify="right")
    for name in list(asdict(needs[0]))[1:]:
        table.add_row(name, *(f"{getattr(need, name):g}" for need in needs))
    Console().print(table)
    return 0


async def _serve() -> None:
    gateway = Gateway(keys={"a": KEY})
    await gateway.start()
    print(gateway.origin, flush=True)
    await asyncio.Event().wait()


def _measure(targets: int, seconds: float) -> Need:
    with tempfile.TemporaryDirectory(prefix="capacity-") as name:
        folder = Path(name)
        server = subprocess.Popen([sys.executable, "-m", __spec__.name, "--gateway"], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        file, address = _configure(folder, server.stdout.readline().strip(), targets)
        run = Path(sys.executable).with_name("freezeframe")
        with (folder / "log").open("w") as log:
            prober = subprocess.Popen([run, "run", "--config", file], env={"KEY_OF_A": KEY}, stdout=log, stderr=log)
        try:
            return _watched(prober.pid, address, targets, seconds)
        finally:
            for process in (prober, server):
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _watched(pid: int, address: str, targets: int, seconds: float) -> Need:
    _until_ready(address)
    time.sleep(SETTLE_S)
    before, cpu_s, began = _scraped(address), _cpu_s(pid), time.monotonic()
    took_s = [0.0]
    for n in itertools.count(1):
        left_s = began + min(seconds, n * SCRAPE_EVERY_S) - time.monotonic()
        time.sleep(max(0.0, left_s))
        asked = time.monotonic()
        text = _scraped(address)
        took_s.append(time.monotonic() - asked)
        if asked - began >= seconds:
            break
    lasted_s = time.monotonic() - began
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return Need(
        targets=targets,
        probes=round(_total(text, "freezeframe_probes_total{") - _total(before, "freezeframe_probes_total{")),
        missed=round(sum(_value(line) for line in lines if re.match(r'freezeframe_probes_total\{.*"missed"', line))),
        cpu_percent=round(100 * (_cpu_s(pid) - cpu_s) / lasted_s, 1),
        rss_mib=round(_rss_mib(pid), 1),
        late_p99_ms=_p99_ms(before, text, "freezeframe_schedule_lateness_seconds"),
        lag_p99_ms=_p99_ms(before, text, "freezeframe_event_loop_lag_seconds"),
        series=len(lines),
        metrics_kib=round(len(text) / 1024, 1),
        metrics_gzip_kib=round(len(gzip.compress(text.encode(), 6)) / 1024, 1),
        scrape_ms=round(max(took_s) * 1000, 1),
    )


def _configure(folder: Path, origin: str, targets: int) -> tuple[Path, str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "contract": "./contract.yaml",
        "credentials": {"a": {"env": "KEY_OF_A"}},
        "defaults": {"cadence": f"{CADENCE_S}s", "timeout": "25s"},
        "targets": [
            {
                "name": f"target-{n}",
                "model": MODELS[0],
                "stream": n % 2 == 1,
                "credential": "a",
                "labels": {"region": "eu"},
            }
            for n in range(targets)
        ],
        "budget": {"probes_per_day": 100_000_000, "tokens_per_day": 10_000_000_000},
        "sources": {"recheck": None},
        "server": {"listen": address},
    }
    (folder / "contract.yaml").write_bytes(_contract(origin))
    (folder / "freezeframe.yaml").write_text(json.dumps(config))
    return folder / "freezeframe.yaml", address


def _contract(origin: str) -> bytes:
    return json.dumps(contract(origin, datetime.now(UTC)), default=str).encode()


def _until_ready(address: str) -> None:
    for _ in range(300):
        try:
            _DIRECT.open(f"http://{address}/-/ready", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("freezeframe did not start")


def _scraped(address: str) -> str:
    text: str = _DIRECT.open(f"http://{address}/metrics", timeout=30).read().decode()
    return text


def _value(line: str) -> float:
    return float(line.rpartition(" ")[2])


def _total(text: str, start: str) -> float:
    return sum(_value(line) for line in text.splitlines() if line.startswith(start))


def _buckets(text: str, name: str) -> Iterator[tuple[float, float]]:
    for line in text.splitlines():
        if found := re.match(rf'{name}_bucket\{{le="([^"]+)"\}} (\S+)', line):
            yield float(found[1]), float(found[2])


def _p99_ms(before: str, after: str, name: str) -> float:
    known = dict(_buckets(before, name))
    seen = [(bound, count - known.get(bound, 0.0)) for bound, count in _buckets(after, name)]
    return next(bound for bound, count in seen if count >= 0.99 * seen[-1][1]) * 1000


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_S


def _rss_mib(pid: int) -> float:
    [line] = [it for it in Path(f"/proc/{pid}/status").read_text().splitlines() if it.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
