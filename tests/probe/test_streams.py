"""What a stream owes: each thing that is missing, or too much, is a row of its own whatever the verdict is."""

import pytest

from probe.contract import Shape
from probe.records import Verdict
from tests.probe.documented import USAGE, documented, judged, label, rows
from tests.probe.exchanges import SSE, chunk, error, source, stream

PONG = (chunk("pong"), chunk(None, "stop"))


def test_a_whole_stream_owes_nothing() -> None:
    body = "\ufeff: hi\n\n" + stream(*PONG, "[DONE]").rstrip() + "\nid: 7\nevent: end\n\n\r\n: bye\n\n"
    found = judged(body, headers=SSE)
    assert (label(found), rows(found)) == (("ok", "ok_stream", True), [])


@pytest.mark.parametrize(
    ("terminal", "source_", "frame"),
    [
        ("[DONE]", "https://docs.example.test/stream", "data: [DONE] as the last event"),
        ("[END]", "https://docs.example.test/stream", "data: [END] as the last event"),
    ],
)
def test_a_missing_terminal_frame_is_a_row_with_the_document_that_promised_it(
    terminal: str, source_: str, frame: str
) -> None:
    found = judged(stream(*PONG), headers=SSE, known=documented(terminal=terminal))
    assert found.reason == "missing_done"
    assert [(row.rule, row.place, row.expected, row.observed, row.source) for row in found.findings] == [
        ("terminal_frame", "terminal frame", frame, "missing", source_)
    ]


def test_a_terminal_frame_by_convention_cites_no_document() -> None:
    (found,) = judged(stream(*PONG), headers=SSE, known=documented(stream_chunk=None)).findings
    assert (found.place, found.observed, found.source) == ("terminal frame", "missing", None)
    assert "OpenAI-compatible convention" in found.expected


def test_no_terminal_frame_is_owed_where_the_documents_of_the_stream_name_none() -> None:
    assert judged(stream(*PONG), headers=SSE, known=documented(terminal=None)).findings == ()


def test_a_missing_finish_reason_is_a_row_of_its_own_beside_another_verdict() -> None:
    found = judged(stream(chunk("pong"), "[DONE]"), headers=SSE)
    assert found.reason == "missing_finish_reason"
    assert [(row.rule, row.place, row.observed) for row in found.findings] == [
        ("finish_reason", "choices[0].finish_reason", "missing")
    ]
    unlabelled = judged(stream("x", chunk("pong")), headers=SSE)
    assert unlabelled.reason == "invalid_sse"
    assert [row.rule for row in unlabelled.findings[1:]] == ["terminal_frame", "finish_reason"]


def test_a_stream_that_breaks_off_is_one_row_that_says_both() -> None:
    found = judged(stream(chunk("pong")), headers=SSE)
    assert found.reason == "truncated_stream"
    assert [(row.place, row.expected) for row in found.findings] == [
        ("stream", "a finish reason, then the terminal frame")
    ]


def test_nothing_is_owed_by_a_stream_that_we_stopped_reading() -> None:
    found = judged(stream(chunk("pong")), headers=SSE, truncated=True, complete=False)
    assert [row.place for row in found.findings] == ["response body"]


def test_an_error_frame_is_told_with_its_number_and_held_against_the_error_shape() -> None:
    found = judged(stream(chunk("po"), error("The engine is currently overloaded")), headers=SSE)
    assert found.verdict is Verdict.DEGRADATION
    assert [(row.rule, row.place, row.observed) for row in found.findings] == [
        ("error_schema", "error.code", "null"),
        ("error_schema", "error.type", "null"),
        ("error_frame", "stream chunk", "an error in event 2 of 2, after HTTP 200"),
    ]
    ended = judged(stream(chunk("po", "error"), "[DONE]"), headers=SSE)
    assert ("error_frame", "an error in event 1 of 1, after HTTP 200") in [
        (row.rule, row.observed) for row in ended.findings
    ]


def test_an_error_frame_that_the_documents_describe_is_no_disagreement() -> None:
    known = documented(chunk={"properties": {"choices": {}, "error": {}}}, error=None)
    assert judged(stream(error("Overloaded")), headers=SSE, known=known).findings == ()


def test_a_missing_usage_frame_is_a_row_only_where_we_asked_for_one() -> None:
    body = stream(*PONG, "[DONE]")
    assert judged(body, headers=SSE, sent=USAGE.replace("true}", "false}")).findings == ()
    (by_convention,) = judged(body, headers=SSE, sent=USAGE).findings
    assert (by_convention.rule, by_convention.place, by_convention.source) == ("usage_frame", "usage", None)
    asked = Shape(source("request"), {"properties": {"stream_options": {"type": "object"}}})
    found = judged(body, headers=SSE, sent=USAGE, known=documented(request=asked))
    assert label(found) == ("ok", "ok_stream", True)
    assert [(row.expected, row.observed, row.source) for row in found.findings] == [
        (
            "a chunk with usage, since stream_options.include_usage was sent",
            "missing",
            "https://docs.example.test/request",
        )
    ]
    used = chunk(choices=[], usage={"total_tokens": 3})
    assert judged(stream(*PONG, used, "[DONE]"), headers=SSE, sent=USAGE).findings == ()


@pytest.mark.parametrize(
    ("after", "count"),
    [("more", 4), ("data: {}\n\n: x\n\n", 8), ("data: [DONE]\n\n", 12), ("\n\r\n: ping\n \n", None)],
)
def test_what_follows_the_terminal_frame_is_counted(after: str, count: int | None) -> None:
    found = judged(stream(*PONG, "[DONE]") + after, headers=SSE, known=documented(chunk={}))
    assert found.verdict is Verdict.OK
    assert [(row.rule, row.place, row.observed) for row in found.findings] == (
        [] if count is None else [("after_terminal_frame", "terminal frame", f"{count} characters after it")]
    )


def test_an_error_status_owes_nothing_of_a_stream() -> None:
    known = documented(error=None)
    assert judged(stream(error("Overloaded")), 503, headers=SSE, known=known).findings == ()
