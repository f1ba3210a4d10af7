"""a. Is our clock right? What a prober reports minus what the server knows, at rising rates, quiet and busy.

The server thinks for 20 ms and streams chunks 4 ms apart; the *bias* of a prober is its own time and loopback's. Both
probers run at the same rate against the same server, turn about: freezeframe by its own schedule, blackbox_exporter
asked for /probe as Prometheus asks it. It reports a sum of phases, and a `probe_duration` that dashboards show.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Part, Target, doubt, quantile
from benchmarks.prober import Prober, Reported
from benchmarks.stand import Blackbox, Phases, Stand, phases, targets
from benchmarks.upstream import Behaviour, Truth, Upstream

STREAM: Final = Behaviour(think_s=0.020, pause_s=0.004, chunks=3)
RATES: Final = (1, 50, 200)
SECONDS: Final = {1: 20.0, 50: 6.0, 200: 5.0}
ROUNDS: Final = 3
PROBERS: Final = ("freezeframe", "blackbox_exporter, phases", "blackbox_exporter, probe_duration")


@dataclass(frozen=True, slots=True)
class Bias:
    """Of many exchanges, in milliseconds: reported minus true."""

    first_byte_ms: tuple[float, ...] = ()
    first_token_ms: tuple[float, ...] = ()
    total_ms: tuple[float, ...] = ()

    def plus(self, other: "Bias") -> "Bias":
        return Bias(
            self.first_byte_ms + other.first_byte_ms,
            self.first_token_ms + other.first_token_ms,
            self.total_ms + other.total_ms,
        )


def ours(reported: Sequence[Reported], true: dict[str, Truth]) -> Bias:
    """Ours, of every probe that the server saw and that was not missed."""
    both = [(it, true[it.name]) for it in reported if it.name in true]
    return Bias(
        tuple(1000 * (it.first_byte_s - known.first_byte_s) for it, known in both if it.first_byte_s is not None),
        tuple(1000 * (it.first_token_s - known.first_token_s) for it, known in both if it.first_token_s is not None),
        tuple(1000 * (it.total_s - known.total_s) for it, known in both),
    )


def watched(prober: Prober, upstream: Upstream, seconds: float) -> tuple[Bias, list[Reported]]:
    """What a prober that runs by its schedule reports within some seconds, beside what is true."""
    time.sleep(0.2)
    prober.heard()
    upstream.seen()
    time.sleep(seconds)
    reported, _ = prober.heard()
    time.sleep(0.3)  # an exchange that was just over when the prober was asked
    return ours(reported, upstream.seen()), reported


async def _asked(blackbox: Blackbox, url: str, name: str) -> Phases:
    reader, writer = await asyncio.open_connection("127.0.0.1", blackbox.port)
    writer.write(f"GET {blackbox.path(url, name)} HTTP/1.0\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    return phases(text)


async def _at_rate(blackbox: Blackbox, url: str, rate: float, seconds: float) -> dict[str, Phases]:
    began = time.monotonic()
    asking = {}
    for number in range(max(1, round(rate * seconds))):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        name = f"bb-{number}"
        asking[name] = asyncio.create_task(_asked(blackbox, url, name))
    return {name: await task for name, task in asking.items()}


def theirs(blackbox: Blackbox, upstream: Upstream, rate: float, seconds: float) -> tuple[Bias, Bias]:
    """By their phases, and by `probe_duration_seconds`, which has no first byte."""
    upstream.seen()
    reported = asyncio.run(_at_rate(blackbox, upstream.urls["plain"], rate, seconds))
    time.sleep(0.2)
    true = upstream.seen()
    both = [(it, true[name]) for name, it in reported.items() if name in true]
    return (
        Bias(
            tuple(1000 * (it.first_byte_s - known.first_byte_s) for it, known in both),
            (),
            tuple(1000 * (it.total_s - known.total_s) for it, known in both),
        ),
        Bias((), (), tuple(1000 * (it.duration_s - known.total_s) for it, known in both)),
    )


def measure(stand: Stand, *, rounds: int = ROUNDS) -> Part:
    blackbox, upstream = stand.blackbox(), stand.upstream
    upstream.behave(STREAM)
    rows: list[tuple[str | float, ...]] = []
    promises: list[Target] = []
    for rate in RATES:
        prober = stand.prober(
            f"truth-{rate}", "plain", targets(rate, stream=True), cadence="1s", timeout="900ms", slow="800ms"
        )
        time.sleep(2)  # the first probes of a process load what the later ones find loaded
        found = {who: Bias() for who in PROBERS}
        for _ in range(rounds):
            bias, _reported = watched(prober, upstream, SECONDS[rate])
            found["freezeframe"] = found["freezeframe"].plus(bias)
        prober.close()  # theirs is measured with nobody else at the server
        for _ in range(rounds):
            by_phases, by_duration = theirs(blackbox, upstream, rate, SECONDS[rate])
            found["blackbox_exporter, phases"] = found["blackbox_exporter, phases"].plus(by_phases)
            found["blackbox_exporter, probe_duration"] = found["blackbox_exporter, probe_duration"].plus(by_duration)
        rows += [_row(rate, who, bias) for who, bias in found.items()]
        mine, best = found["freezeframe"], found["blackbox_exporter, phases"]
        for what, ours_ms, theirs_ms in (
            ("first byte", mine.first_byte_ms, best.first_byte_ms),
            ("total", mine.total_ms, best.total_ms),
        ):
            ratio = quantile(ours_ms, 0.5) / quantile(theirs_ms, 0.5)
            most = 1.0 + doubt(ours_ms, theirs_ms)
            promises.append(Target(f"bias of {what} p50 beside blackbox_exporter at {rate}/s", ratio, most, "x"))
    return Part(
        name="truth",
        says="Bias in milliseconds: what a prober reports minus what the server knows; plain HTTP, streamed answers",
        targets=tuple(promises),
        headings=(
            *("probes/s", "prober", "exchanges", "first byte p50", "p99"),
            *("first token p50", "p99", "total p50", "p99"),
        ),
        rows=tuple(rows),
        notes=(
            f"The server thinks {STREAM.think_s * 1000:g} ms, then sends {STREAM.chunks} chunks "
            f"{STREAM.pause_s * 1000:g} ms apart",
            "A promise is 1 x, and what so many exchanges cannot tell (two standard errors of the ratio)",
            "The p99 are no promise: one thread stamps every exchange, and at a high rate some wait for others",
        ),
    )


def _row(rate: int, who: str, bias: Bias) -> tuple[str | float, ...]:
    quantiles = [
        quantile(values, share)
        for values in (bias.first_byte_ms, bias.first_token_ms, bias.total_ms)
        for share in (0.5, 0.99)
    ]
    return (float(rate), who, float(len(bias.total_ms)), *quantiles)
