"""The one thing: a tick of a target, from the request to what it means and, on a trip, to the freezing of a packet.

attempt (request -> send -> seal -> classify) -> window -> (trip -> aftermath -> freezer) -> listeners
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from probe.aftermath import Aftermath, Parts
from probe.attempts import Attempts
from probe.edges import Edges, Surroundings
from probe.freezer import Freezer
from probe.history import History
from probe.packet import recovery, reopening
from probe.pong import Target
from probe.records import (
    Event,
    Json,
    Judgement,
    Listener,
    Recovered,
    Reopened,
    RequestKind,
    Result,
    Trigger,
    Trip,
    Verdict,
    WindowChanged,
)
from probe.remembered import Remembered
from probe.standing import Standing
from probe.window import Entry, Window, step

_COMPACT: Final = str.maketrans("", "", "-:")


def probe_id(target: str, due_at: datetime) -> str:
    """Follows from target and due time, so that a second writer names the same probe alike."""
    stated = due_at.isoformat()
    digest = hashlib.sha256(f"{target}\n{stated}".encode()).hexdigest()[:8]
    return f"{stated[:19].translate(_COMPACT)}{due_at.microsecond // 1000:03d}Z-{digest}"


class Prober:
    """Runs ticks. What it knows (windows, incidents, today's spending, what is owed) is remembered by the history;
    everything else is handed in."""

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
        self._listeners = tuple(listeners)
        remembered = Remembered(history)
        self._standing = Standing(remembered)
        self._standing.adopt(targets)
        self._attempts = Attempts(edges, remembered, self.publish, surroundings)
        parts = Parts(edges, history, remembered, self._standing, self._attempts, freezer, self.publish)
        self._aftermath = Aftermath(parts, surroundings)

    def adopt(self, targets: Sequence[Target], surroundings: Surroundings) -> None:
        """What a newly loaded configuration probes: the windows of targets that stay go on."""
        for gone in self._standing.adopt(targets):
            self._history.forget(gone)
        self._attempts.adopt(surroundings)
        self._aftermath.adopt(surroundings)

    @property
    def targets(self) -> Mapping[str, Target]:
        return self._standing.targets

    @property
    def windows(self) -> Mapping[str, Window]:
        return self._standing.windows

    def publish(self, event: Event) -> None:
        for listen in self._listeners:
            listen(event)

    def restore(self) -> None:
        """After a start: gauges of what is remembered, and everything that was owed to the store when we ended."""
        for name, window in self.windows.items():
            if window.entries or window.incident:
                self.publish(WindowChanged(name, len(window.failing), window.active))
        self.publish(self._attempts.left())
        self._aftermath.resume()

    async def settle(self, grace_s: float) -> None:
        """Let what follows the latest trips end; what has not within `grace_s` is cancelled (a packet stays owed)."""
        await self._aftermath.settle(grace_s)

    async def tick(self, target: Target, due_at: datetime, due_s: float | None = None) -> Result | None:
        """One scheduled probe; None where the day's budget stopped it. Never raises: what breaks on our side is a
        `probe_fault`, and the next tick runs. `due_s` is the due time on the monotonic clock (None: now)."""
        name = probe_id(target.name, due_at)
        result = await self._attempts.make(target, RequestKind.SCHEDULED, name, due_at, due_s)
        if result is not None:
            self._take(result)
        return result

    def missed(self, target: Target, due_at: datetime, due_s: float, reason: str) -> None:
        """A due time that was not probed: ``late`` (ours) or ``overrun`` (the previous probe is still waiting)."""
        result = Result(
            probe_id=probe_id(target.name, due_at),
            target=target.name,
            kind=RequestKind.SCHEDULED,
            due_at=due_at,
            ended_at=self._edges.now(),
            judgement=Judgement(Verdict.MISSED, reason, rule="schedule"),
            lateness_s=max(0.0, time.monotonic() - due_s),
            loop_lag_s=0.0,
        )
        self._take(result)

    async def freeze_now(self, name: str, trigger: Trigger = Trigger.MANUAL) -> str:
        """Freeze the latest failing exchange of a target, by hand or for an alert; the ID of its packet, also where it
        exists already.

        KeyError: no such target. LookupError: no failing exchange has been seen.
        """
        return await self._aftermath.freeze_now(self._standing.targets[name], trigger)

    def incident_of(self, target: Target, packet: str) -> str:
        """The incident that a packet of a target is part of."""
        return self._standing.incident_of(target.contract.name, packet)

    def append(self, packet: str, target: str, document: Json) -> None:
        """Owe an addendum to a packet."""
        self._aftermath.append(packet, target, document)

    async def replay(self, target: Target) -> Result | None:
        """Send the request of a target once, beside the schedule; None where the day's budget does not allow it."""
        now = self._edges.now()
        return await self._aftermath.ask_beside(target, RequestKind.REPLAY, f"{probe_id(target.name, now)}-r", now)

    def _take(self, result: Result) -> None:
        """Account for a result: history, window, what the window decided, listeners."""
        target = self._standing.targets.get(result.target)
        if target is None:
            return  # a reload took the target away while its probe was in flight
        self._history.add(result)
        entry = Entry(result.probe_id, result.due_at, result.verdict, result.judgement.reason)
        window, decision = step(self.windows[target.name], target.name, entry, target.freeze, target.cadence_s)
        self._standing.keep(target.name, window)
        self.publish(result)
        self.publish(WindowChanged(target.name, len(window.failing), window.active))
        match decision:
            case Trip():
                self._aftermath.begin(target, decision, result)
            case Reopened():
                self._standing.rejoin(target.contract.name, decision.packet_id)
                self.publish(decision)
                self._aftermath.append(decision.packet_id, target.name, reopening(decision))
            case Recovered():
                self.publish(decision)
                for packet in decision.packets:
                    self._aftermath.append(packet, target.name, recovery(decision))
            case None:
                pass
