"""Copies of documents: bytes by digest and a small index, whole over crashes, bounded, written by two at once."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from probe.contract.document import Failed
from probe.records import Fetched
from probe.sources import KEPT_COPIES, Known, Sources

URL = "https://docs.example.test/chat.md"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def page(text: str, minutes: int = 0) -> Fetched:
    body = text.encode()
    at = START + timedelta(minutes=minutes)
    return Fetched(URL, 200, "text/markdown", body, at, hashlib.sha256(body).hexdigest())


def keep(kept: Sources, text: str, minutes: int = 0, *, by_person: bool = False, url: str = URL) -> Known:
    found = {"example": {"values.auth": "verified"}}
    return kept.keep(page(text, minutes), url, f"text of {text}", found, by_person=by_person)


def test_a_copy_is_read_back_with_its_bytes(tmp_path: Path) -> None:
    kept = Sources(tmp_path / "sources")
    assert kept.known(URL) == Known(URL)
    assert kept.stamp(URL) is None
    written = keep(kept, "one")
    assert Sources(tmp_path / "sources").known(URL) == written
    assert written.newest is not None
    assert kept.body(written.newest.sha256) == b"one"
    assert written.tried_at == START


def test_the_index_says_what_was_found_also_after_a_fetch_that_failed(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "one")
    kept.fail(URL, START, "HTTP 404")
    (index,) = (tmp_path / "index").iterdir()
    document = orjson.loads(index.read_bytes())
    assert document["outcomes"] == {"example": {"values.auth": "verified"}}
    assert document["url"] == URL
    assert document["failed"]["words"] == "HTTP 404"


def test_nothing_of_it_is_for_others_to_read(tmp_path: Path) -> None:
    keep(Sources(tmp_path / "sources"), "one")
    files = [it for it in (tmp_path / "sources").rglob("*") if it.is_file()]
    assert {it.stat().st_mode & 0o077 for it in files} == {0}


def test_the_same_bytes_again_are_the_same_copy_seen_later(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "one", 0)
    keep(kept, "two", 1)
    known = keep(kept, "one", 2)
    assert [it.text_sha256 for it in known.copies] == ["text of two", "text of one"]
    assert known.newest is not None
    assert (known.newest.first_at, known.newest.fetched_at) == (START, START + timedelta(minutes=2))
    assert known.is_changed is False


def test_the_baseline_is_what_a_person_looked_at_else_the_first(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    assert Known(URL).is_changed is None
    assert keep(kept, "one", 0).is_changed is False
    assert keep(kept, "two", 1).is_changed is True
    assert keep(kept, "two", 2, by_person=True).is_changed is False
    assert keep(kept, "one", 3).is_changed is True


def test_a_fetch_that_failed_leaves_the_copy_and_the_next_good_one_clears_it(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "one")
    later = START + timedelta(hours=1)
    known = kept.fail(URL, later, "HTTP 503")
    assert (known.failed, known.tried_at) == (Failed(later, "HTTP 503"), later)
    assert known.newest is not None
    assert kept.known(URL) == known
    assert keep(kept, "one", 90).failed is None


def test_the_last_copies_stay_and_the_one_that_a_person_looked_at(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "looked at", by_person=True)
    for n in range(KEPT_COPIES + 5):
        known = keep(kept, f"version {n}", n + 1)
    texts = [it.text_sha256 for it in known.copies]
    assert texts[0] == "text of looked at"
    assert texts[1:] == [f"text of version {n}" for n in range(5, KEPT_COPIES + 5)]
    assert len(list((tmp_path / "copies").iterdir())) == KEPT_COPIES + 1


def test_bytes_that_another_document_shares_stay(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    shared = keep(kept, "shared", url="https://docs.example.test/other.md").newest
    keep(kept, "shared")
    for n in range(KEPT_COPIES + 2):
        keep(kept, f"version {n}", n, by_person=True)
    assert shared is not None
    assert kept.body(shared.sha256) == b"shared"


def test_a_broken_index_counts_as_nothing_and_costs_no_bytes(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    other = keep(kept, "other", url="https://docs.example.test/other.md").newest
    for broken in (b"", b"[]", b"{}", b'{"version": 9, "url": ""}', b'{"version":1,"url":"' + URL.encode() + b'"}'):
        kept._index(URL).write_bytes(broken)
        assert kept.known(URL) == Known(URL)
    (tmp_path / "index" / "alien.json").write_bytes(b"not ours")
    keep(kept, "one")
    assert other is not None
    assert kept.body(other.sha256) == b"other"


def test_bytes_that_were_altered_are_no_copy_and_are_written_again(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    copy = keep(kept, "one").newest
    assert copy is not None
    (tmp_path / "copies" / copy.sha256).write_bytes(b"altered")
    assert kept.body(copy.sha256) is None
    keep(kept, "one")
    assert kept.body(copy.sha256) == b"one"


def test_a_file_that_a_crash_left_half_written_is_swept_away(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "one")
    (tmp_path / "copies" / ".half").write_bytes(b"o")
    keep(kept, "two")
    assert not (tmp_path / "copies" / ".half").exists()


def test_what_the_disk_does_not_take_leaves_nothing_half_written(tmp_path: Path) -> None:
    kept = Sources(tmp_path)
    keep(kept, "one")
    (tmp_path / "copies" / page("two").sha256).mkdir()
    with pytest.raises(OSError, match="directory"):
        keep(kept, "two")
    assert [it.name for it in (tmp_path / "copies").iterdir() if it.name.startswith(".")] == []
    assert [it.text_sha256 for it in kept.known(URL).copies] == ["text of one"]


def test_two_writers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    def write(name: str) -> None:
        kept = Sources(tmp_path)
        for n in range(4):
            keep(kept, f"{name} {n}", n)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("prober", "command")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {it.text_sha256 for it in Sources(tmp_path).known(URL).copies} == {
        f"text of {name} {n}" for name in ("prober", "command") for n in range(4)
    }
