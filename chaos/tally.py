"""What must have happened, worked out again from what was written, by other words than the program's own. Pure.

The grid of due times and the threshold are stated in the design; here they are a second time, on purpose.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

FAILURES = frozenset({"contract_mismatch", "degradation", "auth_or_account", "quota_or_billing"})


@dataclass(frozen=True)
class Row:
    """One row of the history. `due` is what the process's clock showed, in whole milliseconds."""

    number: int
    probe: str
    target: str
    kind: str
    due_ms: int
    verdict: str
    reason: str
    words: str


@dataclass(frozen=True)
class Threshold:
    failures: int
    window: int
    recover: int
    cadence_ms: int


def due_times(target: str, cadence_ms: int, after_ms: int, until_ms: int) -> Iterator[int]:
    """Every instant of the grid of a target after one moment, up to another."""
    phase = int.from_bytes(hashlib.sha256(target.encode()).digest()[:8]) % cadence_ms
    first = (after_ms - phase) // cadence_ms + 1
    last = (until_ms - phase) // cadence_ms
    return (number * cadence_ms + phase for number in range(first, last + 1))


def probe_id(target: str, due_ms: int) -> str:
    due = datetime.fromtimestamp(due_ms // 1000, UTC).replace(microsecond=due_ms % 1000 * 1000)
    digest = hashlib.sha256(f"{target}\n{due.isoformat()}".encode()).hexdigest()[:8]
    return f"{due:%Y%m%dT%H%M%S}{due_ms % 1000:03d}Z-{digest}"


def packet_id(target: str, probe: str, due_ms: int) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-")[:40]
    digest = hashlib.sha256(f"{target}\n{probe}".encode()).hexdigest()[:8]
    return f"{datetime.fromtimestamp(due_ms // 1000, UTC):%Y%m%dT%H%M%SZ}-{name}-{digest}"


class Incidents:
    """The threshold of one target, fed with its scheduled rows in the order in which they were written."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._entries: list[Row] = []
        self._open: set[str] = set()
        self._good = 0

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    def feed(self, row: Row) -> str | None:
        """The verdict that trips with this row, where one does."""
        if row.verdict != "ok" and row.verdict not in FAILURES:
            return None
        oldest = row.due_ms - 2 * self._threshold.window * self._threshold.cadence_ms
        kept = [it for it in self._entries if it.due_ms >= oldest]
        self._entries = [*kept, row][-self._threshold.window :]
        if row.verdict == "ok":
            self._good += 1
            if self._open and self._good >= self._threshold.recover:
                self._open.clear()
                self._entries = self._entries[-self._threshold.recover :]
            return None
        self._good = 0
        failing = [it.verdict for it in self._entries if it.verdict != "ok"]
        counts = Counter(failing)
        if self._open:
            verdict, enough = row.verdict, counts[row.verdict]
        else:
            verdict = max(reversed(failing), key=counts.__getitem__)
            enough = len(failing)
        if verdict in self._open or enough < self._threshold.failures:
            return None
        self._open.add(verdict)
        return verdict


def doubled(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
