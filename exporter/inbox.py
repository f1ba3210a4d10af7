"""Alerts between the answer 202 and the packet: a bounded queue, one worker, and each alert is looked at once.

What is found is added to the packet (its addenda tell which alerts fired and resolved) and noted in the log; an alert
without a packet leaves why. Alertmanager's repeats, a second Alertmanager and a restart add nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol

from exporter.alerts import Alert, Candidate, Found, Freeze, Known, Why, addendum, candidate, decide, says_so
from exporter.log import say
from exporter.noticed import Noticed, Notices
from probe.index import PacketEntry
from probe.pong import Target
from probe.records import Json, Result
from probe.vault import StoreError

MOST_WAITING: Final = 1000
MOST_PER_PACKET: Final = 40  # addenda of alerts: what fires more often is told by the log alone
RETRY_S: Final = 5.0


class Full(Exception):
    """Nothing of this was taken: it is to be posted again."""


class Evidence(Protocol):
    """The running program, as far as alerts want something of it."""

    @property
    def targets(self) -> tuple[Target, ...]: ...

    def last_failed(self, target: str) -> Result | None: ...

    def open_packets(self, target: str) -> tuple[Candidate, ...]:
        """Those of the open incident of a target, also while the store does not have them yet."""

    async def freeze_for_alert(self, target: str) -> str:
        """The packet of the latest failing exchange. KeyError: no such target; LookupError: nothing to freeze, or
        refused."""

    def append(self, packet: str, target: str, document: Json) -> None: ...

    def sealed(self, text: str, place: str) -> str: ...


class Store(Protocol):
    async def entries(self) -> tuple[PacketEntry, ...]: ...
    async def addenda(self, packet_id: str, /) -> tuple[tuple[str, Json], ...]: ...


class Inbox:
    """`notices` is what became of each alert."""

    def __init__(self, evidence: Evidence, store: Store, notices: Notices, retry_s: float = RETRY_S) -> None:
        self._retry_s = retry_s
        self._evidence = evidence
        self._store = store
        self.notices = notices
        self._waiting: dict[tuple[str, str, bool], Alert] = {}
        self._arrived = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._closed = False
        self._told_enough: set[str] = set()  # packets that have as many addenda of alerts as they may have

    def take(self, alerts: Sequence[Alert]) -> int:
        """Put what is new into the queue; how many that are. Full where it does not all fit."""
        new = {(*alert.key, alert.is_firing): alert for alert in alerts if not self.notices.knows(alert)}
        new = {key: alert for key, alert in new.items() if key not in self._waiting}
        if self._closed or len(self._waiting) + len(new) > MOST_WAITING:
            raise Full
        self._waiting |= new
        if new:
            self._emptied.clear()
            self._arrived.set()
        return len(new)

    async def run(self) -> None:
        """The worker; runs until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await self._look_at_all()
            except StoreError as error:
                say("alerts wait for the store", level=logging.WARNING, waiting=len(self._waiting), error=str(error))
                await asyncio.sleep(self._retry_s)
                self._arrived.set()

    async def drain(self, grace_s: float) -> int:
        """Take no more, and look at what waits, `grace_s` at most; how many alerts are lost."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.idle()
        return len(self._waiting)

    async def idle(self) -> None:
        """Wait until nothing waits."""
        await self._emptied.wait()

    async def _look_at_all(self) -> None:
        while self._waiting:
            known = self._known(await self._store.entries())
            for key, alert in tuple(self._waiting.items()):
                if not self.notices.knows(alert):
                    await self._look_at(alert, known)
                del self._waiting[key]
                await asyncio.sleep(0)  # a probe that is due comes first
        self._emptied.set()

    def _known(self, entries: Sequence[PacketEntry]) -> Known:
        packets: dict[str, dict[str, Candidate]] = {target.name: {} for target in self._evidence.targets}
        for entry in entries:
            if entry.target in packets:  # what recovered is known better here than by what the store has so far
                packets[entry.target][entry.id] = replace(candidate(entry), is_open=False)
        for name, of_target in packets.items():
            for opened in self._evidence.open_packets(name):
                stored = of_target.get(opened.packet_id)
                of_target[opened.packet_id] = opened if stored is None else replace(stored, is_open=True)
        return Known(
            contracts={target.name: target.contract.name for target in self._evidence.targets},
            packets={name: tuple(of_target.values()) for name, of_target in packets.items()},
            failed_at={
                name: failed.ended_at for name in packets if (failed := self._evidence.last_failed(name)) is not None
            },
        )

    async def _look_at(self, alert: Alert, known: Known) -> None:
        name = self._evidence.sealed(alert.name, "alertname")
        now = datetime.now(UTC)
        decision: Found | Freeze | Why
        before = self.notices.get(alert)
        if before is not None:  # it fired, and now it has resolved: with the same packet, or still without one
            decision = (
                Found(before.packet, before.target)
                if before.packet and before.target
                else before.why or Why.NOTHING_FAILED
            )
        else:
            decision = decide(alert, known)
        if isinstance(decision, Freeze):
            decision = await self._frozen(decision.target)
        added = before.added if before else 0
        if isinstance(decision, Found):
            added += await self._add(alert, name, decision, now)
        noticed = Noticed(*alert.key, name, alert.is_firing, now, added=added)
        if isinstance(decision, Found):
            noticed = replace(noticed, target=decision.target, packet=decision.packet_id)
        else:
            noticed = replace(noticed, why=decision)
        self.notices.keep(noticed)
        _tell(noticed)

    async def _frozen(self, target: str) -> Found | Why:
        try:
            return Found(await self._evidence.freeze_for_alert(target), target)
        except KeyError:  # a reload took it away meanwhile
            return Why.UNKNOWN
        except LookupError:
            return Why.REFUSED

    async def _add(self, alert: Alert, name: str, found: Found, now: datetime) -> int:
        """How many addenda that made: none where the packet tells of this alert already, or of so many others."""
        if found.packet_id in self._told_enough:
            return 0
        told: list[Json] = []
        enough = self.notices.added_to(found.packet_id) >= MOST_PER_PACKET
        if not enough:
            addenda = await self._store.addenda(found.packet_id)
            told = [document for _, document in addenda if document.get("kind") == "alert"]
            enough = len(told) >= MOST_PER_PACKET
        if enough:
            # The notices forget, and a flood must not read everything beside a packet again for each of its alerts.
            if len(self._told_enough) >= MOST_WAITING:
                self._told_enough.clear()
            self._told_enough.add(found.packet_id)
            return 0
        if any(says_so(document, alert) for document in told):
            return 0
        self._evidence.append(found.packet_id, found.target, addendum(alert, name, found, now))
        return 1


def _tell(noticed: Noticed) -> None:
    facts = {"target": noticed.target, "packet": noticed.packet} if noticed.packet else {"no_packet": noticed.why}
    facts = {"alertname": noticed.name, "fingerprint": noticed.fingerprint, "since": noticed.starts_at} | facts
    say("alert fires" if noticed.is_firing else "alert resolved", level=logging.INFO, **facts)
