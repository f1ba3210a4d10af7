"""One request, from the day's budget to a result: build -> send -> seal -> classify -> read.

Sealing comes before judging, so that everything after it (verdict, words, history, log, pages, packet) rests on what
may be shown; that redaction does not change a verdict is a law with its own test.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import SecretStr

from probe import budget
from probe.classify import Expectation, classify
from probe.client import Auth
from probe.edges import Edges, KeyUnavailable, Surroundings
from probe.findings import clock_drift
from probe.own_delay import accounted
from probe.pong import Target, build, problems
from probe.reading import read
from probe.records import (
    BudgetChanged,
    BudgetStopped,
    Finding,
    Judgement,
    Listener,
    Observation,
    Reading,
    RequestKind,
    Result,
    Sealed,
    Sent,
    Verdict,
)
from probe.redact import Redactor
from probe.remembered import Remembered

OFF_LOOP_BYTES = 32 * 1024  # a longer body is sealed and judged in a thread, so that no other probe waits for it


@dataclass(frozen=True, slots=True)
class _Due:
    """What names an attempt and its times: when it was due, how late it began, and that instant (monotonic)."""

    target: Target
    kind: RequestKind
    name: str
    due_at: datetime
    late_s: float
    began: float


class _Seen(NamedTuple):
    """What an exchange was, and what was known beside it."""

    sealed: Sealed[Observation]
    reading: Reading
    expectation: Expectation


class Attempts:
    """Makes attempts; its state is what was spent today, remembered over restarts."""

    def __init__(self, edges: Edges, remembered: Remembered, publish: Listener, surroundings: Surroundings) -> None:
        self._edges = edges
        self._remembered = remembered
        self._publish = publish
        self._spent = remembered.spent(edges.now())
        self._surroundings = surroundings
        self._judging = asyncio.Lock()

    def adopt(self, surroundings: Surroundings) -> None:
        """What a newly loaded configuration says of budget and version."""
        self._surroundings = surroundings
        self._publish(self.left())

    def left(self) -> BudgetChanged:
        """What is left of the day."""
        left = budget.remaining(self._surroundings.budget, self._spent, self._edges.now())
        return BudgetChanged(left["probes"], left["tokens"])

    async def make(
        self, target: Target, kind: RequestKind, name: str, due_at: datetime, due_s: float | None = None
    ) -> Result | None:
        """One attempt, None where the day's budget stopped it. Never raises: what breaks on our side is a
        `probe_fault`, and the next tick runs. `due_s` is the due time on the monotonic clock; None: it is due now."""
        stopped = budget.stopped_by(self._surroundings.budget, self._spent, self._edges.now(), kind)
        if stopped is not None:
            if kind is RequestKind.SCHEDULED:
                self._publish(BudgetStopped(target.name, name, due_at, stopped))
            return None
        began = time.monotonic()
        due = _Due(target, kind, name, due_at, 0.0 if due_s is None else max(0.0, began - due_s), began)
        try:
            result = await self._probe(due)
        except Exception as error:  # noqa: BLE001 - the one broad except: ours must never stop the probing
            result = self._ours(due, "local_resource", f"{type(error).__name__} of ours")
        self._spend(budget.used(self._spent, self._edges.now(), result.reading.usage))
        return result

    async def _probe(self, due: _Due) -> Result:
        target = due.target
        request = build(
            target,
            probe_id=due.name,
            kind=due.kind,
            client_request_id=f"freezeframe-{due.name}",
            version=self._surroundings.version,
        )
        wrong = problems(target)
        if wrong:
            first = wrong[0]
            words = f"our own {first.place}: expected {first.expected}, observed {first.observed}"
            return self._ours(due, "local_config", words, wrong)
        try:
            key = self._edges.key(target.credential)
        except KeyUnavailable as error:
            return self._ours(due, "local_config", str(error))
        shape = target.contract.auth.value
        auth = Auth(shape.header, SecretStr(shape.format.replace("{key}", key.get_secret_value())))
        observation = await self._edges.send(request, auth, target, lambda: self._on_sent(target.name, due.kind))
        lag_s = self._edges.lag_since(due.began)
        expectation = Expectation(
            target.contract, target.slow_s, self._edges.outside_reachable(), self._edges.listing(target)
        )
        size = 0 if observation.reply is None else len(observation.reply.body)
        if size > OFF_LOOP_BYTES:
            judged = await asyncio.to_thread(_judge, self._edges.redactor(), observation, expectation)
        else:
            # One in a turn of the loop: when many answers come at once, bytes of others are stamped in between.
            async with self._judging:
                judged = _judge(self._edges.redactor(), observation, expectation)
        sealed, judgement, reading = judged
        judgement = accounted(judgement, sealed.value, target.slow_s, lag_s)
        return self._result(due, judgement, lag_s, _Seen(sealed, reading, expectation))

    def _ours(self, due: _Due, reason: str, words: str, found: tuple[Finding, ...] = ()) -> Result:
        judgement = Judgement(Verdict.PROBE_FAULT, reason, rule="before_sending", words=words, findings=found)
        return self._result(due, judgement, self._edges.lag_since(due.began))

    def _result(
        self,
        due: _Due,
        judgement: Judgement,
        lag_s: float,
        seen: _Seen | None = None,
    ) -> Result:
        is_ok = judgement.verdict is Verdict.OK
        return Result(
            probe_id=due.name,
            target=due.target.name,
            kind=due.kind,
            due_at=due.due_at,
            ended_at=self._edges.now(),
            judgement=judgement,
            lateness_s=due.late_s,
            loop_lag_s=lag_s,
            sealed=None if seen is None else seen.sealed,
            reading=Reading() if seen is None else seen.reading,
            outside_reachable=None if seen is None else seen.expectation.outside_reachable,
            listing=None if seen is None or is_ok else seen.expectation.listing,
        )

    def _on_sent(self, target: str, kind: RequestKind) -> None:
        self._spend(budget.sent(self._spent, self._edges.now()))
        self._publish(Sent(target, kind))

    def _spend(self, spent: budget.Spent) -> None:
        if spent != self._spent:
            self._spent = spent
            self._remembered.keep_spent(spent)
            self._publish(self.left())


def _judge(
    redactor: Redactor, observation: Observation, expectation: Expectation
) -> tuple[Sealed[Observation], Judgement, Reading]:
    sealed = redactor.seal(observation)
    judgement, reading = classify(sealed.value, expectation), read(sealed.value, expectation.contract)
    drift = clock_drift(reading, sealed.value.timings)
    if drift is not None:
        judgement = replace(judgement, findings=(*judgement.findings, drift))
    return sealed, judgement, reading
