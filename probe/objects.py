"""Named objects in one place: a folder, memory, or the bucket of a cloud. Created once, read, listed, deleted.

The library's exceptions, and their long texts, are mapped here once. What a remote server said is not repeated: its
error document may hold the ID of the key, and a URL may hold a signature. Its status and its error code are.
"""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

REMOTE: Final = ("s3://", "gs://", "az://")
AT_ONCE: Final = 16
_RETRY: Final = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}  # then the writer goes on to the spool
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z][A-Za-z0-9.]{0,63})</Code>")
_KIND: Final = re.compile(r"HttpError \{\s+kind: (Timeout|Connect|Request|Interrupted|Decode|Unknown)\b")
_KINDS: Final = {"Timeout": "no answer in time", "Connect": "no connection", "Interrupted": "the connection broke"}

T = TypeVar("T")


class StoreError(Exception):
    """The store did not do what was asked; the text is safe to log."""


class StoreUnreachable(StoreError):
    """The configured store cannot be used. `key` is the setting to look at."""

    key = "store"


class NoSuchObject(LookupError):
    """No object of that name is there."""


@dataclass(slots=True)
class Objects:
    """The objects of one store. `folder` is None where it is not on a disk of ours.

    Each call is made in a thread of Python's own: obstore's awaitables end in a thread of Rust's that Python cannot
    join, and a process that exits in that moment is aborted (4 of 100 with fifty calls at once). The threads are no
    one else's: a store that hangs would otherwise hold those that render /metrics and write the history.
    """

    folder: Path | None
    _store: ObjectStore = field(repr=False)
    _unsynced: set[str] = field(default_factory=set)  # created by us, but the disk did not confirm it yet
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="store"), repr=False
    )

    @classmethod
    def open(cls, url: str, base: Path) -> "Objects":
        """A path (relative to `base`, made for its owner alone if absent), memory://, s3://, gs:// or az://. A remote
        store is not asked anything yet; its credentials are read from its own environment variables."""
        if url in ("memory://", "memory:///"):
            return cls(None, MemoryStore())
        if url.startswith(REMOTE):
            try:
                return cls(None, from_url(url, retry_config=_RETRY))  # type: ignore[call-overload]
            except (BaseError, ValueError) as error:
                raise StoreUnreachable(f"store: {url}: {_first_line(error)}") from None
        if "://" in url:
            schemes = ", ".join(("memory://", *REMOTE))
            raise StoreUnreachable(f"store: {url}: a path or one of {schemes} is expected")
        folder = (base / url).absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            return cls(folder, LocalStore(prefix=folder))
        except (OSError, BaseError) as error:
            raise StoreUnreachable(f"store: {folder} cannot be written: {_first_line(error)}") from None

    @property
    def is_remote(self) -> bool:
        return not isinstance(self._store, LocalStore | MemoryStore)

    async def list(self) -> dict[str, datetime]:
        """Every object and when it was written."""
        files, _ = await self.listing()
        return files

    async def listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        """Every object and when it was written, and the names of folders, which are none of ours. A crash's
        half-written `name#1` is not listed by the store."""
        listed = await self._asked("list", "", lambda: obstore.list_with_delimiter(self._store))
        files = {meta["path"]: meta["last_modified"] for meta in listed["objects"]}
        return files, tuple(listed["common_prefixes"])

    async def beginning(self, start: str) -> tuple[str, ...]:
        """The names that begin with `start`, in order: from a remote store one page, however much is in it."""
        if self.folder is not None:
            return tuple(sorted(name for name in await self.list() if name.startswith(start)))
        return await self._asked("list", start, lambda: _beginning(self._store, start))

    async def get(self, name: str) -> bytes:
        return await self._asked("read", name, lambda: bytes(obstore.get(self._store, name).bytes()))

    async def create(self, name: str, data: bytes) -> bool:
        """Write an object that is not there yet; False where another one is. One that is there with these very bytes
        was ours: a remote store may have done what was asked and its answer been lost."""
        created = True
        try:
            await self._asked("write", name, lambda: obstore.put(self._store, name, data, mode="create"))
        except _Exists:
            created = name in self._unsynced or (self.is_remote and await self._holds(name, data))
        except NoSuchObject:
            raise StoreError(f"write {name}: the bucket or container is not there") from None
        if (folder := self.folder) is not None:  # also where it was there: a crash may have come before this
            try:
                await self._asked("sync", name, lambda: _sync(folder, name))
            except StoreError:
                if created:
                    self._unsynced.add(name)
                raise
        self._unsynced.discard(name)
        return created

    async def _holds(self, name: str, data: bytes) -> bool:
        try:
            return await self.get(name) == data
        except NoSuchObject:  # deleted meanwhile
            return False

    async def delete(self, name: str) -> None:
        """It is not there afterwards, also where it was not before."""
        with contextlib.suppress(NoSuchObject):
            await self._asked("delete", name, lambda: obstore.delete(self._store, name))

    async def _asked(self, operation: str, name: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except AlreadyExistsError:
            raise _Exists from None
        except FileNotFoundError:
            raise NoSuchObject(name) from None
        except (BaseError, OSError) as error:
            said = _in_short(error) if self.is_remote else _first_line(error)
            raise StoreError(f"{operation} {name}".rstrip() + f": {said}") from None


class _Exists(Exception):
    """The object is there already."""


def _beginning(store: ObjectStore, start: str) -> tuple[str, ...]:
    """A listing is in order and is fetched as it is read: what lies pages behind the names is not asked for."""
    found: list[str] = []
    for batch in obstore.list(store, offset=start, chunk_size=8):
        names = [meta["path"] for meta in batch]
        found += [name for name in names if name.startswith(start)]
        if not names[-1].startswith(start):
            break
    return tuple(found)


def _sync(folder: Path, name: str) -> None:
    """Make an object durable and its owner's alone: the store itself writes atomically but never syncs."""
    path = folder / name
    path.chmod(0o600)
    for it in (path, folder):
        descriptor = os.open(it, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _in_short(error: Exception) -> str:
    """What is safe of a remote store's error: what kind it was, the status and the error code."""
    text = str(error)
    status, code, kind = _STATUS.search(text), _CODE.search(text), _KIND.search(text)
    if status:
        said = f"status {status[1]}" + (f" {code[1]}" if code else "")
        return f"the cloud gave no credentials: {said}" if "169.254." in text or "TokenRequest" in text else said
    if kind:
        return _KINDS.get(kind[1], "the request could not be sent")
    return "no credentials could be read" if "credential" in text or "token file" in text else type(error).__name__


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0]
