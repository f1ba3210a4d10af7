"""The one thing: a tick of a target, from the request to what it means and, on a trip, to the freezing of a packet.

    request -> send -> seal -> classify -> window -> (trip -> freezer) -> listeners

Sealing comes before judging, so that everything after it (verdict, words, history, log, pages, packet) rests on what
may be shown; that redaction does not change a verdict is a law with its own test.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from probe import budget
from probe.budget import Budget
from probe.classify import Expectation, classify
from probe.client import Auth
from probe.followup import ask_siblings, confirm
from probe.freezer import Freezer
from probe.history import History
from probe.incidents import Incidents, opened, pruned, reopened
from probe.packet import Case, Scope, recovery, reopening
from probe.packet.confirmation import Confirmed, confirmation
from probe.pong import Target, build, problems
from probe.reading import read
from probe.records import (
    BudgetChanged,
    BudgetStopped,
    Event,
    Json,
    Judgement,
    Listener,
    Observation,
    ProbeRequest,
    Reading,
    Recovered,
    Reopened,
    RequestKind,
    Result,
    Sealed,
    Sent,
    Trigger,
    Trip,
    Verdict,
    Vetoed,
    WindowChanged,
)
from probe.redact import Redactor
from probe.remembered import OwedAddendum, OwedPacket, Remembered
from probe.scope import Seen, State, work_out
from probe.window import Entry, Window, packet_id, step, vetoed

HISTORY_IN_PACKET = 60  # probes before the trip: half an hour at the default cadence
OFF_LOOP_BYTES = 32 * 1024  # a longer body is sealed and judged in a thread, so that no other probe waits for it


@dataclass(frozen=True, slots=True)
class Controlled:
    """What the controls answered at a trip; `outside_is_gone` where none of them did, independent ones included."""

    answers: Mapping[str, bool]
    outside_is_gone: bool


@dataclass(frozen=True, slots=True)
class Edges:
    """The I/O that a tick needs, handed in.

    `send` puts one request on the wire; `key` reads a credential by name (again at each call: it may rotate) and raises
    `KeyUnavailable`; `redactor` gives the redactor that knows every secret read so far; `ask_controls` looks at every
    control once more and says whether nothing outside answered at all; `peers` says what other instances see.
    """

    send: Callable[[ProbeRequest, Auth, Target, Callable[[], None]], Awaitable[Observation]]
    key: Callable[[str], SecretStr]
    redactor: Callable[[], Redactor]
    now: Callable[[], datetime]
    lag_since: Callable[[float], float]
    outside_reachable: Callable[[], bool | None]
    ask_controls: Callable[[], Awaitable[Controlled]] | None = None
    peers: Callable[[], Awaitable[tuple[Seen, ...]]] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a packet says that comes from configuration and not from the wire, and the day's budget."""

    impact: str | None
    owner: str | None
    posts: str | None
    request_ids: str
    egress_ip: str
    version: str
    budget: Budget


class KeyUnavailable(Exception):
    """A credential could not be read; the text names the setting and what was expected, never a value."""


def probe_id(target: str, due_at: datetime) -> str:
    """Follows from target and due time, so that a second writer names the same probe alike."""
    digest = hashlib.sha256(f"{target}\n{due_at.isoformat()}".encode()).hexdigest()[:8]
    return f"{due_at:%Y%m%dT%H%M%S}{due_at.microsecond // 1000:03d}Z-{digest}"


class Prober:
    """Runs ticks. Its state is each target's window, what is open and what was spent today, all of it remembered by the
    history; everything else is handed in."""

    def __init__(
        self,
        targets: Sequence[Target],
        edges: Edges,
        surroundings: Surroundings,
        history: History,
        freezer: Freezer,
        listeners: Sequence[Listener],
    ) -> None:
        self._edges = edges
        self._history = history
        self._remembered = Remembered(history)
        self._freezer = freezer
        self._listeners = tuple(listeners)
        self._windows: dict[str, Window] = {}
        self._incidents: dict[str, Incidents] = {}  # by contract
        self._spent = self._remembered.spent(edges.now())
        self._deciding: dict[str, asyncio.Future[bool]] = {}  # packet -> whether its trip stands, while that is asked
        self._following: set[asyncio.Task[None]] = set()
        self.adopt(targets, surroundings)

    def adopt(self, targets: Sequence[Target], surroundings: Surroundings) -> None:
        """What a newly loaded configuration probes: the windows of targets that stay go on."""
        self._surroundings = surroundings
        self._targets = {target.name: target for target in targets}
        for gone in self._windows.keys() - self._targets.keys():
            del self._windows[gone]
            self._remembered.keep_window(gone, None)
            self._history.forget(gone)
        for target in targets:
            if target.name not in self._windows:
                self._windows[target.name] = self._remembered.window(target.name)
            name = target.contract.name
            if name not in self._incidents:
                self._incidents[name] = self._remembered.incidents(name)

    @property
    def windows(self) -> Mapping[str, Window]:
        return self._windows

    def publish(self, event: Event) -> None:
        for listen in self._listeners:
            listen(event)

    def restore(self) -> None:
        """After a start: gauges of what is remembered, and everything that was owed to the store when we ended."""
        for name, window in self._windows.items():
            if window.entries or window.incident:
                self.publish(WindowChanged(name, len(window.failing), window.active))
        self.publish(self._left())
        for identity, owed in self._remembered.owed_packets():
            target = self._targets.get(owed.trip.target)
            failing = self._known(owed.trip.target, owed.trip.entries)
            if target is None or not failing:
                self._remembered.packet_is_kept(identity)  # nothing is left that a packet could show
                continue
            self._submit(target, owed.trip, failing[-1])
        for addendum in self._remembered.owed_addenda():
            self._freezer.append(addendum.packet_id, addendum.target, addendum.document)

    async def settle(self, grace_s: float) -> None:
        """Let what follows the latest trips end; what has not within `grace_s` is cancelled (a packet stays owed)."""
        if self._following:
            _, unfinished = await asyncio.wait(self._following, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def tick(self, target: Target, due_at: datetime) -> Result | None:
        """One scheduled probe; None where the day's budget stopped it. Never raises: what breaks on our side is a
        `probe_fault`, and the next tick runs."""
        name = probe_id(target.name, due_at)
        result = await self._attempt(target, RequestKind.SCHEDULED, name, due_at)
        if result is not None:
            self._take(target, result)
        return result

    def missed(self, target: Target, due_at: datetime, reason: str) -> None:
        """A due time that was not probed: ``late`` (ours) or ``overrun`` (the previous probe is still waiting)."""
        now = self._edges.now()
        result = Result(
            probe_id=probe_id(target.name, due_at),
            target=target.name,
            kind=RequestKind.SCHEDULED,
            due_at=due_at,
            ended_at=now,
            judgement=Judgement(Verdict.MISSED, reason, rule="schedule"),
            lateness_s=(now - due_at).total_seconds(),
            loop_lag_s=0.0,
        )
        self._take(target, result)

    async def freeze_now(self, name: str) -> str:
        """Freeze the latest failing exchange of a target by hand; the ID of its packet, also where that exists already.

        KeyError: no such target. LookupError: no failing exchange has been seen.
        """
        target = self._targets[name]
        recent = self._history.recent(name)
        subject = next((known for known in reversed(recent) if known.verdict.is_failure and known.sealed), None)
        if subject is None:
            raise LookupError("no failing exchange has been seen for this target yet")
        identity = packet_id(name, subject.probe_id, subject.due_at)
        self._join(target, identity)
        if not await self._freezer.freeze(self._case(target, identity, subject, (subject,), Trigger.MANUAL, None)):
            raise LookupError("its packet was refused: a secret would have gone with it; see the log")
        return identity

    async def _attempt(self, target: Target, kind: RequestKind, name: str, due_at: datetime) -> Result | None:
        stopped = budget.stopped_by(self._surroundings.budget, self._spent, self._edges.now(), kind)
        if stopped is not None:
            if kind is RequestKind.SCHEDULED:
                self.publish(BudgetStopped(target.name, name, due_at, stopped))
            return None
        late_s = (self._edges.now() - due_at).total_seconds()
        began = time.monotonic()
        try:
            result = await self._probe(target, kind, name, due_at, late_s, began)
        except Exception as error:  # noqa: BLE001 - the one broad except: ours must never stop the probing
            words = f"{type(error).__name__} of ours"
            result = self._ours(target, kind, name, due_at, late_s, began, "local_resource", words)
        self._spend(budget.used(self._spent, self._edges.now(), result.reading.usage))
        if kind is not RequestKind.SCHEDULED:
            self._history.add(result)
            self.publish(result)
        return result

    def _spend(self, spent: budget.Spent) -> None:
        if spent != self._spent:
            self._spent = spent
            self._remembered.keep_spent(spent)
            self.publish(self._left())

    def _left(self) -> BudgetChanged:
        left = budget.remaining(self._surroundings.budget, self._spent, self._edges.now())
        return BudgetChanged(left["probes"], left["tokens"])

    def _on_sent(self, target: str, kind: RequestKind) -> None:
        self._spend(budget.sent(self._spent, self._edges.now()))
        self.publish(Sent(target, kind))

    async def _probe(
        self, target: Target, kind: RequestKind, name: str, due_at: datetime, late_s: float, began: float
    ) -> Result:
        request = build(
            target,
            probe_id=name,
            kind=kind,
            client_request_id=f"freezeframe-{name}",
            version=self._surroundings.version,
        )
        wrong = problems(target)
        if wrong:
            return self._ours(target, kind, name, due_at, late_s, began, "local_config", wrong[0].observed)
        try:
            key = self._edges.key(target.credential)
        except KeyUnavailable as error:
            return self._ours(target, kind, name, due_at, late_s, began, "local_config", str(error))
        shape = target.contract.auth.value
        auth = Auth(shape.header, SecretStr(shape.format.replace("{key}", key.get_secret_value())))
        observation = await self._edges.send(request, auth, target, lambda: self._on_sent(target.name, kind))
        lag_s = self._edges.lag_since(began)
        expectation = Expectation(target.contract, target.slow_s, self._edges.outside_reachable(), None)
        size = 0 if observation.reply is None else len(observation.reply.body)
        if size > OFF_LOOP_BYTES:
            judged = await asyncio.to_thread(_judge, self._edges.redactor(), observation, expectation)
        else:
            judged = _judge(self._edges.redactor(), observation, expectation)
        sealed, judgement, reading = judged
        return Result(
            probe_id=name,
            target=target.name,
            kind=kind,
            due_at=due_at,
            ended_at=self._edges.now(),
            judgement=judgement,
            lateness_s=late_s,
            loop_lag_s=lag_s,
            sealed=sealed,
            reading=reading,
        )

    def _ours(
        self,
        target: Target,
        kind: RequestKind,
        name: str,
        due_at: datetime,
        late_s: float,
        began: float,
        reason: str,
        words: str,
    ) -> Result:
        return Result(
            probe_id=name,
            target=target.name,
            kind=kind,
            due_at=due_at,
            ended_at=self._edges.now(),
            judgement=Judgement(Verdict.PROBE_FAULT, reason, rule="before_sending", words=words),
            lateness_s=late_s,
            loop_lag_s=self._edges.lag_since(began),
        )

    def _take(self, target: Target, result: Result) -> None:
        """Account for a result: history, window, what the window decided, listeners."""
        if target.name not in self._targets:
            return  # a reload took the target away while its probe was in flight
        target = self._targets[target.name]
        self._history.add(result)
        entry = Entry(result.probe_id, result.due_at, result.verdict, result.judgement.reason)
        before = self._windows[target.name]
        after, decision = step(before, target.name, entry, target.freeze, target.cadence_s)
        if after != before:
            self._keep_window(target, after)
        self.publish(result)
        self.publish(WindowChanged(target.name, len(after.failing), after.active))
        match decision:
            case Trip():
                self._tripped(target, decision, result)
            case Reopened():
                others = self._open_packets(target.contract.name, but=decision.packet_id)
                self._keep_incidents(
                    target, reopened(self._incidents[target.contract.name], decision.packet_id, others)
                )
                self.publish(decision)
                self._append(decision.packet_id, target.name, reopening(decision))
            case Recovered():
                self.publish(decision)
                for packet in decision.packets:
                    self._append(packet, target.name, recovery(decision))
            case None:
                pass

    def _tripped(self, target: Target, trip: Trip, subject: Result) -> None:
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        incident = self._join(target, identity)
        self._remembered.owe_packet(identity, OwedPacket(trip, incident))
        self.publish(trip)
        case = None
        if self._edges.ask_controls is None:
            case = self._submit(target, trip, subject)
        else:
            self._deciding[identity] = asyncio.get_running_loop().create_future()
        following = asyncio.create_task(self._follow(target, trip, subject, case), name=f"follow {identity}")
        self._following.add(following)
        following.add_done_callback(self._following.discard)

    async def _follow(self, target: Target, trip: Trip, subject: Result, case: Case | None) -> None:
        """After a trip: the controls may veto it; then the packet, confirmations, siblings, an addendum."""
        controls: Mapping[str, bool] = {}
        if case is None:
            case, controls = await self._decide(target, trip, subject)
        if case is None:
            return
        identity = case.packet_id
        tried = await confirm(target, subject, trip.verdict, self._attempt, self._edges.now)
        siblings: tuple[Result, ...] = ()
        if case.incident == identity:
            siblings = await ask_siblings(self._siblings(target), subject.probe_id, self._attempt, self._edges.now)
        confirmed = Confirmed(
            packet_id=identity,
            target=target.name,
            at=self._edges.now(),
            attempts=tried.attempts,
            stopped=tried.stopped,
            siblings=siblings,
            window=_since_first(self._windows.get(target.name, Window()), trip),
            scope=await self._final_scope(target, {result.target: result for result in siblings}),
            controls=controls,
        )
        self._append(identity, target.name, confirmation(confirmed, case))

    async def _decide(self, target: Target, trip: Trip, subject: Result) -> tuple[Case | None, Mapping[str, bool]]:
        """The case, or None where the controls say that it was ours; and what they answered."""
        assert self._edges.ask_controls is not None
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        asked = await self._edges.ask_controls()
        stands = not (asked.outside_is_gone and self._without_reply(trip))
        case = self._submit(target, trip, subject) if stands else None
        if not stands:
            self._veto(target, trip, identity)
        self._deciding.pop(identity).set_result(stands)
        return case, asked.answers

    def _without_reply(self, trip: Trip) -> bool:
        """Whether no failing attempt got as far as a status: what answered was not our own network."""
        return all(result.status is None for result in self._known(trip.target, trip.entries))

    def _veto(self, target: Target, trip: Trip, identity: str) -> None:
        self._remembered.packet_is_kept(identity)
        if target.name in self._windows:
            self._keep_window(target, vetoed(self._windows[target.name], identity))
            window = self._windows[target.name]
            self.publish(WindowChanged(target.name, len(window.failing), window.active))
        self.publish(Vetoed(target.name, trip.verdict, trip.reason, identity, trip.probe_id, self._edges.now()))

    def _append(self, identity: str, target: str, document: Json) -> None:
        """Owe an addendum; where it is not decided yet whether its packet stands, it is written once that is."""
        self._remembered.owe_addendum(OwedAddendum(identity, target, document))
        deciding = self._deciding.get(identity)
        if deciding is None:
            self._freezer.append(identity, target, document)
            return

        def decided(stands: asyncio.Future[bool]) -> None:
            if stands.cancelled():
                return
            if stands.result():
                self._freezer.append(identity, target, document)
            else:
                self._remembered.addendum_is_kept(identity, document)

        deciding.add_done_callback(decided)

    def _submit(self, target: Target, trip: Trip, subject: Result) -> Case:
        failing = self._known(target.name, trip.entries)
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        # The packet shows the exchange of its own verdict: in a mixed window the tripping probe may be another's.
        shown = next((known for known in reversed(failing) if known.verdict is trip.verdict), subject)
        case = self._case(target, identity, shown, failing, Trigger.THRESHOLD, trip)
        self._freezer.submit(case)
        return case

    def _known(self, target: str, probes: Sequence[str]) -> tuple[Result, ...]:
        wanted = set(probes)
        return tuple(known for known in self._history.recent(target) if known.probe_id in wanted)

    def _case(
        self,
        target: Target,
        identity: str,
        subject: Result,
        failing: tuple[Result, ...],
        trigger: Trigger,
        trip: Trip | None,
    ) -> Case:
        now = self._edges.now()
        return Case(
            packet_id=identity,
            incident=self._incidents[target.contract.name].of.get(identity, identity),
            trigger=trigger,
            frozen_at=now,
            target=target,
            verdict=trip.verdict if trip else subject.verdict,
            reason=trip.reason if trip else subject.judgement.reason,
            subject=subject,
            failing=failing,
            history=self._history.recent(target.name)[-HISTORY_IN_PACKET:],
            last_good=self._history.last_good(target.name),
            trip=trip,
            scope=work_out(self._seen(target.contract.name, {}), target.name, now),
            impact=self._surroundings.impact,
            owner=self._surroundings.owner,
            posts=self._surroundings.posts,
            earlier=(),
            request_ids_policy=self._surroundings.request_ids,
            egress_ip_policy=self._surroundings.egress_ip,
            version=self._surroundings.version,
        )

    def _keep_window(self, target: Target, window: Window) -> None:
        self._windows[target.name] = window
        self._remembered.keep_window(target.name, window)

    def _keep_incidents(self, target: Target, incidents: Incidents) -> None:
        name = target.contract.name
        self._incidents[name] = pruned(incidents, self._packets(name))
        self._remembered.keep_incidents(name, self._incidents[name])

    def _join(self, target: Target, identity: str) -> str:
        """The incident of a new packet."""
        name = target.contract.name
        incidents = opened(self._incidents[name], identity, self._open_packets(name, but=identity))
        self._keep_incidents(target, incidents)
        return incidents.of[identity]

    def _of_contract(self, contract: str) -> list[Window]:
        return [self._windows[name] for name, known in self._targets.items() if known.contract.name == contract]

    def _open_packets(self, contract: str, but: str) -> set[str]:
        windows = [window.incident for window in self._of_contract(contract)]
        return {packet.packet_id for incident in windows if incident for packet in incident.packets} - {but}

    def _packets(self, contract: str) -> set[str]:
        ended = {it.signature.packet_id for window in self._of_contract(contract) for it in window.ended}
        return ended | self._open_packets(contract, but="")

    def _siblings(self, target: Target) -> tuple[Target, ...]:
        """The other targets of this contract that are not known to fail."""
        return tuple(
            known
            for name, known in self._targets.items()
            if name != target.name
            and known.contract.name == target.contract.name
            and self._windows[name].incident is None
        )

    def _seen(self, contract: str, asked_after: Mapping[str, Result]) -> tuple[Seen, ...]:
        """What is known of each target of a contract at this moment: its window, or the probe made since."""
        rows = []
        for name, known in self._targets.items():
            if known.contract.name != contract:
                continue
            window, after = self._windows[name], asked_after.get(name)
            newest = after.verdict if after else window.entries[-1].verdict if window.entries else None
            state = State.NOT_KNOWN
            if window.incident is not None or (newest is not None and newest.is_failure):
                state = State.FAILING
            elif newest is Verdict.OK:
                state = State.HEALTHY
            rows.append(
                Seen(
                    target=name,
                    contract=contract,
                    model=known.model,
                    stream=known.stream,
                    credential=known.credential,
                    labels=known.labels,
                    failures=len(window.failing),
                    probes=len(window.entries),
                    state=state,
                )
            )
        return tuple(rows)

    async def _final_scope(self, target: Target, asked_after: Mapping[str, Result]) -> Scope:
        here = self._seen(target.contract.name, asked_after)
        elsewhere = () if self._edges.peers is None else await self._edges.peers()
        there = tuple(seen for seen in elsewhere if seen.contract == target.contract.name)
        return work_out((*here, *there), target.name, self._edges.now())


def _since_first(window: Window, trip: Trip) -> tuple[int, int]:
    """How many of the probes from the first failing one of the trip on failed, and how many they were."""
    known = [entry.probe_id for entry in window.entries]
    first = known.index(trip.entries[0]) if trip.entries and trip.entries[0] in known else 0
    since = window.entries[first:]
    return sum(entry.verdict.is_failure for entry in since), len(since)


def _judge(
    redactor: Redactor, observation: Observation, expectation: Expectation
) -> tuple[Sealed[Observation], Judgement, Reading]:
    sealed = redactor.seal(observation)
    return sealed, classify(sealed.value, expectation), read(sealed.value, expectation.contract)
