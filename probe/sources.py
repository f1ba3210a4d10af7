"""Copies of the documents that contracts rely on, under `state/sources`: bytes by digest, one small index per URL.

A running prober and a command may both write: a writer holds the lock for a moment, and every file is replaced whole,
so that a reader needs none. The last `KEPT_COPIES` distinct copies of a URL stay, and the one that a person looked at.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from probe import durable
from probe.contract.document import Copy, Failed, Outcomes
from probe.records import Fetched

KEPT_COPIES: Final = 10
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """The copy that a person looked at last with `contract verify`, else the first; and when."""

    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a URL: copies from the oldest to the newest, and the newest fetch where it brought none."""

    url: str
    copies: tuple[Copy, ...] = ()
    baseline: Baseline | None = None
    failed: Failed | None = None

    @property
    def newest(self) -> Copy | None:
        return self.copies[-1] if self.copies else None

    @property
    def looked_at(self) -> Copy | None:
        """The copy of the baseline."""
        return next((it for it in self.copies if self.baseline and it.sha256 == self.baseline.sha256), None)

    @property
    def tried_at(self) -> datetime | None:
        """When it was last asked for, by whomever."""
        tried = [*([self.newest.fetched_at] if self.newest else []), *([self.failed.at] if self.failed else [])]
        return max(tried, default=None)

    @property
    def is_changed(self) -> bool | None:
        if self.newest is None or self.looked_at is None:
            return None
        return self.newest.text_sha256 != self.looked_at.text_sha256


def fetched(known: Known, answer: Fetched, text_sha256: str, *, by_person: bool) -> Known:
    """What is known of a URL once `answer` came; the same bytes again are the same copy, seen later. Pure."""
    same = next((it for it in known.copies if it.sha256 == answer.sha256), None)
    copy = Copy(
        found_at=answer.url,
        first_at=answer.fetched_at if same is None else same.first_at,
        fetched_at=answer.fetched_at,
        status=answer.status,
        media=answer.media,
        sha256=answer.sha256,
        text_sha256=text_sha256,
        size_bytes=len(answer.body),
    )
    baseline = known.baseline
    if by_person or baseline is None:
        baseline = Baseline(answer.sha256, answer.fetched_at)
    copies = (*(it for it in known.copies if it is not same), copy)
    older, latest = copies[:-KEPT_COPIES], copies[-KEPT_COPIES:]
    return Known(known.url, (*(it for it in older if it.sha256 == baseline.sha256), *latest), baseline, None)


class Sources:
    """The folder. Every method is synchronous and may wait for the disk; OSError where it does not take it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self, url: str) -> Known:
        """What is kept of a URL; a file that cannot be read as an index counts as nothing."""
        try:
            return _known(url, orjson.loads(self._index(url).read_bytes()))
        except FileNotFoundError:
            return Known(url)
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError):
            return Known(url)

    def stamp(self, url: str) -> int | None:
        """Changes whenever somebody has written what is known of a URL."""
        try:
            return self._index(url).stat().st_mtime_ns
        except OSError:
            return None

    def body(self, sha256: str) -> bytes | None:
        """The bytes of a copy; None where they are gone or are not those any more."""
        try:
            content = (self._folder / "copies" / sha256).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def keep(self, answer: Fetched, url: str, text_sha256: str, outcomes: Outcomes, *, by_person: bool) -> Known:
        """Keep a copy; `by_person` makes it the baseline."""
        with self._locked():
            known = fetched(self.known(url), answer, text_sha256, by_person=by_person)
            if self.body(answer.sha256) is None:
                durable.write(self._folder / "copies" / answer.sha256, answer.body)
            self._write(known, outcomes)
            self._forget()
        return known

    def fail(self, url: str, at: datetime, words: str) -> Known:
        """Keep that the newest fetch brought no document."""
        with self._locked():
            known = replace(self.known(url), failed=Failed(at, words))
            self._write(known, self._outcomes(url))
        return known

    def _outcomes(self, url: str) -> Outcomes:
        try:
            outcomes: Outcomes = orjson.loads(self._index(url).read_bytes())["outcomes"]
        except (OSError, orjson.JSONDecodeError, LookupError, TypeError):
            return {}
        return outcomes

    def _index(self, url: str) -> Path:
        return self._folder / "index" / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"

    def _write(self, known: Known, outcomes: Outcomes) -> None:
        document = {"version": _VERSION, **asdict(known), "outcomes": outcomes}
        durable.write(
            self._index(known.url), orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )

    def _forget(self) -> None:
        """Remove the bytes that no index names any more."""
        named = set()
        for file in (self._folder / "index").glob("*.json"):
            try:
                named |= {str(row["sha256"]) for row in orjson.loads(file.read_bytes())["copies"]}
            except (OSError, orjson.JSONDecodeError, LookupError, TypeError):
                return  # what it names is not known: nothing goes
        for copy in (self._folder / "copies").iterdir():
            if copy.name not in named:
                copy.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        for folder in (self._folder / "copies", self._folder / "index"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _known(url: str, document: Any) -> Known:
    if document["version"] != _VERSION or document["url"] != url:
        return Known(url)
    baseline, failed = document["baseline"], document["failed"]
    return Known(
        url=url,
        copies=tuple(_copy(row) for row in document["copies"]),
        baseline=baseline and Baseline(baseline["sha256"], datetime.fromisoformat(baseline["at"])),
        failed=failed and Failed(datetime.fromisoformat(failed["at"]), failed["words"]),
    )


def _copy(row: Any) -> Copy:
    return Copy(
        **row
        | {"first_at": datetime.fromisoformat(row["first_at"]), "fetched_at": datetime.fromisoformat(row["fetched_at"])}
    )
