"""The second look finds a configured secret in every spelling and says where, never what."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from probe.gate import DROPPED, drop, inspect

SECRET = 'fake-Qz7/w+key"=&9Lm-XyZ0123456789'
SECRETS = [SecretStr(SECRET)]


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
        SECRET.encode().hex(),
        "\n".join([SECRET[:17], SECRET[17:]]),
        SECRET[5:18],
    ],
)
def test_a_secret_in_any_spelling_is_found_and_not_quoted(written: str) -> None:
    hits = inspect({"a.txt": b"nothing", "b.txt": f"first\n{written}\n".encode()}, SECRETS)
    assert {hit.file for hit in hits} == {"b.txt"}
    assert SECRET[:12] not in str(hits)


def test_a_clean_file_passes() -> None:
    assert inspect({"a": b'{"request_id": "20260205132859798638387SIHCnxzJ"}', "b": bytes(range(256))}, SECRETS) == ()


def test_dropping_names_the_paths_and_leaves_the_rest() -> None:
    document = {"a": {"b": ["fine", f"holds {SECRET}"]}, "c": 1, "d": "fine"}
    cleaned, paths = drop(document, SECRETS)
    assert cleaned == {"a": {"b": ["fine", DROPPED]}, "c": 1, "d": "fine"}
    assert paths == ("a.b[1]",)
