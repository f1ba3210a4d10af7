"""From a case to a durable packet, off the probe path: draft, render, gate, zip, store; then what is added later.

One worker in order, so that a recovery never overtakes its packet. While the store fails the work waits and is tried
again; probing goes on. A packet in which a configured secret is still found after its field was dropped is not written.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

from probe import gate, packet, render
from probe.packet import Case
from probe.records import Event, Frozen, Json, Refused, StoreFailed
from probe.vault import PacketNotFound, StoreError, Vault

RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Addendum:
    packet_id: str
    target: str
    document: Json


class Freezer:
    """Writes packets and addenda. `secrets` gives every configured secret read so far, for the gate."""

    def __init__(
        self, vault: Vault, secrets: Callable[[], Sequence[SecretStr]], publish: Callable[[Event], None]
    ) -> None:
        self._vault = vault
        self._secrets = secrets
        self._publish = publish
        self._owed: asyncio.Queue[tuple[Case | _Addendum, asyncio.Future[None]]] = asyncio.Queue()
        self._refused: set[str] = set()
        self.canary_holds = True

    def submit(self, case: Case) -> asyncio.Future[None]:
        """Owe this packet; the future ends when it is written or refused."""
        return self._owe(case)

    def append(self, packet_id: str, target: str, document: Json) -> None:
        """Owe an addendum to a packet."""
        self._owe(_Addendum(packet_id, target, document))

    async def freeze(self, case: Case) -> bool:
        """Owe this packet and wait for it; whether it was written (False: refused)."""
        await asyncio.shield(self._owe(case))
        return case.packet_id not in self._refused

    def _owe(self, work: Case | _Addendum) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owed.put_nowait((work, done))
        return done

    async def run(self) -> None:
        """The worker: runs until cancelled."""
        while True:
            work, done = await self._owed.get()
            try:
                await self._write(work)
            finally:
                self._owed.task_done()
                if not done.done():
                    done.set_result(None)

    async def drain(self, grace_s: float) -> int:
        """Wait until nothing is owed, `grace_s` at most; how many writes are still owed then."""
        try:
            async with asyncio.timeout(grace_s):
                await self._owed.join()
        except TimeoutError:
            return self._owed.qsize() + 1
        return 0

    async def _write(self, work: Case | _Addendum) -> None:
        while True:
            try:
                if isinstance(work, Case):
                    await self._write_packet(work)
                else:
                    await self._write_addendum(work)
                return
            except StoreError as error:
                operation = "freeze" if isinstance(work, Case) else "append"
                self._publish(StoreFailed(operation, work.packet_id, str(error)))
                await asyncio.sleep(RETRY_S)

    async def _write_packet(self, case: Case) -> None:
        began = time.monotonic()
        if not self.canary_holds:
            self._refuse(case, ("the redaction canary did not hold",))
            return
        earlier = tuple(
            entry.id
            for entry in await self._vault.entries()
            if (entry.target, entry.verdict, entry.reason) == (case.target.name, case.verdict, case.reason)
            and entry.id != case.packet_id
        )
        data, hits = await asyncio.to_thread(_build, replace(case, earlier=earlier), self._secrets())
        if data is None:
            self._refuse(case, hits)
            return
        if not await self._vault.freeze(case.packet_id, data):
            return  # another writer, or we before a restart, froze the same one
        self._publish(
            Frozen(
                packet_id=case.packet_id,
                incident=case.incident,
                target=case.target.name,
                verdict=case.verdict,
                reason=case.reason,
                trigger=case.trigger,
                probe_id=case.subject.probe_id,
                frozen_at=case.frozen_at,
                zip_sha256=hashlib.sha256(data).hexdigest(),
                took_s=time.monotonic() - began,
            )
        )

    def _refuse(self, case: Case, where: tuple[str, ...]) -> None:
        self._refused.add(case.packet_id)
        self._publish(Refused(case.packet_id, case.target.name, where))

    async def _write_addendum(self, addendum: _Addendum) -> None:
        if addendum.packet_id in self._refused:
            return  # there is no packet for it to stand beside
        hits = gate.inspect({"addendum.json": render.json_bytes(addendum.document)}, self._secrets())
        if hits:
            self._publish(
                Refused(addendum.packet_id, addendum.target, tuple(f"{hit.file}: {hit.where}" for hit in hits))
            )
            return
        try:
            await self._vault.add(addendum.packet_id, addendum.document)
        except PacketNotFound:
            self._publish(StoreFailed("append", addendum.packet_id, "the packet is no longer in the store"))


def _build(case: Case, secrets: Sequence[SecretStr]) -> tuple[bytes | None, tuple[str, ...]]:
    """The zip of a packet that passed the gate, or None and where (never what) it found a secret."""
    document = packet.draft(case)
    files = render.files(document)
    if gate.inspect(files, secrets):
        document, dropped = gate.drop(document, secrets)
        document = packet.with_dropped(document, dropped)
        files = render.files(document)
        hits = gate.inspect(files, secrets)
        if hits:
            return None, tuple(f"{hit.file}: {hit.where}" for hit in hits)
    return render.pack(files), ()
