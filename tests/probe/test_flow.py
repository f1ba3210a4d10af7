"""The whole flow in one process: what was sent, what it means, what is frozen.

Real redaction, rules, window, packet and store; only the wire is played."""

import asyncio
import gc
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from probe import render
from probe.budget import Budget
from probe.client import Auth
from probe.cycle import Prober
from probe.edges import Controlled, Edges, KeyUnavailable, Surroundings
from probe.freezer import Freezer, PacketWaits
from probe.history import History
from probe.pong import Target
from probe.records import (
    BudgetChanged,
    BudgetStopped,
    Event,
    Fault,
    Finding,
    Frozen,
    Json,
    Observation,
    Phase,
    ProbeRequest,
    Recovered,
    Refused,
    Reopened,
    Reply,
    RequestKind,
    Result,
    Sent,
    StoreFailed,
    Timings,
    Trigger,
    Trip,
    Verdict,
    Vetoed,
)
from probe.redact import Policy, Redactor
from probe.remembered import Remembered
from probe.schedule import LagMeter
from probe.settings import load
from probe.spool import Spool
from probe.timetable import due_at
from probe.vault import Vault
from probe.window import packet_id
from tests.probe.held import held_by
from tests.servers.disk import Disk

KEY = "fake-flow-key-0123456789abcdef"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
GOOD = (
    '{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"content":"pong"},"finish_reason":"stop"}]}'
)
BUSY = '{"error":{"message":"The model is overloaded (request id: 20261124030000123456789AbCdEfGh)","type":"x"}}'
WRONG = '{"error":{"message":"Invalid API key","type":"invalid_request_error"}}'
EXAMPLES = Path(__file__).parent.parent / "examples"


def targets() -> tuple[Target, ...]:
    return load(EXAMPLES / "freezeframe.yaml", {"EXAMPLE_KEY": KEY}).targets


def answer(status: int, body: str) -> Callable[[ProbeRequest], Observation]:
    def given(request: ProbeRequest) -> Observation:
        reply = Reply(status, (("content-type", "application/json"), ("x-request-id", "r-1")), body, len(body))
        return Observation(request, START, reply, None, Timings(0.02, processing_s=0.01), None, Phase.TRANSFER)

    return given


class Flow:
    """A prober with its freezer on a memory store; every event is kept."""

    def __init__(
        self,
        impact: str = "checkout",
        key: Callable[[str], SecretStr] = lambda _: SecretStr(KEY),
        *,
        history: History | None = None,
        vault: Vault | None = None,
        spool: Spool | None = None,
        controls: Callable[[], Awaitable[Controlled]] | None = None,
        budget: Budget = Budget(1000, 1_000_000),  # noqa: B008 - frozen
    ) -> None:
        self.events: list[Event] = []
        self.answers: list[Callable[[ProbeRequest], Observation]] = []
        self.vault = vault or Vault.open("memory://", Path())
        self.history = history or History()
        self.freezer = Freezer(self.vault, lambda: [SecretStr(KEY)], self.events.append, self.history, spool)
        self.between = answer(200, GOOD)  # to confirmations and siblings
        self.targets = tuple(
            replace(
                it, stream=False, freeze=replace(it.freeze, confirm_attempts=2, confirm_backoff_s=0.0, reopen_s=1800)
            )
            for it in targets()
        )
        self.ticks = 0
        redactor = Redactor([SecretStr(KEY)], [], Policy(), b"k" * 32)
        self.edges = Edges(
            send=self._send,
            key=key,
            redactor=lambda: redactor,
            now=lambda: START + timedelta(seconds=self.ticks),
            lag_since=lambda _: 0.0,
            outside_reachable=lambda: None,
            ask_controls=controls,
        )
        self.around = Surroundings(impact, "owner", None, "keep", "drop", "0", budget)
        self.prober = Prober(self.targets, self.edges, self.around, self.history, self.freezer, [self.events.append])

    async def _send(
        self, request: ProbeRequest, auth: Auth, target: Target, on_sent: Callable[[], None]
    ) -> Observation:
        assert auth.value.get_secret_value() == f"Bearer {KEY}"
        on_sent()
        return (self.answers.pop(0) if request.kind is RequestKind.SCHEDULED else self.between)(request)

    async def play(self, answers: Sequence[Callable[[ProbeRequest], Observation]], target: int = 0) -> None:
        self.answers += answers
        for _ in answers:
            self.ticks += 1
            await self.prober.tick(self.targets[target], START + timedelta(seconds=self.ticks))

    async def settle(self) -> None:
        await self.prober.settle(5)
        worker = asyncio.create_task(self.freezer.run())
        assert await self.freezer.drain(60) == 0
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


async def test_three_failures_freeze_one_packet_that_verifies_and_recovery_stands_beside_it() -> None:
    flow = Flow()
    await flow.play([answer(200, GOOD), *[answer(503, BUSY)] * 4, *[answer(200, GOOD)] * 3])
    await flow.settle()
    [trip], [frozen] = flow.of(Trip), flow.of(Frozen)
    assert (
        (trip.verdict, trip.reason) == (frozen.verdict, frozen.reason) == (Verdict.DEGRADATION, "upstream_overloaded")
    )
    [entry] = await flow.vault.entries()
    assert (entry.id, entry.zip_sha256, entry.state) == (frozen.packet_id, frozen.zip_sha256, "recovered")
    data = await flow.vault.read(entry.id)
    assert render.verify(data) == ()
    summary = render.unpack(data)["summary.md"].decode()
    assert "20261124030000123456789AbCdEfGh" in summary
    assert KEY not in data.decode("utf-8", "replace")
    [recovered] = flow.of(Recovered)
    assert (recovered.failures, recovered.probes) == (4, 7)
    assert len([sent for sent in flow.of(Sent) if sent.kind is RequestKind.SCHEDULED]) == 8


async def test_another_verdict_in_an_open_incident_is_a_packet_of_its_own_in_the_same_incident() -> None:
    flow = Flow()
    await flow.play([*[answer(503, BUSY)] * 3, *[answer(401, WRONG)] * 3])
    await flow.settle()
    first, second = flow.of(Frozen)
    assert [first.verdict, second.verdict] == [Verdict.DEGRADATION, Verdict.AUTH_OR_ACCOUNT]
    assert first.incident == second.incident == first.packet_id


async def test_what_breaks_on_our_side_is_a_probe_fault_never_a_trip_and_the_next_tick_runs() -> None:
    def broken(_: ProbeRequest) -> Observation:
        raise RuntimeError(f"boom {KEY}")

    flow = Flow()
    await flow.play([*[broken] * 5, answer(200, GOOD)])
    recent = flow.history.recent(flow.targets[0].name)
    assert [result.verdict for result in recent] == [Verdict.PROBE_FAULT] * 5 + [Verdict.OK]
    assert KEY not in repr(recent)
    assert flow.of(Trip) == []


async def test_a_request_that_its_contract_does_not_allow_is_ours_and_is_not_sent() -> None:
    """The result says which field of our request, what the documents say of it, and where."""
    flow = Flow()
    known = flow.targets[0].contract
    schema = {"type": "object", "properties": {"max_tokens": {"type": "integer", "minimum": 1}}}
    strict = replace(known, request=replace(known.request, schema=schema))
    refused = replace(flow.targets[0], contract=strict, request={"max_tokens": 0})
    await flow.prober.tick(refused, START)
    [result] = flow.history.recent(refused.name)
    assert (result.verdict, result.judgement.reason) == (Verdict.PROBE_FAULT, "local_config")
    source = known.request.source
    assert result.judgement.findings == (
        Finding(
            "request_schema",
            "request body max_tokens",
            "a number of 1 or more",
            "a number",
            source.url,
            source.accessed,
        ),
    )
    words = "our own request body max_tokens: expected a number of 1 or more, observed a number"
    assert result.judgement.words == words
    assert flow.of(Sent) == []


async def test_a_key_that_cannot_be_read_sends_nothing() -> None:
    def unreadable(_: str) -> SecretStr:
        raise KeyUnavailable("credentials.team-a.file: expected a readable file, found none")

    flow = Flow(key=unreadable)
    await flow.play([answer(200, GOOD)])
    [result] = flow.history.recent(flow.targets[0].name)
    assert (result.verdict, result.judgement.reason) == (Verdict.PROBE_FAULT, "local_config")
    assert "credentials.team-a.file" in (result.judgement.words or "")
    assert flow.of(Sent) == []


async def test_a_secret_that_came_by_configuration_is_dropped_from_the_packet_which_says_so() -> None:
    flow = Flow(impact=f"our key is {KEY}")
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    [entry] = await flow.vault.entries()
    data = await flow.vault.read(entry.id)
    assert KEY.encode() not in data
    assert b"it held a configured secret" in data


async def test_without_a_working_canary_nothing_is_written() -> None:
    flow = Flow()
    flow.freezer.canary_failure = "gate: a planted key was not found"
    await flow.play([answer(503, BUSY)] * 3 + [answer(200, GOOD)] * 3)
    await flow.settle()
    assert await flow.vault.entries() == ()
    assert len(flow.of(Refused)) == 1


async def test_missed_ticks_never_trip_and_are_kept() -> None:
    flow = Flow()
    for number in range(9):
        flow.prober.missed(flow.targets[0], START + timedelta(seconds=number), time.monotonic(), "overrun")
    assert flow.of(Trip) == []
    assert {result.verdict for result in flow.history.recent(flow.targets[0].name)} == {Verdict.MISSED}


async def test_freezing_by_hand_freezes_the_latest_failing_exchange_once() -> None:
    flow = Flow()
    name = flow.targets[0].name
    with pytest.raises(KeyError):
        await flow.prober.freeze_now("nobody")
    with pytest.raises(LookupError):
        await flow.prober.freeze_now(name)
    await flow.play([answer(503, BUSY), answer(200, GOOD)])
    worker = asyncio.create_task(flow.freezer.run())
    first, second = await flow.prober.freeze_now(name), await flow.prober.freeze_now(name)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert first == second
    assert [entry.id for entry in await flow.vault.entries()] == [first]


async def test_freezing_for_an_alert_says_so_and_names_the_packet_while_it_waits_for_the_store(tmp_path: Path) -> None:
    away = tmp_path / "packets"
    away.mkdir()
    flow = Flow(vault=Vault.open("packets", tmp_path), spool=Spool(tmp_path / "spool"))
    name = flow.targets[0].name
    await flow.play([answer(503, BUSY), answer(200, GOOD)])
    worker = asyncio.create_task(flow.freezer.run())
    away.rename(tmp_path / "gone")
    away.write_text("in the way")
    with pytest.raises(PacketWaits) as waits:
        await flow.prober.freeze_now(name, Trigger.ALERT)
    flow.prober.append(waits.value.packet_id, name, {"kind": "alert", "at": "now", "fingerprint": "00"})
    flow.prober.append(waits.value.packet_id, name, {"kind": "alert", "at": "now", "fingerprint": "01"})
    assert len(Remembered(flow.history).owed_addenda()) == 2, "two alerts of one moment are both owed"
    away.unlink()
    (tmp_path / "gone").rename(away)
    assert await flow.freezer.drain(10) == 0
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert [(entry.id, entry.trigger) for entry in await flow.vault.entries()] == [(waits.value.packet_id, "alert")]
    assert await kinds(flow, waits.value.packet_id) == ["alert", "alert"]
    assert Remembered(flow.history).owed_addenda() == ()


async def test_a_replay_is_paid_for_and_kept_and_no_part_of_a_window() -> None:
    flow = Flow()
    target = flow.targets[0]
    await flow.play([answer(200, GOOD)])
    flow.between = answer(503, BUSY)
    replayed = [await flow.prober.replay(target) for _ in range(target.freeze.failures)]
    assert [it and (it.kind, it.verdict) for it in replayed] == [(RequestKind.REPLAY, Verdict.DEGRADATION)] * 3
    assert [event.kind for event in flow.of(Sent)] == [RequestKind.SCHEDULED, *[RequestKind.REPLAY] * 3]
    assert [it.kind for it in flow.history.recent(target.name)][1:] == [RequestKind.REPLAY] * 3
    assert flow.prober.windows[target.name].failing == ()
    assert flow.of(Trip) == []
    assert flow.of(BudgetChanged)[-1].probes == 1000 - 4


async def test_a_replay_may_not_use_the_last_tenth_of_the_budget() -> None:
    flow = Flow(budget=Budget(10, 1_000_000))
    await flow.play([answer(200, GOOD)] * 9)
    assert await flow.prober.replay(flow.targets[0]) is None
    assert len(flow.of(Sent)) == 9


async def test_history_keeps_numbers_of_healthy_probes_and_the_body_of_the_last_good_one() -> None:
    flow = Flow()
    await flow.play([answer(200, GOOD)] * 2)
    name = flow.targets[0].name
    kept, good = flow.history.recent(name)[-1], flow.history.last_good(name)
    assert kept.sealed is not None
    assert kept.sealed.value.reply is not None
    assert (kept.sealed.value.reply.body, kept.status) == ("", 200)
    assert good is not None
    assert good.sealed is not None
    assert good.sealed.value.reply is not None
    assert "pong" in good.sealed.value.reply.body


def test_ticks_lie_on_a_grid_that_follows_from_the_name() -> None:
    target = targets()[0]
    at = due_at(target, START)
    assert timedelta(0) <= START - at < timedelta(seconds=target.cadence_s)
    assert due_at(target, at) == at
    assert due_at(target, at + timedelta(seconds=3 * target.cadence_s)) == at + timedelta(seconds=3 * target.cadence_s)
    assert due_at(replace(target, name="another"), START) != at


async def test_a_blocked_loop_is_seen_as_lag() -> None:
    seen: list[float] = []
    meter = LagMeter(seen.append)
    worker = asyncio.create_task(meter.run())
    await asyncio.sleep(0.12)
    began = time.monotonic()
    time.sleep(0.2)  # noqa: ASYNC251 - the very thing to be measured
    assert meter.worst_since(began) > 0.05
    await asyncio.sleep(0.06)
    assert meter.worst_since(began) > 0.1
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert max(seen) > 0.1


async def test_how_late_a_probe_is_follows_from_the_monotonic_clock_alone() -> None:
    """A wall clock that was set back by an hour makes nothing an hour early, and one set forward nothing late."""
    flow = Flow()
    for wrong in (timedelta(hours=-1), timedelta(hours=1)):
        flow.answers = [answer(200, GOOD)]
        result = await flow.prober.tick(flow.targets[0], START + wrong, time.monotonic() - 2)
        assert result is not None
        assert 2 <= result.lateness_s < 3
    flow.prober.missed(flow.targets[0], START + timedelta(hours=2), time.monotonic() - 20, "late")
    [missed] = [it for it in flow.of(Result) if isinstance(it, Result) and it.verdict is Verdict.MISSED]
    assert 20 <= missed.lateness_s < 21


async def test_the_kind_of_request_is_scheduled() -> None:
    flow = Flow()
    await flow.play([answer(200, GOOD)], target=1)
    assert {event.kind for event in flow.of(Sent) if isinstance(event, Sent)} == {RequestKind.SCHEDULED}


def silence(request: ProbeRequest) -> Observation:
    fault = Fault("ConnectTimeout", "no connection within 25 s")
    return Observation(request, START, None, fault, Timings(25.0), None, Phase.RESOLVE)


async def kinds(flow: Flow, packet: str) -> list[str]:
    return [document["kind"] for _, document in await flow.vault.addenda(packet)]


@pytest.mark.parametrize(
    ("between", "outcome", "advice"),
    [
        (answer(503, BUSY), "deterministic", "escalate"),
        (answer(200, GOOD), "isolated", "hold"),
    ],
)
async def test_confirmations_and_siblings_are_the_first_addendum(between, outcome: str, advice: str) -> None:
    flow = Flow()
    flow.between = between
    await flow.play([*[answer(503, BUSY)] * 3])
    await flow.settle()
    [frozen] = flow.of(Frozen)
    [(_, document)] = await flow.vault.addenda(frozen.packet_id)
    assert (document["kind"], document["outcome"]) == ("confirmation", outcome)
    assert document["recommendation"]["advice"] == advice
    assert len(document["confirmations"]) == flow.targets[0].freeze.confirm_attempts
    assert [row["target"] for row in document["siblings"]] == [it.name for it in flow.targets[1:]]
    assert {row["kind"] for row in document["siblings"]} == {"sibling"}
    sent = [event.kind for event in flow.of(Sent)]
    assert sent.count(RequestKind.CONFIRM) == flow.targets[0].freeze.confirm_attempts
    assert [row[0] for row in document["scope"]["table"]] == [it.name for it in flow.targets]


async def test_confirmations_do_not_enter_the_window() -> None:
    flow = Flow()
    flow.between = answer(503, BUSY)
    await flow.play([*[answer(503, BUSY)] * 3])
    await flow.settle()
    assert len(flow.prober.windows[flow.targets[0].name].entries) == 3
    assert all(flow.prober.windows[it.name].entries == () for it in flow.targets[1:])


async def test_a_second_target_that_fails_meanwhile_joins_the_incident_and_asks_no_siblings_again() -> None:
    flow = Flow()
    flow.between = answer(503, BUSY)
    for target in (0, 1):
        await flow.play([answer(503, BUSY)] * 3, target=target)
        await flow.prober.settle(5)
    await flow.settle()
    first, second = flow.of(Frozen)
    assert first.incident == second.incident == first.packet_id
    siblings = [event for event in flow.of(Sent) if event.kind is RequestKind.SIBLING]
    assert len(siblings) == len(flow.targets) - 1


@pytest.mark.parametrize(
    ("answers", "outside_is_gone", "vetoed"),
    [
        (silence, True, True),
        (silence, False, False),
        (answer(503, BUSY), True, False),  # something answered us: that was not our network
    ],
)
async def test_the_controls_veto_a_trip_only_when_nothing_answered_anywhere(answers, outside_is_gone, vetoed) -> None:
    async def controls() -> Controlled:
        return Controlled({"outside": not outside_is_gone}, outside_is_gone)

    flow = Flow(controls=controls)
    flow.between = answers
    await flow.play([answers] * 3)
    await flow.settle()
    assert len(flow.of(Trip)) == 1
    assert (len(flow.of(Vetoed)), len(flow.of(Frozen))) == ((1, 0) if vetoed else (0, 1))
    window = flow.prober.windows[flow.targets[0].name]
    assert (window.incident is None) is vetoed


async def test_a_recovery_while_the_controls_are_asked_follows_its_packet() -> None:
    answered = asyncio.Event()

    async def controls() -> Controlled:
        await answered.wait()
        return Controlled({"outside": True}, False)

    flow = Flow(controls=controls)
    await flow.play([*[answer(503, BUSY)] * 3, *[answer(200, GOOD)] * 3])
    answered.set()
    await flow.settle()
    [frozen] = flow.of(Frozen)
    assert sorted(await kinds(flow, frozen.packet_id)) == ["confirmation", "recovery"]


async def test_after_a_restart_the_window_goes_on_where_it_was(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"))
    await before.play([answer(200, GOOD), answer(503, BUSY), answer(503, BUSY)])
    assert await before.history.flush()
    before.history.close()
    after = Flow(history=History(tmp_path / "h"), vault=before.vault)
    after.ticks = before.ticks
    after.prober.restore()
    await after.play([answer(503, BUSY)])
    await after.settle()
    [frozen] = after.of(Frozen)
    document = json.loads(render.unpack(await after.vault.read(frozen.packet_id))["packet.json"])
    assert document["happened"]["repetition"]["failed"] == 3
    assert document["expected"]["last_good"]["probe_id"]
    after.history.close()


async def test_a_trip_that_was_owed_is_frozen_after_the_restart_with_the_same_id_and_once(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"))
    await before.play([answer(503, BUSY)] * 3)
    [trip] = before.of(Trip)
    assert await before.history.flush()  # and then the process dies: no freezer ever ran
    before.history.close()
    await before.prober.settle(5)
    owed = packet_id(trip.target, trip.probe_id, trip.due_at)
    for restart in range(2):
        after = Flow(history=History(tmp_path / "h"), vault=before.vault)
        after.prober.restore()
        await after.settle()
        assert [frozen.packet_id for frozen in after.of(Frozen)] == ([owed] if restart == 0 else [])
        assert await after.history.flush()
        after.history.close()
    assert [entry.id for entry in await before.vault.entries()] == [owed]
    assert render.verify(await before.vault.read(owed)) == ()


async def test_a_new_addendum_reads_none_of_those_that_are_there() -> None:
    """A failure that comes and goes adds hundreds to one packet."""
    flow = Flow()
    await flow.play([*[answer(503, BUSY)] * 3, *[answer(200, GOOD)] * 3])
    await flow.settle()
    [entry] = await flow.vault.entries()
    asked: list[str] = []

    class Counting(Vault):
        async def addenda(self, packet_id: str) -> tuple[tuple[str, Json], ...]:
            asked.append(packet_id)
            return await super().addenda(packet_id)

    flow.freezer = Freezer(Counting(flow.vault.objects), lambda: [SecretStr(KEY)], flow.events.append, flow.history)
    flow.freezer.append(entry.id, "small", {"kind": "recovery", "at": "2026-11-24T09:00:00.000Z"})
    await flow.settle()
    assert asked == []
    flow.freezer.append(entry.id, "small", {"kind": "recovery", "at": "2026-11-24T09:00:00.000Z"}, again=True)
    await flow.settle()
    assert asked == [entry.id]
    assert (await kinds(flow, entry.id)).count("recovery") == 2


async def test_a_trip_stays_owed_while_its_target_is_not_configured(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"))
    await before.play([answer(503, BUSY)] * 3)
    assert await before.history.flush()
    before.history.close()
    await before.prober.settle(5)
    for comes_back in (False, True):
        after = Flow(history=History(tmp_path / "h"), vault=before.vault)
        kept = after.targets if comes_back else after.targets[1:]
        after.prober = Prober(kept, after.edges, after.around, after.history, after.freezer, [after.events.append])
        after.prober.restore()
        await after.settle()
        assert len(after.of(Frozen)) == comes_back
        assert await after.history.flush()
        after.history.close()


async def test_a_packet_that_was_written_before_the_crash_but_still_owed_is_not_doubled(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"))
    await before.play([*[answer(503, BUSY)] * 3, *[answer(200, GOOD)] * 3])
    assert await before.history.flush()
    before.history.close()
    await before.settle()  # packet and addenda are in the store; that they are no longer owed is not on disk
    after = Flow(history=History(tmp_path / "h"), vault=before.vault)
    after.prober.restore()
    await after.settle()
    [entry] = await after.vault.entries()
    assert (await kinds(after, entry.id)).count("recovery") == 1
    after.history.close()


async def test_the_same_failure_after_a_restart_within_reopen_goes_on_in_its_packet(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"))
    await before.play([*[answer(503, BUSY)] * 3, *[answer(200, GOOD)] * 3])
    await before.settle()
    await before.history.flush()
    before.history.close()
    after = Flow(history=History(tmp_path / "h"), vault=before.vault)
    after.ticks = before.ticks
    after.prober.restore()
    await after.play([answer(503, BUSY)] * 3)
    await after.settle()
    [reopened] = after.of(Reopened)
    assert [entry.id for entry in await after.vault.entries()] == [reopened.packet_id]
    after.history.close()


async def test_a_spent_budget_is_a_state_of_its_own_over_restarts(tmp_path: Path) -> None:
    before = Flow(history=History(tmp_path / "h"), budget=Budget(2, 1_000_000))
    await before.play([answer(503, BUSY)] * 4)
    assert len(before.of(Sent)) == 2
    assert [event.kind for event in before.of(BudgetStopped)] == ["probes", "probes"]
    assert before.of(Trip) == []
    await before.history.flush()
    before.history.close()
    after = Flow(history=History(tmp_path / "h"), budget=Budget(2, 1_000_000))
    after.ticks = 9
    await after.play([answer(200, GOOD)])
    assert after.of(Sent) == []
    after.history.close()


async def test_a_reload_keeps_windows_and_drops_what_a_removed_target_was() -> None:
    flow = Flow()
    await flow.play([answer(503, BUSY)] * 2)
    await flow.play([answer(503, BUSY)] * 2, target=1)
    flow.prober.adopt(flow.targets[:1], flow.around)
    assert set(flow.prober.windows) == {flow.targets[0].name}
    await flow.play([answer(503, BUSY)])
    assert len(flow.of(Trip)) == 1
    assert flow.history.recent(flow.targets[1].name) == ()
    flow.prober.adopt(flow.targets, flow.around)
    assert flow.prober.windows[flow.targets[1].name].entries == ()
    await flow.settle()


async def test_a_sibling_in_flight_of_a_target_that_a_reload_removes_leaves_nothing() -> None:
    flow = Flow()
    asked, answered = asyncio.Event(), asyncio.Event()

    async def send(request: ProbeRequest, auth: Auth, target: Target, on_sent: Callable[[], None]) -> Observation:
        if request.kind is RequestKind.SIBLING:
            asked.set()
            await answered.wait()
        return await flow._send(request, auth, target, on_sent)

    edges = replace(flow.edges, send=send)
    flow.prober = Prober(flow.targets, edges, flow.around, flow.history, flow.freezer, [flow.events.append])
    await flow.play([answer(503, BUSY)] * 3)
    await asyncio.wait_for(asked.wait(), 5)
    flow.prober.adopt(flow.targets[:1], flow.around)
    answered.set()
    await flow.settle()
    assert flow.history.recent(flow.targets[1].name) == ()


@pytest.mark.parametrize("trouble", ["read-only", "full", "away"])
async def test_a_store_in_trouble_never_stops_probing_and_gets_its_packet_later(
    disk: Disk, tmp_path: Path, trouble: str
) -> None:
    (folder := disk.folder / "packets").mkdir()
    spool = Spool(tmp_path / "spool")
    flow = Flow(vault=Vault.open("packets", disk.folder), spool=spool)
    match trouble:
        case "read-only":
            disk.writable(False)
        case "full":
            disk.fill()
        case _:
            folder.rename(disk.folder / "gone")
            folder.write_text("in the way")
    await flow.play([*[answer(503, BUSY)] * 3, *[answer(200, GOOD)] * 3])
    await flow.prober.settle(5)
    worker = asyncio.create_task(flow.freezer.run())
    assert await flow.freezer.drain(10) == 3  # packet, confirmation, recovery
    assert flow.of(Frozen) == []
    assert flow.of(StoreFailed)
    assert len(flow.of(Recovered)) == 1
    assert len(Spool(tmp_path / "spool").waiting()) == 3, "they survive a restart"
    match trouble:
        case "read-only":
            disk.writable(True)
        case "full":
            disk.free()
        case _:
            folder.unlink()
            (disk.folder / "gone").rename(folder)
    assert await flow.freezer.drain(10) == 0
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    [frozen] = flow.of(Frozen)
    assert render.verify(await flow.vault.read(frozen.packet_id)) == ()
    assert sorted(await kinds(flow, frozen.packet_id)) == ["confirmation", "recovery"]
    assert await flow.vault.problems(frozen.packet_id) == ()
    assert spool.waiting() == ()


async def test_a_file_that_was_damaged_while_it_waited_is_told_left_and_holds_up_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    await spool.put("small-1.zip", b"no zip any more")
    flow = Flow(spool=spool)
    await flow.play([answer(503, BUSY)] * 3)
    await flow.settle()
    assert len(flow.of(Frozen)) == 1
    assert [failed.error for failed in flow.of(StoreFailed)] == [
        "spool: small-1.zip was altered where it waited; it is left there and not stored"
    ]
    assert spool.waiting() == ()
    assert Spool(tmp_path / "spool").waiting() == ("small-1.zip",)


async def test_fifty_targets_that_fail_at_once_are_fifty_packets_and_one_incident() -> None:
    flow = Flow()
    flow.between = answer(503, BUSY)
    many = tuple(replace(flow.targets[0], name=f"t{number:02d}") for number in range(50))
    flow.targets = many
    flow.prober.adopt(many, flow.around)
    for _ in range(3):
        flow.ticks += 1
        flow.answers += [answer(503, BUSY)] * 50
        await asyncio.gather(*(flow.prober.tick(it, START + timedelta(seconds=flow.ticks)) for it in many))
    await flow.settle()
    frozen = flow.of(Frozen)
    assert (len(flow.of(Trip)), len(frozen), len({it.packet_id for it in frozen})) == (50, 50, 50)
    assert len({it.incident for it in frozen}) == 1
    leader = frozen[0].incident
    assert leader in {it.packet_id for it in frozen}
    kinds = [event.kind for event in flow.of(Sent)]
    assert kinds.count(RequestKind.SCHEDULED) == 150
    assert kinds.count(RequestKind.SIBLING) <= 49
    assert kinds.count(RequestKind.CONFIRM) <= 100
    for packet in frozen:
        assert [doc["kind"] for _, doc in await flow.vault.addenda(packet.packet_id)] == ["confirmation"]


async def test_the_ledger_of_an_accelerated_hour_balances_and_its_memory_is_flat(tmp_path: Path) -> None:
    """An hour of two targets at a cadence of one second, failing, recovering and falling silent by turns, with a budget
    that ends before the hour does: every due tick is a probe, a missed one or a budget stop; every trip a packet, a
    veto or a reopen. What the parts hold in memory after a third of it is all they ever hold."""
    asked = itertools.count()

    async def controls() -> Controlled:
        return Controlled({"outside": False}, next(asked) % 2 == 0)

    vault = Vault.open("packets", tmp_path)  # in a folder: a store in memory would be most of what is held
    flow = Flow(
        controls=controls, history=History(tmp_path / "history.sqlite"), budget=Budget(6000, 10**9), vault=vault
    )
    well = [answer(200, GOOD)] * 12
    script = [*well, *[answer(503, BUSY)] * 7, *well, *[answer(401, WRONG)] * 5, *well, *[silence] * 6]
    counted: Counter[str] = Counter()
    held: dict[int, int] = {}  # after so many rounds of the script
    allocated: dict[int, int] = {}

    async def account() -> None:
        await flow.settle()
        for event in flow.events:
            ours = isinstance(event, Result) and event.kind is not RequestKind.SCHEDULED
            counted["asked again" if ours else type(event).__name__] += 1
        flow.events.clear()  # they are this test's own, and would be most of what is held

    due = 0
    for second in range(3600):
        flow.ticks += 1
        for number, target in enumerate(flow.targets):
            due += 1
            at = START + timedelta(seconds=flow.ticks)
            if second % 97 == number:
                flow.prober.missed(target, at, time.monotonic(), "overrun")
                continue
            flow.answers = [script[(second + 11 * number) % len(script)]]
            await flow.prober.tick(target, at)
        await flow.prober.settle(5)
        rounds, into = divmod(second + 1, len(script))
        if into == 0 and rounds % 10 == 0:
            await account()
            gc.collect()
            held[rounds] = held_by(flow.prober, flow.freezer, flow.history, flow.vault)
            allocated[rounds] = sys.getallocatedblocks()
    await account()
    flow.history.close()
    assert due == counted["Result"] + counted["BudgetStopped"]
    assert counted["BudgetStopped"]
    assert counted["Trip"] == counted["Frozen"] + counted["Vetoed"]
    assert counted["Vetoed"]
    assert counted["Reopened"] > 300
    assert counted["Sent"] == 6000
    assert len(await flow.vault.entries()) == counted["Frozen"]
    assert all(len(flow.history.recent(it.name)) <= 200 for it in flow.targets)
    assert flow.history.recalled("owed") == {}
    # From minute 18 to 45, both at the end of a round: 3240 ticks and 200 trips later not one object for each of them.
    assert held[50] - held[20] < 30, held
    assert allocated[50] - allocated[20] < 1600, allocated  # of the whole process, the objects of the store included
    assert max(held.values()) - held[20] < 30, held
