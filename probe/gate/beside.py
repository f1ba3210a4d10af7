"""Looks of what has no form of its own: a run made by chance beside a word that speaks of a secret."""

import re
from typing import Final

from probe.gate.chance import random, worded
from probe.gate.look import Look

_A24: Final = "Zk7Qw2Lp9Rt4Xv8Nm3Bs6Hd1"
_WORD: Final = (
    r"(?:api[-_ ]?key|access[-_ ]?key|key|token|secret|passw(?:or)?d|passwort|kennwort|passphrase|pwd|credentials?"
    r"|authori[sz]ation|authentication|signature|cookie|otp_seed|[cx]srf|samlresponse|x-acme-context|密钥|秘钥|令牌|密码)"
)
_NAME: Final = rf"[A-Za-z0-9_.-]{{0,40}}{_WORD}[A-Za-z0-9_-]{{0,16}}"
_APART: Final = (
    r"(?:[\"'`\]]{0,2}\s?(?::|=|=>|:=|,|：)\s{0,40}[\[\"'`({]{0,3}(?:value\"\s?:\s?\")?"
    r"|\"?\s?>\s?|\"\s{1,4}(?:value|content)=\"|\s?(?:</[a-z0-9]{1,8}>\s{0,9}<[a-z0-9]{1,8}[^<>]{0,80}>\s{0,9}){1,3})"
)
# Names in which the word does not speak of a secret.
_NO_SECRET: Final = re.compile(
    r"(?i)(?:idempotency|primary|foreign|partition|sort|public|cache|storage|issue|jira|hot)[-_ ]?key"
    r"|key[-_](?:id|name|type|version|path|file)|keys?$(?<=[a-z]keys)(?<!apikeys)|token[-_]?(?:type|count|limit|usage)"
    r"|(?:prompt|completion|total|max|input|output|cached|reasoning)[-_]?tokens|tokens?[-_](?:reset|remaining|details)"
    r"|hash|keyword|keyboard|monkey|turkey|tokeni[sz]|cookie[-_]?(?:consent|policy)"
)
_PASSWORD: Final = re.compile(r"(?i)pass|pwd|kennwort|secret|密码")
_AN_ID: Final = re.compile(
    r"(?i)\b(?:id|ids|trace|request|ray|sha-?256|digest|hash|commit|revision|build|completion|model|etag|version|page|at"
    r"|until|between|see|docs?)\b|https?:|[{}]"
)
_KNOWN_ID: Final = re.compile(r"(?:chatcmpl|cmpl|req|gen|msg|resp|run|call|fp|trace|org|proj|user|usr|cust)[-_]")
# Packets, incidents and probes of ours: a target may be called team-key, and its ID is no key.
_OURS: Final = re.compile(r"(?:.*/)?(?:freezeframe-)?\d{8}T\d{6}(?:\d{3})?Z-")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]?\d{0,2}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _field(text: str, before: str) -> bool:
    """The value of a field whose name says what it is."""
    if _NO_SECRET.search(before) or _TIME.match(text) or _OURS.match(text):
        return False
    return random(text, 20) or bool(_UUID.fullmatch(text)) or (bool(_PASSWORD.search(before)) and worded(text, 9))


def _said(text: str, before: str) -> bool:
    """A run that a sentence calls a secret."""
    word = _LAST.match(before)
    between = before if word is None else before[word.end() :]
    return not (
        _AN_ID.search(between)
        or _NO_SECRET.search(before)
        or _TIME.match(text)
        or _KNOWN_ID.match(text)
        or _OURS.match(text)
    ) and random(text, 20)


_LAST: Final = re.compile(rf"(?is).*{_WORD}s?")

LOOKS: Final = (
    Look(
        "value of a secret field",
        rf"(?i:({_NAME}{_APART}))([^\s\"'`<>&,;(){{}}\[\]]{{9,}})",
        (
            f'"client_secret": "{_A24}"',
            f"x-service-token: {_A24}",
            f'["api-key", "{_A24}"]',
            f'{{"name": "x-api-key", "value": "{_A24}"}}',
            f"<td>token</td> <td>{_A24}</td>",
            "db_password=hunter2hunter9",
        ),
        (
            f'"idempotency-key": "{_A24}"',
            '"max_tokens": 1280000000000',
            '"authorization": "<credential:a1b2c3>"',
            "x-ratelimit-reset-tokens: 2026-06-14T09:30:15Z",
            '"api_key": "YOUR_API_KEY"',
            '"password": "hunter"',
            "the same signature: 20261125T044812Z-t-a3002e97",
        ),
        _field,
    ),
    Look(
        "secret in a sentence",
        rf"(?i:({_NAME}[^\n\f<>\\]{{0,40}}[\s\"'`(:=]))([A-Za-z0-9+/=_~.-]{{20,}})",
        (f"the key we deployed is {_A24} as of today", f"login token `{_A24}` failed"),
        (
            "Invalid API key (request id: 20260205132859798638387SIHCnxzJ)",
            "the token limit of deepseek-r1-distill-llama-70b-instruct",
            "target team-key, packet 20261125T044822Z-team-key-c3002e97",
            "API key page https://docs.example.test/keys/9f4c1e7a02b85d36e1c07f9a",
        ),
        _said,
    ),
)
