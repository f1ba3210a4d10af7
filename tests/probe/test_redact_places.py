"""Where a value stands decides: names of fields and headers, words of texts, markup, addresses, encodings."""

import json

import pytest
from pydantic import SecretStr

from probe.redact import DROPPED, HIDDEN, Policy, Redactor
from probe.redact.beside import in_body, in_headers
from probe.redact.names import meaning

CHANCE = "q7Rz2LmX9vTb4NcY8wKd"


def redactor(policy: Policy | None = None, *secrets: str) -> Redactor:
    return Redactor([SecretStr(secret) for secret in secrets], (), policy or Policy(), b"k" * 32)


@pytest.mark.parametrize(
    ("name", "sort"),
    [
        *(
            (name, "secret")
            for name in ("apiKey", "X-Api-Key", "private_key_id", "password_hash", "mykey", "Cookie2", "pw")
        ),
        *((name, "secret") for name in ("totp_seed", "connectionString", "client_secret", "hapikey")),
        *(
            (name, "personal")
            for name in ("userId", "clientIP", "passportNo", "customerno", "companyname", "signed_by")
        ),
        *(
            (name, "personal")
            for name in ("Account name", "filename", "file_name", "birth_date", "dateOfBirth", "date_of_birth_text")
        ),
        *((name, "id") for name in ("request_id", "traceId", "idempotency_key", "span_id", "traceparent")),
        *((name, "digest") for name in ("sha256", "etag", "Content-MD5", "commit")),
        *((name, "") for name in ("max_tokens", "token_budget", "key_rotation", "HTTPServer", "", "x" * 90)),
        *((name, "weak") for name in ("key", "code")),
        ("otp", "code"),
        ("system_prompt", "prompt"),
        ("name", "name"),
    ],
)
def test_a_name_says_what_stands_under_it(name: str, sort: str) -> None:
    assert meaning(name).sort == sort


GONE = [
    ("password: hunter2x", "hunter2x"),
    ("x-odd-thing: jane at home", "jane"),
    ("Cookie: theme=dark; sid=abcd1234", "abcd1234"),
    ("otp=4821", "4821"),
    ("token=" + CHANCE * 40, CHANCE),
    ("{'role': 'user', 'content': 'please mend my roof'}", "roof"),
    ('password="ab\\"cd-hunter2"', "hunter2"),
    ('password="hunter2x\nnext line"', "hunter2x"),
    ("prompt='please mend my roof", "roof"),
    ("https://a.test/cb?code=Ab1Cd2Ef3Gh", "Ab1Cd2Ef3Gh"),
    ("location: 52.52 north", "52.52"),
    ("caf%E9 password%3Dhunter2x", "hunter2x"),
    ("password\\x3dhunter2x", "hunter2x"),
    ("user=jane%F0%9F%98%80doe", "jane"),
    ("<td>Surname</td><td>Okonkwo</td>", "Okonkwo"),
    ('<input name="csrf" value="hunter2x">', "hunter2x"),
    ("<Password>hunter2x</Password>", "hunter2x"),
    (f"the key is\n> {CHANCE}Ab1C\n> d2E3f\n> bye", "d2E3f"),
    ("contact: Jane Okonkwo & Sons", "Sons"),
]


@pytest.mark.parametrize(("text", "gone"), GONE, ids=lambda value: str(value)[:30])
def test_it_goes_from_a_text(text: str, gone: str) -> None:
    assert gone not in redactor().seal_text(text, "notes").value


STAYS = [
    "password: is not set",
    "user: no such thing here",
    "phone: not given",
    "key: cache",
    "Your API key goes in the Authorization header.",
    "token_budget=4096 key_rotation=disabled password_auth: unsupported",
    "served 13845684332 requests with Chrome/126.0.0.0 on 127.0.0.1",
    "commit efe0dd968b08a21431b510d372dd836f42c5f197, body sha256/base64 U/FnnqYkDti02pRJ2TycOT/eLh+pQle1h85nESawDs0=",
    "Compared with deepseek-ai/DeepSeek-R1-0528 and qwen3-235b-a22b-instruct-2507.",
    "(tid: 2026010112000000000000000000001)",
    "password=<REDACTED> key=$OPENAI_API_KEY",
    "prompt: Return the word pong.",
    "input: Field required in the body of this request",
    "<td>Status</td><td>403 Forbidden</td>",
    "<td>Password</td><td>is not valid here</td>",
]


@pytest.mark.parametrize("text", STAYS, ids=lambda value: str(value)[:30])
def test_it_stays_in_a_text(text: str) -> None:
    assert redactor().seal_text(text, "notes").value == text


BODIES = [
    ("response.body", {"phone": 4915112345678}, "4915112345678", "phone_field"),
    ("response.body", {"account": {"lines": [1234567890]}}, "1234567890", "account_field"),
    ("response.body", {"account": {"status": "active", "nick": "janey"}}, "janey", "account_field"),
    ("response.body", {"owner": ["jane", "joe"]}, "jane", "person_field"),
    ("response.body", {"keys": ["abc12345xyz", 7, "cache"]}, "abc12345xyz", "credential_field"),
    (
        "response.body",
        {"headers": {"X-Odd": "abc1", "n": 7, "none": None, "date": "x"}},
        "abc1",
        "header_not_known_safe",
    ),
    ("response.body", {"x": "data:image/png;base64,iVBORw0KGgo"}, "iVBOR", "file_data"),
    ("response.body", {"a@b.test": 1}, "a@b.test", "email"),
    ("response.body", {"messages": ["mend my roof"]}, "roof", "prompt_not_our_own"),
    ("response.body", {"documents": ["mend my roof", "x"]}, "roof", "prompt_not_our_own"),
    ("response.body", {"documents": [{"password": "hunter2x"}]}, "hunter2x", "credential_field"),
    ("request.body", {"messages": [{"role": "user", "content": ["mend my roof"]}]}, "roof", "prompt_not_our_own"),
    (
        "request.body",
        {"messages": [{"role": "user", "content": {"text": "mend my roof"}}]},
        "roof",
        "prompt_not_our_own",
    ),
    ("request.body", {"metadata": {"team_mate": "janey"}}, "janey", "metadata_field"),
    ("request.body", {"odd": "words of somebody"}, "somebody", "dropped_unknown_request_field"),
    ("request.body", {"odd": json.dumps({"more": "words of somebody"})}, "somebody", "dropped_unknown_request_field"),
]


@pytest.mark.parametrize(("place", "body", "gone", "rule"), BODIES, ids=lambda value: str(value)[:40])
def test_it_goes_from_a_body_and_the_report_names_the_rule(place: str, body: object, gone: str, rule: str) -> None:
    sealed = redactor().seal_body(json.dumps(body), place)
    assert gone not in sealed.value
    assert rule in {removal.rule for removal in sealed.removals}
    assert json.loads(sealed.value).keys() == json.loads(json.dumps(body)).keys() or rule == "email"


def test_a_request_body_that_is_no_json_goes_whole() -> None:
    sealed = redactor().seal_body("model=x&odd=words", "request.body")
    assert sealed.value.startswith("<unknown:")
    assert [removal.rule for removal in sealed.removals] == ["dropped_request_body_of_unknown_form"]


def test_our_own_request_stays_to_the_letter() -> None:
    own = '{"model":"m-1","messages":[{"role":"user","content":"Return the word pong."}],"tool_choice":"none"}'
    assert redactor().seal_body(own, "request.body").value == own


@pytest.mark.parametrize(("handling", "left"), [("keep", "abc-12345678"), ("drop", HIDDEN)])
def test_request_ids_follow_the_policy_in_headers_and_fields(handling: str, left: str) -> None:
    sealing = redactor(Policy(request_ids=handling))  # type: ignore[arg-type]
    headers = (("x-request-id", "abc-12345678"),)
    once = sealing.seal_headers(headers, "response.headers").value
    assert once == (("x-request-id", left),)
    assert sealing.seal_headers(once, "response.headers").value == once
    assert json.loads(sealing.seal_body('{"request_id":"abc-12345678"}', "response.body").value)["request_id"] == left
    assert sealing.request_ids == handling


def test_hashed_request_ids_are_hashed_once() -> None:
    sealing = redactor(Policy(request_ids="hash"))
    once = sealing.seal_headers((("x-request-id", "abc-12345678"),), "response.headers").value
    assert sealing.seal_headers(once, "response.headers").value == once


def test_an_address_keeps_what_is_part_of_the_contract() -> None:
    url = "https://a.test/v1/chat?api-version=2024-10-21&stream=true&odd=jane&login_hint=a%40b.test"
    sealed = redactor().seal_url(url, "request.url").value
    assert sealed.startswith("https://a.test/v1/chat?api-version=2024-10-21&stream=true&odd=<query_value:")
    assert "b.test" not in sealed


def test_the_scheme_of_an_authorization_stays() -> None:
    headers = (
        ("Authorization", f"Bearer {CHANCE}"),
        ("Proxy-Authorization", "Basic <REDACTED>"),
        ("authorization", CHANCE),
    )
    sealed = dict(redactor().seal_headers(headers, "request.headers").value)
    assert sealed["Authorization"].startswith("Bearer <credential:")
    assert sealed["Proxy-Authorization"] == "Basic <REDACTED>"
    assert sealed["authorization"].startswith("<credential:")


def test_the_answer_to_a_strange_request_goes_and_a_pong_stays() -> None:
    asked = json.dumps({"messages": [{"role": "user", "content": "mend my roof"}]})
    sealing = redactor().knowing((), asked)
    for said, stays in (("The roof of Jane", False), ("pong.", True)):
        whole = json.dumps({"choices": [{"message": {"role": "assistant", "content": said}}]})
        events = "".join(
            f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\n\n" for part in (said[:3], said[3:])
        )
        assert (said in sealing.seal_body(whole, "response.body").value) is stays
        assert (json.dumps(said[3:])[1:-1] in sealing.seal_body(events, "response.body").value) is stays


def test_a_configured_secret_that_only_the_events_together_say_leaves_the_first_event() -> None:
    parts = ["so ", "tiny7", "x"]
    body = "".join(f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\n\n" for part in parts)
    sealed = redactor(None, "tiny7x").seal_body(body, "response.body").value
    assert "tiny7" not in sealed
    assert sealed.count("data: ") == 3


def test_what_a_request_carries_is_known_up_to_a_bound() -> None:
    many = {"messages": [{"role": "user", "content": f"case {number} of somebody"} for number in range(99)]}
    assert len(in_headers((("X-Auth-Token", CHANCE),)).and_(in_body(json.dumps(many))).values) == 24
    deep: object = {"content": "words of somebody"}
    for _ in range(20):
        deep = [deep]
    assert in_body(json.dumps(deep)).values == ()
    short = redactor().knowing((("X-Auth-Token", "abcdefgh12345"),), "")
    assert "abcdefgh12345" not in short.seal_text("seen abcdefgh12345 here", "notes").value


def test_a_phone_without_digits_is_none() -> None:
    assert redactor().seal_text("phone: Nokia", "notes").value == "phone: Nokia"
    assert "+49 151 1234567" not in redactor().seal_text("phone: +49 151 1234567", "notes").value


def test_what_a_digest_is_called_may_look_like_chance_also_where_it_is_no_base64() -> None:
    for run in (f"{CHANCE}A", f"{CHANCE[:9]}~{CHANCE[9:]}"):
        kept = json.dumps({"etag": run})
        assert redactor().seal_body(kept, "response.body").value == kept
        assert run not in redactor().seal_body(json.dumps({"note": run}), "response.body").value


def test_a_prompt_that_is_a_document_is_read_as_one() -> None:
    inner = {"status": "all is well", "password": "hunter2x", "messages": [{"role": "user", "content": "mend my roof"}]}
    sealed = json.loads(redactor().seal_body(json.dumps({"prompt": json.dumps(inner)}), "response.body").value)
    left = json.loads(sealed["prompt"])
    assert left.keys() == inner.keys()
    assert left["status"] == "all is well"
    assert "hunter2x" not in sealed["prompt"]
    assert "roof" not in sealed["prompt"]


def test_a_word_that_stands_for_a_value_stays_also_where_a_request_would_not_say_it() -> None:
    own = json.dumps({"odd": "none", "odder": "[name]"})
    assert redactor().seal_body(own, "request.body").value == own


def test_a_value_that_is_split_over_events_goes_at_any_depth() -> None:
    def events(depth: int, *parts: str) -> str:
        def under(part: object) -> object:
            for _ in range(depth):
                part = {"delta": part}
            return part

        return "".join(f"data: {json.dumps(under(part))}\n\n" for part in parts)

    for depth in (8, 9, 30, 59, 60, 61, 62, 100):
        sealed = redactor().seal_body(events(depth, "jane@exa", "mple.test"), "response.body").value
        assert "jane@exa" not in sealed, depth
        assert "mple.test" not in sealed, depth


def test_a_text_in_which_each_look_finds_more_goes_whole() -> None:
    values = [f"hunter{n}x" for n in range(5)]
    sealed = redactor().seal_text(f'<input name="password" {" ".join(f"value={it!r}" for it in values)}>', "notes")
    assert sealed.value == DROPPED
    assert "dropped_never_settled" in {removal.rule for removal in sealed.removals}
