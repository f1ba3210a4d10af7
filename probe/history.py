"""What each target's recent probes left behind, over restarts; per target, so that a noisy one never evicts another's
failures.

In memory for the flow, and in one SQLite file written by a thread: a batch is everything that is pending when it is
taken, in one transaction and in order, so that a result, the window after it and what it owes are there together or not
at all. Healthy probes leave numbers and enums; failures keep their sealed form, and so does the last good exchange of
each target, which a packet shows beside the failing one. A disk that does not take it never stops the probing: the
batch stays pending and is tried again.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from probe import stored
from probe.records import Event, Reading, Result, StoreFailed, Verdict
from probe.redact import bare

KEPT_RESULTS: Final = 200  # a few KiB each at most for healthy ones; failures are bounded by the client's read limit
KEPT_BODIES: Final = 20  # failures with their sealed exchange; more of the same add memory and no knowledge
KEPT_ROWS: Final = 25_000  # of a target on disk: a week at the default cadence
KEPT_ROWS_WITH_BODY: Final = 200
MOST_PENDING: Final = 10_000
BATCH_S: Final = 0.5
EXPIRE_S: Final = 600.0
VERSION: Final = 1

_SCHEMA: Final = f"""
CREATE TABLE result (
  id INTEGER PRIMARY KEY, target TEXT NOT NULL, due_at REAL NOT NULL, has_body INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX result_by_target ON result (target, id);
CREATE TABLE last_good (target TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL);
PRAGMA user_version = {VERSION};
"""


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
        self._facts: dict[str, bytes] = {}
        self._pending: list[Result] = []
        self._pending_good: dict[str, Result] = {}
        self._pending_facts: dict[str, bytes | None] = {}
        self._pending_forgotten: set[str] = set()
        self._writing = asyncio.Lock()
        self._disk = threading.Lock()
        self._database = None if file is None else self._open(file)

    def add(self, result: Result) -> None:
        """Remember a result: at once in memory, with the next batch on disk."""
        if result.verdict is Verdict.OK:
            self._last_good[result.target] = self._pending_good[result.target] = result
            result = _bare(result)
        results = self._results.setdefault(result.target, deque(maxlen=KEPT_RESULTS))
        results.append(result)
        with_body = [i for i, known in enumerate(results) if _has_body(known)]
        if len(with_body) > KEPT_BODIES:
            results[with_body[0]] = _bare(results[with_body[0]])
        if self._database is not None:
            self._pending.append(result)
            if len(self._pending) > MOST_PENDING:
                healthy = (i for i, known in enumerate(self._pending) if known.verdict is Verdict.OK)
                del self._pending[next(healthy, 0)]

    def recent(self, target: str) -> tuple[Result, ...]:
        return tuple(self._results.get(target, ()))

    def last_good(self, target: str) -> Result | None:
        return self._last_good.get(target)

    def remember(self, key: str, value: bytes | None) -> None:
        """Keep a small named fact (None: no longer), in one transaction with the results added before."""
        if value is None:
            self._facts.pop(key, None)
        else:
            self._facts[key] = value
        if self._database is not None:
            self._pending_facts[key] = value

    def recalled(self, prefix: str) -> dict[str, bytes]:
        return {key: value for key, value in self._facts.items() if key.startswith(prefix)}

    def forget(self, target: str) -> None:
        """A target that is no longer probed leaves nothing."""
        self._results.pop(target, None)
        self._last_good.pop(target, None)
        self._pending_good.pop(target, None)
        self._pending = [known for known in self._pending if known.target != target]
        self._pending_forgotten.add(target)

    async def flush(self) -> bool:
        """Everything added and remembered so far is on disk; False where it was not taken (it stays pending)."""
        if self._database is None:
            return True
        async with self._writing:
            batch = _Batch(self._pending, self._pending_good, self._pending_facts, self._pending_forgotten)
            if batch.is_empty:
                return True
            self._pending, self._pending_good = [], {}
            self._pending_facts, self._pending_forgotten = {}, set()
            try:
                # shielded: a cancelled flush must not lose what it took
                await asyncio.shield(asyncio.to_thread(self._write, batch))
            except (sqlite3.Error, OSError) as error:
                self._pending = [*batch.results, *self._pending]
                self._pending_good = batch.good | self._pending_good
                self._pending_facts = batch.facts | self._pending_facts
                self._pending_forgotten |= batch.forgotten
                self._publish(StoreFailed("history", None, f"history: {_words(error)}"))
                return False
            return True

    async def run(self) -> None:
        """The writer: a batch now and then, and what is too old goes; runs until cancelled."""
        loop = asyncio.get_running_loop()
        expire_at = loop.time()
        while True:
            await asyncio.sleep(BATCH_S)
            written = await self.flush()
            if written and self._database is not None and loop.time() >= expire_at:
                expire_at = loop.time() + EXPIRE_S
                with contextlib.suppress(sqlite3.Error):  # the next flush tells of the disk
                    await asyncio.to_thread(self._expire, tuple(self._results))

    def close(self) -> None:
        if self._database is not None:
            with self._disk:
                self._database.close()

    def _open(self, file: Path) -> sqlite3.Connection:
        """The database, read into memory. One that cannot be read is kept aside, and a new one begins."""
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

    def _read(self, file: Path) -> sqlite3.Connection:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise ValueError(f"version {version} is not known here")
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA journal_size_limit = 1048576")
            if version == 0:
                database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            results: dict[str, deque[Result]] = {}
            for (target,) in database.execute("SELECT DISTINCT target FROM result").fetchall():
                rows = database.execute(
                    "SELECT data FROM result WHERE target = ? ORDER BY id DESC LIMIT ?", (target, KEPT_RESULTS)
                ).fetchall()
                results[target] = deque((stored.load(data) for (data,) in reversed(rows)), maxlen=KEPT_RESULTS)
            good = {
                target: stored.load(data) for target, data in database.execute("SELECT target, data FROM last_good")
            }
            facts = dict(database.execute("SELECT key, value FROM fact").fetchall())
        except BaseException:
            database.close()
            raise
        self._results, self._last_good, self._facts = results, good, facts
        return database

    def _write(self, batch: "_Batch") -> None:
        database = self._database
        assert database is not None
        with self._disk:
            database.execute("BEGIN IMMEDIATE")
            try:
                for target in batch.forgotten:
                    database.execute("DELETE FROM result WHERE target = ?", (target,))
                    database.execute("DELETE FROM last_good WHERE target = ?", (target,))
                database.executemany(
                    "INSERT INTO result (target, due_at, has_body, data) VALUES (?, ?, ?, ?)",
                    [(it.target, it.due_at.timestamp(), _has_body(it), stored.dump(it)) for it in batch.results],
                )
                database.executemany(
                    "INSERT OR REPLACE INTO last_good VALUES (?, ?)",
                    [(target, stored.dump(result)) for target, result in batch.good.items()],
                )
                for key, value in batch.facts.items():
                    if value is None:
                        database.execute("DELETE FROM fact WHERE key = ?", (key,))
                    else:
                        database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (key, value))
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def _expire(self, targets: tuple[str, ...]) -> None:
        """By age, and of each target by count: first the rows with a body, then all."""
        database = self._database
        assert database is not None
        before = (self._now() - self._retention).timestamp()
        over = "SELECT id FROM result WHERE target = ?{} ORDER BY id DESC LIMIT -1 OFFSET ?"
        with self._disk:
            database.execute("DELETE FROM result WHERE due_at < ?", (before,))
            for target in targets:
                for condition, most in ((" AND has_body", KEPT_ROWS_WITH_BODY), ("", KEPT_ROWS)):
                    database.execute(f"DELETE FROM result WHERE id IN ({over.format(condition)})", (target, most))  # noqa: S608 - our own words
            database.execute("PRAGMA incremental_vacuum(200)").fetchall()


@dataclass(frozen=True, slots=True)
class _Batch:
    results: list[Result]
    good: dict[str, Result]
    facts: dict[str, bytes | None]
    forgotten: set[str]

    @property
    def is_empty(self) -> bool:
        return not (self.results or self.good or self.facts or self.forgotten)


def _has_body(result: Result) -> bool:
    return result.verdict is not Verdict.OK and result.sealed is not None and result.sealed.value.request.body != ""


def _bare(result: Result) -> Result:
    if result.sealed is None:
        return result
    if result.verdict is not Verdict.OK:
        return replace(result, sealed=bare(result.sealed))
    # Healthy: numbers and enums. What was said, and the words found in it, go.
    judgement = replace(result.judgement, words=None, findings=())
    reading = Reading(usage=result.reading.usage, quota=result.reading.quota)
    return replace(result, sealed=bare(result.sealed), judgement=judgement, reading=reading)


def _words(error: Exception) -> str:
    """Of SQLite and of the system only, never of a row."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] if isinstance(error, sqlite3.Error) else "it cannot be read"
