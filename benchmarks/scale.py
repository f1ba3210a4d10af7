"""c. How many targets one core carries: lateness, missed ticks, memory and processor time, from 10 targets to 3,000."""

import os
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Part, Target, quantile
from benchmarks.stand import Stand, targets
from benchmarks.upstream import Behaviour

# targets, cadence in seconds, how long it is watched
SIZES: Final = ((10, 30, 15), (20, 30, 30), (100, 30, 15), (300, 10, 20), (1000, 30, 20), (3000, 90, 20))
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Load:
    targets: int
    cadence_s: int
    probes: int
    late_ms: float
    missed: int
    cpu_percent: float
    rss_mib: float
    full_mib: float  # once as many results are kept of each target as ever are


def _load(stand: Stand, count: int, cadence_s: int, seconds: int) -> Load:
    prober = stand.prober(f"scale-{count}", "plain", targets(count), cadence=f"{cadence_s}s", timeout="5s", slow="4s")
    os.sched_setaffinity(prober.pid, {max(os.sched_getaffinity(0))})
    for task in os.listdir(f"/proc/{prober.pid}/task"):
        os.sched_setaffinity(int(task), {max(os.sched_getaffinity(0))})
    time.sleep(min(cadence_s, 10) + 1)
    prober.heard()
    before, began = prober.usage(), time.monotonic()
    time.sleep(seconds)
    after, took_s = prober.usage(), time.monotonic() - began
    results, _ = prober.heard()
    prober.fill()
    full = prober.usage()
    prober.close()
    return Load(
        targets=count,
        cadence_s=cadence_s,
        probes=len(results),
        late_ms=1000 * quantile([it.lateness_s for it in results if not it.missed], 0.99),
        missed=sum(it.missed for it in results),
        cpu_percent=100 * (after.cpu_s - before.cpu_s) / took_s,
        rss_mib=after.rss_bytes / MEGABYTE,
        full_mib=full.rss_bytes / MEGABYTE,
    )


def measure(stand: Stand, *, sizes: tuple[tuple[int, int, int], ...] = SIZES) -> Part:
    stand.upstream.behave(Behaviour(think_s=0.02))
    loads = {count: _load(stand, count, cadence_s, seconds) for count, cadence_s, seconds in sizes}
    promises: list[Target] = []
    for count in (300, 1000):
        if (load := loads.get(count)) is not None:
            where = f"{count} targets at {load.cadence_s} s on one core"
            promises += [
                Target(f"{where}: lateness p99", load.late_ms, 50, "ms"),
                Target(f"{where}: ticks missed", float(load.missed), 0, "ticks"),
                Target(f"{where}: memory, its history full", load.full_mib, 200, "MiB"),
            ]
    if (small := loads.get(20)) is not None:
        promises += [
            Target("20 targets at 30 s: memory, its history full", small.full_mib, 80, "MiB"),
            Target("20 targets at 30 s: processor", small.cpu_percent, 1, "%"),
        ]
    return Part(
        name="scale",
        says="freezeframe pinned to one core, plain HTTP",
        targets=tuple(promises),
        headings=(
            *("targets", "cadence (s)", "probes seen", "lateness p99 (ms)", "missed"),
            *("processor (%)", "memory (MiB)", "memory, history full (MiB)"),
        ),
        rows=tuple(
            (
                *(float(it.targets), float(it.cadence_s), float(it.probes), it.late_ms),
                *(float(it.missed), it.cpu_percent, it.rss_mib, it.full_mib),
            )
            for it in loads.values()
        ),
    )
