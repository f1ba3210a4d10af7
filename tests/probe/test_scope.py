"""Which traffic is affected: one sentence per matrix of targets."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from probe.packet.case import SCOPE_COLUMNS
from probe.scope import Seen, State, work_out

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
STATES = {"x": State.FAILING, ".": State.HEALTHY, "?": State.NOT_KNOWN}


def seen(
    name: str,
    state: str,
    model: str = "m1",
    mode: str = "plain",
    credential: str = "a",
    labels: Mapping[str, str] | None = None,
    instance: str | None = None,
) -> Seen:
    return Seen(name, "c", model, mode == "stream", credential, labels or {}, STATES[state], 3, 5, instance=instance)


def sentence(*matrix: Seen) -> str:
    return work_out(matrix, matrix[0].target, AT).sentence


EU, US = {"region": "eu"}, {"region": "us"}


@pytest.mark.parametrize(
    ("matrix", "begins"),
    [
        ([seen("a", "x")], "Not known: of the targets of this contract only a is known, and it fails."),
        ([seen("a", "x"), seen("b", "?")], "Not known: of the targets of this contract only a is known"),
        ([seen("a", "."), seen("b", ".")], "Not known: no target of this contract is failing at that moment"),
        ([seen("a", "x"), seen("b", "x", "m2")], "All traffic of this contract that is probed: 2 of 2 targets fail."),
        ([seen("a", "x", mode="stream"), seen("b", ".")], "Only streaming requests: 1 of 2"),
        ([seen("a", "x"), seen("b", ".", mode="stream")], "Only non-streaming requests: 1 of 2"),
        ([seen("a", "x", "m1"), seen("b", ".", "m2")], "Only the model m1: 1 of 2"),
        ([seen("a", "x", credential="a"), seen("b", ".", credential="b")], "Only the credential a: 1 of 2"),
        ([seen("a", "x", labels=EU), seen("b", ".", labels=US)], "Only the region eu: 1 of 2"),
        ([seen("a", "x", labels={"service": "checkout"}), seen("b", ".")], "Only the workflow checkout: 1 of 2"),
        ([seen("a", "x", labels={"tier": "gold"}), seen("b", ".")], "Only the label tier gold: 1 of 2"),
        (
            [seen("a", "x", "m1", credential="a"), seen("b", ".", "m2", credential="b")],
            "Only the model m1 or the credential a, which the probed targets cannot tell apart: 1 of 2",
        ),
        (
            [
                seen("a", "x", "m1", "stream"),
                seen("b", ".", "m1"),
                seen("c", ".", "m2", "stream"),
            ],
            "Only streaming requests and the model m1: 1 of 3",
        ),
        (
            [seen("a", "x"), seen("b", ".")],
            "No model, mode, credential, label or instance separates what fails from what does not: 1 of 2",
        ),
        (
            [seen("a", "x", "m1"), seen("b", "x", "m2"), seen("c", ".", "m1"), seen("d", ".", "m2")],
            "No model, mode, credential, label or instance separates",
        ),
        ([seen("a", "x"), seen("a", ".", instance="instance 2")], "Only this instance: 1 of 2 targets fail (a; "),
        ([seen("a", "."), seen("a", "x", instance="instance 2")], "Only instance 2: 1 of 2 targets fail (a at insta"),
        (
            [seen("a", ".", labels=EU), seen("a", "x", labels=US, instance="instance 2")],
            "Only the region us or instance 2, which the probed targets cannot tell apart: 1 of 2",
        ),
        ([seen("a", "x"), seen("a", "x", instance="instance 2")], "All traffic of this contract that is probed: 2 of"),
    ],
)
def test_what_separates_failing_from_healthy(matrix: list[Seen], begins: str) -> None:
    assert sentence(*matrix).startswith(begins)


def test_what_is_not_known_is_named() -> None:
    assert sentence(seen("a", "x", "m1"), seen("b", ".", "m2"), seen("c", "?")).endswith("Not known: c.")


def test_the_table_has_a_row_for_each_target_in_the_columns_of_the_packet() -> None:
    scope = work_out([seen("a", "x", labels=EU), seen("b", "?")], "a", AT)
    assert scope.as_of == AT
    assert scope.table == (
        ("a", "m1", "non-streaming", "a", "region=eu", "3 of 5 failed", "failing"),
        ("b", "m1", "non-streaming", "a", "none", "3 of 5 failed", "not known"),
    )
    assert {len(row) for row in scope.table} == {len(SCOPE_COLUMNS)}


@pytest.mark.parametrize(
    ("elsewhere", "is_well"),
    [
        ([], False),
        ([seen("a", ".", instance="instance 2")], True),
        ([seen("a", ".", instance="instance 2"), seen("a", "x", instance="instance 3")], False),
        ([seen("a", "?", instance="instance 2")], False),
        ([seen("a", ".", credential="other", instance="instance 2")], False),
        ([seen("a", ".", mode="stream", instance="instance 2")], False),
        ([seen("b", ".")], False),
    ],
)
def test_a_request_that_fails_here_alone_is_known_to_be_well_elsewhere(elsewhere: list[Seen], is_well: bool) -> None:
    assert work_out([seen("a", "x"), *elsewhere], "a", AT).is_well_elsewhere is is_well


def test_addresses_of_other_instances_stand_apart_from_sentence_and_table() -> None:
    other = replace(seen("a", ".", instance="instance 2"), address="10.0.0.2:9464")
    scope = work_out([seen("a", "x"), other], "a", AT)
    assert scope.instances == (("instance 2", "10.0.0.2:9464"),)
    assert "10.0.0.2" not in f"{scope.sentence} {scope.table}"


def test_a_prometheus_that_did_not_answer_is_told() -> None:
    scope = work_out([seen("a", "x")], "a", AT, others_unknown=True)
    assert scope.sentence.endswith("Not known: what other instances see; Prometheus did not answer.")


def test_of_a_target_that_is_not_among_the_known_nothing_is_claimed_elsewhere() -> None:
    scope = work_out([seen("b", "x"), seen("b", ".", instance="instance 2")], "a", AT)
    assert not scope.is_well_elsewhere
