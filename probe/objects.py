"""Named objects in one place: a folder, memory, or the bucket of a cloud. Created once, read, listed, deleted."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeVar

from probe.folder import Folder

REMOTE: Final = ("s3://", "gs://", "az://")
AT_ONCE: Final = 16

T = TypeVar("T")


class StoreError(Exception):
    """The store did not do what was asked; the text is safe to log."""


class StoreUnreachable(StoreError):
    """The configured store cannot be used. `key` is the setting to look at."""

    key = "store"


class NoSuchObject(LookupError):
    """No object of that name is there."""


class Store(Protocol):
    """One place. The methods block; OSError where it refuses, FileNotFoundError where no such object is there."""

    @property
    def is_remote(self) -> bool: ...

    def create(self, name: str, data: bytes) -> bool: ...

    def read(self, name: str) -> bytes: ...

    def delete(self, name: str) -> None: ...

    def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]: ...

    def beginning(self, start: str) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Objects:
    """The objects of one store. `folder` is None where it is not on a disk of ours.

    Each call is made in a thread. They are no one else's: a store that hangs would otherwise hold those that render
    pages and write the history.
    """

    folder: Path | None
    _store: Store = field(repr=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="store"), repr=False
    )

    @classmethod
    def open(cls, url: str, base: Path) -> "Objects":
        """A path (relative to `base`, made for its owner alone if absent), memory://, s3://, gs:// or az://. A remote
        store is not asked anything yet; its credentials are read from its own environment variables."""
        if url in ("memory://", "memory:///"):
            return cls(None, _Memory())
        if url.startswith(REMOTE):
            from probe.bucket import Bucket

            try:
                return cls(None, Bucket(url))
            except ValueError as error:
                raise StoreUnreachable(f"store: {url}: {error}") from None
        if "://" in url:
            schemes = ", ".join(("memory://", *REMOTE))
            raise StoreUnreachable(f"store: {url}: a path or one of {schemes} is expected")
        folder = (base / url).absolute()
        try:
            return cls(folder, Folder(folder))
        except OSError as error:
            raise StoreUnreachable(f"store: {folder} cannot be written: {_words(error)}") from None

    @property
    def is_remote(self) -> bool:
        return self._store.is_remote

    async def list(self) -> dict[str, datetime]:
        """Every object and when it was written."""
        files, _ = await self.listing()
        return files

    async def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        """Every object and when it was written, and the names of folders, which are none of ours. What a crash left
        half-written is no object."""
        return await self._asked("list", "", self._store.listing)

    async def beginning(self, start: str) -> tuple[str, ...]:
        """The names that begin with `start`, in order: from a remote store one page, however much is in it."""
        return await self._asked("list", start, lambda: self._store.beginning(start))

    async def get(self, name: str) -> bytes:
        return await self._asked("read", name, lambda: self._store.read(name))

    async def create(self, name: str, data: bytes) -> bool:
        """Write an object that is not there yet; False where another one is. It is durable then."""
        try:
            return await self._asked("write", name, lambda: self._store.create(name, data))
        except NoSuchObject:
            missing = "the bucket or container is not there" if self.is_remote else "the folder is not there"
            raise StoreError(f"write {name}: {missing}") from None

    async def delete(self, name: str) -> None:
        """It is not there afterwards, also where it was not before."""
        with contextlib.suppress(NoSuchObject):
            await self._asked("delete", name, lambda: self._store.delete(name))

    async def _asked(self, operation: str, name: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except FileNotFoundError:
            raise NoSuchObject(name) from None
        except OSError as error:
            raise StoreError(f"{operation} {name}".rstrip() + f": {_words(error)}") from None


class _Memory:
    """For a demonstration: it ends with the process."""

    is_remote: Final = False

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    def create(self, name: str, data: bytes) -> bool:
        with self._lock:
            if name in self._objects:
                return False
            self._objects[name] = data, datetime.now(UTC)
            return True

    def read(self, name: str) -> bytes:
        try:
            return self._objects[name][0]
        except KeyError:
            raise FileNotFoundError(name) from None

    def delete(self, name: str) -> None:
        self._objects.pop(name, None)

    def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        with self._lock:
            return {name: written for name, (_, written) in sorted(self._objects.items())}, ()

    def beginning(self, start: str) -> tuple[str, ...]:
        return tuple(name for name in self.listing()[0] if name.startswith(start))


def _words(error: OSError) -> str:
    return error.strerror or str(error).partition("\n")[0]
