"""Results and facts over restarts, on a real SQLite file."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from probe import rows, stored
from probe.history import KEPT_RESULTS, History
from probe.records import Event, Result, StoreFailed, Verdict
from tests.probe.evidence import START, cut_off, good, missed, missing_choices, overloaded
from tests.probe.held import held_by
from tests.servers.disk import Disk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def asked(file: Path, words: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        return database.execute(words).fetchall()


def names(results: Iterable[Result]) -> list[str]:
    return [result.probe_id for result in results]


def as_told(results: tuple[Result, ...]) -> list[bytes]:
    return [stored.dump(result) for result in results]


@pytest.mark.parametrize("made", [overloaded, cut_off, missing_choices, missed, lambda n: good(n, kept=True)])
def test_a_result_reads_back_as_it_was(made) -> None:
    result = made(3)
    again = stored.load(stored.dump(result))
    assert replace(again, sealed=None) == replace(result, sealed=None)
    assert (again.sealed and again.sealed.value) == (result.sealed and result.sealed.value)
    assert (again.sealed and again.sealed.removals) == (result.sealed and result.sealed.removals)


def test_half_a_surrogate_that_a_server_sent_does_not_stop_the_history() -> None:
    assert "no capacity ?" in str(stored.load(stored.dump(overloaded(1, "no capacity \ud800"))).reading.error)


def test_a_row_that_was_kept_before_gaps_were_measured_is_read_without_one() -> None:
    row = json.loads(stored.dump(overloaded(1)))
    del row["observation"]["timings"]["longest_gap_s"]
    again = stored.load(json.dumps(row).encode())
    assert again.timings is not None
    assert again.timings.longest_gap_s is None
    assert again.timings.total_s == overloaded(1).timings.total_s  # type: ignore[union-attr]


async def test_a_restart_gives_the_same_results_last_good_exchange_and_facts(file: Path) -> None:
    before = History(file)
    for result in (good(1, kept=True), overloaded(2), cut_off(3), missed(4)):
        before.add(result)
    before.remember("a/1", b"one")
    before.remember("a/2", b"two")
    before.remember("a/2", None)
    assert await before.flush()
    after = History(file)
    assert as_told(after.recent("small")) == as_told(before.recent("small"))
    kept = after.last_good("small")
    assert kept is not None and kept.sealed is not None and "pong" in kept.sealed.value.reply.body
    assert after.recalled("a/") == {"a/1": b"one"}
    before.close()
    after.close()


async def test_healthy_probes_leave_no_text_on_disk_and_failures_their_sealed_form(file: Path) -> None:
    history = History(file)
    history.add(good(1, kept=True))
    history.add(overloaded(2))
    history.add(replace(good(3, kept=True), target="other"))
    history.add(replace(good(4, kept=True), target="other"))
    await history.flush()
    history.close()
    data = on_disk(file.parent)
    assert b"no capacity left" in data
    assert data.count(b'\\"content\\":\\"pong\\"') == 2  # the last good exchange of each target, and no other


async def test_a_noisy_target_never_evicts_the_failures_of_another(
    file: Path,
) -> None:
    history = History(file)
    history.add(replace(overloaded(1), target="quiet"))
    for number in range(rows.KEPT_ROWS_WITH_BODY + 50):
        history.add(overloaded(number))
    await history.flush()
    assert history._rows is not None
    history._rows.expire(("quiet", "small"), START - timedelta(days=7))  # what the writer does every ten minutes
    after = History(file)
    assert len(after.recent("quiet")) == 1
    counts = dict(asked(file, "SELECT target, COUNT(*) FROM result WHERE has_body GROUP BY target"))
    assert counts["quiet"] == 1
    assert counts["small"] <= rows.KEPT_ROWS_WITH_BODY
    history.close()
    after.close()


async def test_what_is_older_than_its_retention_goes(file: Path) -> None:
    history = History(file, retention_s=3600, now=lambda: START + timedelta(hours=3))
    history.add(overloaded(1))
    history.add(replace(overloaded(2), due_at=START + timedelta(hours=2, minutes=30)))
    await history.flush()
    assert history._rows is not None
    history._rows.expire(("small",), START + timedelta(hours=2))
    history.close()
    again = History(file)
    assert [known.probe_id for known in again.recent("small")] == ["p0002"]
    again.close()


def test_a_database_that_cannot_be_read_is_kept_aside_and_probing_goes_on(file: Path) -> None:
    broken = b"no database at all" * 100
    file.write_bytes(broken)
    events: list[Event] = []
    history = History(file, publish=events.append)
    history.add(overloaded(1))
    assert asyncio.run(history.flush())
    history.close()
    assert file.with_name("history.sqlite.broken-1").read_bytes() == broken
    assert [event.operation for event in events if isinstance(event, StoreFailed)] == ["history"]


async def test_a_database_of_a_later_version_is_kept_aside(file: Path) -> None:
    History(file).close()
    asked(file, "PRAGMA user_version = 99")
    events: list[Event] = []
    History(file, publish=events.append).close()
    assert file.with_name("history.sqlite.broken-1").exists()
    assert len(events) == 1


async def test_a_removed_target_leaves_nothing(file: Path) -> None:
    history = History(file)
    history.add(overloaded(1))
    await history.flush()
    history.add(overloaded(2))
    history.forget("small")
    await history.flush()
    history.close()
    again = History(file)
    assert again.recent("small") == ()
    again.close()


async def test_what_was_there_at_a_mark_is_written_once_and_not_asked_of_the_disk_again(disk: Disk) -> None:
    """Of 300 packets at once one waits for the disk, and the others find their trip there already."""
    history = History(disk.folder / "history.sqlite")
    history.remember("owed-packet/1", b"{}")
    mark = history.mark()
    assert await history.commit(mark)
    disk.fill()
    assert await history.commit(mark), "nothing is written for it"
    history.remember("owed-packet/2", b"x" * 100_000)
    assert not await history.commit(history.mark())
    disk.free()
    assert await history.commit(history.mark())
    history.close()


async def test_a_full_disk_keeps_everything_pending_and_takes_it_when_there_is_room(disk: Disk) -> None:
    events: list[Event] = []
    history = History(disk.folder / "history.sqlite", publish=events.append)
    disk.fill()
    history.add(overloaded(1))
    history.remember("owed", b"1")
    assert await history.flush() is False
    assert [event.operation for event in events if isinstance(event, StoreFailed)] == ["history"]
    assert len(history.recent("small")) == 1
    disk.free()
    assert await history.flush() is True
    history.close()
    again = History(disk.folder / "history.sqlite")
    assert (len(again.recent("small")), again.recalled("owed")) == (1, {"owed": b"1"})
    again.close()


async def test_what_memory_no_longer_holds_is_read_from_the_file_in_its_order(file: Path) -> None:
    history = History(file)
    for number in range(1, 101):
        history.add(good(number))
        history.add(replace(good(number), target="other"))
    assert await history.flush()
    recent = history.recent("small")
    assert len(recent) == KEPT_RESULTS
    assert names(await history.longer(recent, 60)) == [f"p{number:04d}" for number in range(41, 101)]
    assert names(await history.longer(recent, 10)) == names(recent[-10:])
    since = await history.since("small", good(50).due_at, 1000)
    assert names(since) == [f"p{number:04d}" for number in range(50, 101)]
    assert await history.since("small", recent[0].due_at, 1000) == recent
    history.close()
    again = History(file)
    assert names(await again.longer(again.recent("small"), 60)) == [f"p{number:04d}" for number in range(41, 101)]
    again.close()


async def test_a_disk_that_did_not_take_the_newest_leaves_the_packet_what_memory_holds(disk: Disk) -> None:
    history = History(disk.folder / "history.sqlite")
    disk.fill()
    for number in range(1, 51):
        history.add(overloaded(number, "x" * 4096))
    assert not await history.flush()
    recent = history.recent("small")
    assert await history.longer(recent, 60) == recent
    assert await history.since("small", good(1).due_at, 60) == recent
    history.close()


async def test_successes_never_evict_the_latest_failure(file: Path) -> None:
    history = History(file)
    assert history.last_failed("small") is None
    history.add(overloaded(1))
    history.add(overloaded(2))
    for number in range(3, 3 + KEPT_RESULTS):
        history.add(good(number))
    failed = history.last_failed("small")
    assert failed is not None and failed.probe_id == "p0002"
    assert await history.flush()
    assert names(history.known("small", ("p0001", "p0002"))) == ["p0001", "p0002"]
    history.close()
    again = History(file)
    failed = again.last_failed("small")
    assert failed is not None and failed.sealed is not None and "no capacity left" in failed.sealed.value.reply.body
    again.forget("small")
    assert again.last_failed("small") is None
    again.close()


def test_a_file_of_an_earlier_release_is_read_on(file: Path) -> None:
    history = History(file)
    history.add(overloaded(1))
    assert asyncio.run(history.flush())
    history.close()
    asked(file, "DROP INDEX result_with_body")
    again = History(file)
    assert names(again.recent("small")) == ["p0001"]
    again.close()


CHILD = """
import asyncio, sys
from pathlib import Path
from probe.history import History
from tests.probe.evidence import overloaded
async def main():
    history = History(Path(sys.argv[1]))
    for number in range(1, 100000):
        history.add(overloaded(number % 9000))
        history.remember("count", str(number).encode())
        if number % 3 == 0:
            assert await history.flush()
            print(number, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 2, 5, 9, 20, 47])
def test_a_kill_loses_nothing_that_was_flushed_and_no_batch_is_half_there(file: Path, lines: int) -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(file)], stdout=subprocess.PIPE, cwd=root, start_new_session=True
    ) as child:
        assert child.stdout is not None
        for _ in range(lines):
            told = int(child.stdout.readline())
        os.killpg(child.pid, signal.SIGKILL)
    history = History(file)
    [(found,)] = asked(file, "SELECT COUNT(*) FROM result")
    assert found >= told
    assert int(history.recalled("count")["count"]) == found
    history.close()


async def test_without_a_file_nothing_waits_to_be_written() -> None:
    history = History()
    for number in range(100):
        history.remember(f"owed/{number}", b"x")
        history.remember(f"owed/{number}", None)
    assert held_by(history) < held_by(History()) + 50
    assert await history.flush()


def test_a_good_result_without_its_exchange_is_still_counted() -> None:
    history = History(now=lambda: datetime.now(UTC))
    history.add(good(1))
    assert [known.verdict for known in history.recent("small")] == [Verdict.OK]
