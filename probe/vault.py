"""The store of packets: one zip object per packet and its addenda beside it, each written create-only, never changed.

Addenda are `<packet>.001.json`, `<packet>.002.json`, ...; what stands in them is `probe.packet.addendum`.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import obstore
from obstore.store import ObjectStore

from probe import objects
from probe.index import PacketEntry, entry
from probe.objects import PacketNotFound, StoreError, StoreUnreachable
from probe.packet import Problem, addendum
from probe.records import Json
from probe.render import verify

__all__ = ["PacketNotFound", "StoreError", "StoreUnreachable", "Vault"]

_ID: Final = re.compile(r"[A-Za-z0-9-]+")
_ADDENDUM: Final = re.compile(r"([A-Za-z0-9-]+)\.(\d{3,})\.json")
_OURS: Final = re.compile(r"([A-Za-z0-9-]+)\.(?:zip|\d{3,}\.json)")
_DOUBTFUL: Final = ("altered", "unreadable")  # states of the index that no addendum changes
_AT_ONCE: Final = 16


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
        return cls(*objects.opened(url, base))

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

    async def originals(self, packet_id: str) -> dict[str, bytes]:
        """The addenda as they are stored, by name."""
        return {name: await self._get(name) for name in await self._addenda(packet_id)}

    async def problems(self, packet_id: str) -> tuple[Problem, ...]:
        """What is wrong with the addenda of a packet, or by their witness with its zip."""
        return await self._problems(packet_id, await self.read(packet_id))

    async def verify(self, packet_id: str) -> tuple[Problem, ...]:
        """Everything that is wrong with what is stored of a packet. PacketNotFound where there is nothing."""
        name = f"{_checked(packet_id)}.zip"
        try:
            data = await self._get(name)
        except PacketNotFound:
            found = await self._problems(packet_id, None)
            if not found and not await self._addenda(packet_id):
                raise
            return (*found, *([] if any(it.file == name for it in found) else [Problem(name, "missing")]))
        except StoreError:
            return (Problem(name, "unreadable"), *await self._problems(packet_id, None))
        return (*await asyncio.to_thread(verify, data, packet_id), *await self._problems(packet_id, data))

    async def packet_ids(self) -> tuple[str, ...]:
        """Every packet of which anything is stored, also where its zip is not."""
        files, folders = await self._listing()
        return tuple(sorted({match[1] for name in (*files, *folders) if (match := _OURS.fullmatch(name))}))

    async def _problems(self, packet_id: str, zipped: bytes | None) -> tuple[Problem, ...]:
        """Of the addenda, and of what lies among them under a name of theirs and is none."""
        files, folders = await self._listing()
        mine = [name for name in files if name.startswith(f"{packet_id}.") and name != f"{packet_id}.zip"]
        stored, found = [], []
        for name in sorted(mine, key=lambda it: _number(it) if _ADDENDUM.fullmatch(it) else -1):
            if not _ADDENDUM.fullmatch(name) or name != addendum.addendum_name(packet_id, _number(name)):
                found.append(Problem(name, "extra"))
                continue
            try:
                stored.append((_number(name), await self._get(name)))
            except PacketNotFound:  # it went meanwhile
                continue
            except StoreError:
                stored.append((_number(name), b""))
        found += [
            Problem(name, "unreadable")
            for name in folders
            if (match := _OURS.fullmatch(name)) and match[1] == packet_id
        ]
        known = {it.file for it in found}
        return (*(it for it in addendum.problems(packet_id, zipped, stored) if it.file not in known), *found)

    async def expire(self, before: datetime) -> tuple[str, ...]:
        """Delete the packets frozen before an instant, with their addenda; their IDs. One that carries an escalation ID
        is part of a support case and stays, and so does what cannot be read or is altered.

        The zip goes first: addenda that a crash leaves behind belong to no packet and go with the next run.
        """
        gone = []
        for known in await self.entries():
            if known.state in _DOUBTFUL or known.frozen_at >= before:
                continue
            documents = await self.addenda(known.id)
            if len(documents) < len(await self._addenda(known.id)):  # one that cannot be read may name a case
                continue
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
        entries = [it if it.state in _DOUBTFUL else replace(it, state=state.get(it.id, it.state)) for it in known]
        return tuple(sorted(entries, key=lambda it: (it.frozen_at, it.id), reverse=True))

    async def _addenda(self, packet_id: str) -> list[str]:
        _checked(packet_id)
        names = [name for name in await self._list() if (match := _ADDENDUM.fullmatch(name)) and match[1] == packet_id]
        return sorted(names, key=_number)

    async def _list(self) -> dict[str, datetime]:
        files, _ = await self._listing()
        return files

    async def _listing(self) -> tuple[dict[str, datetime], tuple[str, ...]]:
        """Every object and when it was written, and the names of folders, which are none of ours. A crash's
        half-written `name#1` is not listed by the store."""
        listed = await objects.asked("list", "", lambda: obstore.list_with_delimiter(self.store))
        files = {meta["path"]: meta["last_modified"] for meta in listed["objects"]}
        return files, tuple(listed["common_prefixes"])

    async def _delete(self, name: str) -> None:
        with contextlib.suppress(PacketNotFound):
            await objects.asked("delete", name, lambda: obstore.delete(self.store, name))
        self._read.pop(name, None)
        self._kinds.pop(name, None)

    async def _get(self, name: str) -> bytes:
        return await objects.asked("read", name, lambda: bytes(obstore.get(self.store, name).bytes()))

    async def _create(self, name: str, data: bytes) -> bool:
        created = True
        try:
            await objects.asked("write", name, lambda: obstore.put(self.store, name, data, mode="create"))
        except objects.Exists:
            created = name in self._unsynced
        if (folder := self.folder) is not None:  # also where it was there: a crash may have come before this
            try:
                await objects.asked("sync", name, lambda: objects.sync(folder, name))
            except StoreError:
                if created:
                    self._unsynced.add(name)
                raise
        self._unsynced.discard(name)
        return created


def _checked(packet_id: str) -> str:
    if not _ID.fullmatch(packet_id):
        raise ValueError("a packet ID holds letters, digits and hyphens only")
    return packet_id


def _number(name: str) -> int:
    return int(name.split(".")[1])
