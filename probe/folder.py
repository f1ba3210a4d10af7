"""Objects as the files of a folder. What is there is whole and on the disk: it is written and synced under another name
and then linked to its own, which fails where one is there already.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from probe import durable

# Ours, and `name#1` of the library that wrote stores before.
_UNFINISHED: Final = re.compile(r"#[0-9a-f]+\Z")
_OURS: Final = re.compile(r"\.(?:zip|json)#[0-9a-f]{16}\Z")
_ABANDONED_S: Final = 86_400.0  # no write takes a day
_LAST_S: Final = datetime.max.replace(tzinfo=UTC).timestamp() - 1  # what a date can say; a file can have any time


@dataclass(frozen=True, slots=True)
class Disk:
    """The calls that a write is made of; a test hands in some that fail, or that are the last."""

    open: Callable[[Path, int, int], int] = os.open
    write: Callable[[int, memoryview], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    close: Callable[[int], None] = os.close
    link: Callable[[Path, Path], None] = os.link
    unlink: Callable[[Path], None] = os.unlink
    sync_names: Callable[[Path], None] = durable.sync_names


class Folder:
    """Each method may be called in any thread, and other processes may do the same. OSError where the disk refuses,
    FileNotFoundError where nothing of that name is there."""

    is_remote: Final = False

    def __init__(self, path: Path, disk: Disk = Disk()) -> None:
        """A folder that can be written; made for its owner alone where it is not there."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        self.path = path
        self._disk = disk
        self._unsynced: set[tuple[str, bytes]] = set()  # ours, the disk did not confirm it yet: its name and digest
        self._tidy()

    def _tidy(self) -> None:
        """A crash may have left a half-written file; it is in nobody's way, but it is in the folder."""
        before = time.time() - _ABANDONED_S
        for path in self.path.iterdir():
            with contextlib.suppress(OSError):
                if _OURS.search(path.name) and path.lstat().st_mtime < before:
                    path.unlink()

    def create(self, name: str, data: bytes) -> bool:
        """False where one is there already. It is called again where the disk did not confirm."""
        path, mine = self._of(name), (name, hashlib.sha256(data).digest())
        created = not os.path.lexists(path) and self._published(path, data)
        try:
            self._disk.sync_names(self.path)  # also where it was there: a crash may have come before this
        except OSError:
            if created:
                self._unsynced.add(mine)
            raise
        if not created:
            try:
                self._unsynced.remove(mine)
            except KeyError:
                return False
        return True

    def _published(self, path: Path, data: bytes) -> bool:
        unfinished = path.with_name(f"{path.name}#{secrets.token_hex(8)}")
        try:
            self._write(unfinished, data)
            self._disk.link(unfinished, path)
        except FileExistsError:
            return unfinished.stat().st_nlink > 1  # NFS that lost its answer and asked again says so of our own link
        finally:
            with contextlib.suppress(OSError):
                self._disk.unlink(unfinished)
        return True

    def _write(self, unfinished: Path, data: bytes) -> None:
        descriptor = self._disk.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._disk.write(descriptor, rest) :]
            self._disk.fsync(descriptor)
        finally:
            self._disk.close(descriptor)

    def read(self, name: str) -> bytes:
        with contextlib.suppress(IsADirectoryError), open(self._of(name), "rb", opener=_without_waiting) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read()
        raise FileNotFoundError(name)  # what is there is no object

    def delete(self, name: str) -> None:
        self._of(name).unlink()

    def listing(self, start: str = "") -> tuple[dict[str, datetime], tuple[str, ...]]:
        """The objects, of those whose names begin with `start`, and when each was written; and the names of folders,
        which are none."""
        files: dict[str, datetime] = {}
        folders = []
        try:
            named = (entry for entry in os.scandir(self.path) if entry.name.startswith(start))
            entries = sorted(named, key=lambda entry: entry.name)
        except FileNotFoundError:
            raise OSError(errno.ENODEV, "the folder is not there") from None
        for entry in entries:
            with contextlib.suppress(OSError):  # deleted meanwhile, or a link to nowhere
                known = entry.stat()
                if stat.S_ISDIR(known.st_mode):
                    folders.append(entry.name)
                elif stat.S_ISREG(known.st_mode) and not _UNFINISHED.search(entry.name):
                    files[entry.name] = datetime.fromtimestamp(min(max(known.st_mtime, 0.0), _LAST_S), UTC)
        return files, tuple(folders)

    def beginning(self, start: str) -> tuple[str, ...]:
        return tuple(self.listing(start)[0])

    def _of(self, name: str) -> Path:
        """FileNotFoundError for a name that leads elsewhere: no object has one."""
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise FileNotFoundError(name)
        return self.path / name


def _without_waiting(path: str, flags: int) -> int:
    """For a pipe of that name whoever opens it would wait."""
    return os.open(path, flags | os.O_NONBLOCK)
