"""The minimal request: complete, without the key, and held against its own contract before it is sent."""

import json
import timeit
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from probe import contract, pong
from probe.pong import PROMPT, Target
from probe.records import FreezePolicy, ProbeRequest, RequestKind

EXAMPLE = contract.parse((Path(__file__).parents[1] / "examples" / "contract.yaml").read_text(), "example")
STRICT = replace(
    EXAMPLE,
    request=replace(
        EXAMPLE.request,
        schema={
            "type": "object",
            "required": ["model", "messages"],
            "properties": {"max_tokens": {"type": "integer"}, "model": {}, "messages": {}},
            "additionalProperties": False,
        },
    ),
)


def target(known: contract.Contract = EXAMPLE, *, stream: bool = False, **request: Any) -> Target:
    return Target(
        name="small",
        contract=known,
        model="example-small",
        stream=stream,
        credential="team-a",
        labels={},
        cadence_s=30.0,
        timeout_s=25.0,
        slow_s=10.0,
        reuse_connection=False,
        freeze=FreezePolicy(3, 5, 3, 1800.0, 2, 2.0),
        request=request,
    )


def build(known: Target) -> ProbeRequest:
    return pong.build(
        known, probe_id="small-1", kind=RequestKind.SCHEDULED, client_request_id="freezeframe-small-1", version="1.2.3"
    )


def test_the_request_is_the_article_s_minimal_one() -> None:
    request = build(target())
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:18080/v1/chat/completions")
    assert json.loads(request.body) == {"model": "example-small", "messages": [{"role": "user", "content": PROMPT}]}
    assert (request.target, request.probe_id, request.kind) == ("small", "small-1", RequestKind.SCHEDULED)


def test_the_headers_are_whole_and_in_wire_order_with_the_shape_of_the_key() -> None:
    assert build(target()).headers == (
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "freezeframe/1.2.3"),
        ("X-Client-Request-Id", "freezeframe-small-1"),
        ("Authorization", "Bearer <REDACTED>"),
    )


def test_only_a_stream_asks_for_a_stream() -> None:
    request = build(target(stream=True))
    assert json.loads(request.body)["stream"] is True
    assert ("Accept", "text/event-stream") in request.headers
    assert request.stream is True
    assert "stream" not in json.loads(build(target()).body)


def test_configured_fields_come_last() -> None:
    assert list(json.loads(build(target(stream=True, max_tokens=8)).body)) == [
        "model",
        "messages",
        "stream",
        "max_tokens",
    ]


def test_the_same_target_gives_the_same_bytes() -> None:
    assert build(target(max_tokens=8)).body == build(target(max_tokens=8)).body


def test_a_request_as_documented_has_no_problems() -> None:
    assert pong.problems(target()) == ()
    assert pong.problems(target(STRICT, max_tokens=8)) == ()


def test_where_no_shape_is_documented_there_is_nothing_to_disagree_with() -> None:
    assert pong.problems(target(replace(EXAMPLE, request=replace(EXAMPLE.request, schema=None)), any=1)) == ()


def test_a_wrong_field_is_found_before_it_is_sent_and_its_value_is_not_repeated() -> None:
    (finding,) = pong.problems(target(STRICT, max_tokens="sk-FAKE-000-do-not-use"))
    assert finding.rule == "request_schema"
    assert (finding.place, finding.expected, finding.observed) == (
        "request body max_tokens",
        "an integer",
        "a string",
    )
    assert "sk-FAKE" not in repr(finding)
    assert finding.source == "http://127.0.0.1:18080/docs/chat.md"
    assert finding.accessed == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_stream_that_the_contract_does_not_allow_is_our_fault() -> None:
    (finding,) = pong.problems(target(STRICT, stream=True))
    assert (finding.place, finding.expected, finding.observed) == (
        "request body",
        "no fields beside the documented ones",
        "also stream",
    )


def test_a_check_is_cheap_since_its_schema_was_compiled_with_the_contract() -> None:
    """A compilation takes many times as long as looking at one request: this would not pass with one for each."""
    fields = {f"field{number}": {"type": "string", "pattern": f"^a{number}"} for number in range(300)}
    large = replace(STRICT, request=replace(STRICT.request, schema={"properties": fields}))

    def took_s(work: Callable[[], object]) -> float:
        return min(timeit.repeat(work, number=1, repeat=5))

    assert took_s(lambda: pong.problems(target(large))) < took_s(lambda: replace(large.request)) / 5


@pytest.mark.parametrize("name", ["cometapi"])
def test_the_pong_request_is_valid_against_the_shipped_contract(name: str) -> None:
    path = Path(contract.__file__).parents[1] / "contracts" / f"{name}.yaml"
    known = contract.parse(path.read_text(), name)
    assert pong.problems(target(known, stream=True, max_tokens=16)) == ()
    assert len(pong.problems(target(known, max_tokens=0))) == 1
