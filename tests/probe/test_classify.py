"""Every exchange gets one label, by the order of decision in tests/corpus/README.md."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probe.classify import Expectation, classify
from probe.corpus import classify_line
from probe.records import Fault, Listing, Observation, Timings, Verdict
from tests.probe.exchanges import (
    HTML,
    JSON,
    READ_AT,
    RECORDED,
    SSE,
    chunk,
    completion,
    contract,
    error,
    observed,
    reply,
    stream,
)

NOTHING_KNOWN = Expectation()
LOOKED_AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def listing(listed: bool, *, was_listed: bool = True) -> Listing:
    """What the public list said of the model, the day after it was seen there."""
    seen = LOOKED_AT - timedelta(days=1) if was_listed else None
    return Listing("https://api.example.test/api/models", LOOKED_AT, listed, LOOKED_AT if listed else seen)


def label(seen: Observation, expectation: Expectation = NOTHING_KNOWN) -> tuple[str, str]:
    judgement = classify(seen, expectation)
    return str(judgement.verdict), judgement.reason


# ---------------------------------------------------------------- the recorded exchanges


def test_every_failure_quotes_the_words_that_decided_and_names_its_rule():
    for case in RECORDED:
        found = classify_line(case)
        assert found["rule"]
        assert len(found["words"] or "") <= 200
        if found["verdict"] != "ok" and case["body"].strip() and case["kind"] != "exception":
            assert found["words"]


# Wordings of providers, gateways and edges that the corpus has no case of.
OTHERS = [
    (529, JSON, error("Overloaded", "overloaded_error"), "degradation/upstream_overloaded"),
    (400, JSON, error("Your credit balance is too low to access the API."), "quota_or_billing/insufficient_quota"),
    (
        429,
        JSON,
        '{"message": "Tokens per day limit exceeded", "code": "token_quota_exceeded"}',
        "quota_or_billing/daily_limit",
    ),
    (
        429,
        JSON,
        '{"message": "Tokens per minute limit exceeded", "code": "token_quota_exceeded"}',
        "quota_or_billing/rate_limited",
    ),
    (
        429,
        JSON,
        '{"message": "We\'re experiencing high traffic right now!", "code": "queue_exceeded"}',
        "degradation/upstream_overloaded",
    ),
    (
        403,
        JSON,
        '{"error": "Your newly created team doesn\'t have any credits yet."}',
        "quota_or_billing/insufficient_quota",
    ),
    (412, JSON, error("Account a is suspended, failure to pay past invoices."), "quota_or_billing/billing_inactive"),
    (429, JSON, error("您的账户已欠费，请充值后重试。", code="1113"), "quota_or_billing/billing_inactive"),
    (429, JSON, error("余额不足或无可用资源包,请充值。", code="1113"), "quota_or_billing/insufficient_quota"),
    (429, JSON, error("该模型当前访问量过大，请您稍后再试", code="1312"), "degradation/upstream_overloaded"),
    (429, JSON, error("您的账户已被锁定，请联系客服解锁", code="1112"), "auth_or_account/account_disabled"),
    (429, JSON, error("您当前使用该API的并发数过高，请降低并发", code="1302"), "quota_or_billing/rate_limited"),
    (401, JSON, error("令牌已过期或验证不正确！"), "auth_or_account/expired_key"),
    (400, JSON, error("模型不存在，请检查模型代码。"), "contract_mismatch/model_not_found"),
    (400, JSON, error("系统检测到输入内容可能包含不安全或敏感内容"), "contract_mismatch/content_filtered"),
    (
        403,
        JSON,
        error("account has an overdue balance. Request id: 02", code="AccountOverdueError"),
        "quota_or_billing/billing_inactive",
    ),
    (
        404,
        JSON,
        error("Your account has not activated the model m.", code="ModelNotOpen"),
        "auth_or_account/model_not_permitted",
    ),
    (401, JSON, error("The API key in the request is missing or invalid."), "auth_or_account/invalid_key"),
    (401, JSON, '{"message": "no api key supplied"}', "auth_or_account/missing_key"),
    (
        400,
        JSON,
        '[{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]',
        "auth_or_account/invalid_key",
    ),
    (403, JSON, error("Access denied due to Virtual Network/Firewall rules."), "auth_or_account/ip_not_allowed"),
    (
        404,
        JSON,
        error("The API deployment for this resource does not exist.", code="DeploymentNotFound"),
        "contract_mismatch/model_not_found",
    ),
    (
        404,
        JSON,
        '{"message": "This model version has reached the end of its life."}',
        "contract_mismatch/model_retired",
    ),
    (400, JSON, error("This model's maximum context length is 4096 tokens."), "contract_mismatch/context_length"),
    (415, JSON, '{"detail": "Unsupported media type"}', "contract_mismatch/unsupported_media_type"),
    (
        424,
        JSON,
        '{"error": "Request failed during generation", "error_type": "generation"}',
        "degradation/upstream_error",
    ),
    (408, JSON, error("litellm.Timeout: timeout: 1.0", "invalid_request_error", "408"), "degradation/request_timeout"),
    (429, JSON, error("No deployments available for selected model. cooldown_list=['a']"), "degradation/no_channel"),
    (400, JSON, error("No connected db.", "no_db_connection", "400"), "degradation/gateway_internal"),
    (
        500,
        JSON,
        error("field messages is required (request id: 2)", "x_api_error", "invalid_request"),
        "contract_mismatch/request_rejected",
    ),
    (
        401,
        JSON,
        error("bad response status code 401", "upstream_error", "bad_response_status_code"),
        "degradation/upstream_auth",
    ),
    (429, JSON, error("You exceeded your current quota, please check. (request id: 2)"), "degradation/upstream_quota"),
    (503, (("server", "envoy"),), "no healthy upstream", "degradation/no_channel"),
    (
        503,
        (("server", "envoy"),),
        "upstream connect error or disconnect/reset before headers",
        "degradation/gateway_5xx",
    ),
    (504, JSON, '{"message": "The upstream server is timing out"}', "degradation/gateway_timeout"),
    (
        403,
        HTML,
        "<html><h1>403 Forbidden</h1>Request forbidden by administrative rules.</html>",
        "degradation/waf_block",
    ),
    (405, HTML, "<html>Your request has been blocked: potential threats to the server</html>", "degradation/waf_block"),
    (503, HTML, "<html><h1>503</h1>No server is available to handle this request.</html>", "degradation/no_channel"),
    (401, HTML, "<html><h1>401 Authorization Required</h1></html>", "auth_or_account/invalid_key"),
    (407, HTML, "<html><h1>407</h1></html>", "probe_fault/proxy_error"),
    (302, (), "", "contract_mismatch/redirect"),
    (101, (), "", "contract_mismatch/wrong_shape"),
    (
        422,
        JSON,
        '{"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}',
        "contract_mismatch/request_rejected",
    ),
    (403, (*JSON, ("x-amzn-errortype", "ExpiredTokenException")), "{}", "auth_or_account/expired_key"),
    (402, JSON, '{"error": {"message": "broken JSON', "quota_or_billing/insufficient_quota"),
]


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"), OTHERS, ids=[row[3] + "-" + row[2][:30] for row in OTHERS]
)
def test_other_providers_are_judged_by_the_same_words(status, headers, body, expected):
    assert "/".join(label(observed(reply(status, body, headers)))) == expected


def test_a_masked_key_that_redaction_replaced_still_shows_a_foreign_key():
    told = "Incorrect API key provided: {}. You can find your API key at the site.{}"
    for key in ("sk-proj-****9zQn", "<masked_key:3f9a>"):
        relayed = error(told.format(key, " (request id: 20260110)"), code="invalid_api_key")
        assert label(observed(reply(401, relayed))) == ("degradation", "upstream_auth")
        assert label(observed(reply(401, error(told.format(key, ""))))) == ("auth_or_account", "invalid_key")


# ---------------------------------------------------------------- 1. no answer


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("ConnectError", "[Errno -2] Name or service not known", "probe_fault/dns_failure"),
        ("ConnectError", "[Errno 101] Network is unreachable", "probe_fault/no_route"),
        ("ConnectError", "[Errno 24] Too many open files", "probe_fault/local_resource"),
        ("PoolTimeout", "", "probe_fault/local_resource"),
        ("httpx.UnsupportedProtocol", "no scheme", "probe_fault/local_config"),
        ("ProxyError", "[Errno 111] Connection refused", "probe_fault/proxy_error"),
        ("ConnectError", "[SSL] certificate is not yet valid", "probe_fault/clock_skew"),
        ("ConnectError", "[SSL: WRONG_VERSION_NUMBER] wrong version number", "degradation/tls_failure"),
        ("ConnectTimeout", "The handshake operation timed out", "degradation/connect_timeout"),
        ("ReadTimeout", "", "degradation/read_timeout"),
        ("RemoteProtocolError", "Server disconnected without sending a response.", "degradation/connection_reset"),
        ("RemoteProtocolError", "illegal status line", "degradation/connection_reset"),
        ("SomethingNew", "", "degradation/connection_reset"),
        ("DecodingError", "incorrect header check", "contract_mismatch/bad_content_encoding"),
    ],
)
def test_a_fault_is_ours_or_theirs_by_its_words(kind, message, expected):
    assert "/".join(label(observed(None, Fault(kind, message)))) == expected


@pytest.mark.parametrize("words", ["[Errno -3] Temporary failure in name resolution", "[Errno 113] No route to host"])
def test_who_is_to_blame_for_no_connection_is_told_by_the_outside(words):
    seen = observed(None, Fault("ConnectError", words))
    for outside in (None, False):
        found = classify(seen, Expectation(outside_reachable=outside))
        assert (found.verdict, found.certain, found.runner_up) == (Verdict.PROBE_FAULT, False, Verdict.DEGRADATION)
    found = classify(seen, Expectation(outside_reachable=True))
    assert (found.verdict, found.reason, found.runner_up) == ("degradation", "connect_timeout", Verdict.PROBE_FAULT)


def test_a_refusal_is_less_certain_while_nothing_else_answers_either():
    seen = observed(None, Fault("ConnectError", "[Errno 111] Connection refused"))
    assert classify(seen, NOTHING_KNOWN).certain
    found = classify(seen, Expectation(outside_reachable=False))
    assert (found.verdict, found.certain, found.runner_up) == (Verdict.DEGRADATION, False, Verdict.PROBE_FAULT)


def test_an_observation_of_nothing_is_our_fault():
    found = classify(observed(None, None), NOTHING_KNOWN)
    assert (found.verdict, found.certain) == (Verdict.PROBE_FAULT, False)


def test_an_answer_that_broke_off_is_judged_by_its_fault():
    cut = Fault(
        "RemoteProtocolError", "peer closed connection without sending complete message body (incomplete chunked read)"
    )
    seen = observed(reply(200, stream(chunk("po")), SSE, complete=False), cut, stream=True)
    assert label(seen) == ("degradation", "truncated_body")


def test_an_error_that_was_told_before_the_cut_counts_more_than_the_cut():
    reset = Fault("ReadError", "[Errno 104] Connection reset by peer")
    told = stream(chunk("po"), {"error": {"message": "Rate limit exceeded", "code": 429}})
    assert label(observed(reply(200, told, SSE, complete=False), reset, stream=True)) == (
        "quota_or_billing",
        "rate_limited",
    )
    assert label(observed(reply(401, error("Invalid API key")), reset)) == ("auth_or_account", "invalid_key")


# ---------------------------------------------------------------- 2. a plain answer


def plain(value, headers=JSON, **facts):
    body = value if isinstance(value, str) else json.dumps(value)
    return label(observed(reply(200, body, headers, **facts)))


@pytest.mark.parametrize(
    "value",
    [
        completion(),
        completion(usage=None),
        completion(id="", created=0),
        completion(error=None),
        completion(error={}),
        completion([{"type": "text", "text": "pong"}]),
        completion("error: insufficient_quota", "length"),
        completion(finish="END_TURN"),
        completion(finish="a_new_word"),
        completion(
            choices=[{"message": {"content": None, "tool_calls": [{"id": "1"}]}, "finish_reason": "tool_calls"}]
        ),
    ],
)
def test_ok_is_tolerant(value):
    assert plain(value) == ("ok", "ok")
    assert plain(value, (("Content-Type", "application/JSON; charset=utf-8"),)) == ("ok", "ok")
    assert plain("\n\n" + json.dumps(value, indent=2), ()) == ("ok", "ok")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "empty_body"),
        ("null", "wrong_shape"),
        ("7", "wrong_shape"),
        ("[]", "wrong_shape"),
        ("{}", "wrong_shape"),
        ("<html>", "html_on_200"),
        ("<?xml version='1.0'?><a/>", "wrong_shape"),
        ("data: {}\n\n", "wrong_shape"),
        ("{malformed json: <<<chaos>>>", "invalid_json"),
        ('{"choices": [{"a": NaN}]}', "invalid_json"),
        ("[" * 10_000 + "]" * 10_000, "invalid_json"),
        ("Internal Server Error", "invalid_json"),
        (completion(choices=None), "missing_choices"),
        (completion(choices=[]), "empty_choices"),
        (completion(choices="x"), "wrong_shape"),
        (completion(choices=[{"text": "pong"}]), "wrong_shape"),
        (completion(choices=[None]), "wrong_shape"),
        (completion(7), "wrong_shape"),
        (completion(None), "content_null"),
        (completion("  "), "content_null"),
        (completion([{"type": "thinking", "thinking": "hm"}]), "content_null"),
        (completion(finish=None), "missing_finish_reason"),
        (completion("", "content_filter"), "content_filtered"),
        (completion(finish="error"), "error_in_200"),
        (completion(error={"message": "x"}), "error_in_200"),
        (
            completion(choices=[{"message": {"refusal": "no", "content": None}, "finish_reason": "stop"}]),
            "content_filtered",
        ),
        ("[" * 1000 + "]" * 1000, "wrong_shape"),
        ({"model": "m-1", "usage": {"total_tokens": 3}}, "missing_choices"),
        ({"model": "m-1", "usage": {"input_tokens": 3}, "content": [{"type": "text", "text": "pong"}]}, "wrong_shape"),
        ({"error": "Rate limit exceeded"}, "error_in_200"),
        ({"Response": {"Error": {"Message": "allowance exhausted"}}}, "error_in_200"),
        ({"header": {"code": 11200, "message": "no"}}, "error_in_200"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "error_in_200"),
        ({"type": "message", "content": [{"type": "text", "text": "pong"}]}, "wrong_shape"),
    ],
)
def test_a_200_that_is_no_completion_is_a_mismatch_whatever_it_says(value, reason):
    assert plain(value) == ("contract_mismatch", reason)


@pytest.mark.parametrize("media", ["text/plain", "text/html", "application/x-ndjson", "text/event-stream"])
def test_the_right_body_under_a_wrong_label_is_a_mismatch(media):
    assert plain(completion(), (("content-type", media),)) == ("contract_mismatch", "wrong_content_type")


def test_bytes_that_are_no_utf8_are_no_json():
    assert plain(completion(), valid_utf8=False) == ("contract_mismatch", "invalid_json")


@pytest.mark.parametrize(
    ("body", "headers", "facts"),
    [
        ('{"choices": [{"mess', JSON, {}),
        ("\n\n\n", JSON, {}),
        (json.dumps(completion()), (*JSON, ("content-length", "100000")), {}),
        (json.dumps(completion()), JSON, {"complete": False}),
        ("", (("content-length", "12"),), {}),
    ],
    ids=["prefix", "blank", "fewer bytes than announced", "framing", "nothing of something"],
)
def test_a_body_cut_short_is_degradation(body, headers, facts):
    assert plain(body, headers, **facts) == ("degradation", "truncated_body")


def test_a_body_longer_than_we_read_is_never_ok_and_not_called_cut():
    for body in (json.dumps(completion("x" * 50)), '{"choices": [', "x"):
        found = classify(observed(reply(200, body, truncated=True)), NOTHING_KNOWN)
        assert (found.verdict, found.reason, found.certain) == ("contract_mismatch", "wrong_shape", False)
    assert label(observed(reply(200, stream(chunk("x")), SSE, truncated=True), stream=True))[1] == "wrong_shape"
    assert plain("\n" * 100, truncated=True) == ("degradation", "truncated_body")


def test_an_interrupted_inference_is_degradation():
    assert plain(completion("po", "insufficient_system_resource")) == ("degradation", "upstream_overloaded")


def test_an_empty_answer_at_our_own_limit_is_our_fault():
    starved = reply(200, json.dumps(completion("", "length")))
    for field in ("max_tokens", "max_completion_tokens"):
        found = classify(observed(starved, body=json.dumps({field: 16})), NOTHING_KNOWN)
        assert (found.verdict, found.reason, found.certain) == ("probe_fault", "starved", True)
    found = classify(observed(starved, body='{"model": "m"}'), NOTHING_KNOWN)
    assert (found.reason, found.certain, found.runner_up) == ("starved", False, Verdict.OK)


def test_an_empty_answer_at_a_limit_that_nobody_recorded_keeps_its_shape():
    found = classify(observed(reply(200, json.dumps(completion("", "length"))), body=""), NOTHING_KNOWN)
    assert (found.verdict, found.certain, found.runner_up) == (Verdict.OK, False, Verdict.PROBE_FAULT)
    seen = observed(reply(200, stream(chunk(finish="length"), "[DONE]"), SSE), stream=True, body="")
    assert classify(seen, NOTHING_KNOWN).reason == "ok_stream"


def test_a_slow_answer_is_degradation_and_a_slow_failure_stays_what_it_is():
    late = Timings(total_s=12.0)
    answered = observed(reply(200, json.dumps(completion())), timings=late)
    assert label(answered, Expectation(slow_s=10.0)) == ("degradation", "slow")
    assert label(answered, Expectation(slow_s=12.0)) == ("ok", "ok")
    assert label(answered) == ("ok", "ok")
    failed = observed(reply(401, error("Invalid API key")), timings=late)
    assert label(failed, Expectation(slow_s=10.0)) == ("auth_or_account", "invalid_key")


# ---------------------------------------------------------------- 3. a stream


def streamed(body, headers=SSE, **facts):
    expectation = facts.pop("expectation", NOTHING_KNOWN)
    return label(observed(reply(200, body, headers, **facts), stream=True), expectation)


POLITE = (chunk("po"), chunk("ng"), chunk(finish="stop"))


@pytest.mark.parametrize(
    "body",
    [
        stream(*POLITE, "[DONE]"),
        stream(*POLITE, "[DONE]").replace("\n", "\r\n"),
        stream(*POLITE, "[DONE]").replace("data: ", "data:"),
        ": keep-alive\n\n" + stream(*POLITE, chunk(choices=[]), "[DONE]").rstrip() + "\n",
        stream(chunk(choices=None), *POLITE, chunk(choices=[], usage={"total_tokens": 3}), "[DONE]"),
        stream(chunk("pong", "eos"), "[DONE]"),
    ],
)
def test_a_stream_is_ok_in_every_legal_form(body):
    assert streamed(body) == ("ok", "ok_stream")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (stream(*POLITE), SSE, "contract_mismatch/missing_done"),
        (stream(chunk("po")), SSE, "contract_mismatch/truncated_stream"),
        (stream(chunk("pong"), "[DONE]"), SSE, "contract_mismatch/missing_finish_reason"),
        (stream(chunk(finish="stop"), "[DONE]"), SSE, "contract_mismatch/content_null"),
        (stream("[DONE]"), SSE, "contract_mismatch/content_null"),
        (stream('{"choices": [', "[DONE]"), SSE, "contract_mismatch/invalid_sse"),
        (stream("7", "[DONE]"), SSE, "contract_mismatch/invalid_sse"),
        ("pong", (("content-type", "text/plain"),), "contract_mismatch/invalid_sse"),
        ("", SSE, "contract_mismatch/empty_body"),
        ("<html>", HTML, "contract_mismatch/html_on_200"),
        (json.dumps(completion()), JSON, "contract_mismatch/stream_not_honoured"),
        (error("no"), JSON, "contract_mismatch/error_in_200"),
        (stream(*POLITE, "[DONE]"), JSON, "contract_mismatch/wrong_content_type"),
        (stream({"response": "po"}, {"response": "ng"}, "[DONE]"), SSE, "contract_mismatch/wrong_shape"),
        (stream(chunk("po"), '{"choices": ['), SSE, "contract_mismatch/truncated_stream"),
        (stream('{"choices": [', chunk("po")), SSE, "contract_mismatch/invalid_sse"),
        ('{"a": 1}\n{"a": 2}\n', SSE, "contract_mismatch/invalid_sse"),
        ('{"a": 1}\n{"a": 2}\n', JSON, "contract_mismatch/invalid_json"),
        (": ping\n\n: ping\n\n", SSE, "degradation/truncated_body"),
        (stream(chunk("po"), chunk(finish="content_filter"), "[DONE]"), SSE, "contract_mismatch/content_filtered"),
    ],
)
def test_a_stream_that_ends_otherwise(body, headers, expected):
    assert "/".join(streamed(body, headers)) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"error": {"message": "Provider disconnected", "code": "server_error"}}, "degradation/stream_error_event"),
        ({"error": {"message": "nothing known"}}, "degradation/stream_error_event"),
        ({"error": {"message": "idle timeout", "code": 502}}, "degradation/stream_error_event"),
        ({"error": "Overloaded"}, "degradation/stream_error_event"),
        ({"error": {"message": "Rate limit exceeded", "code": "429"}}, "quota_or_billing/rate_limited"),
        ({"error": {"message": "no", "code": 401}}, "auth_or_account/invalid_key"),
        ({"error": {"message": "no", "code": 200}}, "degradation/stream_error_event"),
        ({"error": {"message": "maximum context length is 4096"}}, "contract_mismatch/context_length"),
        (chunk(finish="error"), "degradation/stream_error_event"),
    ],
)
@pytest.mark.parametrize("before", [(), (chunk("po"),)], ids=["first", "later"])
def test_an_error_inside_a_stream_is_judged_by_its_content(event, expected, before):
    assert "/".join(streamed(stream(*before, event))) == expected


def test_a_terminal_frame_is_due_only_as_documented():
    polite = stream(*POLITE)
    assert streamed(polite, expectation=Expectation(contract(terminal=None))) == ("ok", "ok_stream")
    assert streamed(polite, expectation=Expectation(contract()))[1] == "missing_done"
    assert streamed(stream(*POLITE, "[END]"), expectation=Expectation(contract("[END]"))) == ("ok", "ok_stream")


# ---------------------------------------------------------------- catalogue and findings


def test_no_channel_for_a_model_that_is_no_longer_listed_is_a_withdrawn_model():
    seen = observed(reply(503, error("no available channel for group default and model m", code="model_not_found")))
    assert label(seen, Expectation(listing=listing(True))) == ("degradation", "no_channel")
    found = classify(seen, Expectation(contract(), listing=listing(False)))
    assert (found.verdict, found.reason, found.runner_up) == ("contract_mismatch", "model_retired", Verdict.DEGRADATION)
    assert (found.certain, found.rule.endswith(", no longer listed")) == (False, True)
    first = found.findings[0]
    assert (first.rule, first.place, first.expected) == ("catalogue", "model", "listed in the public model list")
    assert first.observed == "not listed; last seen there at 2026-11-23T03:00:00Z"
    assert (first.source, first.accessed) == ("https://api.example.test/api/models", LOOKED_AT)
    assert found.findings[1].source == "https://docs.example.test/catalogue"


def test_a_model_that_was_never_listed_keeps_its_verdict_and_gets_a_finding():
    seen = observed(reply(503, error("no available channel for group default and model m", code="model_not_found")))
    found = classify(seen, Expectation(contract(), listing=listing(False, was_listed=False)))
    assert (found.verdict, found.reason) == ("degradation", "no_channel")
    assert [it.observed for it in found.findings if it.rule == "catalogue"] == ["not listed; we never saw it there"]


def test_a_list_that_names_the_model_and_one_that_is_not_known_say_nothing_against():
    seen = observed(reply(503, error("no available channel for group default and model m", code="model_not_found")))
    for known in (listing(True), None):
        assert not [it for it in classify(seen, Expectation(listing=known)).findings if it.rule == "catalogue"]


def test_the_list_bears_on_no_other_failure():
    seen = observed(reply(401, error("Invalid API key")))
    assert classify(seen, Expectation(listing=listing(False))) == classify(seen, NOTHING_KNOWN)


def test_words_that_say_retired_are_corroborated_by_the_list():
    seen = observed(reply(404, error("The model `m` has been deprecated and is no longer available")))
    found = classify(seen, Expectation(listing=listing(False)))
    assert found.reason == "model_retired"
    assert [it.rule for it in found.findings][:1] == ["catalogue"]
    assert replace(found, findings=()) == replace(classify(seen, NOTHING_KNOWN), findings=())


def test_words_and_list_that_agree_on_an_unknown_model_are_certain():
    seen = observed(reply(404, error("The model `m` does not exist.")))
    assert classify(seen, Expectation(listing=listing(False))).certain
    assert not classify(seen, NOTHING_KNOWN).certain


def test_a_mismatch_names_field_expectation_source_and_access_time():
    found = classify(observed(reply(200, "<html>")), Expectation(contract())).findings
    assert [(f.place, f.expected, f.observed, f.source, f.accessed) for f in found] == [
        (
            "response body",
            "a chat completion as one JSON object",
            "HTTP 200, application/json, html body",
            "https://docs.example.test/response",
            READ_AT,
        )
    ]


def test_a_mismatch_without_a_contract_has_a_finding_without_a_source():
    for case in RECORDED:
        line = classify_line(case)
        assert bool(line["findings"]) == (line["verdict"] == "contract_mismatch")
        assert all(found["source"] is None for found in line["findings"])


def test_an_area_that_the_contract_leaves_out_gives_no_source():
    bare = replace(contract(), response=None, catalogue=None)
    found = classify(observed(reply(200, "null")), Expectation(bare)).findings[0]
    assert (found.source, found.accessed) == (None, None)
    unknown = classify(observed(reply(404, error("Model Not Exist"))), Expectation(bare)).findings[0]
    assert (unknown.place, unknown.source) == ("model", None)


def test_an_undocumented_error_shape_is_a_finding_and_does_not_outrank_the_words():
    found = classify(observed(reply(429, "Rate limit exceeded", ())), Expectation(contract()))
    assert (found.verdict, found.reason) == ("quota_or_billing", "rate_limited")
    assert [(f.rule, f.source) for f in found.findings] == [("error is no JSON", "https://docs.example.test/error")]


def test_a_fault_that_is_a_mismatch_has_a_finding_too():
    found = classify(observed(None, Fault("DecodingError", "incorrect header check")), Expectation(contract()))
    assert [f.place for f in found.findings] == ["content-encoding"]


def test_an_error_under_200_names_what_its_words_would_say_as_the_runner_up():
    for words, runner_up in (("Rate limit exceeded", Verdict.QUOTA_OR_BILLING), ("It broke", None)):
        found = classify(observed(reply(200, error(words))), NOTHING_KNOWN)
        assert (found.reason, found.runner_up, found.certain) == ("error_in_200", runner_up, runner_up is None)


def test_a_status_that_decides_alone_quotes_the_text_that_came_with_it():
    assert classify(observed(reply(500, "it broke", ())), NOTHING_KNOWN).words == "it broke"
    assert classify(observed(reply(500, "", ())), NOTHING_KNOWN).words == "500 empty"
