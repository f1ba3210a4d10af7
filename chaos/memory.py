"""Memory over the run: samples of the process's resident set, its slope, and a picture."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 1.0
WARM_S = 15.0  # of the steady round: what the round before left is let go
MOST_MIB_A_MINUTE = 2.0  # in the steady round; what fills before it (caches, rings of results and bodies) is no leak
MOST_MIB = 220.0


@dataclass(frozen=True)
class Sample:
    at_s: float
    life: int
    rss_mib: float


class Sampler:
    """Samples in a thread of its own until stopped."""

    def __init__(self, pid: Callable[[], tuple[int, int] | None], clock_s: Callable[[], float]) -> None:
        self._pid, self._clock_s = pid, clock_s
        self.samples: list[Sample] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(EVERY_S):
            known = self._pid()
            if known is not None and (rss := _rss_mib(known[1])) is not None:
                self.samples.append(Sample(round(self._clock_s(), 1), known[0], round(rss, 2)))


def _rss_mib(pid: int) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return None if kib is None else int(kib) / 1024


def growth(samples: Sequence[Sample], steady_s: float | None) -> float | None:
    """MiB a minute by least squares, from the beginning of the steady round on; None where there was none."""
    mine = [] if steady_s is None else [it for it in samples if it.at_s >= steady_s + WARM_S]
    return _slope([it.at_s / 60 for it in mine], [it.rss_mib for it in mine]) if mine else None


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((it - mean_x) ** 2 for it in x)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0


def problems(samples: Sequence[Sample], steady_s: float | None) -> list[str]:
    found, grew = [], growth(samples, steady_s)
    if grew is not None and grew > MOST_MIB_A_MINUTE:
        found.append(f"memory grew by {grew:.1f} MiB a minute when nothing was new, more than {MOST_MIB_A_MINUTE:g}")
    most = max((it.rss_mib for it in samples), default=0.0)
    return [*found, *([f"{most:.0f} MiB at its most, more than {MOST_MIB:g}"] if most > MOST_MIB else [])]


def picture(samples: Sequence[Sample], rounds: Sequence[tuple[float, str]]) -> str:
    """The curve as SVG: one line for each life, and where each round began."""
    width, height, left, bottom = 960, 320, 50, 60
    last_s = max((it.at_s for it in samples), default=1.0) or 1.0
    top = max((it.rss_mib for it in samples), default=1.0) * 1.1

    def x(at_s: float) -> float:
        return round(left + at_s / last_s * (width - left - 10), 1)

    def y(mib: float) -> float:
        return round(height - bottom - mib / top * (height - bottom - 20), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"',
        ' font-size="11">',
        "<title>Resident memory of freezeframe during the fault campaign</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    step = 20 if top < 150 else 50
    for mib in range(0, int(top) + 1, step):
        parts.append(
            f'<path d="M{left} {y(mib)}H{width - 10}" stroke="#ddd"/><text x="4" y="{y(mib) + 4}">{mib} MiB</text>'
        )
    for at_s, kind in rounds:
        parts.append(f'<path d="M{x(at_s)} 10V{height - bottom}" stroke="#eee"/>')
        parts.append(
            f'<text transform="translate({x(at_s)},{height - bottom + 8}) rotate(35)" font-size="8">{kind}</text>'
        )
    for life in sorted({it.life for it in samples}):
        line = " ".join(f"{x(it.at_s)},{y(it.rss_mib)}" for it in samples if it.life == life)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="1.5"/>')
    parts.append(f'<text x="{width - 150}" y="14">{last_s / 60:.1f} minutes in all</text>')
    return "\n".join([*parts, "</svg>", ""])
