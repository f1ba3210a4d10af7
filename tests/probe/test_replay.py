"""A packet that this version froze is judged again as it was; what differs is told, and so is what cannot be judged."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from probe.classify import Expectation, classify
from probe.corpus import observation
from probe.packet import draft
from probe.pong import Target, build
from probe.reading import read
from probe.records import Json, RequestKind, Result, Timings, Verdict
from probe.redact import Policy, Redactor, bare
from probe.render import json_bytes
from probe.replay import Replay, ReplayError, Unlike, answered, replay, same_target
from tests.probe.evidence import START, case, contract, cut_off, good, missed, overloaded, target
from tests.probe.exchanges import RECORDED

REDACTOR = Redactor([], (), Policy(), b"k" * 32)


def probed(number: int, line: Json, expectation: Expectation, total_s: float = 0.4) -> Result:
    """A tick of the target that saw what a recorded line holds, sealed and judged as the flow does."""
    asked = replace(target(), stream=line["kind"] == "stream")
    sent = build(
        asked, probe_id=f"p{number:04d}", kind=RequestKind.SCHEDULED, client_request_id=f"ours-{number}", version="0"
    )
    seen = replace(
        observation(line), request=sent, timings=Timings(total_s), started_at=START + timedelta(seconds=number)
    )
    sealed = REDACTOR.seal(seen)
    return Result(
        probe_id=sent.probe_id,
        target="small",
        kind=RequestKind.SCHEDULED,
        due_at=seen.started_at,
        ended_at=seen.started_at + timedelta(seconds=1),
        judgement=classify(sealed.value, expectation),
        lateness_s=0.0,
        loop_lag_s=0.0,
        sealed=sealed,
        reading=read(sealed.value, expectation.contract),
        outside_reachable=expectation.outside_reachable,
        listing=expectation.listing,
    )


def packet(*ticks: Result, **changes: Any) -> Json:
    """packet.json as it stands in the store."""
    healthy = [known for known in ticks if known.verdict is Verdict.OK]
    changes = {"last_good": healthy[-1] if healthy else None} | changes
    document: Json = json.loads(json_bytes(draft(case(*ticks, **changes))))
    return document


@pytest.mark.parametrize("outside", [None, True, False])
def test_a_packet_of_this_version_is_judged_again_as_it_was(outside: bool | None) -> None:
    """For every recorded exchange, with and without what the controls said."""
    expectation = Expectation(target().contract, target().slow_s, outside)
    for line in RECORDED:
        result = probed(3, line, expectation)
        again = replay(packet(result), target().contract)
        assert [known.changed for known in again.exchanges] == [()], line["id"]
        assert (again.appeared, again.vanished, again.findings_compared) == ((), (), True), line["id"]


def test_every_exchange_is_judged_once_in_the_order_of_time() -> None:
    line = next(line for line in RECORDED if line["label"] == "degradation" and line["kind"] == "http")
    expectation = Expectation(target().contract, target().slow_s)
    again = replay(packet(good(1, kept=True), missed(2), *(probed(n, line, expectation) for n in (33, 64, 95))), None)
    assert [(known.part, known.probe_id) for known in again.exchanges] == [
        ("last good", "p0001"),
        *(("failing", f"p{n:04d}") for n in (33, 64, 95)),
    ]
    assert not again.findings_compared, "without a contract"


def test_a_packet_without_an_exchange_changes_nothing() -> None:
    again = replay(packet(missed(3)), None)
    assert (again.exchanges, again.changed) == ((), False)


def test_a_slow_answer_is_slow_by_the_limit_of_its_day() -> None:
    line = next(line for line in RECORDED if line["label"] == "ok" and line["kind"] == "http")
    slow = probed(3, line, Expectation(target().contract, 10), total_s=12.0)
    assert slow.judgement.reason == "slow"
    again = replay(packet(slow), target().contract)
    assert again.exchanges[0].today is not None
    assert (again.changed, again.exchanges[0].today.reason) == (False, "slow")


def test_what_is_judged_otherwise_today_is_named() -> None:
    document = packet(overloaded(3))
    [attempt] = document["happened"]["attempts"]
    attempt |= {"verdict": "auth_or_account", "reason": "invalid_key", "rule": "an old rule"}
    [known] = replay(document, None).exchanges
    assert known.changed == ("verdict", "reason", "rule")
    assert (known.frozen["verdict"], known.today and known.today.verdict) == ("auth_or_account", Verdict.DEGRADATION)


def test_findings_that_came_and_went_are_told() -> None:
    line = next(line for line in RECORDED if line["reason"] == "missing_choices")
    document = packet(probed(3, line, Expectation(target().contract, 10)))
    document["expected"]["findings"][0]["expected"] = "something of long ago"
    again = replay(document, target().contract)
    assert again.changed
    assert [row["expected"] for row in again.vanished] == ["something of long ago"]
    assert len(again.appeared) == 1


def test_a_packet_frozen_by_hand_without_a_failure_compares_its_newest_exchange() -> None:
    line = next(line for line in RECORDED if line["label"] == "ok")
    again = replay(packet(probed(3, line, Expectation(target().contract, 10)), last_good=None), target().contract)
    assert [known.part for known in again.exchanges] == ["newest"]
    assert not again.changed


def test_an_exchange_of_which_only_numbers_were_kept_is_not_judged() -> None:
    full, silent = overloaded(3), cut_off(4)
    assert full.sealed
    assert silent.sealed
    document = packet(replace(full, sealed=bare(full.sealed)), replace(silent, sealed=bare(silent.sealed)))
    again = replay(document, target().contract)
    assert [known.today is None for known in again.exchanges] == [True, False], "a fault needs no text"
    assert again.exchanges[0].changed == ()
    assert not again.findings_compared


def test_a_packet_of_the_first_version_states_model_and_mode_for_its_target_only() -> None:
    document = packet(probed(3, RECORDED[0], Expectation(target().contract, 10)))
    exchange = document["exchanges"]["p0003"]
    del exchange["request"]["model"], exchange["request"]["stream"]
    for name in ("outside_reachable", "listing"):
        del document["subject"][name]
        for attempt in document["happened"]["attempts"]:
            attempt.pop(name)
    assert not replay(document, target().contract).changed


@pytest.mark.parametrize(
    "break_it",
    [
        lambda document: document.pop("exchanges"),
        lambda document: document["exchanges"]["p0003"].pop("request"),
        lambda document: document["exchanges"]["p0003"]["reply"].update(status="sk-fake-secret-0123456789"),
        lambda document: document["happened"]["attempts"][0].update(kind="sk-fake-secret-0123456789"),
        lambda document: document.update(exchanges=7),
    ],
)
def test_a_document_that_is_none_is_refused_without_a_word_of_it(break_it: Any) -> None:
    document = packet(overloaded(3))
    break_it(document)
    with pytest.raises(ReplayError) as refused:
        replay(document, None)
    assert "sk-fake" not in str(refused.value)


# ---------------------------------------------------------------- the same request, live


def targets(**changes: Any) -> dict[str, Target]:
    return {"small": target(**changes)}


def test_the_target_that_sends_the_frozen_request_is_found() -> None:
    assert same_target(packet(overloaded(3)), targets()) == target()
    document = packet(overloaded(3)) | {"request": None}
    assert same_target(document, targets()) == target()


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"contract": contract(name="another")}, "contract"),
        ({"model": "another"}, "model"),
        ({"stream": True}, "stream, request fields"),
        ({"request": {"max_tokens": 5}}, "request fields"),
    ],
)
def test_a_target_that_sends_something_else_is_no_replay(changes: dict[str, Any], differs: str) -> None:
    with pytest.raises(Unlike, match=f"another {differs}$"):
        same_target(packet(overloaded(3)), targets(**changes))


def test_a_target_that_is_not_configured_is_named() -> None:
    with pytest.raises(Unlike, match="no target small is configured"):
        same_target(packet(overloaded(3)), {})


@pytest.mark.parametrize("body", ["<dropped: redaction failed>", "[]"])
def test_a_request_body_that_was_dropped_says_nothing_of_its_fields(body: str) -> None:
    document = packet(overloaded(3))
    document["request"]["body"] = body
    assert same_target(document, targets()) == target()


def test_a_live_answer_stands_beside_the_frozen_label() -> None:
    document = packet(overloaded(3))
    same, other = answered(overloaded(4), document), answered(good(5), document)
    assert same["same"]
    assert same["frozen"] == {"verdict": "degradation", "reason": "upstream_overloaded"}
    assert (other["same"], other["verdict"], other["status"], other["at"]) == (
        False,
        "ok",
        200,
        "2026-11-24T03:02:30.528Z",
    )
    assert answered(missed(6), document)["total_s"] is None


def test_a_replay_is_changed_by_its_findings_alone() -> None:
    assert Replay((), True, ({"rule": "x"},), ()).changed
    assert not Replay((), True, (), ()).changed
