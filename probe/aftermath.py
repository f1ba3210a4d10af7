"""What follows a trip: the controls may veto it; then the packet at once, confirmations, siblings, first addendum, and
where the provider lets us read its own log, what that says.

A trip is owed from the moment it is decided, and so is every addendum: a kill between two steps loses nothing. While
the controls are asked it is not known whether the packet stands; what is added meanwhile (a recovery) waits for that.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from probe.attempts import Attempts
from probe.contract.document import looks
from probe.edges import Controlled, Edges, Surroundings
from probe.followup import Time, Tried, ask_siblings, confirm, next_tick_s
from probe.freezer import Freezer
from probe.history import History
from probe.packet import Case, Scope, gateway_log
from probe.packet.confirmation import Confirmed, confirmation
from probe.pong import Target
from probe.records import GatewayLogRead, Json, Listener, RequestKind, Result, Trigger, Trip, Vetoed, WindowChanged
from probe.remembered import OwedAddendum, OwedPacket, Remembered
from probe.scope import work_out
from probe.standing import Standing
from probe.window import Window, failed_since, packet_id, vetoed


@dataclass(frozen=True, slots=True)
class Parts:
    """What an aftermath works with, all of it the prober's."""

    edges: Edges
    history: History
    remembered: Remembered
    standing: Standing
    attempts: Attempts
    freezer: Freezer
    publish: Listener


class Aftermath:
    """Follows each trip in a task of its own, so that the next tick never waits for it."""

    def __init__(self, parts: Parts, surroundings: Surroundings) -> None:
        self._parts = parts
        self._surroundings = surroundings
        self._deciding: dict[str, asyncio.Future[bool]] = {}  # packet -> whether its trip stands, while that is asked
        self._following: set[asyncio.Task[None]] = set()

    def adopt(self, surroundings: Surroundings) -> None:
        """What packets say from now on."""
        self._surroundings = surroundings

    def begin(self, target: Target, trip: Trip, subject: Result) -> None:
        """Owe the packet of a trip, and follow it; `subject` is the tripping probe."""
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        owed = OwedPacket(trip, self._parts.standing.join(target.contract.name, identity))
        self._parts.remembered.owe_packet(identity, owed)
        self._parts.publish(trip)
        case = None
        if self._parts.edges.ask_controls is None:
            case = self._submit(target, owed, subject)
        else:
            self._deciding[identity] = asyncio.get_running_loop().create_future()
        following = asyncio.create_task(self._follow(target, owed, subject, case), name=f"follow {identity}")
        self._following.add(following)
        following.add_done_callback(self._following.discard)

    def resume(self) -> None:
        """Everything that was owed to the store when we ended."""
        for identity, owed in self._parts.remembered.owed_packets():
            target = self._parts.standing.targets.get(owed.trip.target)
            failing = self._known(owed.trip.target, owed.trip.entries)
            if not failing:
                self._parts.remembered.packet_is_kept(identity)  # nothing is left that a packet could show
            elif target is not None:  # else it stays owed: a target may come back with the next configuration
                self._submit(target, owed, failing[-1])
        for addendum in self._parts.remembered.owed_addenda():
            self._parts.freezer.append(addendum.packet_id, addendum.target, addendum.document, again=True)

    async def settle(self, grace_s: float) -> None:
        """Let what follows the latest trips end; what has not within `grace_s` is cancelled (a packet stays owed)."""
        if self._following:
            _, unfinished = await asyncio.wait(self._following, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def freeze_now(self, target: Target, trigger: Trigger = Trigger.MANUAL) -> str:
        """Freeze the latest failing exchange, by hand or for an alert; the ID of its packet, also where that exists
        already.

        LookupError: no failing exchange has been seen.
        """
        subject = self._parts.history.last_failed(target.name)
        if subject is None:
            raise LookupError("no failing exchange has been seen for this target yet")
        identity = packet_id(target.name, subject.probe_id, subject.due_at)
        incident = self._parts.standing.incident_of(target.contract.name, identity)
        case = replace(self._case(target, identity, incident, subject, (subject,)), trigger=trigger)
        if not await self._parts.freezer.freeze(case):
            raise LookupError("its packet was refused: a secret would have gone with it; see the log")
        return identity

    def append(self, identity: str, target: str, document: Json) -> None:
        """Owe an addendum; where it is not decided yet whether its packet stands, it is written once that is."""
        self._parts.remembered.owe_addendum(OwedAddendum(identity, target, document))
        deciding = self._deciding.get(identity)
        if deciding is None:
            self._parts.freezer.append(identity, target, document)
            return

        def decided(stands: asyncio.Future[bool]) -> None:
            if stands.cancelled():
                return
            if stands.result():
                self._parts.freezer.append(identity, target, document)
            else:
                self._parts.remembered.addendum_is_kept(identity, document)

        deciding.add_done_callback(decided)

    async def _follow(self, target: Target, owed: OwedPacket, subject: Result, case: Case | None) -> None:
        before_s = next_tick_s(target, subject, time.monotonic())
        controls: Mapping[str, bool] = {}
        if case is None:
            case, controls = await self._decide(target, owed, subject)
        if case is None:
            return
        now, trip = self._parts.edges.now, owed.trip
        tried = await confirm(target, subject, trip.verdict, self.ask_beside, before_s, Time(now))
        siblings: tuple[Result, ...] = ()
        if case.incident == case.packet_id:
            others = self._parts.standing.siblings(target)
            siblings = await ask_siblings(others, subject.probe_id, self.ask_beside, now)
        confirmed = await self._confirmed(case, trip, tried, siblings, controls)
        self.append(case.packet_id, target.name, confirmation(confirmed, case))
        await self._corroborate(case)

    async def _corroborate(self, case: Case) -> None:
        """What the provider's own log says of the failing attempts: an addendum that may come or not, owed by nobody
        until it is made."""
        look = self._parts.edges.gateway_log
        failing, others = gateway_log.wanted(case)
        read = None if look is None else await look(case.target, failing, others)
        if read is None:
            return
        document = gateway_log.corroboration(case, read, self._parts.edges.now())
        found = sum(attempt["failed"] for attempt in document["attempts"])
        self._parts.publish(GatewayLogRead(case.target.name, case.packet_id, found, len(case.failing), read.problem))
        self.append(case.packet_id, case.target.name, document)

    async def ask_beside(self, target: Target, kind: RequestKind, name: str, due_at: datetime) -> Result | None:
        """A paid request beside the schedule: it is part of the history and never of a window."""
        result = await self._parts.attempts.make(target, kind, name, due_at)
        if result is not None and target.name in self._parts.standing.targets:  # else a reload took it away meanwhile
            self._parts.history.add(result)
            self._parts.publish(result)
        return result

    async def _confirmed(
        self,
        case: Case,
        trip: Trip,
        tried: Tried,
        siblings: tuple[Result, ...],
        controls: Mapping[str, bool],
    ) -> Confirmed:
        target = case.target
        return Confirmed(
            packet_id=case.packet_id,
            target=target.name,
            at=self._parts.edges.now(),
            attempts=tried.attempts,
            stopped=tried.stopped,
            siblings=siblings,
            window=failed_since(self._parts.standing.windows.get(target.name, Window()), trip.entries),
            scope=await self._final_scope(target, {result.target: result for result in siblings}),
            controls=controls,
        )

    async def _decide(
        self, target: Target, owed: OwedPacket, subject: Result
    ) -> tuple[Case | None, Mapping[str, bool]]:
        """The case, or None where the controls say that it was ours; and what they answered."""
        assert self._parts.edges.ask_controls is not None
        trip = owed.trip
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        asked: Controlled = await self._parts.edges.ask_controls()
        stands = not (asked.outside_is_gone and self._without_reply(trip))
        case = self._submit(target, owed, subject) if stands else None
        if not stands:
            self._veto(target, trip, identity)
        self._deciding.pop(identity).set_result(stands)
        return case, asked.answers

    def _without_reply(self, trip: Trip) -> bool:
        """Whether no failing attempt got as far as a status: what answered was not our own network."""
        return all(result.status is None for result in self._known(trip.target, trip.entries))

    def _veto(self, target: Target, trip: Trip, identity: str) -> None:
        standing, publish = self._parts.standing, self._parts.publish
        self._parts.remembered.packet_is_kept(identity)
        if target.name in standing.windows:
            window = vetoed(standing.windows[target.name], identity)
            standing.keep(target.name, window)
            publish(WindowChanged(target.name, len(window.failing), window.active))
        publish(Vetoed(target.name, trip.verdict, trip.reason, identity, trip.probe_id, self._parts.edges.now()))

    def _submit(self, target: Target, owed: OwedPacket, subject: Result) -> Case:
        trip = owed.trip
        failing = self._known(target.name, trip.entries)
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        # The packet shows the exchange of its own verdict: in a mixed window the tripping probe may be another's.
        shown = next((known for known in reversed(failing) if known.verdict is trip.verdict), subject)
        case = self._case(target, identity, owed.incident, shown, failing, trip)
        self._parts.freezer.submit(case)
        return case

    def _known(self, target: str, probes: Sequence[str]) -> tuple[Result, ...]:
        return self._parts.history.known(target, probes)

    def _case(
        self,
        target: Target,
        identity: str,
        incident: str,
        subject: Result,
        failing: tuple[Result, ...],
        trip: Trip | None = None,
    ) -> Case:
        now = self._parts.edges.now()
        documents = self._parts.edges.documents(target.contract)
        return Case(
            packet_id=identity,
            incident=incident,
            trigger=Trigger.THRESHOLD if trip else Trigger.MANUAL,
            frozen_at=now,
            target=replace(target, contract=target.contract.looked(looks(documents))),
            verdict=trip.verdict if trip else subject.verdict,
            reason=trip.reason if trip else subject.judgement.reason,
            subject=subject,
            failing=failing,
            history=self._parts.history.recent(target.name),
            last_good=self._parts.history.last_good(target.name),
            trip=trip,
            scope=work_out(
                self._parts.standing.seen(target.contract.name, {}),
                target.name,
                now,
                unseen=len(self._elsewhere(target.contract.name)),
            ),
            impact=self._surroundings.impact,
            owner=self._surroundings.owner,
            posts=self._surroundings.posts,
            earlier=(),
            request_ids_policy=self._surroundings.request_ids,
            egress_ip_policy=self._surroundings.egress_ip,
            version=self._surroundings.version,
            documents=documents,
        )

    async def _final_scope(self, target: Target, asked_after: Mapping[str, Result]) -> Scope:
        contract = target.contract.name
        elsewhere = None if self._parts.edges.peers is None else await self._parts.edges.peers()
        here = self._parts.standing.seen(contract, asked_after)
        there = tuple(seen for seen in elsewhere or () if seen.contract == contract)
        unasked = self._parts.edges.peers is not None and elsewhere is None
        unseen = len(self._elsewhere(contract) - {seen.target for seen in there})
        now = self._parts.edges.now()
        return work_out((*here, *there), target.name, now, others_unknown=unasked, unseen=unseen)

    def _elsewhere(self, contract: str) -> frozenset[str]:
        """The targets of a contract that other shards probe."""
        return self._surroundings.elsewhere.get(contract, frozenset())
