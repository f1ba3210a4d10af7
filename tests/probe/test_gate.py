"""The second look finds a configured secret in every spelling, and what looks like a live one; it says where, never
what."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from probe.gate import CONFIGURED, DROPPED, DROPPED_LOOK, LOOKS, drop, inspect
from probe.records.sealed import TOKEN

SECRET = 'fake-Qz7/w+key"=&9Lm-XyZ0123456789'
SECRETS = [SecretStr(SECRET)]
KEY = "sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs"
CHANCE = "Zk7Qw2Lp9Rt4Xv8Nm3Bs6Hd1"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(json.dumps(SECRET)),
        quote(SECRET, safe=""),
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"?" + SECRET.encode() + b"!").decode(),
        base64.b64encode(base64.b64encode(SECRET.encode())).decode(),
        SECRET.encode().hex(),
        "\n".join([SECRET[:17], SECRET[17:]]),
        SECRET[5:18],
    ],
)
def test_a_secret_in_any_spelling_is_found_and_not_quoted(written: str) -> None:
    hits = inspect({"a.txt": b"nothing", "b.txt": f"first\n{written}\n".encode()}, SECRETS)
    assert {(hit.file, hit.kind) for hit in hits} == {("b.txt", CONFIGURED)}
    assert {hit.where.partition(",")[0] for hit in hits} == {"line 2"}
    assert SECRET[:12] not in str(hits)


def test_a_secret_of_many_words_is_found_however_they_are_apart() -> None:
    phrase = [SecretStr("correct horse battery staple")]
    assert inspect({"a": b"one\ncorrect horse\n  battery   staple"}, phrase)
    assert inspect({"a": b"correcthorsebatterystaple"}, phrase)
    [hit] = inspect({"a": b"one\ntwo hunter2\nhorse three"}, [SecretStr("hunter2horse")])
    assert hit.where.startswith("line 2, read as text without white space")
    assert not inspect({"a": b"one correct horse"}, [])


def test_escapes_are_undone_five_deep_and_no_deeper() -> None:
    """Redaction drops what is nested deeper."""

    def nested(depth: int) -> bytes:
        return KEY.replace("k", f"%{'25' * depth}6b").encode()

    assert inspect({"a": nested(4)}, ())
    assert not inspect({"a": nested(9)}, ())


def test_a_clean_file_passes() -> None:
    assert inspect({"a": b'{"request_id": "20260205132859798638387SIHCnxzJ"}', "b": bytes(range(256))}, SECRETS) == ()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_look_finds_its_hits_and_lets_its_near_misses_pass(look) -> None:
    assert look.hits
    assert look.misses
    for hit in look.hits:
        assert look.name in {found.kind for found in inspect({"a": hit.encode()}, ())}, hit
    for miss in look.misses:
        assert inspect({"a": miss.encode()}, ()) == (), miss


@pytest.mark.parametrize(
    "legitimate",
    [
        "x-request-id: 20260205132859798638387SIHCnxzJ",
        '["cf-ray", "8f9f4c1e7a02b85d-FRA"]',
        '{"id": "chatcmpl-Z0OFnfv21PGRKfQDSMYFXmcTkWR05", "system_fingerprint": "fp_05b54722e5"}',
        "traceparent: 00-9f4c1e7a02b85d36e1c07f9a4b2d8e53-b7ad6b7169203331-01",
        "9f4c1e7a02b85d36e1c07f9a4b2d8e539f4c1e7a02b85d36e1c07f9a4b2d8e53  repro.sh",
        '"sha256": "9f4c1e7a02b85d36e1c07f9a4b2d8e539f4c1e7a02b85d36e1c07f9a4b2d8e53"',
        "Invalid API key <openai_key:3f9a2c> (request id: 20260205132859798638387SIHCnxzJ)",
        'curl -H "Authorization: Bearer $COMETAPI_KEY" https://api.example.test/v1/chat/completions',
        "packet 20261125T030952Z-small-8055e97c, our request freezeframe-20261125T030950516Z-4f117ffa",
        "Received API Key = sk-...GQFA, Key Hash (Token) =7cd2579696d03c0c332de9460ca7122e18043dac8bf1e02156c7a8e2d61f",
        'etag: W/"9f4c1e7a02b85d36e1c07f9a4b2d8e53"',
        '{"usage": {"prompt_tokens": 17, "completion_tokens_details": {"reasoning_tokens": 1280000}}}',
        "fc_685c42deefc0819a822b6936faaa30be0c76bc1491ab6619 and resp_685c42deefc0819a822b6936faaa30be",
        "sk-abcd************************wxyz",
    ],
)
def test_what_a_packet_carries_of_right_passes(legitimate: str) -> None:
    assert inspect({"packet.json": legitimate.encode()}, ()) == ()


PAGE = f"""<pre>curl https://api.example.test/v1/chat/completions -H "Authorization: Bearer sk-xxxxxxxxxxxxxxxxxxxxxxxx"
OPENAI_API_KEY=sk-your-api-key-here  api_key="sk-1234567890abcdef1234567890abcdef"  {{"key": "YOUR_API_KEY"}}
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
sk-proj-abcdefghijklmnopqrstuvwxyz  hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
-----BEGIN PRIVATE KEY-----
<your key>
-----END PRIVATE KEY-----
eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c</pre>
<meta name="csrf-token" content="{CHANCE}"><script>search({{apiKey: "{CHANCE.lower()}"}})</script>
<img src="https://cdn.example.test/a.png?X-Amz-Signature={CHANCE}{CHANCE}">"""


def test_of_a_page_that_somebody_published_only_a_key_for_certain_counts() -> None:
    """Examples, and what the page's own site says in it, are public; a key that stands there alive is not ours to
    carry."""
    assert inspect({"sources/01-abc.html.txt": PAGE.encode()}, ()) == ()
    [hit] = inspect({"sources/01-abc.html.txt": f"{PAGE}\n{KEY}".encode()}, ())
    assert (hit.kind, hit.where.partition(",")[0]) == ("provider key", f"line {PAGE.count(chr(10)) + 2}")
    assert inspect({"sources/01-abc.md": SECRET.encode()}, SECRETS)
    assert inspect({"sources/index.json": f'"client_secret": "{CHANCE}"'.encode()}, ())


def test_a_file_full_of_secrets_names_its_first_places_only() -> None:
    every = "\n".join(hit for look in LOOKS for hit in look.hits)
    assert len(inspect({"a": every.encode(), "b": b"", "c": KEY.encode()}, ())) == 5 + 1


def test_dropping_names_the_paths_and_leaves_the_rest() -> None:
    document = {"a": {"b": ["fine", f"holds {SECRET}"]}, "c": 1, "d": "fine", "e": [f"see {KEY}"], "f": None}
    cleaned, paths = drop(document, SECRETS)
    assert cleaned == {"a": {"b": ["fine", DROPPED]}, "c": 1, "d": "fine", "e": [DROPPED_LOOK], "f": None}
    assert paths == ("a.b[1]", "e[0]")
    assert all(TOKEN.fullmatch(mark) for mark in (DROPPED, DROPPED_LOOK))


def test_a_value_that_only_its_name_gives_away_is_dropped_with_the_name_kept() -> None:
    document = {
        "headers": [["date", "Tue, 24 Nov 2026"], ["x-api-key", CHANCE], ["x-request-id", CHANCE]],
        "labels": {"client_secret": CHANCE, "region": "eu"},
        "api_keys": ["none", "of", CHANCE],
    }
    cleaned, paths = drop(document, ())
    assert paths == ("headers[1][1]", "labels.client_secret", "api_keys[2]")
    assert cleaned["headers"][1:] == [["x-api-key", DROPPED_LOOK], ["x-request-id", CHANCE]]
    assert cleaned["labels"] == {"client_secret": DROPPED_LOOK, "region": "eu"}
    assert inspect({"packet.json": json.dumps(cleaned).encode()}, ()) == ()


def test_a_name_that_is_a_secret_goes_and_its_path_does_not_tell_it() -> None:
    cleaned, paths = drop({"labels": {KEY: "x"}}, ())
    assert cleaned == {"labels": {DROPPED_LOOK: "x"}}
    assert paths == (f"the name of labels.{DROPPED_LOOK}",)
