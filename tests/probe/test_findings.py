"""Findings beside the verdict: slowness, clocks that are apart, and the laws that hold for all of them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.classify import Expectation, classify
from probe.findings import clock_drift
from probe.records import Reading, Timings
from tests.probe.documented import USAGE, documented, judged
from tests.probe.exchanges import (
    JSON,
    SSE,
    completion,
    observed,
    reply,
    stream,
)


@pytest.mark.parametrize(
    ("gap_s", "words"),
    [
        (9.1, "took 12.000 s, of which 9.100 s were one silence between two events, slow is more than 10 s"),
        (1.9, "took 12.000 s, slow is more than 10 s"),
        (None, "took 12.000 s, slow is more than 10 s"),
    ],
)
def test_a_silence_without_which_it_would_not_have_been_slow_is_told(gap_s: float | None, words: str) -> None:
    seen = observed(reply(200, json.dumps(completion(id=7))), timings=Timings(total_s=12.0, longest_gap_s=gap_s))
    found = classify(seen, Expectation(documented(), slow_s=10.0))
    assert (found.reason, found.words) == ("slow", words)
    assert [row.place for row in found.findings] == ["id"], "a verdict keeps all findings"


# ---------------------------------------------------------------- laws

MARK = "Zq7MARKvalueq7Z"
NAMES = st.sampled_from(
    ["0", "01", "a/b", "id", "choices", "message", "content", "error", "type", "code", "usage", "delta"]
) | st.text(max_size=100)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5).map(lambda t: MARK + t)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null"])
SCHEMAS = st.recursive(
    st.booleans()
    | st.fixed_dictionaries({"type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True)})
    | st.fixed_dictionaries({"enum": st.lists(st.integers() | st.text(max_size=3), min_size=1, max_size=3)})
    | st.fixed_dictionaries({"minItems": st.integers(0, 3), "minLength": st.integers(0, 30), "maximum": st.integers()})
    | st.sampled_from(
        [{"pattern": "^x+$"}, {"maxLength": 2}, {"const": 1}, {"uniqueItems": True}, {"maxProperties": 1}]
    ),
    lambda inner: (
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner, max_size=3), "items": inner})
        | st.fixed_dictionaries({"required": st.lists(NAMES, max_size=2, unique=True), "additionalProperties": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3), "not": inner})
        | st.fixed_dictionaries({"contains": inner, "propertyNames": inner, "unevaluatedItems": inner})
    ),
    max_leaves=6,
)


@settings(max_examples=200)
@given(
    st.lists(VALUES, min_size=1, max_size=3), SCHEMAS, st.sampled_from([200, 400, 503]), st.booleans(), st.booleans()
)
def test_findings_are_total_bounded_and_never_hold_a_value_of_the_reply(
    bodies: list[Any], schema: Any, status: int, as_stream: bool, is_done: bool
) -> None:
    texts = [json.dumps(body) for body in bodies]
    body = stream(*texts, *(["[DONE]"] if is_done else []), MARK) if as_stream else texts[0]
    found = judged(body, status, SSE if as_stream else JSON, documented(schema, schema, schema), USAGE).findings
    assert MARK not in repr(found)
    assert sum(row.rule.endswith("_schema") for row in found) <= 5
    assert len(set(found)) == len(found)
    assert all(len(row.place) <= 241 and len(row.expected) <= 300 and len(row.observed) <= 500 for row in found)
    assert json.dumps([row.place for row in found]).isascii() or all(row.place.isprintable() for row in found)


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("offset_s", "total_s", "observed"),
    [
        (None, 1.0, None),
        (0.0, 1.0, None),
        (4.9, 0.1, None),
        (5.6, 0.1, "the provider's clock is 6 s ahead of ours"),
        (3600.2, 9.0, "the provider's clock is 3600 s ahead of ours"),
        (-4.9, 0.1, None),
        (-7.0, 0.1, "the provider's clock is 7 s behind ours"),
        (-24.0, 20.0, None),  # it wrote the date when it took the request
        (-90.0, 20.0, "the provider's clock is 70 s behind ours"),
    ],
)
def test_clocks_that_are_apart_are_a_finding(offset_s: float | None, total_s: float, observed: str | None) -> None:
    found = clock_drift(Reading(clock_offset_s=offset_s), Timings(total_s))
    assert (found and found.observed) == observed
    if found:
        assert (found.source, found.accessed) == (None, None), "no document is disagreed with"
