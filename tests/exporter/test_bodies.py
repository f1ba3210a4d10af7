"""Two bodies beside each other: what differs, and that no body takes long."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.bodies import MOST_LINE, MOST_LINES, Diff, Line, diff, excerpt
from probe.records import Json


def _said(body: object) -> Json:
    return {"reply": {"body": body if isinstance(body, str) else json.dumps(body)}}


def test_json_is_compared_line_by_line_of_its_indented_form() -> None:
    told = diff(_said({"id": "a", "choices": [{"index": 0}]}), _said({"id": "a", "choices": []}))
    assert told == Diff(
        (
            Line(" ", "{"),
            Line(" ", '  "id": "a",'),
            *(Line("-", text) for text in ('  "choices": [', "    {", '      "index": 0', "    }", "  ]")),
            Line("+", '  "choices": []'),
            Line(" ", "}"),
        ),
        is_cut=False,
    )


def test_equal_lines_far_from_a_change_are_counted_only() -> None:
    lines = [str(number) for number in range(60)]
    told = diff(_said("\n".join(lines)), _said("\n".join([*lines[:30], "x", *lines[31:]])))
    assert told is not None
    assert [line.text for line in told.lines if line.sign == "@"] == ["27 equal lines", "26 equal lines"]
    assert [line for line in told.lines if line.sign in "+-"] == [Line("-", "30"), Line("+", "x")]


def test_equal_bodies_differ_in_nothing() -> None:
    assert diff(_said({"a": 1}), _said({"a": 1})) == Diff((), is_cut=False)


@pytest.mark.parametrize("missing", [None, {}, {"reply": None}, {"reply": {"body": ""}}])
def test_where_one_has_no_body_nothing_is_compared(missing: Json | None) -> None:
    assert diff(missing, _said("x")) is None
    assert diff(_said("x"), missing) is None


def test_only_the_beginning_of_long_bodies_is_compared_and_that_is_said() -> None:
    many = diff(_said("a\n" * (MOST_LINES + 1)), _said("b"))
    wide = diff(_said("a" * (MOST_LINE + 1)), _said("b"))
    mebibyte = diff(_said("x" * 2**20), _said(["y"] * 300_000))
    for told in (many, wide, mebibyte):
        assert told is not None and told.is_cut
        assert len(told.lines) <= 2 * MOST_LINES + 2 and all(len(line.text) <= MOST_LINE + 4 for line in told.lines)


@given(st.text("ab\n", max_size=400), st.text("ab\n", max_size=400))
def test_both_bodies_can_be_read_back_from_what_differs(before: str, after: str) -> None:
    told = diff(_said(before or "a"), _said(after or "a"))
    assert told is not None
    if not told.is_cut and not any(line.sign == "@" for line in told.lines) and told.lines:
        old = [line.text for line in told.lines if line.sign in " -"]
        new = [line.text for line in told.lines if line.sign in " +"]
        assert (old, new) == ((before or "a").splitlines(), (after or "a").splitlines())


def test_the_worst_bodies_take_no_longer_than_a_page_may() -> None:
    bodies = ["a\nb\n" * 200, "b\na\n" * 200, "a\n" * 80 + "b\n" * 80, "[" * 60_000, "a\n" * 159 + "b", '{"a":' * 9_000]
    began = time.process_time()
    for before in bodies:
        for after in bodies:
            diff(_said(before), _said(after))
    assert time.process_time() - began < 36 * 0.25


def test_an_excerpt_says_how_much_is_left_out() -> None:
    assert excerpt("short") == "short"
    assert excerpt("x" * 12, 10) == "xxxxxxxxxx\n[cut here: 2 more characters in packet.json]"
