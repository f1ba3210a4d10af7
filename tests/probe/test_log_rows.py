"""Rows of a provider's own log: only documented fields, of one type and bounded, and which row is of which attempt."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.contract import AuthShape, GatewayLog, TimeField
from probe.corroboration import MOST_ROWS, Row, Sought, of, rows, sought
from probe.records import Reading, RequestId
from tests.probe.evidence import good, overloaded
from tests.servers.gateway_log import FIELDS, PRIVATE, page, row

LOG = GatewayLog(
    url="https://api.example.test/api/log/self?p=1&page_size=100",
    auth=AuthShape("Authorization", "Bearer {key}"),
    rows=("data", "data.items"),
    fields=FIELDS,
    total=(TimeField("other.total_ms", "ms"), TimeField("use_time", "s")),
    first_response=(TimeField("other.frt", "ms"),),
    types={"2": "consume", "5": "error"},
)
ID = "20261124030000123456789AbCdEfGh"


def one(**changes: Any) -> Row:
    found = rows(page([row(ID) | changes])[1], LOG)
    assert found is not None
    return found[0]


def test_a_row_is_its_documented_fields_in_seconds() -> None:
    assert one() == Row(
        request_id=ID,
        response_id=None,
        created_at=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
        type="error",
        model="busy",
        stream=False,
        prompt_tokens=9,
        completion_tokens=1,
        total_s=0.5,
        total_is_coarse=False,
        first_response_s=0.41,
    )


@pytest.mark.parametrize(
    ("other", "use_time", "total_s", "is_coarse", "first_s"),
    [
        ({"total_ms": 9700, "frt": 410}, 9, 9.7, False, 0.41),
        ({"total_ms": 0, "frt": 0}, 9, 9.0, True, None),  # 0 is "not stated" there
        ({"total_ms": -5, "frt": -1000}, 0, None, False, None),
        ({}, 9.5, 9.5, False, None),
        ({"total_ms": "9700", "frt": True}, "9", None, False, None),
        ({"total_ms": 1e12}, 2e6, None, False, None),
        ({"total_ms": [1], "frt": {"a": 1}}, None, None, False, None),
    ],
)
def test_durations_are_finite_stated_and_of_a_known_unit(
    other: dict[str, Any], use_time: Any, total_s: float | None, is_coarse: bool, first_s: float | None
) -> None:
    found = one(other=json.dumps(other), use_time=use_time)
    assert (found.total_s, found.total_is_coarse, found.first_response_s) == (total_s, is_coarse, first_s)


@pytest.mark.parametrize("other", ["", "no JSON", "[1]", "null", None, 3, {"total_ms": 1}])
def test_an_other_part_of_any_kind_is_read_or_not(other: Any) -> None:
    assert one(other=other).total_s in (1.0, 0.001)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", "with blank and <b>"),
        ("request_id", "x" * 129),
        ("request_id", 7),
        ("response_id", "né"),
        ("model_name", "two words"),
        ("model_name", "m" * 129),
        ("type", "5"),
        ("type", True),
        ("type", 99),
        ("is_stream", 1),
        ("prompt_tokens", -1),
        ("completion_tokens", 1.5),
        ("created_at", "2026"),
        ("created_at", 10**15),
        ("created_at", 0),
    ],
)
def test_a_value_of_another_kind_is_not_taken(field: str, value: Any) -> None:
    name = {"model_name": "model", "is_stream": "stream"}.get(field, field)
    assert getattr(one(**{field: value}), name) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"data": {"items": {}}}', b'{"data": 3}', b"\xff"])
def test_an_answer_without_a_list_is_none(body: bytes) -> None:
    assert rows(body, LOG) is None


def test_rows_may_be_at_either_documented_place_and_are_bounded() -> None:
    assert rows(json.dumps({"data": [row(ID), 3, None]}).encode(), LOG) == (one(),)
    assert rows(b'{"data": []}', LOG) == ()
    many = rows(json.dumps({"data": [{}] * (MOST_ROWS + 5)}).encode(), LOG)
    assert many is not None
    assert len(many) == MOST_ROWS
    assert many[0] == Row(None, None, None, None, None, None, None, None, None, False, None)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS | st.sampled_from(PRIVATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*row(ID), "key", "email", "password"])


@settings(max_examples=200)
@given(st.lists(st.dictionaries(NAMES, ANYTHING, max_size=12), max_size=4))
def test_no_field_that_is_not_named_and_no_hostile_value_gets_through(given_rows: list[dict[str, Any]]) -> None:
    found = rows(json.dumps({"data": given_rows}).encode(), LOG)
    assert found is not None
    for known in found:
        for name, value in asdict(known).items():
            match value:
                case None | bool() | datetime():
                    pass
                case int():
                    assert 0 <= value <= 10**9
                case float():
                    assert 0 < value <= 1e6
                case str():
                    assert value.isascii()
                    assert value.isprintable()
                    assert len(value) <= 128
                    assert not set(value) & set(" <>\"'`|\\")
                case _:
                    raise AssertionError((name, value))
        assert known.type in (None, "consume", "error")


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_rows_or_none(body: bytes) -> None:
    assert rows(body, LOG) is None or isinstance(rows(body, LOG), tuple)


def test_an_attempt_is_told_by_its_request_id_else_by_its_response_id() -> None:
    by_request, by_response, other = (
        one(),
        one(request_id="other-1", response_id="chatcmpl-1"),
        one(request_id="other-2"),
    )
    known = (other, by_response, by_request)
    assert of(Sought("p1", ("not-this", ID), "chatcmpl-1"), known) == ((by_request,), "request ID")
    assert of(Sought("p1", ("not-this",), "chatcmpl-1"), known) == ((by_response,), "response ID")
    assert of(Sought("p1", ("not-this",), None), known) == ((), None)
    twice = (by_request, replace(by_request, total_s=2.0))
    assert of(Sought("p1", (ID,), None), twice) == (twice, "request ID")


def test_only_attempts_with_an_id_can_be_looked_for() -> None:
    without = replace(good(1), reading=Reading())
    answered = replace(good(2), reading=Reading(completion_id="chatcmpl-1"))
    twice = replace(good(3), reading=Reading(request_ids=(RequestId("a", "r-1"), RequestId("b", "r-1"))))
    assert sought([without, answered, twice, overloaded(4)]) == (
        Sought("p0002", (), "chatcmpl-1"),
        Sought("p0003", ("r-1",), None),
        Sought("p0004", ("20261124030004gJBlzjtp",), None),
    )
