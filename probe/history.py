"""What each target's recent probes left behind, over restarts; per target, so that a noisy one never evicts another's
failures.

The newest in memory for the flow, all of them in one file (`rows`) written by a thread: a batch is everything that is
pending when it is taken, in one transaction and in order, so that a result, the window after it and what it owes are
there together or not at all. Healthy probes leave numbers and enums; failures keep their sealed form, and so does the
last good exchange of each target, which a packet shows beside the failing one. What is older than the memory reaches is
read from the file for the packet or page that shows it. A disk that does not take a batch never stops the probing: it
stays pending and is tried again.
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from probe.records import Event, Result, StoreFailed, Verdict
from probe.rows import Batch, Fact, Rows, bytes_of, has_body
from probe.stored import lasting

KEPT_RESULTS: Final = 30  # in memory: what the status page shows; a KiB each for healthy ones
KEPT_WITHOUT_FILE: Final = 120
KEPT_BODIES: Final = 20  # failures with their sealed exchange; more of the same add memory and no knowledge
MOST_PENDING: Final = 10_000
BATCH_S: Final = 0.5
EXPIRE_S: Final = 600.0


class History:
    """Recent results by target name, oldest first, and small named facts. Without a file everything is in memory."""

    def __init__(
        self,
        file: Path | None = None,
        *,
        publish: Callable[[Event], None] = lambda _: None,
        retention_s: float = 7 * 86400.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._publish = publish
        self._retention = timedelta(seconds=retention_s)
        self._now = now
        self._results: dict[str, deque[Result]] = {}
        self._last_good: dict[str, Result] = {}
        self._last_failed: dict[str, Result] = {}
        self._facts: dict[str, Fact] = {}
        self._pending: list[Result] = []
        self._pending_good: dict[str, Result] = {}
        self._pending_facts: dict[str, Fact | None] = {}
        self._pending_forgotten: set[str] = set()
        self._changes = 0  # added, remembered and forgotten so far
        self._committed = 0  # of these, on disk
        self._writing = asyncio.Lock()
        self._rows = None if file is None else self._open(file)

    def add(self, result: Result) -> None:
        """Remember a result: at once in memory, with the next batch on disk."""
        self._changes += 1
        if result.verdict is Verdict.OK:
            self._last_good[result.target] = self._pending_good[result.target] = result
            result = _in_memory(result)
        elif result.verdict.is_failure and result.sealed is not None:
            self._last_failed[result.target] = result
        most = KEPT_WITHOUT_FILE if self._rows is None else KEPT_RESULTS
        results = self._results.get(result.target)
        if results is None:
            results = self._results[result.target] = deque(maxlen=most)
        results.append(result)
        if has_body(result):
            with_body = [i for i, known in enumerate(results) if has_body(known)]
            if len(with_body) > KEPT_BODIES:
                results[with_body[0]] = lasting(results[with_body[0]])
        if self._rows is not None:
            self._pending.append(result)
            if len(self._pending) > MOST_PENDING:
                healthy = (i for i, known in enumerate(self._pending) if known.verdict is Verdict.OK)
                del self._pending[next(healthy, 0)]

    def recent(self, target: str) -> tuple[Result, ...]:
        """The newest, as far as they are in memory."""
        return tuple(self._results.get(target, ()))

    def last_good(self, target: str) -> Result | None:
        return self._last_good.get(target)

    def last_failed(self, target: str) -> Result | None:
        """The newest failing exchange, however many good ones came after it."""
        return self._last_failed.get(target)

    def known(self, target: str, probes: Sequence[str]) -> tuple[Result, ...]:
        """The results of these failing probes, oldest first, as far as they are still there."""
        wanted = set(probes)
        found = [known for known in self.recent(target) if known.probe_id in wanted]
        if self._rows is not None and len(found) < len(wanted):  # a long window, or owed since before a restart
            with contextlib.suppress(sqlite3.Error, ValueError):
                older = self._rows.failing(target, len(wanted) + KEPT_BODIES)
                found = _joined([known for known in older if known.probe_id in wanted], found)
        return tuple(found)

    async def longer(self, known: Sequence[Result], most: int) -> tuple[Result, ...]:
        """These results of one target with those before them, so that they are `most`; as they are where the file
        cannot be read."""
        rows, lacking = self._rows, most - len(known)
        if rows is None or not KEPT_RESULTS <= len(known) < most:  # fewer: there were no others
            return tuple(known[-most:])
        try:
            older = await asyncio.to_thread(rows.before, known[0].target, known[0], lacking)
        except (sqlite3.Error, ValueError):
            return tuple(known)
        return tuple(_joined(older, known))

    async def since(self, target: str, due_at: datetime, most: int) -> tuple[Result, ...]:
        """The first results of a target from one due then on, and what is in memory."""
        recent = self.recent(target)
        if self._rows is None or not recent or recent[0].due_at <= due_at:
            return recent
        try:
            return tuple(_joined(await asyncio.to_thread(self._rows.since, target, due_at, most), recent))
        except (sqlite3.Error, ValueError):
            return recent

    def remember(self, key: str, value: Fact | None) -> None:
        """Keep a small named fact (None: no longer), in one transaction with the results added before."""
        self._changes += 1
        if value is None:
            self._facts.pop(key, None)
        else:
            self._facts[key] = value
        if self._rows is not None:
            self._pending_facts[key] = value

    def recalled(self, prefix: str) -> dict[str, bytes]:
        return {key: bytes_of(value) for key, value in self._facts.items() if key.startswith(prefix)}

    def forget(self, target: str) -> None:
        """A target that is no longer probed leaves nothing."""
        self._changes += 1
        self._results.pop(target, None)
        self._last_good.pop(target, None)
        self._last_failed.pop(target, None)
        self._pending_good.pop(target, None)
        self._pending = [known for known in self._pending if known.target != target]
        self._pending_forgotten.add(target)

    def mark(self) -> int:
        """A number for everything added and remembered so far, for `commit`."""
        return self._changes

    async def commit(self, mark: int) -> bool:
        """What was there at this mark is on disk; most often it is already, with a batch that was written since."""
        return self._committed >= mark or await self.flush()

    async def flush(self) -> bool:
        """Everything added and remembered so far is on disk; False where it was not taken (it stays pending)."""
        if self._rows is None:
            return True
        async with self._writing:
            changes = self._changes
            batch = Batch(self._pending, self._pending_good, self._pending_facts, self._pending_forgotten)
            if batch.is_empty:
                return True
            self._pending, self._pending_good = [], {}
            self._pending_facts, self._pending_forgotten = {}, set()
            try:
                # shielded: a cancelled flush must not lose what it took
                await asyncio.shield(asyncio.to_thread(self._rows.write, batch))
            except (sqlite3.Error, OSError) as error:
                self._pending = [*batch.results, *self._pending]
                self._pending_good = batch.good | self._pending_good
                self._pending_facts = batch.facts | self._pending_facts
                self._pending_forgotten |= batch.forgotten
                self._publish(StoreFailed("history", None, f"history: {_words(error)}"))
                return False
            self._committed = changes
            return True

    async def run(self) -> None:
        """The writer: a batch now and then, and what is too old goes; runs until cancelled."""
        loop = asyncio.get_running_loop()
        expire_at = loop.time()
        while True:
            await asyncio.sleep(BATCH_S)
            written = await self.flush()
            if written and self._rows is not None and loop.time() >= expire_at:
                expire_at = loop.time() + EXPIRE_S
                with contextlib.suppress(sqlite3.Error):  # the next flush tells of the disk
                    before = self._now() - self._retention
                    await asyncio.to_thread(self._rows.expire, tuple(self._results), before)

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()

    def _open(self, file: Path) -> Rows:
        """The file, its newest read into memory. One that cannot be read is kept aside, and a new one begins."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._read(file)
        except (sqlite3.Error, ValueError) as error:
            words = _words(error)
        number = next(n for n in range(1, 10_000) if not file.with_name(f"{file.name}.broken-{n}").exists())
        for suffix in ("", "-wal", "-shm"):
            part = file.with_name(file.name + suffix)
            if part.exists():
                part.rename(file.with_name(f"{file.name}.broken-{number}{suffix}"))
        self._publish(StoreFailed("history", None, f"history: {words}; a new one begins, the old one is kept aside"))
        return self._read(file)

    def _read(self, file: Path) -> Rows:
        rows = Rows(file)
        try:
            found = rows.found(KEPT_RESULTS)
        except BaseException:
            rows.close()
            raise
        self._results = {target: deque(map(_in_memory, known), KEPT_RESULTS) for target, known in found.results.items()}
        self._last_good, self._last_failed, self._facts = found.good, found.failed, dict(found.facts)
        return rows


def _in_memory(result: Result) -> Result:
    """What is kept of a result that is new or read from the file; failures keep their texts for now."""
    return lasting(result) if result.verdict is Verdict.OK else result


def _joined(older: Iterable[Result], newer: Sequence[Result]) -> list[Result]:
    known = {result.probe_id for result in newer}
    return [*(result for result in older if result.probe_id not in known), *newer]


def _words(error: Exception) -> str:
    """Of SQLite and of the system only, never of a row."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] if isinstance(error, sqlite3.Error) else "it cannot be read"
