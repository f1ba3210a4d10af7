"""Redaction: what must go goes, what must stay stays, and when in doubt it fails closed."""

import base64
import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from probe import exchange, gate
from probe.records import Fault, Observation, Phase, ProbeRequest, Reply, RequestKind, Sealed, Timings
from probe.redact import DROPPED, HIDDEN, Policy, Redactor, bare

SECRET = 'fake-Qz7/w+key"=&9Lm-XyZ0123456789'
ROOT = Path(__file__).parents[2]


def redactor(*trusted: str, policy: Policy | None = None, secrets: tuple[str, ...] = (SECRET,)) -> Redactor:
    return Redactor([SecretStr(secret) for secret in secrets], trusted, policy or Policy(), b"k" * 32)


def seen(
    body: str,
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),),
    fault: Fault | None = None,
) -> Observation:
    request = ProbeRequest(
        probe_id="p",
        target="small",
        kind=RequestKind.SCHEDULED,
        method="POST",
        url="https://api.example.test/v1/chat/completions",
        headers=(("Content-Type", "application/json"), ("Authorization", "Bearer <REDACTED>"), ("X-Odd", "abc")),
        body='{"model":"m","messages":[{"role":"user","content":"Return the word pong."}]}',
        model="m",
        stream=False,
        client_request_id="c",
    )
    reply = Reply(401, headers, body, len(body))
    return Observation(request, datetime.now(UTC), reply, fault, Timings(0.1), None, Phase.TRANSFER)


def base64_at(shift: int) -> str:
    return base64.b64encode(b"x" * shift + SECRET.encode() + b"yy").decode()


SPELLINGS = {
    "plain": SECRET,
    "percent": quote(SECRET, safe=""),
    "percent, lower case": re.sub("%..", lambda m: m[0].lower(), quote(SECRET, safe="")),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON twice": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "unicode escapes": "".join(f"\\u{ord(char):04x}" for char in SECRET),
    "HTML": html.escape(SECRET),
    "base64": base64_at(0),
    "base64, shifted by one": base64_at(1),
    "base64, shifted by two": base64_at(2),
    "URL-safe base64": base64_at(1).replace("+", "-").replace("/", "_"),
    "hex": SECRET.encode().hex(),
    "first half": SECRET[:14],
    "last half": SECRET[-14:],
}


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
@pytest.mark.parametrize("place", ["text", "json", "header", "url", "html", "fault", "stream"])
def test_no_configured_secret_survives_in_any_spelling_in_any_place(spelling: str, place: str) -> None:
    written = SPELLINGS[spelling]
    body, headers, fault = "", (("server", "nginx"),), None
    match place:
        case "text":
            body = f"wrong key {written} for you"
        case "json":
            body = json.dumps({"error": {"message": f"wrong key {written}", "deep": [{written: written}]}})
        case "header":
            headers = (("server", f"a {written}"), ("x-odd", written))
        case "url":
            body = f"see https://a.test/?q={written}&x=1"
        case "html":
            body = f"<html><p title='{written}'>x</p></html>"
        case "fault":
            fault = Fault("ConnectError", f"failed with {written}")
        case "stream":
            body = f'data: {{"id":1}}\n\ndata: {written}\n\n'
    sealed = redactor().seal(seen(body, headers, fault)).value
    assert sealed.reply is not None
    shown = "\n".join(
        [sealed.reply.body, repr(sealed.reply.headers), "" if sealed.fault is None else sealed.fault.message]
    )
    assert not gate.inspect({"all": shown.encode()}, [SecretStr(SECRET)])
    assert written not in shown


def test_a_secret_split_over_stream_events_is_taken_out_and_the_events_stay() -> None:
    parts = [SECRET[:9], SECRET[9:20], SECRET[20:]]
    body = "".join(f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\n\n" for part in parts)
    sealed = redactor().seal_body(body, "response.body").value
    events = [json.loads(line[5:]) for line in sealed.splitlines() if line.startswith("data:")]
    assert len(events) == 3
    assert SECRET not in "".join(event["choices"][0]["delta"]["content"] for event in events)


def test_an_unknown_header_keeps_its_name_and_loses_its_value() -> None:
    sealed = redactor().seal(seen("{}", (("X-Internal-Node", "db7"), ("cf-ray", "8f2d1c0a9b8e7d6c-FRA"))))
    assert sealed.value.reply is not None
    assert sealed.value.reply.headers == (("X-Internal-Node", HIDDEN), ("cf-ray", "8f2d1c0a9b8e7d6c-FRA"))
    assert sealed.value.request.headers[1:] == (("Authorization", "Bearer <REDACTED>"), ("X-Odd", HIDDEN))
    assert {removal.rule for removal in sealed.removals} == {"header_not_known_safe"}


KEPT = [
    '{"error":{"message":"no channel (request id: 20260205132859798638387SIHCnxzJ)","type":"comet_api_error"}}',
    '{"error":{"message":"Incorrect API key provided: sk-proj-********9zQn."}}',
    '{"id":"chatcmpl-BwoiPTGRbKkY5rncfaM0s9KtWrq5N","created":1753357673,"model":"gpt-4.1-2025-04-14"}',
    "see https://platform.openai.com/docs/guides/error-codes/api-errors at 2026-08-26T05:22:04.499Z",
    "error code: 1020",
    '{"a": NaN, "b": 1.0,   "c":"spaces kept"}',
]


@pytest.mark.parametrize("body", KEPT)
def test_what_support_needs_stays_to_the_letter(body: str) -> None:
    assert redactor().seal_body(body, "response.body").value == body


def test_trusted_values_stay_and_others_of_the_same_form_go() -> None:
    text = "call oncall@example.test at 203.0.113.9, not jane@example.test at 198.51.100.7"
    sealed = redactor("oncall@example.test", "203.0.113.9").seal_text(text, "notes").value
    assert "oncall@example.test" in sealed
    assert "203.0.113.9" in sealed
    assert "jane" not in sealed
    assert "198.51.100.7" not in sealed


def test_tokens_tell_equal_values_and_nothing_else() -> None:
    sealed = redactor().seal_text("a@x.test b@x.test a@x.test", "notes").value.split()
    assert sealed[0] == sealed[2] != sealed[1]
    other = Redactor([], [], Policy(), b"another key, thirty-two bytes...")
    assert other.seal_text("a@x.test", "notes").value != sealed[0]


def test_a_prompt_goes_unless_it_is_our_own() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "the merger closes on Friday"}]})
    assert "merger" not in redactor().seal_body(body, "request.body").value
    own = seen("{}").request.body
    assert redactor().seal_body(own, "request.body").value == own


@pytest.mark.parametrize(("policy", "kept"), [("keep", True), ("hash", False), ("drop", False)])
def test_request_ids_in_the_text_follow_the_policy(policy: str, kept: bool) -> None:
    sealed = redactor(policy=Policy(request_ids=policy)).seal_text("(request id: 2026020513285979)", "x").value  # type: ignore[arg-type]
    assert ("2026020513285979" in sealed) is kept
    assert sealed.startswith("(request id: ")


def test_json_stays_json_with_the_same_keys_also_inside_strings() -> None:
    inner = json.dumps({"user": "jane", "api_key": "0123456789abcdef"})
    body = json.dumps({"error": {"message": inner, "code": 7, "flag": None}})
    sealed = json.loads(redactor().seal_body(body, "response.body").value)
    assert sealed["error"]["code"] == 7
    assert set(json.loads(sealed["error"]["message"])) == {"user", "api_key"}
    assert "jane" not in str(sealed)
    assert "0123456789abcdef" not in str(sealed)


def test_a_field_whose_redaction_breaks_is_dropped_and_the_report_says_so() -> None:
    broken = replace(seen("{}"), reply=Reply(200, (), None, 0))  # type: ignore[arg-type]
    sealed = redactor().seal(broken)
    assert sealed.value.reply is not None
    assert sealed.value.reply.body == DROPPED
    assert [removal.rule for removal in sealed.removals if removal.place == "response.body"] == [
        "dropped_redaction_failed"
    ]


def test_ten_thousand_levels_of_json_cost_no_recursion() -> None:
    deep = "[" * 10_000 + '"jane@example.test"' + "]" * 10_000
    assert "jane" not in redactor().seal_body(deep, "response.body").value
    nested = "[" * 200 + '"jane@example.test"' + "]" * 200
    assert "jane" not in redactor().seal_body(nested, "response.body").value


def test_the_canary_holds_and_only_redaction_makes_a_seal() -> None:
    assert redactor().canary_failure(gate.inspect) is None
    with pytest.raises(TypeError):
        Sealed("x", (), object())
    used = {file.name for file in (ROOT / "probe").rglob("*.py") if "_SEAL" in file.read_text()}
    used |= {file.name for file in (ROOT / "exporter").rglob("*.py") if "_SEAL" in file.read_text()}
    assert used == {"sealed.py", "redactor.py"}


def test_a_bare_observation_has_no_texts() -> None:
    kept = bare(redactor().seal(seen('{"a":1}'))).value
    assert kept.reply is not None
    assert (kept.reply.body, kept.reply.headers, kept.request.body) == ("", (), "")
    assert kept.reply.status == 401


def test_the_full_stop_after_a_secret_stays_with_its_sentence() -> None:
    for secret in (
        "/home/jane/app/main.py",
        "C:\\Users\\jane\\x.txt",
        "Bearer abcdef1234567890xyz",
        "api_key=abcdef1234567890",
    ):
        sealed = redactor().seal_text(f"for {secret}. Limit exceeded", "response.body").value
        assert sealed.endswith(". Limit exceeded"), sealed
        assert not any(part in sealed for part in ("jane", "abcdef")), sealed


texts = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "a@b.test",
            "sk-abcdefghijklmnop1234",
            "Bearer abcdefghijk",
            "10.1.2.3",
            "+49 30 1234 5678",
            SECRET,
            "<email:0f0f0f>",
        ]
    ),
)
bodies = st.recursive(
    texts | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.one_of(st.lists(texts, max_size=5).map(" ".join), bodies.map(json.dumps)))
def test_sealing_twice_equals_sealing_once(body: str) -> None:
    once = redactor().seal_body(body, "response.body").value
    assert redactor().seal_body(once, "response.body").value == once


_LONG_LIVED = redactor()


@given(st.lists(st.tuples(bodies, texts, st.sampled_from(["content-type", "x-request-id", "x-odd"])), max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_redactor_that_has_seen_much_seals_as_a_new_one(said: list[tuple[object, str, str]]) -> None:
    """It remembers texts in which nothing was found: that may save time, and never changes what is shown."""
    for body, value, name in said * 2:
        observation = seen(json.dumps(body), ((name, value.encode("ascii", "replace").decode().replace("\n", " ")),))
        mine, fresh = _LONG_LIVED.seal(observation), redactor().seal(observation)
        assert (mine.value, mine.removals) == (fresh.value, fresh.removals)


ids = st.sampled_from(
    [
        "pong",
        "chatcmpl-0a1B2c",
        "req_9f8e7d6c5b4a39281706",
        "sk-proj-Fake0Qz7wEchoLm94TtVv2Bn83Kd",
        "alice",
        SECRET,
        "a b",
    ]
)
numbers = st.sampled_from([1764000000, 1764000001, 4915112345, 5, 123456, 17640000001, "0764000000", "1764000000.5"])
nested = st.sampled_from(
    [
        '"choices":[{"message":{"role":"assistant","content":"pong"}}]',
        '"prompt":{"id":"%s","created":%s}',
        '"user":{"id":"%s","created":%s}',
        '"user":{"created":%s},"id":"%s"',
        '"x":"%s %s"',
    ]
)


@given(st.lists(st.tuples(ids, numbers, nested, ids, numbers, st.booleans()), max_size=6))
@settings(max_examples=150, deadline=None)
def test_an_answer_that_is_like_another_but_for_its_id_and_time_is_sealed_as_if_it_were_the_first(
    said: list[tuple[str, object, str, str, object, bool]],
) -> None:
    for known, time, more, inner, number, is_first in said * 2:
        below = (
            more
            if "%" not in more
            else more % ((number, inner) if more.startswith('"user":{"created') else (inner, number))
        )
        own = f'"id":"{known}"'
        body = f'{{{own},"created":{time},{below}}}' if is_first else f'{{{below},{own},"created":{time}}}'
        observation = seen(body)
        mine, fresh = _LONG_LIVED.seal(observation), redactor().seal(observation)
        assert (mine.value, mine.removals) == (fresh.value, fresh.removals)


@given(bodies)
def test_no_literal_survives_and_json_stays_json(body: object) -> None:
    sealed = redactor().seal_body(json.dumps({"x": body, "y": SECRET}), "response.body").value
    assert isinstance(json.loads(sealed), dict)
    assert not gate.inspect({"body": sealed.encode()}, [SecretStr(SECRET)])


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (7, "line"),
        ({"id": 1}, "input"),
        ({"id": 1, "input": {"request": 3}}, "input.request"),
        ({"id": 1, "input": {"response": {"headers": [1]}}}, "input.response.headers"),
        ({"id": 1, "input": {"response": {"body": 1}}}, "input.response.body"),
        ({"id": 1, "input": {"error": 1}}, "input.error"),
    ],
)
def test_a_line_that_is_no_exchange_is_named(line: object, named: str) -> None:
    with pytest.raises(exchange.ExchangeError, match=re.escape(named)):
        exchange.redact_line(line, redactor())


def test_a_secret_in_the_name_of_a_field_or_header_is_not_told_as_the_place_of_a_removal() -> None:
    key = "fake-place-0123456789"
    redactor = Redactor([SecretStr(key)], (), Policy(), b"k" * 32)
    body = redactor.seal_body(f'{{"{key}": {{"{key}": "{key}"}}}}', "body")
    headers = redactor.seal_headers(((f"x-{key}", key),), "headers")
    assert key not in body.value + repr(body.removals) + repr(headers.value) + repr(headers.removals)
    assert body.removals
    assert headers.removals
