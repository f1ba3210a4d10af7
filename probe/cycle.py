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

from probe.classify import Expectation, classify
from probe.client import Auth
from probe.freezer import Freezer
from probe.history import History
from probe.packet import Case, Scope, recovery, reopening
from probe.pong import Target, build, problems
from probe.reading import read
from probe.records import (
    Event,
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
    WindowChanged,
)
from probe.redact import Redactor
from probe.window import Entry, Window, packet_id, step

HISTORY_IN_PACKET = 60  # probes before the trip: half an hour at the default cadence
OFF_LOOP_BYTES = 32 * 1024  # a longer body is sealed and judged in a thread, so that no other probe waits for it


@dataclass(frozen=True, slots=True)
class Edges:
    """The I/O that a tick needs, handed in.

    `send` puts one request on the wire; `key` reads a credential by name (again at each call: it may rotate) and raises
    `KeyUnavailable`; `redactor` gives the redactor that knows every secret read so far.
    """

    send: Callable[[ProbeRequest, Auth, Target, Callable[[], None]], Awaitable[Observation]]
    key: Callable[[str], SecretStr]
    redactor: Callable[[], Redactor]
    now: Callable[[], datetime]
    lag_since: Callable[[float], float]
    outside_reachable: Callable[[], bool | None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a packet says that comes from configuration and not from the wire."""

    impact: str | None
    owner: str | None
    posts: str | None
    request_ids: str
    egress_ip: str
    version: str


class KeyUnavailable(Exception):
    """A credential could not be read; the text names the setting and what was expected, never a value."""


def probe_id(target: str, due_at: datetime) -> str:
    """Follows from target and due time, so that a second writer names the same probe alike."""
    digest = hashlib.sha256(f"{target}\n{due_at.isoformat()}".encode()).hexdigest()[:8]
    return f"{due_at:%Y%m%dT%H%M%S}{due_at.microsecond // 1000:03d}Z-{digest}"


class Prober:
    """Runs ticks. Its state is each target's window and what is open; everything else is handed in."""

    def __init__(
        self,
        targets: Sequence[Target],
        edges: Edges,
        surroundings: Surroundings,
        history: History,
        freezer: Freezer,
        listeners: Sequence[Listener],
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._edges = edges
        self._surroundings = surroundings
        self._history = history
        self._freezer = freezer
        self._listeners = tuple(listeners)
        self._windows: dict[str, Window] = {name: Window() for name in self._targets}
        self._incidents: dict[str, str] = {}  # contract name -> the incident its open packets share

    @property
    def windows(self) -> Mapping[str, Window]:
        return self._windows

    def publish(self, event: Event) -> None:
        for listen in self._listeners:
            listen(event)

    async def tick(self, target: Target, due_at: datetime) -> Result:
        """One scheduled probe. Never raises: what breaks on our side is a `probe_fault`, and the next tick runs."""
        name = probe_id(target.name, due_at)
        late_s = (self._edges.now() - due_at).total_seconds()
        began = time.monotonic()
        try:
            result = await self._probe(target, name, due_at, late_s, began)
        except Exception as error:  # noqa: BLE001 - the one broad except: ours must never stop the probing
            result = self._ours(
                target, name, due_at, late_s, began, "local_resource", f"{type(error).__name__} of ours"
            )
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
        if not await self._freezer.freeze(self._case(target, identity, subject, (subject,), Trigger.MANUAL, None)):
            raise LookupError("its packet was refused: a secret would have gone with it; see the log")
        return identity

    async def _probe(self, target: Target, name: str, due_at: datetime, late_s: float, began: float) -> Result:
        request = build(
            target,
            probe_id=name,
            kind=RequestKind.SCHEDULED,
            client_request_id=f"freezeframe-{name}",
            version=self._surroundings.version,
        )
        wrong = problems(target)
        if wrong:
            return self._ours(target, name, due_at, late_s, began, "local_config", wrong[0].observed)
        try:
            key = self._edges.key(target.credential)
        except KeyUnavailable as error:
            return self._ours(target, name, due_at, late_s, began, "local_config", str(error))
        shape = target.contract.auth.value
        auth = Auth(shape.header, SecretStr(shape.format.replace("{key}", key.get_secret_value())))
        observation = await self._edges.send(
            request, auth, target, lambda: self.publish(Sent(target.name, RequestKind.SCHEDULED))
        )
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
            kind=RequestKind.SCHEDULED,
            due_at=due_at,
            ended_at=self._edges.now(),
            judgement=judgement,
            lateness_s=late_s,
            loop_lag_s=lag_s,
            sealed=sealed,
            reading=reading,
        )

    def _ours(
        self, target: Target, name: str, due_at: datetime, late_s: float, began: float, reason: str, words: str
    ) -> Result:
        return Result(
            probe_id=name,
            target=target.name,
            kind=RequestKind.SCHEDULED,
            due_at=due_at,
            ended_at=self._edges.now(),
            judgement=Judgement(Verdict.PROBE_FAULT, reason, rule="before_sending", words=words),
            lateness_s=late_s,
            loop_lag_s=self._edges.lag_since(began),
        )

    def _take(self, target: Target, result: Result) -> None:
        """Account for a result: history, window, what the window decided, listeners."""
        self._history.add(result)
        entry = Entry(result.probe_id, result.due_at, result.verdict, result.judgement.reason)
        before = self._windows[target.name]
        after, decision = step(before, target.name, entry, target.freeze, target.cadence_s)
        self._windows[target.name] = after
        self.publish(result)
        self.publish(WindowChanged(target.name, len(after.failing), after.active))
        match decision:
            case Trip():
                self.publish(decision)
                self._freeze(target, decision, result)
            case Reopened():
                self.publish(decision)
                self._freezer.append(decision.packet_id, target.name, reopening(decision))
            case Recovered():
                self.publish(decision)
                for packet in decision.packets:
                    self._freezer.append(packet, target.name, recovery(decision))
            case None:
                pass

    def _freeze(self, target: Target, trip: Trip, subject: Result) -> None:
        wanted = set(trip.entries)
        failing = tuple(known for known in self._history.recent(target.name) if known.probe_id in wanted)
        identity = packet_id(target.name, trip.probe_id, trip.due_at)
        # The packet shows the exchange of its own verdict: in a mixed window the tripping probe may be another's.
        shown = next((known for known in reversed(failing) if known.verdict is trip.verdict), subject)
        self._freezer.submit(self._case(target, identity, shown, failing, Trigger.THRESHOLD, trip))

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
            incident=self._incident(target, identity),
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
            scope=self._scope(target, now),
            impact=self._surroundings.impact,
            owner=self._surroundings.owner,
            posts=self._surroundings.posts,
            earlier=(),
            request_ids_policy=self._surroundings.request_ids,
            egress_ip_policy=self._surroundings.egress_ip,
            version=self._surroundings.version,
        )

    def _incident(self, target: Target, identity: str) -> str:
        """Packets whose incidents overlap in time on one contract share an ID: that of the first."""
        contract = target.contract.name
        others_open = any(
            self._windows[name].incident is not None
            for name, other in self._targets.items()
            if other.contract.name == contract and name != target.name
        )
        own = self._windows[target.name].incident
        if not others_open and (own is None or len(own.packets) <= 1):
            self._incidents[contract] = identity
        return self._incidents.setdefault(contract, identity)

    def _scope(self, target: Target, now: datetime) -> Scope:
        """Which targets of this contract fail at this moment, by their windows; no more than that is claimed."""
        rows = []
        failing: list[str] = []
        others: list[str] = []
        for name, other in self._targets.items():
            if other.contract.name != target.contract.name:
                continue
            window = self._windows[name]
            fails = window.incident is not None
            (failing if fails else others).append(name)
            rows.append(
                (
                    name,
                    other.model,
                    "streaming" if other.stream else "non-streaming",
                    other.credential,
                    f"{len(window.failing)} of {len(window.entries)} failed",
                    "failing" if fails else ("healthy" if window.entries else "not known"),
                )
            )
        sentence = f"Failing at that moment: {', '.join(failing) or 'none past its threshold'}"
        sentence += (
            f"; not failing: {', '.join(others)}." if others else "; no other target of this contract is probed."
        )
        return Scope(sentence=sentence, table=tuple(rows), as_of=now)


def _judge(
    redactor: Redactor, observation: Observation, expectation: Expectation
) -> tuple[Sealed[Observation], Judgement, Reading]:
    sealed = redactor.seal(observation)
    return sealed, classify(sealed.value, expectation), read(sealed.value, expectation.contract)
