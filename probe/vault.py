"""The store of packets: one zip object per packet and its addenda beside it, each written create-only, never changed.

Addenda are `<packet>.001.json`, `<packet>.002.json`, ...; what stands in them is `probe.packet.addendum`.
"""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from probe.index import PacketEntry, entry
from probe.packet import Problem, addendum
from probe.records import Json

_ID: Final = re.compile(r"[A-Za-z0-9-]+")
_ADDENDUM: Final = re.compile(r"([A-Za-z0-9-]+)\.(\d{3,})\.json")
_REMOTE: Final = ("s3://", "gs://", "az://")
_RETRY_S: Final = 20  # a remote store that does not answer must not hold the writer for minutes
_AT_ONCE: Final = 16

T = TypeVar("T")


class StoreError(Exception):
    """The store did not do what was asked; the text is safe to log."""


class StoreUnreachable(StoreError):
    """The configured store cannot be used. `key` is the setting to look at."""

    key = "store"


class PacketNotFound(LookupError):
    """No packet of that ID is in the store."""


@dataclass(slots=True)
class Vault:
    """Packets in one object store. What was read for the index is kept: the objects never change."""

    store: ObjectStore
    folder: Path | None
    _read: dict[str, PacketEntry] = field(default_factory=dict)
    _kinds: dict[str, object] = field(default_factory=dict)
    _unsynced: set[str] = field(default_factory=set)  # created by us, but the disk did not confirm it yet

    @classmethod
    def open(cls, url: str, base: Path) -> "Vault":
        """A path (relative to `base`, made for its owner alone if absent), memory://, s3://, gs:// or az://."""
        if url in ("memory://", "memory:///"):
            return cls(MemoryStore(), None)
        if url.startswith(_REMOTE):
            retry = {"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_S)}
            try:
                return cls(from_url(url, retry_config=retry), None)  # type: ignore[call-overload]
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
            return cls(LocalStore(prefix=folder), folder)
        except (OSError, BaseError) as error:
            raise StoreUnreachable(f"store: {folder} cannot be written: {_first_line(error)}") from None

    async def freeze(self, packet_id: str, data: bytes) -> bool:
        """Write a packet; False when one of this ID is there already (it stays as it is)."""
        return await self._create(f"{_checked(packet_id)}.zip", data)

    async def add(self, packet_id: str, document: Json) -> str:
        """Write an addendum under the next free number; its name. Of two writers at once each gets its own number."""
        while True:
            names = await self._addenda(packet_id)
            number = _number(names[-1]) + 1 if names else 1
            before = names[-1] if names else f"{packet_id}.zip"
            name = addendum.addendum_name(packet_id, number)
            if await self._create(name, addendum.encode(document, await self._get(before))):
                return name

    async def read(self, packet_id: str) -> bytes:
        return await self._get(f"{_checked(packet_id)}.zip")

    async def addenda(self, packet_id: str) -> tuple[tuple[str, Json], ...]:
        """Name and document of each readable addendum, oldest first; `problems` tells of the others."""
        found = [(name, addendum.decode(await self._get(name))) for name in await self._addenda(packet_id)]
        return tuple((name, document) for name, document in found if document is not None)

    async def problems(self, packet_id: str) -> tuple[Problem, ...]:
        """What is wrong with the addenda of a packet, or by their witness with its zip (else `render.verify` looks)."""
        names = await self._addenda(packet_id)
        stored = [(_number(name), await self._get(name)) for name in names]
        return addendum.problems(packet_id, await self.read(packet_id), stored)

    async def expire(self, before: datetime) -> tuple[str, ...]:
        """Delete the packets frozen before an instant, with their addenda; their IDs. One that carries an escalation ID
        is part of a support case and stays, and so does what cannot be read.

        The zip goes first: addenda that a crash leaves behind belong to no packet and go with the next run.
        """
        gone = []
        for known in await self.entries():
            if known.state == "unreadable" or known.frozen_at >= before:
                continue
            documents = await self.addenda(known.id)
            if any(document.get("escalation_id") for _, document in documents):
                continue
            await self._delete(f"{known.id}.zip")
            gone.append(known.id)
        listed = await self._list()
        for name in listed:
            match = _ADDENDUM.fullmatch(name)
            if match and f"{match[1]}.zip" not in listed:
                await self._delete(name)
        return tuple(gone)

    async def entries(self) -> tuple[PacketEntry, ...]:
        """The index, newest first."""
        listed = await self._list()
        addenda = sorted((match for name in listed if (match := _ADDENDUM.fullmatch(name))), key=lambda it: int(it[2]))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> None:
            async with gate:
                if name.endswith(".zip"):
                    self._read[name] = entry(name.removesuffix(".zip"), await self._get(name), listed[name])
                else:
                    self._kinds[name] = (addendum.decode(await self._get(name)) or {}).get("kind")

        packets = [name for name in listed if name.endswith(".zip") and _ID.fullmatch(name.removesuffix(".zip"))]
        wanted = [*packets, *(match[0] for match in addenda)]
        await asyncio.gather(*(one(name) for name in wanted if name not in self._read and name not in self._kinds))
        state: dict[str, str] = {}
        for match in addenda:
            kind = self._kinds[match[0]]
            if kind in ("recovery", "reopening"):
                state[match[1]] = "recovered" if kind == "recovery" else "open"
        known = [self._read[name] for name in packets]
        entries = [replace(it, state=state.get(it.id, it.state)) for it in known if it.state != "unreadable"]
        entries += [it for it in known if it.state == "unreadable"]
        return tuple(sorted(entries, key=lambda it: (it.frozen_at, it.id), reverse=True))

    async def _addenda(self, packet_id: str) -> list[str]:
        _checked(packet_id)
        names = [name for name in await self._list() if (match := _ADDENDUM.fullmatch(name)) and match[1] == packet_id]
        return sorted(names, key=_number)

    async def _list(self) -> dict[str, datetime]:
        """Every object and when it was written. A crash's half-written `name#1` is not listed by the store."""
        listed = await _asked("list", "", lambda: obstore.list_with_delimiter(self.store))
        return {meta["path"]: meta["last_modified"] for meta in listed["objects"]}

    async def _delete(self, name: str) -> None:
        with contextlib.suppress(PacketNotFound):
            await _asked("delete", name, lambda: obstore.delete(self.store, name))
        self._read.pop(name, None)
        self._kinds.pop(name, None)

    async def _get(self, name: str) -> bytes:
        return await _asked("read", name, lambda: bytes(obstore.get(self.store, name).bytes()))

    async def _create(self, name: str, data: bytes) -> bool:
        created = True
        try:
            await _asked("write", name, lambda: obstore.put(self.store, name, data, mode="create"))
        except _Exists:
            created = name in self._unsynced
        if (folder := self.folder) is not None:  # also where it was there: a crash may have come before this
            try:
                await _asked("sync", name, lambda: _sync(folder, name))
            except StoreError:
                if created:
                    self._unsynced.add(name)
                raise
        self._unsynced.discard(name)
        return created


class _Exists(Exception):
    """The object is there already."""


async def _asked(operation: str, name: str, work: Callable[[], T]) -> T:
    """The store's answer; its exceptions, and their long texts, are mapped here once.

    In a thread of Python's own: obstore's awaitables end in a thread of Rust's that Python cannot join, and a process
    that exits in that moment is aborted (4 of 100 with fifty calls at once).
    """
    try:
        return await asyncio.to_thread(work)
    except AlreadyExistsError:
        raise _Exists from None
    except FileNotFoundError:
        raise PacketNotFound(name) from None
    except (BaseError, OSError) as error:
        raise StoreError(f"{operation} {name}: {_first_line(error)}") from None


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


def _checked(packet_id: str) -> str:
    if not _ID.fullmatch(packet_id):
        raise ValueError("a packet ID holds letters, digits and hyphens only")
    return packet_id


def _number(name: str) -> int:
    return int(name.split(".")[1])


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0]
