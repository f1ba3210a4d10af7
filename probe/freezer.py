"""From a case to a durable packet, off the probe path: draft, render, gate, zip, store; then what is added later.

One worker in order, so that a recovery never overtakes its packet. What the store does not take waits in the spool, in
order, and is tried again; probing goes on. Nothing is written before the history holds the trip that it follows from:
otherwise a crash between the two would freeze one incident twice. A packet in which a secret is still found after its
field was dropped is not written.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
from pydantic import SecretStr

from probe import render
from probe.gated import build, passed
from probe.history import History
from probe.packet import Case
from probe.records import Event, Frozen, Json, Refused, Spooled, StoreFailed, Trigger, Verdict
from probe.remembered import OwedAddendum, Remembered
from probe.spool import Spool, is_whole
from probe.vault import PacketNotFound, StoreError, Vault

RETRY_S = 5.0
HISTORY_IN_PACKET = 60  # probes before the trip: half an hour at the default cadence
_ZIP = ".zip"


class PacketWaits(StoreError):
    """The store did not take a packet; it waits in the spool and is tried again."""

    def __init__(self, packet_id: str) -> None:
        super().__init__("the packet waits in the spool")
        self.packet_id = packet_id


@dataclass(frozen=True, slots=True)
class _Addendum:
    """`again`: it may be in the store already, from before a restart."""

    packet_id: str
    target: str
    document: Json
    again: bool


class Freezer:
    """Writes packets and addenda. `secrets` gives every configured secret read so far, for the gate; without a spool
    what the store does not take waits in memory."""

    def __init__(
        self,
        vault: Vault,
        secrets: Callable[[], Sequence[SecretStr]],
        publish: Callable[[Event], None],
        history: History,
        spool: Spool | None = None,
    ) -> None:
        self._vault = vault
        self._secrets = secrets
        self._publish = publish
        self._history = history
        self._remembered = Remembered(history)
        self._spool = spool
        self._spooled = 0  # names of addenda in the spool must differ
        self._owed: asyncio.Queue[tuple[Case | _Addendum, int, asyncio.Future[None]]] = asyncio.Queue()
        self._refused: set[str] = set()
        self._began: dict[str, float] = {}
        self.canary_failure: str | None = None  # while it says something, nothing is frozen

    def submit(self, case: Case) -> asyncio.Future[None]:
        """Owe this packet; the future ends when it is in the store or the spool, or refused."""
        return self._owe(case)

    def append(self, packet_id: str, target: str, document: Json, *, again: bool = False) -> None:
        """Owe an addendum to a packet; `again` where it was owed before a restart and may have been written."""
        self._owe(_Addendum(packet_id, target, document, again))

    async def freeze(self, case: Case) -> bool:
        """Owe this packet and wait; whether it was written (False: refused). PacketWaits: it is in the spool."""
        await asyncio.shield(self._owe(case))
        if f"{case.packet_id}{_ZIP}" in self._waiting():
            raise PacketWaits(case.packet_id)
        return case.packet_id not in self._refused

    def _owe(self, work: Case | _Addendum) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owed.put_nowait((work, self._history.mark(), done))
        return done

    async def run(self) -> None:
        """The worker and the deliverer of what waits: run until cancelled."""
        self._publish(Spooled(len(self._waiting())))
        async with asyncio.TaskGroup() as both:
            both.create_task(self._work())
            both.create_task(self._redeliver())

    async def drain(self, grace_s: float) -> int:
        """Wait until nothing is owed, `grace_s` at most; how many writes are still owed then. What waits in the spool
        is tried once more: it is safe there until the next start."""
        try:
            async with asyncio.timeout(grace_s):
                await self._owed.join()
                await self._deliver_spooled()
        except TimeoutError:
            return self._owed.qsize() + 1 + len(self._waiting())
        return len(self._waiting())

    async def _work(self) -> None:
        while True:
            work, mark, done = await self._owed.get()
            try:
                await self._history.commit(mark)
                made = await (self._packet(work) if isinstance(work, Case) else self._addendum(work))
                if made is not None:
                    await self._keep(*made, again=isinstance(work, _Addendum) and work.again)
            finally:
                self._owed.task_done()
                if not done.done():
                    done.set_result(None)

    async def _redeliver(self) -> None:
        while True:
            await self._deliver_spooled()
            await asyncio.sleep(RETRY_S)

    def _waiting(self) -> tuple[str, ...]:
        return () if self._spool is None else self._spool.waiting()

    async def _keep(self, name: str, data: bytes, again: bool) -> None:
        """Into the store, behind what waits already; else into the spool; else again."""
        while True:
            if not self._waiting() and await self._delivered(name, data, again):
                return
            again = True
            if self._spool is not None and await self._spool.put(name, data):
                self._kept(name, data)
                self._publish(Spooled(len(self._waiting())))
                return
            await asyncio.sleep(RETRY_S)

    async def _deliver_spooled(self) -> None:
        """Everything that waits, oldest first, until the store fails."""
        if self._spool is None:
            return
        for name in self._spool.waiting():
            try:
                data = await self._spool.get(name)
            except OSError as error:
                self._publish(StoreFailed("read", None, f"spool: {error.strerror or 'an error'}"))
                return
            if not await asyncio.to_thread(is_whole, name, data):
                # It must not enter the store as if it had been frozen so, and not hold up what waits behind it.
                self._spool.set_aside(name)
                words = f"spool: {name} was altered where it waited; it is left there and not stored"
                self._publish(StoreFailed("read", name.partition(".")[0], words))
                self._publish(Spooled(len(self._spool.waiting())))
                continue
            if not await self._delivered(name, data, again=True):
                return
            await self._spool.remove(name)
            self._publish(Spooled(len(self._spool.waiting())))

    async def _delivered(self, name: str, data: bytes, again: bool) -> bool:
        packet_id = name.partition(".")[0]
        try:
            if name.endswith(_ZIP):
                if await self._vault.freeze(packet_id, data):
                    self._publish(await asyncio.to_thread(_frozen, data, self._began.pop(packet_id, None)))
            else:
                await self._add(packet_id, orjson.loads(data), again)
        except StoreError as error:
            self._publish(StoreFailed("freeze" if name.endswith(_ZIP) else "append", packet_id, str(error)))
            return False
        self._kept(name, data)
        return True

    async def _add(self, packet_id: str, document: Json, again: bool) -> None:
        """Only what was tried before can be there already; a failure that comes and goes adds hundreds to one packet,
        and each new one must not read all the others."""
        try:
            known = await self._vault.addenda(packet_id) if again else ()
            if all(document != written for _, written in known):
                await self._vault.add(packet_id, document)
        except PacketNotFound:
            self._publish(StoreFailed("append", packet_id, "the packet is no longer in the store"))

    def _kept(self, name: str, data: bytes) -> None:
        packet_id = name.partition(".")[0]
        if name.endswith(_ZIP):
            self._remembered.packet_is_kept(packet_id)
        else:
            self._remembered.addendum_is_kept(packet_id, orjson.loads(data))

    async def _packet(self, case: Case) -> tuple[str, bytes] | None:
        self._began[case.packet_id] = time.monotonic()
        if self.canary_failure is not None:
            self._refuse(case, (f"the redaction canary did not hold: {self.canary_failure}",))
            return None
        history = await self._history.longer(case.history, HISTORY_IN_PACKET)
        case = replace(case, earlier=await self._earlier(case), history=history)
        data, hits = await asyncio.to_thread(build, case, self._secrets())
        if data is None:
            self._refuse(case, hits)
            return None
        return f"{case.packet_id}{_ZIP}", data

    async def _earlier(self, case: Case) -> tuple[str, ...]:
        """Packets of the same signature, newest first. A store that is known to be away, or is now, is not waited for
        again and again: then those that were seen before."""
        entries = self._vault.known()
        if not self._waiting():
            try:
                entries = await self._vault.of(case.target.name)
            except StoreError as error:
                self._publish(StoreFailed("read", case.packet_id, str(error)))
        return tuple(
            entry.id
            for entry in entries
            if (entry.target, entry.verdict, entry.reason) == (case.target.name, case.verdict, case.reason)
            and entry.id != case.packet_id
        )

    def _refuse(self, case: Case, where: tuple[str, ...]) -> None:
        self._refused.add(case.packet_id)
        self._began.pop(case.packet_id, None)
        self._remembered.packet_is_kept(case.packet_id)
        self._publish(Refused(case.packet_id, case.target.name, where))

    async def _addendum(self, addendum: _Addendum) -> tuple[str, bytes] | None:
        packet_id = addendum.packet_id
        document, hits = await asyncio.to_thread(passed, addendum.document, self._secrets())
        if packet_id in self._refused or hits:  # with a refused packet there is none for it to stand beside
            self._remembered.addendum_is_kept(packet_id, addendum.document)
            if hits:
                where = tuple(f"{hit.file}: {hit.where}" for hit in hits)
                self._publish(Refused(packet_id, addendum.target, where))
            return None
        data = orjson.dumps(document)
        if document != addendum.document:  # what is owed from now on is what will be written
            self._remembered.owe_addendum(OwedAddendum(packet_id, addendum.target, document))
            self._remembered.addendum_is_kept(packet_id, addendum.document)
        self._spooled += 1
        return f"{packet_id}.{time.time_ns():020d}{self._spooled:06d}.addendum", data


def _frozen(data: bytes, began: float | None) -> Frozen:
    """What the packet itself says: it may have been built before a restart."""
    document = orjson.loads(render.unpack(data)["packet.json"])
    frozen_at = datetime.fromisoformat(document["frozen_at"])
    waited_s = (datetime.now(UTC) - frozen_at).total_seconds()
    return Frozen(
        packet_id=document["packet_id"],
        incident=document["incident"],
        target=document["target"]["name"],
        verdict=Verdict(document["verdict"]),
        reason=document["reason"],
        trigger=Trigger(document["trigger"]),
        probe_id=document["subject"]["probe_id"],
        frozen_at=frozen_at,
        zip_sha256=hashlib.sha256(data).hexdigest(),
        took_s=max(0.0, waited_s if began is None else time.monotonic() - began),
    )
