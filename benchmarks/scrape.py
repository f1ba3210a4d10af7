"""d. Does being looked at change what is seen? 300 targets, quiet and scraped each second, turn about."""

import gzip
import http.client
import time
from contextlib import closing
from typing import Final

from benchmarks.figures import Part, Target, median, quantile
from benchmarks.prober import Prober
from benchmarks.stand import Stand, targets
from benchmarks.truth import STREAM, Bias, ours

TARGETS: Final = 300
ROUNDS: Final = 4
SECONDS: Final = 8
FORMS: Final = {
    "text": {"Accept": "text/plain"},
    "OpenMetrics, gzip": {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"},
}


def _fetch(prober: Prober, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
    host, _, port = prober.address.partition(":")
    asking = http.client.HTTPConnection(host, int(port), timeout=30)
    began = time.perf_counter()
    with closing(asking):
        asking.request("GET", path, headers=headers)
        reply = asking.getresponse()
        body = reply.read()
        took = time.perf_counter() - began
    if reply.status != 200:
        raise RuntimeError(f"{path} answered {reply.status}")
    return took, gzip.decompress(body) if reply.headers["Content-Encoding"] == "gzip" else body


def measure(stand: Stand, *, rounds: int = ROUNDS) -> Part:
    stand.upstream.behave(STREAM)
    prober = stand.prober("scrape", "plain", targets(TARGETS, stream=True), cadence="10s", timeout="5s", slow="4s")
    time.sleep(11)  # every target has been probed once
    _fetch(prober, "/metrics", FORMS["text"])
    found: dict[str, Bias] = {"quiet": Bias(), "scraped": Bias(), "pages": Bias()}
    took: dict[str, list[float]] = {form: [] for form in FORMS}
    pages: list[float] = []
    lines = 0
    for turn in range(rounds):
        for what in found:
            time.sleep(0.2)
            prober.heard()
            stand.upstream.seen()
            began = time.monotonic()
            for second in range(SECONDS):
                if what == "scraped":
                    form = list(FORMS)[(turn + second) % len(FORMS)]
                    seconds, body = _fetch(prober, "/metrics", FORMS[form])
                    took[form].append(seconds)
                    lines = body.count(b"\n")
                elif what == "pages":
                    pages.append(_fetch(prober, "/", {"Accept": "text/html"})[0])
                time.sleep(max(0.0, began + second + 1 - time.monotonic()))
            reported, _ = prober.heard()
            time.sleep(0.3)
            found[what] = found[what].plus(ours(reported, stand.upstream.seen()))
    slowest = quantile([seconds for known in took.values() for seconds in known], 0.99)
    moved = quantile(found["scraped"].total_ms, 0.99) - quantile(found["quiet"].total_ms, 0.99)
    by_pages = quantile(found["pages"].total_ms, 0.99) - quantile(found["quiet"].total_ms, 0.99)
    return Part(
        name="scrape",
        says=f"/metrics and the status page at {TARGETS} targets, each probed every 10 s; bias of the probes meanwhile",
        targets=(
            Target("/metrics, p99 of a scrape", 1000 * slowest, 100, "ms"),
            Target("bias p99 moved by scrapes", moved, 1, "ms"),
            Target("bias p99 moved by status pages", by_pages, 5, "ms"),
        ),
        headings=("meanwhile", "exchanges", "bias p50 (ms)", "bias p99 (ms)", "answer p50 (ms)", "answer p99 (ms)"),
        rows=(
            *(
                (
                    what,
                    float(len(bias.total_ms)),
                    quantile(bias.total_ms, 0.5),
                    quantile(bias.total_ms, 0.99),
                    *_answered(what, took, pages),
                )
                for what, bias in found.items()
            ),
            *(
                (
                    f"/metrics, {form}",
                    float(len(seconds)),
                    "",
                    "",
                    1000 * median(seconds),
                    1000 * quantile(seconds, 0.99),
                )
                for form, seconds in took.items()
            ),
        ),
        notes=(f"{lines} lines a scrape",),
    )


def _answered(what: str, took: dict[str, list[float]], pages: list[float]) -> tuple[str | float, str | float]:
    every = {"scraped": [it for known in took.values() for it in known], "pages": pages}.get(what)
    return ("", "") if every is None else (1000 * median(every), 1000 * quantile(every, 0.99))
