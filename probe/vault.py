"""The store of packets: one zip object per packet and its addenda beside it, each written create-only, never changed.

Addenda are `<packet>.001.json`, `<packet>.002.json`, ...; what stands in them is `probe.packet.addendum`.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from probe import inspection
from probe.index import PacketEntry, entry
from probe.objects import AT_ONCE, NoSuchObject, Objects, StoreError, StoreUnreachable
from probe.packet import Problem, addendum
from probe.records import Json
from probe.window import name_in_id

__all__ = ("PacketNotFound", "StoreError", "StoreUnreachable", "Vault")

_ID: Final = re.compile(r"[A-Za-z0-9-]+")
_ADDENDUM: Final = re.compile(r"([A-Za-z0-9-]+)\.(\d{3,})\.json")
_SHOWN: Final = re.compile(r"(\d{8}T\d{6}Z)-(.*)-[0-9a-f]{8}\.")  # time and the target's name in an ID of ours
_DOUBTFUL: Final = ("altered", "unreadable")  # states of the index that no addendum changes
# How long a listing of a remote store is believed: each thousand objects of it are a request. What we write ourselves
# is seen at once, what another pod writes after this time at most.
LISTING_HOLDS_S: Final = 5.0


class PacketNotFound(LookupError):
    """No packet of that ID is in the store."""


@dataclass(slots=True)
class Vault:
    """Packets in one object store. What was read for the index is kept: the objects never change."""

    objects: Objects
    clock: Callable[[], float] = time.monotonic
    _read: dict[str, PacketEntry] = field(default_factory=dict)
    _kinds: dict[str, object] = field(default_factory=dict)
    _listed: dict[str, datetime] = field(default_factory=dict)
    _listed_at_s: float | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)  # whoever comes meanwhile finds it read

    @classmethod
    def open(cls, url: str, base: Path) -> "Vault":
        """A path (relative to `base`, made for its owner alone if absent), memory://, s3://, gs:// or az://."""
        return cls(Objects.open(url, base))

    @property
    def folder(self) -> Path | None:
        return self.objects.folder

    async def freeze(self, packet_id: str, data: bytes) -> bool:
        """Write a packet; False when another one of this ID is there already (it stays as it is)."""
        return await self._create(f"{_checked(packet_id)}.zip", data)

    async def add(self, packet_id: str, document: Json) -> str:
        """Write an addendum under the next free number; its name. Of two writers at once each gets its own number, but
        who says word for word what the newest addendum says adds nothing: two probers saw the same recovery."""
        while True:
            names = await self._addenda(packet_id)
            number = _number(names[-1]) + 1 if names else 1
            before = await self._get(names[-1] if names else f"{packet_id}.zip")
            if names and addendum.decode(before) == document:
                return names[-1]
            name = addendum.addendum_name(packet_id, number)
            if await self._create(name, addendum.encode(document, before)):
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
        return await inspection.beside(self.objects, packet_id, await self.read(packet_id))

    async def verify(self, packet_id: str) -> tuple[Problem, ...]:
        """Everything that is wrong with what is stored of a packet. PacketNotFound where there is nothing."""
        try:
            return await inspection.whole(self.objects, _checked(packet_id))
        except NoSuchObject:
            raise PacketNotFound(packet_id) from None

    async def packet_ids(self) -> tuple[str, ...]:
        """Every packet of which anything is stored, also where its zip is not."""
        return await inspection.packet_ids(self.objects)

    async def expire(self, before: datetime) -> tuple[str, ...]:
        """Delete the packets frozen before an instant, with their addenda; their IDs. One that carries an escalation ID
        is part of a support case and stays, and so does what cannot be read or is altered.

        The zip goes first: addenda that a crash leaves behind belong to no packet and go with the next run. What is
        younger by its ID is not read.
        """
        gone = []
        async with self._reading:
            old = {name: at for name, at in (await self._all()).items() if _may_be_from_before(name, before)}
            await self._look_into(old)
        for known in self._newest_first(old):
            if known.state in _DOUBTFUL or known.frozen_at >= before:
                continue
            documents = await self.addenda(known.id)
            if len(documents) < len(await self._addenda(known.id)):  # one that cannot be read may name a case
                continue
            if any(document.get("escalation_id") for _, document in documents):
                continue
            await self._delete(f"{known.id}.zip")
            gone.append(known.id)
        for name in [*self._listed]:
            match = _ADDENDUM.fullmatch(name)
            if match and f"{match[1]}.zip" not in self._listed:
                await self._delete(name)
        return tuple(gone)

    async def entries(self) -> tuple[PacketEntry, ...]:
        """The index, newest first."""
        async with self._reading:
            await self._look_into(await self._all())
        return self.known()

    async def of(self, target: str) -> tuple[PacketEntry, ...]:
        """The lines of one target's packets, newest first; those of others are not read."""
        async with self._reading:
            listed = await self._all()
            names = {name: at for name, at in listed.items() if _may_be_of(name, name_in_id(target))}
            await self._look_into(names)
        return tuple(line for line in self._newest_first(names) if line.target == target)

    async def newest(self, targets: Iterable[str]) -> tuple[PacketEntry, ...]:
        """The newest packet of each target, which is all that is read: after a start there may be thousands."""
        missing = set(targets)
        found = []
        for name in sorted(filter(_is_packet, await self._all()), reverse=True):
            if not any(_may_be_of(name, name_in_id(target)) for target in missing):
                continue
            await self._look_into({name: datetime.now(UTC)})
            if (line := self._read.get(name)) and line.target in missing:
                found.append(line)
                missing.remove(line.target)
        return tuple(found)

    async def entry(self, packet_id: str) -> PacketEntry:
        """The line of one packet, as it stands now. PacketNotFound."""
        names = await self.objects.beginning(f"{_checked(packet_id)}.")
        if f"{packet_id}.zip" not in names:
            raise PacketNotFound(packet_id)
        await self._look_into({name: datetime.now(UTC) for name in names})
        [line] = self._lines(names)
        return line

    def known(self) -> tuple[PacketEntry, ...]:
        """The index as it was read last, newest first: the store is not asked."""
        return tuple(self._newest_first(self._listed))

    def _newest_first(self, names: Iterable[str]) -> list[PacketEntry]:
        return sorted(self._lines(names), key=lambda it: (it.frozen_at, it.id), reverse=True)

    async def _all(self) -> dict[str, datetime]:
        """Every object; of a remote store as it was a moment ago, and what we wrote since."""
        held_s = LISTING_HOLDS_S if self.objects.is_remote else 0.0
        if self._listed_at_s is None or self.clock() - self._listed_at_s >= held_s:
            began_s, before = self.clock(), set(self._listed)
            listed = await self.objects.list()
            made_meanwhile = {name: at for name, at in self._listed.items() if name not in before}
            self._listed, self._listed_at_s = listed | made_meanwhile, began_s
        return self._listed

    async def _look_into(self, listed: Mapping[str, datetime]) -> None:
        """Read what the index needs and was not read before."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with gate:
                try:
                    data = await self._get(name)
                except PacketNotFound:  # it went after it was listed
                    return
                if name.endswith(".zip"):
                    self._read[name] = entry(name.removesuffix(".zip"), data, listed[name])
                else:
                    self._kinds[name] = (addendum.decode(data) or {}).get("kind")

        wanted = [name for name in listed if _is_packet(name) or _ADDENDUM.fullmatch(name)]
        await asyncio.gather(*(one(name) for name in wanted if name not in self._read and name not in self._kinds))

    def _lines(self, names: Iterable[str]) -> list[PacketEntry]:
        """Of what was read; a packet is open until its last recovery or reopening says otherwise."""
        listed = sorted(names)
        addenda = sorted((match for name in listed if (match := _ADDENDUM.fullmatch(name))), key=lambda it: int(it[2]))
        state: dict[str, str] = {}
        for match in addenda:
            kind = self._kinds.get(match[0])
            if kind in ("recovery", "reopening"):
                state[match[1]] = "recovered" if kind == "recovery" else "open"
        known = [self._read[name] for name in listed if name in self._read]
        return [it if it.state in _DOUBTFUL else replace(it, state=state.get(it.id, it.state)) for it in known]

    async def _addenda(self, packet_id: str) -> list[str]:
        names = await self.objects.beginning(f"{_checked(packet_id)}.")
        return sorted((name for name in names if _ADDENDUM.fullmatch(name)), key=_number)

    async def _get(self, name: str) -> bytes:
        try:
            return await self.objects.get(name)
        except NoSuchObject:
            raise PacketNotFound(name) from None

    async def _create(self, name: str, data: bytes) -> bool:
        created = await self.objects.create(name, data)
        if created and self.objects.is_remote:
            self._listed[name] = datetime.now(UTC)
        return created

    async def _delete(self, name: str) -> None:
        await self.objects.delete(name)
        for known in (self._listed, self._read, self._kinds):
            known.pop(name, None)


def _is_packet(name: str) -> bool:
    return name.endswith(".zip") and _ID.fullmatch(name.removesuffix(".zip")) is not None


def _may_be_of(name: str, target: str) -> bool:
    """Whether an object is a packet, or beside one, of a target that looks like this in an ID."""
    shown = _SHOWN.match(name)
    return shown is None or shown[2] == target


def _may_be_from_before(name: str, instant: datetime) -> bool:
    """An ID of ours begins with the due time of the tripping probe; a packet is never frozen earlier."""
    shown = _SHOWN.match(name)
    return shown is None or datetime.strptime(f"{shown[1]}+0000", "%Y%m%dT%H%M%SZ%z") < instant


def _checked(packet_id: str) -> str:
    if not _ID.fullmatch(packet_id):
        raise ValueError("a packet ID holds letters, digits and hyphens only")
    return packet_id


def _number(name: str) -> int:
    return int(name.split(".")[1])
