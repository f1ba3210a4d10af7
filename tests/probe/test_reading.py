"""Facts are read where a server states them, and are absent where it does not."""

from datetime import timedelta
from json import dumps

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.reading import CONTENT_LIMIT_CHARS, REQUEST_ID_HEADERS, SAFE_HEADERS, read
from probe.records import ErrorBody, Fault, QuotaReading, Reading, RequestId, Timings, Usage
from tests.probe.exchanges import HTML, JSON, SSE, STARTED, chunk, completion, contract, error, observed, reply, stream


def facts(body="", headers=(), status=200, **more):
    return read(observed(reply(status, body, JSON + tuple(headers))), more.get("contract"))


def test_where_nothing_arrived_nothing_is_stated():
    assert read(observed(None, Fault("ConnectError", "refused")), None) == Reading()


def test_an_answer_states_its_id_model_finish_usage_and_content():
    found = facts(dumps(completion()))
    assert (found.completion_id, found.model_answered, found.finish_reason) == ("chatcmpl-1", "m-1", "stop")
    assert found.usage == Usage(9, 1, 10)
    assert found.content == "pong"
    assert found.error is None


def test_a_stream_states_the_same_piece_by_piece():
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    text = stream(chunk("po", usage=None), chunk("ng"), chunk(finish="stop"), chunk(choices=[], usage=usage), "[DONE]")
    found = read(observed(reply(200, text, SSE), stream=True), None)
    assert (found.completion_id, found.model_answered, found.finish_reason) == ("c1", "m-1", "stop")
    assert found.usage == Usage(3, 2, 5)
    assert found.content == "pong"


def test_usage_is_found_inside_the_choice_too():
    part = chunk(finish="stop")
    part["choices"][0]["usage"] = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert read(observed(reply(200, stream(part), SSE), stream=True), None).usage == Usage(1, 2, 3)


@pytest.mark.parametrize("value", [-1, 1.5, "9", True, None, 10**12])
def test_a_count_that_is_no_count_is_absent(value):
    found = facts(dumps(completion(usage={"prompt_tokens": value, "completion_tokens": 1})))
    assert found.usage == Usage(None, 1, None)
    assert facts(dumps(completion(usage={"prompt_tokens": value}))).usage is None


def test_content_in_parts_is_joined_without_the_thinking():
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "po"}, {"type": "text", "text": "ng"}, 7]
    assert facts(dumps(completion(parts))).content == "pong"


def test_content_is_bounded():
    assert facts(dumps(completion("x" * 100_000))).content == "x" * CONTENT_LIMIT_CHARS


@pytest.mark.parametrize("name", REQUEST_ID_HEADERS)
def test_every_known_request_id_header_is_read_in_any_case(name):
    assert facts(headers=((name.title(), " id-1 "),)).request_ids == (RequestId(f"header {name}", "id-1"),)


def test_the_documented_request_id_header_is_read():
    found = facts(headers=(("x-example-trace", "t-1"),), contract=contract())
    assert found.request_ids == (RequestId("header x-example-trace", "t-1"),)
    assert facts(headers=(("x-example-trace", "t-1"),)).request_ids == ()


def test_a_request_id_that_redaction_removed_is_no_id():
    assert facts(headers=(("x-request-id", "<redacted>"),)).request_ids == ()


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("无可用渠道 (request id: 20240814085932621230935333)", "20240814085932621230935333"),
        ("no channel (distributor) (request id: 20260205132859798638387SIHCnxzJ)", "20260205132859798638387SIHCnxzJ"),
        (
            "Please include the request ID 500d9fff2057e4af93a280f67002c342 in your message.",
            "500d9fff2057e4af93a280f67002c342",
        ),
        ("failed, request_id=abc-123-def.", "abc-123-def"),
        ("failed. Request ID：abc123def", "abc123def"),
        ("see req_011CSHoEeqs5C35K2UUqR7Fy", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ],
)
def test_a_request_id_inside_the_error_text_is_found(message, value):
    assert facts(error(message), status=500).request_ids == (RequestId("error text", value),)


def test_words_about_request_ids_are_no_request_id():
    assert facts(error("The request id header is missing"), status=400).request_ids == ()


def test_the_documented_form_of_an_id_in_the_text_is_found():
    documented = contract(text="[trace {id}]")
    found = facts(error("failed [trace AB.12-9x]"), status=500, contract=documented)
    assert found.request_ids == (RequestId("error text", "AB.12-9x"),)
    assert facts(error("failed"), status=500, contract=contract(text=None)).request_ids == ()


def test_ids_of_header_body_and_text_are_all_kept_once_each():
    body = dumps({"error": {"message": "no (request id: 2024abc) (request id: 2024abc)"}, "request_id": "b-1"})
    found = facts(body, (("x-request-id", "h-1"), ("x-request-id", "h-1")), status=500)
    assert found.request_ids == (
        RequestId("header x-request-id", "h-1"),
        RequestId("body request_id", "b-1"),
        RequestId("error text", "2024abc"),
    )


def test_what_the_model_says_is_not_searched_for_ids():
    assert facts(dumps(completion("request id: 12345678"))).request_ids == ()


def test_edge_and_retry_headers_are_read():
    found = facts(headers=(("CF-Ray", "8a1b-FRA"), ("Retry-After", "30")))
    assert (found.cf_ray, found.retry_after) == ("8a1b-FRA", "30")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-remaining-tokens": "7",
            },
            (QuotaReading("requests", 60, 0), QuotaReading("tokens", None, 7)),
        ),
        (
            {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-tokens-remaining": "9"},
            (QuotaReading("requests", 50, None), QuotaReading("tokens", None, 9)),
        ),
        ({"x-ratelimit-limit": "50", "x-ratelimit-remaining": "1"}, (QuotaReading("requests", 50, 1),)),
        ({"x-ratelimit-limit-requests": "5", "x-ratelimit-limit": "50"}, (QuotaReading("requests", 5, None),)),
        ({"x-ratelimit-limit": "100, 100;w=60", "x-ratelimit-remaining": "-1"}, ()),
        ({"x-ratelimit-limit-tokens": "1e6", "x-ratelimit-remaining-tokens": "９"}, ()),
    ],
)
def test_head_room_is_read_from_the_headers_of_every_family(headers, expected):
    assert facts(headers=tuple(headers.items())).quota == expected


def test_the_clocks_are_compared_at_the_arrival_of_the_first_byte():
    found = facts(headers=(("date", "Tue, 24 Nov 2026 03:00:05 GMT"),))
    assert found.server_date == STARTED + timedelta(seconds=5)
    assert found.clock_offset_s == pytest.approx(4.6)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "Tue, 99 Nov 2026 03:00:05 GMT",
        "Tue, 24 Nov 99999 03:00:05 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "\ud800",
    ],
)
def test_a_date_that_is_none_is_absent(value):
    found = facts(headers=(("date", value),))
    assert (found.server_date, found.clock_offset_s) == (None, None)


def test_a_date_without_a_zone_is_utc():
    assert facts(headers=(("date", "Tue, 24 Nov 2026 03:00:05 -0000"),)).server_date == STARTED + timedelta(seconds=5)


@pytest.mark.parametrize("total_s", [float("nan"), float("inf"), 1e300])
def test_an_impossible_duration_gives_no_clock_offset(total_s):
    seen = observed(reply(200, "", (("date", "Tue, 24 Nov 2026 03:00:05 GMT"),)), timings=Timings(total_s))
    assert read(seen, None).clock_offset_s is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (error("m", "t", "c"), ErrorBody("m", "t", "c", None)),
        (error("m", None, 429), ErrorBody("m", None, "429", None)),
        ('{"error": "m"}', ErrorBody("m", None, None, None)),
        ('{"error": {"error": {"message": "m", "code": 402}, "code": 402}}', ErrorBody("m", None, "402", None)),
        (
            '[{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}]',
            ErrorBody("m", "UNAVAILABLE", "503", None),
        ),
        ('{"detail": "m"}', ErrorBody("m", None, None, None)),
        ('{"detail": [{"msg": "m"}]}', ErrorBody('[{"msg":"m"}]', None, None, None)),
        ('{"code": 30001, "message": "m", "data": null}', ErrorBody("m", None, "30001", None)),
        ('{"error": {"message": {"a": 1e999}}}', ErrorBody('{"a":null}', None, None, None)),
        ('{"error": {"message": {"a": "\\ud800"}}}', ErrorBody(None, None, None, None)),
        ('{"error": 7}', ErrorBody("7", None, None, None)),
        ("  no such thing\n", ErrorBody("no such thing", None, None, None)),
        ('{"error": {"message": "cut', ErrorBody('{"error": {"message": "cut', None, None, None)),
        ("null", None),
    ],
)
def test_the_error_fields_are_read_from_every_form(body, expected):
    assert facts(body, status=500).error == expected


def test_a_page_has_no_error_fields():
    assert read(observed(reply(500, "<html>", HTML)), None).error is None


def test_safe_headers_are_lower_case_and_hold_no_account_data():
    assert {name.lower() for name in SAFE_HEADERS} == SAFE_HEADERS
    for name in ("openai-organization", "x-litellm-model-api-base", "x-litellm-key-spend", "set-cookie", "location"):
        assert name not in SAFE_HEADERS
    assert {"x-ratelimit-remaining-tokens", "anthropic-ratelimit-requests-limit", "cf-ray", "date"} <= SAFE_HEADERS


@given(
    st.text() | st.sampled_from([error("m"), dumps(completion())]),
    st.lists(st.tuples(st.text(), st.text())),
    st.floats(),
)
def test_reading_never_raises(body, headers, total_s):
    for status in (200, 500):
        answer = reply(status, body, tuple(headers) + JSON)
        assert read(observed(answer, timings=Timings(total_s)), contract()) is not None
