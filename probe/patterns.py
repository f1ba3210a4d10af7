"""What is taken out of text by its form: a row a pattern, with the source of the format, hits and near misses.

A row without hits and near misses cannot be written. Where a row has a group, that is taken out and the rest stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import re2

# The project's own prompts: evidence, not somebody's text.
SYNTHETIC_PROMPTS: Final = (
    "Return the word pong. This is a sanitized incident reproduction.",
    "Return the word pong.",
    "Reply with exactly: pong",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    name: str
    regex: str
    source: str
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    holds: Callable[[str], bool] | None = None  # a checksum that a value must also pass
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"pattern {self.name} needs hits and near misses")
        object.__setattr__(self, "compiled", re2.compile(self.regex))


def _luhn(text: str) -> bool:
    """ISO/IEC 7812-1: the check digit of a payment card."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [
        digit if place % 2 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(digits[-2::-1])
    ]
    return 13 <= len(digits) <= 19 and (sum(doubled) + digits[-1]) % 10 == 0


def _mod97(text: str) -> bool:
    """ISO 13616: the check digits of an IBAN."""
    plain = "".join(char for char in text if char.isalnum()).upper()
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


_WORD = r"(?:^|[^A-Za-z0-9_])"

PATTERNS: Final = (
    Pattern(
        "private_key",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-[^-])*(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        "RFC 7468",
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",),
        ("-----BEGIN CERTIFICATE-----",),
    ),
    Pattern(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)?",
        "RFC 7519: base64url of a JSON object, twice",
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",),
        ("eyJ is how it begins",),
    ),
    Pattern(
        "api_key",
        _WORD + r"((?:sk|pk|rk|gsk|xai|pplx|fw|r8|nvapi|sess)[-_][A-Za-z0-9_-]{16,})",
        "key formats as documented by OpenAI, Anthropic, OpenRouter, Groq, xAI, Stripe and gateways that follow them",
        ("sk-proj-abcdefghijklmnop1234", "key=sk-ant-api03-AAAABBBBCCCCDDDD", "sk_live_abcdefghijklmnop"),
        ("sk-...GQFA", "sk-proj-************9zQn", "risk-management-of-everything"),
    ),
    Pattern(
        "vendor_token",
        _WORD
        + r"(AIza[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
        + r"|xox[a-z]-[A-Za-z0-9-]{10,}|ya29\.[A-Za-z0-9_.-]{20,}|(?:AKIA|ASIA)[A-Z2-7]{16})",
        "formats as documented by Google, Hugging Face, GitHub, Slack, AWS",
        ("hf_abcdefghijklmnopqrstuvwx", "AKIAABCDEFGHIJKLMNOP", "token ghp_abcdefghijklmnopqrstuv"),
        ("hf_hub", "AKIA", "github_path"),
    ),
    Pattern(
        "credential",
        r"(?i:bearer|basic|negotiate)\s+([A-Za-z0-9+/._~=-]{7,}[A-Za-z0-9+/_~=-])",
        "RFC 7235, RFC 6750",
        ("Bearer abcdefghijkl", "Authorization: Basic dXNlcjpwYXNz"),
        ("Bearer token", "basic support"),
    ),
    Pattern(
        "credential",
        r"(?i:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|client[_-]?secret|secret[_-]?key|password|passwd|pwd"
        r"|session[_-]?id|x-api-key|private[_-]?key|signature|credential)"
        r"[\"'\\]*(?:\s*[:=]|\s+is)\s*[\"'\\]*([A-Za-z0-9+/._~%!@#$^-]{7,}[A-Za-z0-9+/_~%!@#$^-])",
        "the word before it names it as a credential",
        ("api_key=abcdef1234567890", 'password: "hunter2hunter2"', "api key: not here, apikey=0123456789abcdef"),
        ("api_key: none", "password is wrong"),
    ),
    Pattern(
        "credential",
        r"(?i)[?&;](?:key|token|api[_-]?key|access_token|sig|signature|auth|password|secret|code)=([^&#\s\"'<>]{4,})",
        "query parameters that carry credentials",
        ("https://a.test/v1?key=abcdefgh&x=1",),
        ("https://a.test/v1?model=key",),
    ),
    Pattern(
        "userinfo",
        r"[a-z][a-z0-9+.-]*://([^/\s@\"'<>:]*:[^/\s@\"'<>]+)@",
        "RFC 3986, 3.2.1",
        ("http://user:secret@proxy.test:3128",),
        ("http://host:8080/path", "mailto:a@b.test"),
    ),
    Pattern(
        "webhook",
        r"(?i)(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks|webhook\.office\.com)/([A-Za-z0-9_/@-]{16,})",
        "incoming webhooks are credentials: Slack, Discord, Teams",
        ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijkl",),
        ("hooks.slack.com/help",),
    ),
    Pattern(
        "email",
        r"[\pL\pN._%+-]+(?:@|%40|&#64;|&#x40;|\\u0040)[\pL\pN-]+(?:\.[\pL\pN-]+)*\.\pL{2,}",
        "RFC 5322 and RFC 6531, the usual part of it, also as URLs, HTML and JSON write it",
        ("write to jane.doe@example.test now", "?user=jane%40example.test", "bj\u00f8rn@m\u00fcller.test"),
        ("user at example.test", "a@b"),
    ),
    Pattern(
        "iban",
        r"(?:^|[^A-Za-z0-9])([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)",
        "ISO 13616",
        ("to DE89 3704 0044 0532 0130 00 today",),
        ("DE00 3704 0044 0532 0130 00", "HTTP2025"),
        holds=_mod97,
    ),
    Pattern(
        "card",
        r"(?:^|[^0-9A-Za-z.-])([3-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}(?:[ -]?[0-9]{1,4})?)",
        "ISO/IEC 7812-1",
        ("card 4111 1111 1111 1111",),
        ("4111 1111 1111 1112", "created 1787721724"),
        holds=_luhn,
    ),
    Pattern(
        "ip",
        r"(?:^|[^0-9A-Za-z.-])((?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9]))",
        "RFC 791",
        ("(IP: 203.0.113.7)", "from 10.1.2.3:443"),
        ("version 1.2.3", "gpt-4.1.0.2026x", "999.1.1.1"),
    ),
    Pattern(
        "ip",
        r"(?:^|[^0-9A-Za-z:.])((?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,4})",
        "RFC 4291",
        ("client 2001:db8:0:1:2:3:4:5 refused",),
        ("at 12:30:45", "a::b"),
    ),
    Pattern(
        "account_id",
        _WORD + r"((?:org|user|proj|acct|tenant|ws|team)[-_][A-Za-z0-9]{8,})",
        "OpenAI organisation, user and project IDs, and the form that others share",
        ("organization org-abcdEFGH1234", "`proj_AbCdEfGhIjKl`"),
        ("org-wide", "user_name", "project"),
    ),
    Pattern(
        "private_path",
        r"((?:/home/|/Users/|/root/|/mnt/|/Volumes/|[A-Za-z]:\\+Users\\+)[^\s\"'<>:,;)]*[^\s\"'<>:,;).])",
        "home folders carry people's names",
        ("File /home/jane/app/main.py", "C:\\Users\\jane\\x.txt"),
        ("/homepage", "/usr/lib"),
    ),
    Pattern(
        "phone",
        r"(?:^|[^0-9A-Za-z+])(\+[0-9]{1,3}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}"
        r"|\([0-9]{3}\) ?[0-9]{3}-[0-9]{4})",
        "E.164 with separators, and the North American form",
        ("call +49 30 1234 5678", "call (303) 555-0119"),
        ("+1", "2026+02:00"),
    ),
)

# Names of fields whose value is taken out whole, whatever it looks like.
SECRET_FIELDS: Final = re2.compile(
    r"(?i)^(?:.*[_-])?(?:api[_-]?key|apikey|key_?value|token_?value|access[_-]?token|auth[_-]?token|refresh[_-]?token"
    r"|id[_-]?token|bearer|authorization|client[_-]?secret|secret|secret[_-]?key|password|passwd|pwd|cookie|set-cookie"
    r"|session|session[_-]?id|private[_-]?key|credential|credentials|x-api-key)$"
)
PERSONAL_FIELDS: Final = re2.compile(
    r"(?i)^(?:user|user[_-]?id|username|user[_-]?name|email|e[_-]?mail|phone|phone[_-]?number|full[_-]?name"
    r"|first[_-]?name|last[_-]?name|customer|customer[_-]?(?:id|name)|organization|organization[_-]?id|org[_-]?id"
    r"|tenant|tenant[_-]?id|account[_-]?id|project[_-]?id|client[_-]?ip|ip|ip[_-]?address|address|filename|file[_-]?name"
    r"|iban|card[_-]?number)$"
)
