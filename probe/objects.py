"""One object store as this program uses it: opened by path or URL, asked in threads, made durable where it is local."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

_REMOTE: Final = ("s3://", "gs://", "az://")
_RETRY_S: Final = 20  # a remote store that does not answer must not hold the writer for minutes

T = TypeVar("T")


class StoreError(Exception):
    """The store did not do what was asked; the text is safe to log."""


class StoreUnreachable(StoreError):
    """The configured store cannot be used. `key` is the setting to look at."""

    key = "store"


class PacketNotFound(LookupError):
    """No packet of that ID is in the store."""


class Exists(Exception):
    """The object is there already."""


def opened(url: str, base: Path) -> tuple[ObjectStore, Path | None]:
    """A path (relative to `base`, made for its owner alone if absent), memory://, s3://, gs:// or az://; and the folder
    of a local one."""
    if url in ("memory://", "memory:///"):
        return MemoryStore(), None
    if url.startswith(_REMOTE):
        retry = {"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_S)}
        try:
            return from_url(url, retry_config=retry), None  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise StoreUnreachable(f"store: {url}: {_first_line(error)}") from None
    if "://" in url:
        schemes = ", ".join(("memory://", *_REMOTE))
        raise StoreUnreachable(f"store: {url}: a path or one of {schemes} is expected")
    folder = (base / url).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        return LocalStore(prefix=folder), folder
    except (OSError, BaseError) as error:
        raise StoreUnreachable(f"store: {folder} cannot be written: {_first_line(error)}") from None


async def asked(operation: str, name: str, work: Callable[[], T]) -> T:
    """The store's answer; its exceptions, and their long texts, are mapped here once.

    In a thread of Python's own: obstore's awaitables end in a thread of Rust's that Python cannot join, and a process
    that exits in that moment is aborted (4 of 100 with fifty calls at once).
    """
    try:
        return await asyncio.to_thread(work)
    except AlreadyExistsError:
        raise Exists from None
    except FileNotFoundError:
        raise PacketNotFound(name) from None
    except (BaseError, OSError) as error:
        raise StoreError(f"{operation} {name}: {_first_line(error)}") from None


def sync(folder: Path, name: str) -> None:
    """Make an object durable and its owner's alone: the store itself writes atomically but never syncs."""
    path = folder / name
    path.chmod(0o600)
    for it in (path, folder):
        descriptor = os.open(it, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0]
