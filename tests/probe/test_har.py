"""What browsers save of a failing call becomes an exchange; what they left out is said, and no secret gets out."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import har, render
from probe.corpus import RECORDED_AT, CorpusError
from probe.har.faults import UNKNOWN, fault
from probe.packet import draft
from probe.records import Fault, Json, Phase
from probe.redact import HIDDEN, Policy, Redactor
from probe.rules import FAULTS
from tests.probe.evidence import case, cut_off, good, missing_choices, overloaded

KEY = "sk-fake-Zx81kQ0mPl27vR9tB4nE6yUw"
ASKED = json.dumps({"model": "example-small", "stream": False, "messages": [{"role": "user", "content": "my diary"}]})
OVERLOADED = json.dumps({"error": {"message": "The engine is overloaded", "type": "server_error", "code": None}})
REDACTOR = Redactor([], (), Policy(), b"k" * 32)


def pairs(**headers: str) -> list[Json]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]


def entry(status: int = 503, text: str | None = OVERLOADED, **changes: Any) -> Json:
    """A call as Chromium writes it, over HTTP/2. `changes` go to the response, or into the entry at `entry`."""
    content = {"size": -1 if text is None else len(text), "mimeType": "application/json"}
    if text is not None:
        content["text"] = text
    over = changes.pop("entry", {})
    response = {"status": status, "statusText": "", "httpVersion": "http/2.0", "headers": [], "content": content}
    return {
        "_resourceType": "fetch",
        "startedDateTime": "2026-11-24T03:00:00.123Z",
        "time": 480.5,
        "request": {
            "method": "POST",
            "url": f"https://api.example.test/v1/chat/completions?key={KEY}&api-version=2026-01-01#part",
            "httpVersion": "http/2.0",
            "headers": [
                {"name": ":authority", "value": "api.example.test"},
                {"name": ":path", "value": f"/v1/chat/completions?key={KEY}"},
                {"name": "authorization", "value": f"Bearer {KEY}"},
                {"name": "content-type", "value": "application/json"},
            ],
            "queryString": [{"name": "key", "value": KEY}],
            "cookies": [{"name": "session", "value": KEY}],
            "postData": {"mimeType": "application/json", "text": ASKED},
        },
        "response": response | changes,
        "cache": {},
        "timings": {"blocked": 5, "dns": 10, "connect": 60, "ssl": 40, "send": 0.5, "wait": 400, "receive": 5},
    } | over


def log(*entries: Any) -> Json:
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": [*entries]}}


def only(value: Json, *, everything: bool = False) -> har.Call:
    [call], _ = har.calls(log(value), everything=everything)
    return call


def labelled(value: Json) -> Json:
    return har.classify_call(only(value), REDACTOR)


def test_a_har_is_told_by_its_content() -> None:
    assert har.is_har(log())
    for other in ([], {"log": 1}, {"log": {}}, {"id": "x", "kind": "http"}, None):
        assert not har.is_har(other)


def test_an_entry_becomes_what_the_probe_would_have_observed() -> None:
    seen = only(entry(headers=pairs(server="nginx", content_type="application/json"))).observation
    assert seen.reply is not None
    assert (seen.reply.status, seen.reply.body, seen.reply.complete) == (503, OVERLOADED, True)
    assert seen.reply.headers == (("server", "nginx"), ("content-type", "application/json"))
    assert (seen.request.model, seen.request.stream, seen.request.body) == ("example-small", False, ASKED)
    assert [name for name, _ in seen.request.headers] == ["authorization", "content-type"], "no pseudo-header"
    assert seen.started_at == datetime(2026, 11, 24, 3, 0, 0, 123000, tzinfo=UTC)
    timings = seen.timings
    assert (timings.resolve_s, timings.connect_s, timings.tls_s) == (0.01, pytest.approx(0.02), 0.04), (
        "ssl is inside connect"
    )
    assert (timings.send_s, timings.processing_s, timings.transfer_s) == (0.0005, 0.4, 0.005)
    assert (timings.total_s, timings.first_byte_s) == (0.4805, pytest.approx(0.4755))
    assert (seen.fault, seen.last_phase) == (None, Phase.TRANSFER)


def test_the_label_is_the_one_of_the_exchange_under_a_name_without_the_query() -> None:
    line = labelled(entry())
    assert (line["id"], line["label"], line["reason"]) == (
        "1:api.example.test/v1/chat/completions",
        "degradation",
        "upstream_overloaded",
    )
    assert "note" not in line


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://user:pw@api.example.test:8443/v1/x", "1:api.example.test:8443/v1/x"),
        (f"https://api.example.test/{KEY}/x", f"1:api.example.test/{HIDDEN}/x"),
        ("https://h.test/accounts/0f1e2d3c4b5a69788796a5b4c3d2e1f0/ai", f"1:h.test/accounts/{HIDDEN}/ai"),
        ("https://h.test/deployments/gpt-4o-mini-2024-07-18/chat", "1:h.test/deployments/gpt-4o-mini-2024-07-18/chat"),
        ("https://h.test/" + "onlylettersbutmanyofthemindeed", f"1:h.test/{HIDDEN}"),
        ("data:application/json,jane@example.test", "1:"),
        ("https://[broken", "1:"),
    ],
)
def test_the_name_of_a_call_holds_nothing_that_could_be_a_secret(url: str, name: str) -> None:
    given = entry()
    given["request"]["url"] = url
    assert labelled(given)["id"] == name


def test_only_calls_to_a_chat_api_and_what_failed_are_read_unless_everything_is_asked_for() -> None:
    def asset(status: int, method: str = "GET", media: str = "image/png", **changes: Any) -> Json:
        given = entry(status, "x", **changes)
        given["request"] |= {"method": method, "postData": None}
        given["response"]["content"]["mimeType"] = media
        return given

    entries = (
        asset(200),
        entry(200),
        asset(404),
        asset(0, _error="net::ERR_BLOCKED_BY_CLIENT"),
        asset(200, media="text/event-stream"),
        asset(200, "POST"),
    )
    taken, passed_over = har.calls(log(*entries))
    assert ([call.observation.request.probe_id for call in taken], passed_over) == (["2", "3", "4", "5"], 2)
    taken, passed_over = har.calls(log(*entries), everything=True)
    assert (len(taken), passed_over) == (6, 0)


# ---------------------------------------------------------------- what browsers leave out


def test_a_body_that_the_browser_dropped_is_not_an_empty_one() -> None:
    refused, answered = labelled(entry(403, None)), labelled(entry(200, None))
    assert (refused["label"], refused["certain"], refused["note"]) == ("auth_or_account", False, har.NOT_RECORDED)
    assert (answered["label"], answered["certain"], answered["runner_up"]) == ("ok", False, "contract_mismatch")
    assert answered["note"] == har.NOT_RECORDED
    assert labelled(entry(200, None, content={"size": 0, "mimeType": ""}))["reason"] == "empty_body"
    assert labelled(entry(503, None, content=None))["note"] == har.NOT_RECORDED


def test_what_kind_of_body_was_dropped_still_counts() -> None:
    page = labelled(entry(403, None, content={"size": 900, "mimeType": "text/html"}))
    assert (page["reason"], page["words"]) == ("waf_block", None)


def test_a_stream_whose_body_was_dropped_is_a_good_stream_by_its_status() -> None:
    assert labelled(entry(200, None, content={"size": 9, "mimeType": "text/event-stream"}))["reason"] == "ok_stream"


def test_a_stream_that_broke_off_is_broken_whether_its_body_was_kept_or_not() -> None:
    for text in (None, "data: {"):
        line = labelled(entry(200, text, _error="net::ERR_INCOMPLETE_CHUNKED_ENCODING"))
        assert (line["label"], line["reason"]) == ("degradation", "truncated_body")


def test_a_body_in_base64_is_decoded() -> None:
    content = {"size": 9, "mimeType": "application/json", "encoding": "base64"}
    encoded = base64.b64encode(OVERLOADED.encode()).decode()
    assert labelled(entry(503, None, content=content | {"text": encoded}))["reason"] == "upstream_overloaded"
    broken = only(entry(503, None, content=content | {"text": base64.b64encode(b"a\xff").decode()})).observation.reply
    assert broken is not None
    assert (broken.body, broken.valid_utf8, broken.body_bytes) == ("a\ufffd", False, 2)


def test_a_body_is_read_as_far_as_our_own_client_reads() -> None:
    reply = only(entry(200, "x" * (har.MOST_BODY_BYTES + 1))).observation.reply
    assert reply is not None
    assert (len(reply.body), reply.truncated, reply.body_bytes) == (har.MOST_BODY_BYTES, True, har.MOST_BODY_BYTES + 1)


@pytest.mark.parametrize(("announced", "received"), [("900", 900), ("3", len(OVERLOADED)), ("many", len(OVERLOADED))])
def test_a_length_that_counts_encoded_bytes_is_no_sign_of_a_cut(announced: str, received: int) -> None:
    headers = pairs(Content_Encoding="br", Content_Length=announced)
    reply = only(entry(headers=headers)).observation.reply
    assert reply is not None
    assert reply.body_bytes == received


def test_a_type_that_only_the_content_states_counts_as_stated() -> None:
    reply = only(entry(headers=pairs(server="x"))).observation.reply
    assert reply is not None
    assert reply.header("content-type") == "application/json"
    unknown = only(entry(content={"size": 1, "mimeType": "x-unknown", "text": "x"})).observation.reply
    assert unknown is not None
    assert unknown.header("content-type") is None


@pytest.mark.parametrize(
    ("change", "total_s", "processing_s"),
    [
        ({"time": None}, 0.4805, 0.4),
        ({"timings": {}, "time": 7}, 0.007, None),
        ({"timings": None, "time": True}, 0.0, None),
        ({"timings": {"connect": 10, "ssl": 20, "wait": -1, "receive": float("inf")}, "time": 30}, 0.03, None),
    ],
)
def test_times_that_a_browser_did_not_measure_are_none(
    change: Json, total_s: float, processing_s: float | None
) -> None:
    timings = only(entry(entry=change)).observation.timings
    assert (timings.total_s, timings.processing_s) == (pytest.approx(total_s), processing_s)
    assert timings.connect_s is None or timings.connect_s >= 0


@pytest.mark.parametrize(
    ("stated", "at"),
    [
        ("2026-11-24T03:00:00", datetime(2026, 11, 24, 3, tzinfo=UTC)),
        ("2026-11-24T04:00:00+01:00", datetime(2026, 11, 24, 3, tzinfo=UTC)),
        ("yesterday", RECORDED_AT),
        (None, RECORDED_AT),
    ],
)
def test_an_instant_is_read_in_any_zone_and_may_be_absent(stated: str | None, at: datetime) -> None:
    assert only(entry(entry={"startedDateTime": stated})).observation.started_at == at


@pytest.mark.parametrize("posted", [{"text": None}, {"mimeType": "x"}, {"text": "no JSON"}, {"text": "[1]"}, None])
def test_a_request_body_may_be_absent_or_anything(posted: Json | None) -> None:
    given = entry()
    given["request"]["postData"] = posted
    seen = only(given).observation.request
    assert (seen.model, seen.stream) == ("", False)


def test_a_model_that_is_no_text_is_none() -> None:
    given = entry()
    given["request"] |= {"method": "PO ST", "postData": {"text": '{"messages": [], "model": 5, "stream": true}'}}
    seen = only(given).observation.request
    assert (seen.model, seen.stream, seen.method) == ("", True, "")


# ---------------------------------------------------------------- no answer


@pytest.mark.parametrize(
    ("error", "kind", "label", "reason"),
    [
        ("net::ERR_NAME_NOT_RESOLVED", "ConnectError", "probe_fault", "dns_failure"),
        ("net::ERR_DNS_TIMED_OUT", "ConnectError", "probe_fault", "dns_failure"),
        ("net::ERR_CONNECTION_REFUSED", "ConnectError", "degradation", "connect_refused"),
        ("net::ERR_CONNECTION_RESET", "ReadError", "degradation", "connection_reset"),
        ("net::ERR_CONNECTION_CLOSED", "RemoteProtocolError", "degradation", "connection_reset"),
        ("net::ERR_CONNECTION_TIMED_OUT", "ConnectTimeout", "degradation", "connect_timeout"),
        ("net::ERR_TIMED_OUT", "ReadTimeout", "degradation", "read_timeout"),
        ("net::ERR_CERT_DATE_INVALID", "ConnectError", "degradation", "tls_failure"),
        ("net::ERR_CERT_COMMON_NAME_INVALID", "ConnectError", "degradation", "tls_failure"),
        ("net::ERR_CERT_AUTHORITY_INVALID", "ConnectError", "probe_fault", "local_trust_store"),
        ("net::ERR_CERT_WEAK_KEY", "ConnectError", "degradation", "tls_failure"),
        ("net::ERR_SSL_PROTOCOL_ERROR", "ConnectError", "degradation", "tls_failure"),
        ("net::ERR_PROXY_CONNECTION_FAILED", "ProxyError", "probe_fault", "proxy_error"),
        ("net::ERR_TUNNEL_CONNECTION_FAILED", "ProxyError", "probe_fault", "proxy_error"),
        ("net::ERR_INTERNET_DISCONNECTED", "ConnectError", "probe_fault", "no_route"),
        ("net::ERR_ADDRESS_UNREACHABLE", "ConnectError", "probe_fault", "no_route"),
        ("net::ERR_HTTP2_PROTOCOL_ERROR", "RemoteProtocolError", "degradation", "connection_reset"),
        ("net::ERR_QUIC_PROTOCOL_ERROR", "RemoteProtocolError", "degradation", "connection_reset"),
        ("net::ERR_EMPTY_RESPONSE", "RemoteProtocolError", "degradation", "connection_reset"),
        ("net::ERR_CONTENT_LENGTH_MISMATCH", "RemoteProtocolError", "degradation", "truncated_body"),
        ("net::ERR_CONTENT_DECODING_FAILED", "DecodingError", "contract_mismatch", "bad_content_encoding"),
        ("net::ERR_TOO_MANY_REDIRECTS", "TooManyRedirects", "contract_mismatch", "redirect"),
        ("net::ERR_INSUFFICIENT_RESOURCES", "PoolTimeout", "probe_fault", "local_resource"),
        ("net::ERR_BLOCKED_BY_CLIENT", "LocalProtocolError", "probe_fault", "local_config"),
        ("net::ERR_ABORTED", "LocalProtocolError", "probe_fault", "local_config"),
        ("A server with the specified hostname could not be found.", "ConnectError", "probe_fault", "dns_failure"),
        ("The request timed out.", "ReadTimeout", "degradation", "read_timeout"),
    ],
)
def test_what_a_browser_says_instead_of_an_answer_is_judged_by_the_rules_for_faults(
    error: str, kind: str, label: str, reason: str
) -> None:
    for failed in (entry(0, "", _error=error), entry(-1, "", _failureText=error), entry(0, entry={"_error": error})):
        seen = only(failed).observation
        assert (seen.reply, seen.last_phase, seen.fault and seen.fault.kind) == (None, Phase.NONE, kind)
        line = labelled(failed)
        assert (line["label"], line["reason"]) == (label, reason)


@pytest.mark.parametrize("given", [entry(0, ""), entry(entry={"response": None}), entry(0, "", _error="net::ERR_NEW")])
def test_no_answer_without_a_known_cause_is_uncertain(given: Json) -> None:
    assert only(given).observation.fault == UNKNOWN
    line = labelled(given)
    assert (line["label"], line["certain"], line["runner_up"]) == ("degradation", False, "probe_fault")


def test_every_fault_of_the_table_is_decided_by_a_rule_of_its_own_kind() -> None:
    """Else a row would fall through to the last rule, which takes everything."""
    for name in ("NAME_NOT_RESOLVED", "CERT_WEAK", "SOCKS_X", "BLOCKED_BY_X", "INVALID_RESPONSE", "OUT_OF_MEMORY"):
        found = fault(f"net::ERR_{name}")
        text = f"{found.kind}: {found.message}"
        assert next(rule.name for rule in FAULTS if rule.excerpt(text) is not None) != "unknown fault"


def test_our_own_exchange_har_is_read_back_with_the_labels_of_its_packet() -> None:
    document = draft(case(good(1, kept=True), overloaded(3), cut_off(4), missing_choices(5)))
    own = json.loads(render.files(document)["exchange.har"])
    taken, passed_over = har.calls(own)
    labels = [har.classify_call(call, REDACTOR)["reason"] for call in taken]
    assert (labels[1:], passed_over) == (["upstream_overloaded", "read_timeout", "missing_choices"], 0)
    assert taken[2].observation.fault == Fault("ReadTimeout", "no byte for 25 s")
    assert taken[2].observation.timings.total_s == 25.0


# ---------------------------------------------------------------- redaction


def test_an_entry_is_redacted_as_a_line_without_what_a_url_and_cookies_hold() -> None:
    given = entry(headers=pairs(set_cookie=f"session={KEY}", server="nginx"), _error=f"refused {KEY}")
    line = har.redact_call(only(given), REDACTOR)
    assert KEY not in json.dumps(line)
    assert "diary" not in json.dumps(line)
    output = line["output"]
    assert output["request"]["url"] == (
        f"https://api.example.test/v1/chat/completions?key={HIDDEN}&api-version=2026-01-01"
    )
    assert output["response"]["status"] == 503
    assert ["server", "nginx"] in output["response"]["headers"]
    assert json.loads(output["response"]["body"])["error"]["message"] == "The engine is overloaded"
    assert line["report"]


def test_what_was_not_recorded_is_absent_in_the_redacted_entry() -> None:
    output = har.redact_call(only(entry(503, None)), REDACTOR)["output"]
    assert output["response"]["body"] is None
    assert "response" not in har.redact_call(only(entry(0, "")), REDACTOR)["output"]


# ---------------------------------------------------------------- broken files


def _put(path: str, value: Any) -> Json:
    whole = log(entry())
    at: Any = whole
    *before, last = path.split(".")
    for key in before:
        at = at[int(key)] if isinstance(at, list) else at[key]
    at[int(last) if isinstance(at, list) else last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("log.entries", KEY, "log.entries"),
        ("log.entries", [1] * 5001, "log.entries"),
        ("log.entries.0", KEY, "log.entries[0]"),
        ("log.entries.0.request", KEY, "log.entries[0].request"),
        ("log.entries.0.request.url", [KEY], "log.entries[0].request.url"),
        ("log.entries.0.request.method", None, "log.entries[0].request.method"),
        ("log.entries.0.request.headers", {KEY: KEY}, "log.entries[0].request.headers"),
        ("log.entries.0.request.headers.0", KEY, "log.entries[0].request.headers[0]"),
        ("log.entries.0.request.headers.2", {"name": KEY, "value": 1}, "log.entries[0].request.headers[2]"),
        ("log.entries.0.request.postData", KEY, "log.entries[0].request.postData"),
        ("log.entries.0.response", KEY, "log.entries[0].response"),
        ("log.entries.0.response.status", KEY, "log.entries[0].response.status"),
        ("log.entries.0.response.status", True, "log.entries[0].response.status"),
        ("log.entries.0.response.headers", KEY, "log.entries[0].response.headers"),
        ("log.entries.0.response.content.text", [KEY], "log.entries[0].response.content.text"),
        (
            "log.entries.0.response.content",
            {"text": "a", "encoding": "base64"},
            "log.entries[0].response.content.text",
        ),
    ],
)
def test_a_broken_har_is_refused_with_the_place_and_none_of_its_content(path: str, value: Any, place: str) -> None:
    with pytest.raises(CorpusError) as refused:
        har.calls(_put(path, value))
    assert refused.value.line == f"har: {place}"
    assert KEY not in str(refused.value)
    assert KEY not in repr(har.calls(log(entry()))), "nor does an entry show itself"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda it: (
            st.lists(it) | st.dictionaries(st.sampled_from(("text", "name", "value", "size", "mimeType", "status")), it)
        ),
    ),
    st.sampled_from(
        (
            "request.headers",
            "request.postData",
            "response.content",
            "response.status",
            "response._error",
            "timings",
            "time",
            "startedDateTime",
            "response.headers",
        )
    ),
)
def test_any_value_anywhere_gives_a_label_or_names_the_place(value: Any, path: str) -> None:
    try:
        taken, _ = har.calls(_put(f"log.entries.0.{path}", value), everything=True)
    except CorpusError as refused:
        assert refused.line.startswith("har: log.entries[0].")
    else:
        assert har.classify_call(taken[0], REDACTOR)["label"]
