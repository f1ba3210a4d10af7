"""The log: which events make a line, and what a line looks like."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from exporter.log import EventLog, configure, say
from probe.findings import clock_drift
from probe.records import (
    CatalogueSeen,
    Event,
    Frozen,
    GatewayLogRead,
    Reading,
    Recovered,
    Refused,
    Reopened,
    Result,
    StoreFailed,
    Timings,
    Trigger,
    Trip,
    TwinsSeen,
    Verdict,
)
from tests.exporter.exporter_facts import START, result

REFUSAL = "packet refused: a secret would have gone with it; nothing was written"
STORE_FAILURE = "store failed: free space, make it writable or bring it back; probing goes on, what is owed waits"
FROZEN = Frozen(
    "P1", "P1", "small", Verdict.DEGRADATION, "gateway_timeout", Trigger.THRESHOLD, "probe-1", START, "a" * 64, 0.0124
)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """`configure` is for a process of its own: it changes loggers that this process shares."""
    loggers = [logging.getLogger(name) for name in (None, "freezeframe")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def lines(caplog: pytest.LogCaptureFixture, *events: Event) -> list[tuple[str, str, dict[str, object]]]:
    """Level, event and facts of each line that one listener makes of these events."""
    caplog.set_level(logging.DEBUG, "freezeframe")
    caplog.clear()
    listener = EventLog()
    for event in events:
        listener.on_event(event)
    return [(record.levelname, record.getMessage(), record.__dict__["facts"]) for record in caplog.records]


def test_a_verdict_makes_a_line_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    bad = result(verdict=Verdict.DEGRADATION, status=503)
    logged = lines(caplog, result(), result(), bad, bad, result(), result("other"))
    assert [(level, facts["target"], facts["verdict"], facts.get("was")) for level, _, facts in logged] == [
        ("INFO", "small", "ok", None),
        ("WARNING", "small", "degradation", "ok"),
        ("INFO", "small", "ok", "degradation"),
        ("INFO", "other", "ok", None),
    ]
    assert logged[1][2]["status"] == 503


def test_another_reason_under_the_same_verdict_makes_a_line(caplog: pytest.LogCaptureFixture) -> None:
    logged = lines(
        caplog,
        result(verdict=Verdict.DEGRADATION, reason="gateway_timeout", status=None),
        result(verdict=Verdict.DEGRADATION, reason="upstream_overloaded"),
    )
    assert [(facts["reason"], "status" in facts) for _, _, facts in logged] == [
        ("gateway_timeout", False),
        ("upstream_overloaded", True),
    ]


def test_an_incident_is_told_from_trip_to_recovery(caplog: pytest.LogCaptureFixture) -> None:
    later = START + timedelta(seconds=30)
    logged = lines(
        caplog,
        Trip("small", Verdict.DEGRADATION, "gateway_timeout", "probe-1", START, ("probe-1",), ()),
        FROZEN,
        Reopened("small", Verdict.DEGRADATION, "gateway_timeout", "P1", "probe-2", later),
        Recovered("small", ("P1", "P2"), START, START, later, failures=3, probes=9),
    )
    assert [(level, event) for level, event, _ in logged] == [
        ("INFO", "trip"),
        ("INFO", "packet frozen"),
        ("INFO", "packet reopened"),
        ("INFO", "recovered"),
    ]
    assert (logged[1][2]["packet"], logged[1][2]["took_ms"], logged[1][2]["sha256"]) == ("P1", 12, "a" * 64)
    assert (logged[3][2]["packets"], logged[3][2]["failed"]) == ("P1,P2", "3 of 9")


def test_a_refused_packet_is_an_error_that_names_the_places(caplog: pytest.LogCaptureFixture) -> None:
    logged = lines(caplog, Refused("P1", "small", ("response.body", "har")))
    facts = {"packet": "P1", "target": "small", "where": "response.body; har"}
    assert logged == [("ERROR", REFUSAL, facts)]


def test_a_store_failure_makes_one_line_until_it_changes_or_a_packet_was_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    full, denied = StoreFailed("freeze", "P1", "No space left"), StoreFailed("freeze", "P1", "Permission denied")
    logged = lines(caplog, full, full, denied, denied, FROZEN, denied)
    assert [facts["error"] for _, event, facts in logged if event == STORE_FAILURE] == [
        "No space left",
        "Permission denied",
        "Permission denied",
    ]


def test_a_prober_that_probes_our_targets_too_is_one_warning_until_it_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logged = lines(caplog, TwinsSeen((("small", "10.0.0.2:1"), ("large", "10.0.0.2:1"))), TwinsSeen(()))
    assert [(level, event.partition(":")[0]) for level, event, _ in logged] == [
        ("WARNING", "another prober probes the same targets with the same credential"),
        ("INFO", "no other prober probes our targets any more"),
    ]
    assert logged[0][2] == {"targets": "large,small", "instances": "10.0.0.2:1"}


def drifting(name: str, offset_s: float | None) -> Result:
    """A probe whose answer's clock is so far ahead of ours."""
    reading = Reading(clock_offset_s=offset_s)
    found = clock_drift(reading, Timings(0.1))
    plain = result(name)
    judgement = replace(plain.judgement, findings=() if found is None else (found,))
    return replace(plain, judgement=judgement, reading=reading)


def test_clocks_that_differ_are_one_warning_until_they_agree(caplog: pytest.LogCaptureFixture) -> None:
    ticks = [drifting("a", 90.0), drifting("b", 90.0), drifting("a", None), drifting("a", 0.1), drifting("b", 0.1)]
    logged = [(event, facts) for _, event, facts in lines(caplog, *ticks) if event.startswith("clocks")]
    assert logged == [
        ("clocks differ", {"target": "a", "observed": "the provider's clock is 90 s ahead of ours"}),
        ("clocks agree again", {"target": "b"}),
    ]


def test_a_json_line_is_one_object_whatever_its_facts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    say("a thing", target="a b", words='one\ntwo "three"', count=3)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    said = json.loads(line)
    assert said.pop("at").endswith("Z")
    assert said == {"level": "info", "event": "a thing", "target": "a b", "words": 'one\ntwo "three"', "count": 3}


def test_a_console_line_quotes_what_would_break_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A line feed in a fact cannot make a second line that looks like ours."""
    configure("info", "console")
    say("a thing", plain="a-b", empty="", forged="x\n2026 ERROR forged", signs='k="v"')
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert line.rstrip().endswith(r'info    a thing plain=a-b empty="" forged="x\n2026 ERROR forged" signs="k=\"v\""')


def test_a_level_hides_what_is_below_it_and_libraries_speak_only_when_in_trouble(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("error", "console")
    say("hidden", level=logging.WARNING)
    say("shown", level=logging.ERROR)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    shown = capsys.readouterr().err
    assert [word for word in ("hidden", "shown", "chatter", "trouble") if word in shown] == [
        "shown",
        "trouble",
    ]


def test_a_model_that_leaves_or_enters_a_list_makes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    url = "https://api.example.test/api/models"
    quiet = CatalogueSeen("example", url, None)
    left, entered = (
        CatalogueSeen("example", url, None, left=("m",)),
        CatalogueSeen("example", url, None, entered=("m",)),
    )
    facts = {"contract": "example", "model": "m", "url": url}
    assert lines(caplog, quiet, left, quiet, entered) == [
        ("WARNING", "model left the public list", facts),
        ("INFO", "model entered the public list", facts),
    ]


def test_a_list_that_is_not_believed_makes_one_line_until_it_is_again(caplog: pytest.LogCaptureFixture) -> None:
    url = "https://api.example.test/api/models"
    bad, good = CatalogueSeen("example", url, "HTTP 500"), CatalogueSeen("example", url, None)
    assert lines(caplog, bad, bad, replace(bad, problem="the list is empty"), good, good, bad) == [
        (
            "WARNING",
            "model list not believed: the one before it stays",
            {"contract": "example", "url": url, "problem": "HTTP 500"},
        ),
        ("INFO", "model list believed again", {"contract": "example"}),
        (
            "WARNING",
            "model list not believed: the one before it stays",
            {"contract": "example", "url": url, "problem": "HTTP 500"},
        ),
    ]


def test_what_the_gateway_log_said_makes_a_line(caplog: pytest.LogCaptureFixture) -> None:
    read = GatewayLogRead("small", "P1", 2, 3, None)
    facts = {"packet": "P1", "target": "small", "found": "2 of 3"}
    assert lines(caplog, read, replace(read, found=0, problem="HTTP 401")) == [
        ("INFO", "gateway log read", facts),
        ("WARNING", "gateway log could not be read", facts | {"found": "0 of 3", "problem": "HTTP 401"}),
    ]
