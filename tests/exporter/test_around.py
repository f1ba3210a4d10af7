"""The probes before and after a trip, in one picture."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from exporter.around import MOST_AFTER, around
from probe.packet import draft
from probe.records import Result
from tests.probe.afterwards import AGAIN, OUTAGE, RECOVERED, STORY, named
from tests.probe.evidence import START, good, overloaded

FROZEN = draft(OUTAGE)
BEFORE = OUTAGE.history


def _picture(results: tuple[Result, ...], addenda: Any = ()) -> dict[str, Any]:
    picture = around(FROZEN, addenda, results)
    assert picture is not None
    return picture


def test_what_ran_since_continues_what_was_frozen() -> None:
    told = _picture((*BEFORE, overloaded(6), good(7), good(8)))
    assert (told["before"], told["after"]) == (5, 3)
    kinds = ["ok", "ok", "failing", "failing", "failing", "failing", "ok", "ok"]
    assert [mark["kind"] for mark in told["marks"]] == kinds
    assert [mark["counted"] for mark in told["marks"]] == [False, False, True, True, True, False, False, False]
    assert told["last"].startswith("2026-11-24T03:04:00")


def test_no_probe_is_shown_twice_and_no_more_than_a_page_holds() -> None:
    later = tuple(good(number) for number in range(6, 200))
    told = _picture((*BEFORE[3:], *later))
    assert (told["after"], len(told["marks"])) == (MOST_AFTER, 5 + MOST_AFTER)


def test_a_gap_is_not_bridged() -> None:
    for results in ((), (good(50), good(51))):
        told = _picture(results)
        assert (told["after"], len(told["marks"])) == (None, 5)


def test_the_freeze_the_recovery_and_the_return_are_marked_where_they_are_in_the_picture() -> None:
    ticks = tuple(good(number) for number in range(6, 45))
    told = _picture((*BEFORE, *ticks), named(RECOVERED, AGAIN, {"kind": "recovery"}, {"kind": "recovery", "at": 5}))
    assert [moment["words"] for moment in told["moments"]] == ["frozen", "recovered", "back again"]
    places = [moment["x"] for moment in told["moments"]]
    assert places == sorted(places) and places[0] >= 12 and places[-1] <= 748
    assert [moment["words"] for moment in _picture(BEFORE, STORY)["moments"]] == [], "the picture ends before"


def test_a_moment_without_an_offset_or_of_no_document_is_left_out() -> None:
    odd: Any = (("x", "weather"), ("y", {"kind": "recovery", "at": "2026-11-24T03:02:00"}))
    told = _picture((*BEFORE, good(6)), odd)
    assert [moment["words"] for moment in told["moments"]] == ["frozen"]


def test_without_a_history_there_is_no_picture() -> None:
    assert around(FROZEN | {"history": []}, STORY, BEFORE) is None
    assert around({}, (), ()) is None


def test_a_picture_of_one_instant_has_no_place_for_a_moment() -> None:
    one = replace(BEFORE[0], due_at=START)
    frozen = FROZEN | {"history": FROZEN["history"][:1]}
    told = around(frozen, named({"kind": "recovery", "at": FROZEN["history"][0]["due_at"]}), (one,))
    assert told is not None and told["moments"] == []
    assert START + timedelta(seconds=30) == BEFORE[0].due_at
