"""A body is taken apart without ever raising, whatever it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.body import TEXT_LIMIT_CHARS, bounded, document, error_of, error_text, reply_error_text, take_apart
from probe.records import RequestId
from tests.probe.exchanges import HTML, JSON, SSE, chunk, completion, error, reply, stream


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        ("", JSON, "empty"),
        ("\n\n \n", JSON, "blank"),
        ("<!DOCTYPE html><p>", (), "html"),
        ("\n <HTML>", JSON, "html"),
        ("<?xml version='1.0'?><Error/>", (), "xml"),
        ('{"a": 1}', (), "json"),
        ("null", JSON, "json"),
        ('{"a": "po', JSON, "cut"),
        ('"half a str', JSON, "cut"),
        ('{"a": NaN}', JSON, "invalid"),
        ("[1,]", JSON, "invalid"),
        ("[" * 10_000, JSON, "invalid"),
        ("pong", JSON, "text"),
        ("tru", JSON, "text"),
        ("data: {}\n\n", (), "sse"),
        (": keep-alive\n\n", SSE, "sse"),
        ("pong", SSE, "sse"),
        ('{"error": "x"}', SSE, "json"),
    ],
)
def test_the_kind_of_a_body_is_seen_by_its_look(body, headers, kind):
    assert take_apart(reply(200, body, headers)).kind == kind


@pytest.mark.parametrize("status", [200, 400])
def test_a_byte_order_mark_is_passed_over_where_nothing_strict_reads(status):
    kinds = {200: "invalid", 400: "json"}
    assert take_apart(reply(status, '\ufeff{"a": 1}')).kind == kinds[status]


def test_half_an_emoji_and_a_number_beyond_a_double_are_json_by_the_letter():
    assert document('"\\ud83d"').problem is None
    assert document("1e999").problem is None
    assert document('["\\ud83d", NaN]').problem == "invalid"
    assert document("9" * 5000).problem == "invalid"


def test_of_duplicate_names_the_last_counts():
    assert document('{"a": 1, "a": 2}').value == {"a": 2}


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=20), st.data())
def test_every_beginning_of_a_json_text_counts_as_cut(value, data):
    text = json.dumps({"a": value})
    end = data.draw(st.integers(1, len(text) - 1))
    assert document(text[:end]).problem == "cut"


def test_the_chunks_of_a_stream_are_read_without_its_terminal_frame():
    body = take_apart(reply(200, stream(chunk("po"), chunk("ng"), "[DONE]"), SSE))
    assert [first["id"] for first in body.objects] == ["c1", "c1"]
    assert body.done


def test_a_documented_terminal_frame_counts_as_the_end():
    body = take_apart(reply(200, stream(chunk("pong"), "[END]"), SSE), terminal="[END]")
    assert body.done
    assert len(body.chunks) == 1


@pytest.mark.parametrize(
    "frame",
    [
        'event: error\ndata: {"message": "gone"}\n\n',
        "event: error\ndata: gone\n\n",
        'event: error\ndata: {"error": {"message": "gone"}}\n\n',
        'data: {"error": {"message": "gone"}}\n\n',
        '\n{\n  "error": {"message": "gone"}\n}\n',
    ],
    ids=["named", "named text", "named and wrapped", "plain", "bare"],
)
def test_an_error_in_a_stream_is_found_however_it_is_framed(frame):
    body = take_apart(reply(200, stream(chunk("po")) + frame, SSE))
    found = [error_of(value) for value in body.objects]
    assert "gone" in str(found[-1])


def test_a_bare_object_that_is_no_error_is_no_chunk():
    body = take_apart(reply(200, stream(chunk("po")) + '\n{"a": 1}\n', SSE))
    assert len(body.chunks) == 1


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"message": "m"}},
        {"error": "m"},
        {"error": {"error": {"message": "m"}}, "choices": []},
        [{"error": {"message": "m"}}],
        {"object": "error", "message": "m"},
        {"type": "error", "error": {"message": "m"}},
        {"success": False, "message": "m"},
        {"errors": [{"message": "m"}]},
        {"detail": "m"},
        {"detail": [{"msg": "m"}]},
        {"fault": {"faultstring": "m"}},
        {"error_code": 17, "error_msg": "m"},
        {"base_resp": {"status_code": 1008, "status_msg": "m"}},
        {"code": 30001, "message": "m", "data": None},
        {"msg": "m"},
    ],
)
def test_an_error_is_found_in_every_known_envelope(value):
    assert error_of(value) is not None
    assert error_text(value).words == "m"


@pytest.mark.parametrize(
    "value",
    [
        completion(error=None),
        completion(error={}),
        completion(message="an echo"),
        completion("error: insufficient_quota"),
        {"base_resp": {"status_code": 0, "status_msg": ""}},
        {"detail": None, "usage": {}},
        "text",
        None,
        [],
        7,
    ],
)
def test_what_only_looks_like_an_error_is_none(value):
    assert error_of(value) is None


def test_codes_words_and_ids_of_an_error_are_told_apart():
    found = error_text(
        {
            "error": {"message": "m", "code": 429, "type": "t", "param": "p", "status": None, "ok": True},
            "request_id": "r1",
            "model": "mute",
            "id": "mute",
        }
    )
    assert found.words == "m"
    assert found.codes.splitlines() == ["code: 429", "type: t", "param: p"]
    assert found.ids == (RequestId("body request_id", "r1"),)


def test_json_inside_a_message_is_read_too_but_not_without_end():
    text = "deep"
    for _ in range(6):
        text = json.dumps({"message": text})
    assert "deep" in error_text({"message": error("inner")} | {"x": text}).words
    assert error_text({"message": error("inner", "t")}).codes == "type: t"
    assert error_text({"message": "{not json"}).words == "{not json"


def test_a_huge_error_body_is_walked_to_a_limit():
    assert len(error_text([["m"] * 3000] * 3000).words.splitlines()) < 2000
    assert len(error_text({"message": "m" * 1_000_000}).words) == TEXT_LIMIT_CHARS


def test_an_error_that_is_no_readable_json_is_read_as_it_is():
    broken = '{"error":{"message":"no","code":"insufficient_quota"'
    found = reply_error_text(reply(402, broken), take_apart(reply(402, broken)))
    assert found.codes == "code: insufficient_quota"
    assert found.words == broken


def test_the_words_of_a_page_are_not_the_words_of_an_error():
    page = reply(403, "<html><h1>quota</h1></html>", HTML)
    assert reply_error_text(page, take_apart(page)).words == ""


def test_a_lone_surrogate_does_not_reach_a_pattern():
    assert bounded("a\ud800b") == "a?b"
    assert take_apart(reply(500, "\ud800")).kind == "text"


@given(
    st.text()
    | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_nothing_raises_on_any_body(text):
    for status in (200, 500):
        for headers in (JSON, SSE, HTML):
            whole = reply(status, text, headers)
            reply_error_text(whole, take_apart(whole))
