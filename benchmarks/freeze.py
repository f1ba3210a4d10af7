"""e. From the end of the failing probe to a durable packet: one at a time while others are probed, and 300 at once."""

import time
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.figures import Part, Target, median, quantile
from benchmarks.prober import Packet, Prober, Reported
from benchmarks.stand import Stand, targets
from benchmarks.truth import Bias, ours
from benchmarks.upstream import Behaviour

SINGLE: Final = 40
AT_ONCE: Final = 300
THINK_S: Final = 0.02
HEALTHY: Final = Behaviour(think_s=THINK_S)
ONE_FAILURE: Final[dict[str, Any]] = {
    "freeze": {"failures": 1, "window": 1, "recover": 1, "reopen": "1s", "confirm": {"attempts": 0, "backoff": "1s"}}
}
PATIENCE_S: Final = 60.0


def _until_frozen(prober: Prober, count: int, within_s: float) -> tuple[list[Reported], list[Packet]]:
    results: list[Reported] = []
    packets: list[Packet] = []
    until = time.monotonic() + within_s
    while len(packets) < count and time.monotonic() < until:
        time.sleep(0.05)
        more, frozen = prober.heard()
        results += more
        packets += frozen
    return results, packets


def _waited_s(results: list[Reported], packets: list[Packet]) -> list[float]:
    ended = {it.probe_id: it.ended for it in results}
    return [packet.at - ended[packet.probe_id] for packet in packets if packet.probe_id in ended]


def measure(stand: Stand, *, single: int = SINGLE, at_once: int = AT_ONCE) -> Part:
    waited, quiet, busy = _one_by_one(stand, single)
    took_s, late, missed, frozen = _all_at_once(stand, at_once)
    moved = quantile(busy.total_ms, 0.99) - quantile(quiet.total_ms, 0.99)
    return Part(
        name="freeze",
        says="From the end of the failing probe to a packet that is on disk and synced",
        targets=(
            Target("one packet, p99", 1000 * quantile(waited, 0.99), 300, "ms"),
            Target(f"{at_once} targets fail at once: all frozen after", took_s, 30, "s"),
            Target(f"{at_once} at once: packets that are missing", float(at_once - frozen), 0, "packets"),
            Target(f"{at_once} at once: ticks missed", float(missed), 0, "ticks"),
            Target(f"{at_once} at once: lateness p99 of probes meanwhile", 1000 * quantile(late, 0.99), 50, "ms"),
            Target("bias p99 of other probes moved by freezing", moved, 5, "ms"),
        ),
        headings=("what", "count", "p50 (ms)", "p99 (ms)"),
        rows=(
            _row("one packet, others are probed meanwhile", [1000 * it for it in waited]),
            _row("bias of probes, quiet", quiet.total_ms),
            _row("bias of probes while packets are frozen", busy.total_ms),
            _row(f"lateness of probes while {at_once} are frozen", [1000 * it for it in late]),
        ),
    )


def _row(what: str, values_ms: Sequence[float]) -> tuple[str | float, ...]:
    return (what, float(len(values_ms)), median(values_ms), quantile(values_ms, 0.99))


def _one_by_one(stand: Stand, count: int) -> tuple[list[float], Bias, Bias]:
    """Targets that fail one after another beside twenty that never do."""
    stand.upstream.behave(HEALTHY)
    rows = [*targets(20), *({"name": f"f{it:03d}", "model": f"failing-{it:03d}-x"} for it in range(count))]
    prober = stand.prober("freeze-single", "plain", rows, cadence="1s", timeout="900ms", slow="800ms", **ONE_FAILURE)
    time.sleep(2.5)
    prober.heard()
    stand.upstream.seen()
    time.sleep(6)
    quiet = ours(prober.heard()[0], stand.upstream.seen())
    waited: list[float] = []
    busy = Bias()
    failing: set[str] = set()
    for number in range(count):
        failing.add(f"failing-{number:03d}-x")
        stand.upstream.behave(Behaviour(think_s=THINK_S, failing=frozenset(failing)))
        results, packets = _until_frozen(prober, 1, PATIENCE_S)
        waited += _waited_s(results, packets)
        busy = busy.plus(ours(results, stand.upstream.seen()))
    prober.close()
    return waited, quiet, busy


def _all_at_once(stand: Stand, count: int) -> tuple[float, list[float], int, int]:
    stand.upstream.behave(HEALTHY)
    prober = stand.prober("freeze-all", "plain", targets(count), cadence="10s", timeout="5s", slow="4s", **ONE_FAILURE)
    time.sleep(11)
    prober.heard()
    stand.upstream.behave(Behaviour(think_s=THINK_S, failing=frozenset({"truth"})))
    results, packets = _until_frozen(prober, count, PATIENCE_S)
    more, _ = prober.heard()
    results += more
    first_failed = min((it.ended for it in results if it.verdict == "degradation"), default=0.0)
    took_s = max((packet.at for packet in packets), default=PATIENCE_S) - first_failed
    prober.close()
    return took_s, [it.lateness_s for it in results if not it.missed], sum(it.missed for it in results), len(packets)
