"""What the store did not take waits here, in `state`, until it does: finished packets and addenda, oldest first."""

import asyncio
import contextlib
import re
import threading
from pathlib import Path
from typing import Final

import orjson

from probe import durable
from probe.render import verify

MOST_FILES: Final = 500
MOST_BYTES: Final = 256 * 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.zip|\.[0-9]+\.addendum)")


class Spool:
    """A folder bounded in files and bytes. Files are written whole (temporary name, fsync, rename), so that a kill
    leaves a file or none. `waiting` is kept in memory: asking costs nothing."""

    def __init__(self, folder: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_files = most_files
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}  # name -> bytes, oldest first
        with contextlib.suppress(OSError):  # a folder that cannot be read now takes nothing; `put` says so
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = []
            for path in folder.iterdir():
                if path.name.endswith(durable.PART):
                    path.unlink()
                elif _NAME.fullmatch(path.name):
                    stat = path.stat()
                    found.append((stat.st_mtime_ns, path.name, stat.st_size))
            self._waiting = {name: size for _, name, size in sorted(found)}

    def waiting(self) -> tuple[str, ...]:
        """The names that wait, oldest first."""
        return tuple(self._waiting)

    async def put(self, name: str, data: bytes) -> bool:
        """Keep a file; False where there is no room or the disk does not take it. ValueError: no name of ours."""
        if not _NAME.fullmatch(name):
            raise ValueError("a packet's zip or an addendum is expected")
        if name in self._waiting:
            return True
        if len(self._waiting) >= self._most_files or sum(self._waiting.values()) + len(data) > self._most_bytes:
            return False
        try:
            await asyncio.to_thread(self._write, name, data)
        except OSError:
            return False
        self._waiting[name] = len(data)
        return True

    async def get(self, name: str) -> bytes:
        """The bytes of a file that waits. OSError where the disk does not give them."""
        return await asyncio.to_thread((self._folder / name).read_bytes)

    def set_aside(self, name: str) -> None:
        """Forget a file that is not whole, and leave it where it lies: a restart finds it again."""
        self._waiting.pop(name, None)

    async def remove(self, name: str) -> None:
        """Forget a file that was delivered; one that the disk does not let go is delivered again after a restart, which
        changes nothing."""
        self._waiting.pop(name, None)
        with contextlib.suppress(OSError):
            await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        with self._lock:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.write(self._folder / name, data)


def is_whole(name: str, data: bytes) -> bool:
    """Whether a file is as it was put here, as far as it says so itself: an addendum gets its digest in the store."""
    if name.endswith(".zip"):
        return not verify(data, name.removesuffix(".zip"))
    try:
        return isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        return False
