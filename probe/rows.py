"""The file of the history: results as rows, last good exchanges, small named facts. One SQLite file, two connections:
what is read for a packet or a page does not wait for the disk that a batch is written to.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from probe import stored
from probe.records import Result, Verdict

KEPT_ROWS: Final = 25_000  # of a target on disk: a week at the default cadence
KEPT_ROWS_WITH_BODY: Final = 200
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
# What a file of an earlier release does not have; that release has no trouble with it.
_SINCE: Final = "CREATE INDEX IF NOT EXISTS result_with_body ON result (target, id) WHERE has_body"
_CACHE: Final = "PRAGMA cache_size = -256"  # KiB; nothing is read twice

# The bytes, or what makes them when they are written: most are replaced by newer ones before that.
Fact = bytes | Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Batch:
    results: list[Result]
    good: dict[str, Result]
    facts: dict[str, Fact | None]
    forgotten: set[str]

    @property
    def is_empty(self) -> bool:
        return not (self.results or self.good or self.facts or self.forgotten)


@dataclass(frozen=True, slots=True)
class Found:
    """What a file held when it was opened: of each target the newest results (oldest first), the newest failing one
    and the last good one; and every fact."""

    results: dict[str, list[Result]]
    failed: dict[str, Result]
    good: dict[str, Result]
    facts: dict[str, bytes]


class Rows:
    """Each method may be called in any thread."""

    def __init__(self, file: Path) -> None:
        """sqlite3.Error or ValueError where the file is none of ours."""
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        self._disk = threading.Lock()
        self._reading = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
            self._beside = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        except BaseException:
            self._database.close()
            raise
        self._beside.execute(_CACHE)

    def _prepare(self) -> None:
        database = self._database
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise ValueError(f"version {version} is not known here")
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA journal_size_limit = 1048576")
        database.execute(_CACHE)
        if version == 0:
            database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        database.execute(_SINCE)

    def found(self, most: int) -> Found:
        """sqlite3.Error or ValueError where it cannot be read."""
        results: dict[str, list[Result]] = {}
        failed: dict[str, Result] = {}
        for (target,) in self._database.execute("SELECT DISTINCT target FROM result").fetchall():
            results[target] = self._newest("target = ?", (target,), most)
            if failing := [known for known in self.failing(target, 5) if known.verdict.is_failure]:
                failed[target] = failing[-1]
        good = self._database.execute("SELECT target, data FROM last_good").fetchall()
        facts = dict(self._database.execute("SELECT key, value FROM fact").fetchall())
        return Found(results, failed, {target: stored.load(data) for target, data in good}, facts)

    def _newest(self, condition: str, values: Sequence[object], most: int) -> list[Result]:
        """Oldest first."""
        words = f"SELECT data FROM result WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608 - our own words
        with self._reading:
            rows = self._beside.execute(words, (*values, most)).fetchall()
        return [stored.load(data) for (data,) in reversed(rows)]

    def before(self, target: str, first: Result, most: int) -> list[Result]:
        """The results that were added before this one, oldest first; none where it is not in the file."""
        with self._reading:
            at = self._beside.execute(
                "SELECT id FROM result WHERE target = ? AND due_at = ? ORDER BY id DESC LIMIT 1",
                (target, first.due_at.timestamp()),
            ).fetchone()
        return [] if at is None else self._newest("target = ? AND id < ?", (target, at[0]), most)

    def since(self, target: str, due_at: datetime, most: int) -> list[Result]:
        """The first results due from then on, oldest first."""
        words = "SELECT data FROM result WHERE target = ? AND due_at >= ? ORDER BY id LIMIT ?"
        with self._reading:
            rows = self._beside.execute(words, (target, due_at.timestamp(), most)).fetchall()
        return [stored.load(data) for (data,) in rows]

    def failing(self, target: str, most: int) -> list[Result]:
        """The newest results that kept their exchange, oldest first."""
        return self._newest("target = ? AND has_body", (target,), most)

    def write(self, batch: Batch) -> None:
        """One transaction: all of it is on disk, or nothing is."""
        database = self._database
        with self._disk:
            database.execute("BEGIN IMMEDIATE")
            try:
                for target in batch.forgotten:
                    database.execute("DELETE FROM result WHERE target = ?", (target,))
                    database.execute("DELETE FROM last_good WHERE target = ?", (target,))
                database.executemany(
                    "INSERT INTO result (target, due_at, has_body, data) VALUES (?, ?, ?, ?)",
                    [(it.target, it.due_at.timestamp(), has_body(it), stored.dump(it)) for it in batch.results],
                )
                database.executemany(
                    "INSERT OR REPLACE INTO last_good VALUES (?, ?)",
                    [(target, stored.dump(result)) for target, result in batch.good.items()],
                )
                for key, value in batch.facts.items():
                    if value is None:
                        database.execute("DELETE FROM fact WHERE key = ?", (key,))
                    else:
                        database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (key, bytes_of(value)))
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def expire(self, targets: tuple[str, ...], before: datetime) -> None:
        """By age, and of each target by count: first the rows with a body, then all."""
        database = self._database
        over = "SELECT id FROM result WHERE target = ?{} ORDER BY id DESC LIMIT -1 OFFSET ?"
        with self._disk:
            database.execute("DELETE FROM result WHERE due_at < ?", (before.timestamp(),))
            for target in targets:
                for condition, most in ((" AND has_body", KEPT_ROWS_WITH_BODY), ("", KEPT_ROWS)):
                    database.execute(f"DELETE FROM result WHERE id IN ({over.format(condition)})", (target, most))  # noqa: S608 - our own words
            database.execute("PRAGMA incremental_vacuum(200)").fetchall()

    def close(self) -> None:
        with self._disk, self._reading:
            self._beside.close()
            self._database.close()


def bytes_of(fact: Fact) -> bytes:
    return fact() if callable(fact) else fact


def has_body(result: Result) -> bool:
    return result.verdict is not Verdict.OK and result.sealed is not None and result.sealed.value.request.body != ""
