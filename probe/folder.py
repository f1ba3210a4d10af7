"""Objects as the files of a folder. What is there is whole and on the disk: it is written and synced under another name
and then linked to its own, which fails where one is there already.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from probe import durable

# Ours, and `name#1` of the library that wrote stores before.
_UNFINISHED: Final = re.compile(r"#[0-9a-f]+\Z")
_OURS: Final = re.compile(r"\.(?:zip|json)#[0-9a-f]{16}\Z")
_ABANDONED_S: Final = 86_400.0  # no write takes a day


class Folder:
    """Each method may be called in any thread, and other processes may do the same. OSError where the disk refuses,
    FileNotFoundError where nothing of that name is there."""

    is_remote: Final = False

    def __init__(self, path: Path) -> None:
        """A folder that can be written; made for its owner alone where it is not there."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        self.path = path
        self._unsynced: set[str] = set()  # created by us, but the disk did not confirm its name yet
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
        try:
            self._write(name, data)
            created = True
        except FileExistsError:
            created = name in self._unsynced
        try:
            self._sync()  # also where it was there: a crash may have come before this
        except OSError:
            if created:
                self._unsynced.add(name)
            raise
        self._unsynced.discard(name)
        return created

    def _write(self, name: str, data: bytes) -> None:
        path = self._of(name)
        unfinished = path.with_name(f"{name}#{secrets.token_hex(8)}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def _sync(self) -> None:
        durable.sync_names(self.path)

    def read(self, name: str) -> bytes:
        try:
            return self._of(name).read_bytes()
        except IsADirectoryError:  # which is no object
            raise FileNotFoundError(name) from None

    def delete(self, name: str) -> None:
        self._of(name).unlink()

    def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        """The objects and when each was written, and the names of folders, which are none."""
        files: dict[str, datetime] = {}
        folders = []
        try:
            entries = sorted(os.scandir(self.path), key=lambda entry: entry.name)
        except FileNotFoundError:
            raise OSError(errno.ENODEV, "the folder is not there") from None
        for entry in entries:
            with contextlib.suppress(OSError):  # deleted meanwhile, or a link to nowhere
                known = entry.stat()
                if stat.S_ISDIR(known.st_mode):
                    folders.append(entry.name)
                elif stat.S_ISREG(known.st_mode) and not _UNFINISHED.search(entry.name):
                    files[entry.name] = datetime.fromtimestamp(known.st_mtime, UTC)
        return files, tuple(folders)

    def beginning(self, start: str) -> tuple[str, ...]:
        return tuple(name for name in self.listing()[0] if name.startswith(start))

    def _of(self, name: str) -> Path:
        """FileNotFoundError for a name that leads elsewhere: no object has one."""
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise FileNotFoundError(name)
        return self.path / name
