"""What is taken out of text by its form: a row a pattern, with the source of the format, hits and near misses.

A row without hits and near misses cannot be written. Where a row has a group, that is taken out and the rest stays.
"""

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
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"pattern {self.name} needs hits and near misses")
        object.__setattr__(self, "compiled", re2.compile(self.regex))


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
        r"(?i:bearer|basic|negotiate)\s+([A-Za-z0-9+/._~=-]{8,})",
        "RFC 7235, RFC 6750",
        ("Bearer abcdefghijkl", "Authorization: Basic dXNlcjpwYXNz"),
        ("Bearer token", "basic support"),
    ),
    Pattern(
        "credential",
        r"(?i:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|client[_-]?secret|secret[_-]?key|password|passwd|pwd"
        r"|session[_-]?id|x-api-key|private[_-]?key|signature|credential)"
        r"[\"'\\]*(?:\s*[:=]|\s+is)\s*[\"'\\]*([A-Za-z0-9+/._~%!@#$^-]{8,})",
        "the word before it names it as a credential",
        ("api_key=abcdef1234567890", 'password: "hunter2hunter2"', "api key: not here, apikey=0123456789abcdef"),
        ("api_key: none", "password is wrong"),
    ),
    Pattern(
        "credential",
        r"(?i)[?&](?:key|token|api[_-]?key|access_token|sig|signature|auth|password|secret|code)=([^&#\s\"'<>]{4,})",
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
        "email",
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
        "RFC 5322, the usual part of it",
        ("write to jane.doe@example.test now",),
        ("user at example.test", "a@b"),
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
        r"((?:/home/|/Users/|/root/|[A-Za-z]:\\+Users\\+)[^\s\"'<>:,;)]+)",
        "home folders carry people's names",
        ("File /home/jane/app/main.py", "C:\\Users\\jane\\x.txt"),
        ("/homepage", "/usr/lib"),
    ),
    Pattern(
        "phone",
        r"(?:^|[^0-9A-Za-z+])(\+[0-9]{1,3}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-]?[0-9]{2,4}){2,4})",
        "E.164 with separators",
        ("call +49 30 1234 5678",),
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
