"""Bodies against the documented shapes: which field, what the schema says there, what kind of thing was there."""

import json
from time import perf_counter
from typing import Any

import pytest

from probe.body import take_apart
from probe.classify import Expectation, classify
from probe.contract import Contract
from probe.findings import findings
from probe.records import Fault, Finding, Headers, Judgement, Verdict
from tests.probe.documented import RESPONSE, documented, judged, label, rows
from tests.probe.exchanges import (
    HTML,
    JSON,
    READ_AT,
    SSE,
    chunk,
    completion,
    observed,
    reply,
    stream,
)


def test_a_reply_as_documented_has_no_findings_and_extra_fields_are_welcome() -> None:
    closed = RESPONSE | {"additionalProperties": False}
    for body, known in (
        (completion(id="1"), documented()),
        (completion(id="1", provider="x", reasoning=[1]), documented()),
        (completion(id="1", provider="x"), documented(closed)),
        (completion(id="1", provider="x"), documented(RESPONSE | {"unevaluatedProperties": False})),
        (completion(id="1"), documented({"additionalProperties": False})),
    ):
        found = judged(json.dumps(body), known=known)
        assert (label(found), rows(found)) == (("ok", "ok", True), [])


@pytest.mark.parametrize(
    ("body", "place", "expected", "seen"),
    [
        (completion(id=7), "id", "a string", "a number"),
        (completion(id=""), "id", "at least 1 character", "an empty string"),
        (completion(usage=None), "usage", "an object", "null"),
        (completion(usage={"total_tokens": 0}), "usage.total_tokens", "a number of 1 or more", "a number"),
        (completion(usage={"total_tokens": True}), "usage.total_tokens", "an integer", "true or false"),
        (completion(finish="eos"), "choices[0].finish_reason", 'one of "stop", "length"', "a string"),
        (completion(content=["pong"]), "choices[0].message.content", "a string or null", "a list"),
    ],
)
def test_a_violation_names_field_expected_kind_seen_and_source(body: Any, place: str, expected: str, seen: str) -> None:
    found = judged(json.dumps(body))
    wanted = Finding("response_schema", place, expected, seen, "https://docs.example.test/response", READ_AT)
    assert wanted in found.findings


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "a string or null"),
        ({"oneOf": [{"type": "boolean"}, {"type": ["string", "null"]}]}, "a string, true or false or null"),
        ({"anyOf": [{"type": "string"}, {"minimum": 9}]}, "one of the documented forms"),
        ({"oneOf": [{"type": "number"}, {"minimum": 3}]}, "one of the documented forms"),
        ({"const": "a"}, 'exactly "a"'),
        ({"not": {"type": "number"}}, "as the schema says (not)"),
        (False, "absent"),
        ({"multipleOf": 2}, "a multiple of 2"),
        ({"exclusiveMinimum": 7}, "a number over 7"),
        ({"exclusiveMaximum": 7}, "a number under 7"),
        ({"maximum": 6.5}, "a number of 6.5 or less"),
        ({"enum": ["long" * 99]}, f'one of "{"long" * 48}'[:200]),
    ],
)
def test_a_schema_is_told_in_words(schema: Any, expected: str) -> None:
    (found,) = judged(json.dumps(completion(x=7)), known=documented({"properties": {"x": schema}})).findings
    assert (found.place, found.expected, found.observed) == ("x", expected, "a number")


def test_a_wrong_type_beside_an_answer_stays_ok_with_a_finding() -> None:
    found = judged(json.dumps(completion(id=7)))
    assert label(found) == ("ok", "ok", True)
    assert rows(found) == [("response_schema", "id", "a string", "a number")]


def test_a_documented_field_that_is_missing_is_a_mismatch_that_a_fair_engineer_could_call_ok() -> None:
    body = completion()
    del body["id"]
    found = judged(json.dumps(body))
    assert (label(found), found.runner_up, found.rule) == (
        ("contract_mismatch", "wrong_shape", False),
        Verdict.OK,
        "documented field missing",
    )
    assert rows(found) == [("response_schema", "id", "present (required)", "missing")]


def test_a_documented_field_that_chunks_lack_is_a_mismatch_too() -> None:
    body = stream(chunk("pong"), {"id": "c1"}, chunk(None, "stop"), "[DONE]")
    found = judged(body, headers=SSE)
    assert label(found) == ("contract_mismatch", "wrong_shape", False)
    assert rows(found) == [("chunk_schema", "choices", "present (required)", "missing")]
    assert found.findings[0].source == "https://docs.example.test/stream"


def test_a_wrong_type_in_many_chunks_is_one_finding() -> None:
    body = stream(chunk("po"), *[chunk(5)] * 9, chunk("ng", "stop"), "[DONE]")
    found = judged(body, headers=SSE)
    assert rows(found) == [("chunk_schema", "choices[0].delta.content", "a string", "a number")]


def test_that_streams_are_documented_at_all_is_enough_to_ask_for_one() -> None:
    found = judged(json.dumps(completion(id="1")), headers=JSON, known=documented(chunk=None), stream=True)
    assert [(row.place, row.source) for row in found.findings] == [("stream", "https://docs.example.test/stream")]


@pytest.mark.parametrize("known", [None, documented(None, None, None), documented(response=None, stream_chunk=None)])
def test_without_a_documented_shape_nothing_changes(known: Contract | None) -> None:
    seen = observed(reply(200, '{"choices":[{"message":{"content":"pong"},"finish_reason":"stop"}]}'))
    found = classify(seen, Expectation(known))
    assert (label(found), found.findings) == (("ok", "ok", True), ())


def test_a_violated_error_shape_never_outranks_the_words_of_the_error() -> None:
    found = judged('{"error":{"message":"Insufficient Balance","code":3}}', 402)
    assert label(found) == ("quota_or_billing", "insufficient_quota", True)
    assert rows(found) == [
        ("error_schema", "error.type", "present (required)", "missing"),
        ("error_schema", "error.code", "a string", "a number"),
    ]
    assert {row.source for row in found.findings} == {"https://docs.example.test/error"}


def test_an_error_under_200_is_held_against_the_error_shape() -> None:
    found = judged('{"error":{"message":"no"}}')
    assert label(found) == ("contract_mismatch", "error_in_200", True)
    assert rows(found)[1:] == [("error_schema", "error.type", "present (required)", "missing")]
    assert found.findings[0].place == "response status"


def test_an_error_that_is_no_json_is_not_the_documented_object() -> None:
    found = judged("<html>Bad Gateway</html>", 502, HTML)
    assert rows(found) == [
        ("error is no JSON", "error body", "the documented error object", "HTTP 502, text/html, html body")
    ]


@pytest.mark.parametrize(
    ("body", "reason", "row"),
    [
        (completion(choices=[]), "empty_choices", ("choices", "at least 1 item", "an empty list")),
        ({"id": "1", "object": "chat.completion"}, "missing_choices", ("choices", "present (required)", "missing")),
        (
            completion(id="1", choices=[{"message": {"content": None}, "finish_reason": "stop"}]),
            "content_null",
            ("choices[0].message.content", "a string", "null"),
        ),
        ({"id": "1", "choices": {}}, "wrong_shape", ("choices", "a list", "an empty object")),
        ([], "wrong_shape", ("response body", "an object", "an empty list")),
    ],
)
def test_where_a_schema_says_the_same_more_precisely_there_is_one_row(
    body: Any, reason: str, row: tuple[str, ...]
) -> None:
    strict = json.loads(json.dumps(RESPONSE).replace('["string", "null"]', '"string"'))
    found = judged(json.dumps(body), known=documented(strict))
    assert found.reason == reason
    assert rows(found) == [("response_schema", *row)]


def test_an_expectation_that_no_document_states_says_so_and_cites_none() -> None:
    (found,) = judged(json.dumps(completion(content=None, id="1"))).findings
    assert (found.place, found.source, found.accessed) == ("choices[0].message.content", None, None)
    assert found.expected == (
        "text, since the answer ended normally (OpenAI-compatible convention; no document of the contract states it)"
    )
    (alone,) = classify(observed(reply(200, "null")), Expectation()).findings
    assert alone.expected == (
        "a chat completion as one JSON object (OpenAI-compatible convention; no contract is given)"
    )


@pytest.mark.parametrize(
    ("media", "shown"),
    [("", "no content-type"), ("Text/Plain; charset=x", "text/plain"), ("sk-fake key", "a content-type that is none")],
)
def test_of_the_content_type_only_a_media_type_is_shown(media: str, shown: str) -> None:
    found = judged("pong", headers=(("content-type", media),) if media else ())
    assert found.findings[0].observed.startswith(f"HTTP 200, {shown}, ")


def test_what_redaction_put_in_the_place_of_a_text_is_not_judged_by_its_characters() -> None:
    known = documented({"properties": {"id": {"pattern": "^chatcmpl-"}, "user": {"maxLength": 3, "type": "string"}}})
    sealed = completion(id="<request_id:3f9a2c>", user="<redacted>")
    assert judged(json.dumps(sealed), known=known).findings == ()
    assert len(judged(json.dumps(completion(id="x", user=5)), known=known).findings) == 2


# ---------------------------------------------------------------- bounds


def test_a_redirect_owes_no_shape() -> None:
    assert [row.place for row in judged('{"id":7}', 307).findings] == ["URL"]


def test_names_that_a_server_chose_are_cut_and_set_apart() -> None:
    known = documented({"additionalProperties": {"additionalProperties": {"type": "integer"}}})
    names = ["a b", "x" * 200, "line\nbreak\u202e", "ok", "01"]
    (found, *others) = judged(json.dumps({name: {"y": "z"} for name in names}), known=known).findings
    places = sorted(row.place for row in (found, *others) if row.rule == "response_schema")
    assert places == sorted(['["a b"].y', "x" * 80 + ".y", '["line break "].y', "ok.y", '["1"].y'])


def test_a_place_is_cut_however_deep_it_is() -> None:
    value: Any = 1
    for _ in range(60):
        value = {"deep": [value]}
    schema = {
        "$ref": "#/$defs/d",
        "$defs": {"d": {"properties": {"deep": {"items": {"$ref": "#/$defs/d"}}}, "type": "object"}},
    }
    places = [row.place for row in judged(json.dumps(value), known=documented(schema)).findings]
    assert max(map(len, places)) == 241


def test_at_most_five_rows_what_is_missing_first() -> None:
    names = [f"f{number}" for number in range(9)]
    known = documented({"properties": {name: {"type": "string"} for name in names}, "required": ["id", "zz"]})
    found = judged(json.dumps(completion(**dict.fromkeys(names, 1))), known=known)
    assert len(found.findings) == 5
    assert rows(found)[0] == ("response_schema", "zz", "present (required)", "missing")


def test_a_body_of_a_mebibyte_of_violations_takes_no_longer_than_one_of_a_few() -> None:
    def took_s(body: str, headers: Headers) -> float:
        began = perf_counter()
        assert judged(body, headers=headers).findings
        return perf_counter() - began

    choices = ",".join(["{}"] * 300_000)
    assert took_s(f'{{"choices":[{choices}]}}', JSON) < 1.5
    assert took_s(stream(*['{"choices":[' + choices[:4000] + "]}"] * 250), SSE) < 1.5


def test_only_the_first_200_chunks_are_held_against_their_shape() -> None:
    good = [chunk("a")] * 200
    tail = [chunk(None, "stop"), {"id": "x"}, "[DONE]"]
    assert label(judged(stream(*good, *tail), headers=SSE)) == ("ok", "ok_stream", True)
    assert label(judged(stream(*good[:50], *tail), headers=SSE))[1] == "wrong_shape"


@pytest.mark.parametrize(
    "body", ['{"id": "1", "x": "\\ud83d"}', '{"id": "1", "x": 1e999}'], ids=["half emoji", "infinite"]
)
def test_json_that_is_odd_is_held_against_its_shape_as_well(body: str) -> None:
    assert ("choices", "missing") in [(row.place, row.observed) for row in judged(body).findings]


def test_a_body_that_is_nested_too_deep_for_the_validator_is_passed_over() -> None:
    found = judged('{"id": "1", "x": ' + "[" * 900 + "]" * 900 + "}")
    assert [(row.rule, row.place) for row in found.findings] == [("no completion", "response body")]


def test_nothing_arrived_and_nothing_is_found() -> None:
    judgement = Judgement(Verdict.DEGRADATION, "read_timeout", "x")
    assert findings(judgement, observed(None, Fault("ReadTimeout", "")), take_apart(reply(200, "")), documented()) == ()
