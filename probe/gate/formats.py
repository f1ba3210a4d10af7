"""Looks of what is a credential by its own form: prefixes of providers, key blocks, tokens, schemes, addresses.

The prefixes are public facts of each vendor; behind one must stand chance, so that a name or an example passes.
"""

import base64
import binascii
import re
from typing import Final

from probe.gate.chance import random, stands_for_one, worded
from probe.gate.look import Look

_A20: Final = "Zk7Qw2Lp9Rt4Xv8Nm3Bs"
_H32: Final = "9f4c1e7a02b85d36e1c07f9a4b2d8e53"
_START: Final = r"(?:^|[^A-Za-z0-9])"
_HEAD: Final = re.compile(r"^[A-Za-z0-9]{1,12}[-_.](?:[A-Za-z]{1,8}[0-9]{0,2}[-_.])*")


def _key(text: str, _: str) -> bool:
    """What follows the prefix is chance."""
    return random(_HEAD.sub("", text) or text, 10)


def _letters(text: str, _: str) -> bool:
    return random(text, 16)


def _long_hex(text: str, _: str) -> bool:
    return random(text[2:], 24)


def _scheme(text: str, before: str) -> bool:
    if before.strip().lower().endswith("basic") and _user_and_password(text):
        return True
    return random(text, 12) or (text.endswith("=") and random(text, 8))


def _user_and_password(text: str) -> bool:
    try:
        opened = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    user, apart, password = opened.partition(":")
    return bool(apart) and user.isprintable() and len(password) >= 4 and not stands_for_one(password)


_NO_PASSWORDS: Final = frozenset({"password", "passwd", "pass", "pwd", "secret", "token", "key", "pw", "user"})


def _password(text: str, _: str) -> bool:
    return text.lower() not in _NO_PASSWORDS and not stands_for_one(text) and not text.isdigit()


def _cookies(text: str, _: str) -> bool:
    values = (part.partition("=")[2] or part for part in text.split(";"))
    return any(random(piece, 16) for value in values for piece in re.split(r"[=,:\s%]+", value))


def _parameter(text: str, _: str) -> bool:
    return random(text, 16) or worded(text, 10)


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d")
_ID_NAME: Final = re.compile(r"(?i)(?:id|ids|trace|request|ray|rev|version|hash|sha\d*|etag|cursor|page|after|before)$")


def _any_parameter(text: str, before: str) -> bool:
    return not (_ID_NAME.search(before.rstrip("=")) or _TIME.match(text)) and random(text, 24)


def _option(text: str, _: str) -> bool:
    return random(text, 16) or worded(text.rpartition(":")[2], 8)


LOOKS: Final = (
    Look(
        "private key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,200}[^A-Za-z0-9+/])?([A-Za-z0-9+/]{32,})",
        (f"-----BEGIN PRIVATE KEY-----\f{_A20}{_A20}\f-----END PRIVATE KEY-----",),
        (
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            f"-----BEGIN CERTIFICATE-----\n{_A20}{_A20}",
        ),
        _letters,
        abroad=True,
    ),
    Look(
        "provider key",
        rf"{_START}((?:sk|rk|ak|pk)[-_][A-Za-z0-9_-]{{16,}}|sess-[A-Za-z0-9]{{24,}})",
        (f"sk-{_A20}", f"sk-ant-api03-{_A20}{_A20}", f"sk-proj-{_A20}", f"sk-or-v1-{_H32}", f"sk_live_{_A20}"),
        ("sk-xxxxxxxxxxxxxxxxxxxx", "sk-1234567890abcdefghij", "sk-your-api-key-goes-here", "sk-fading-circle-spin"),
        _key,
        abroad=True,
    ),
    Look(
        "provider key",
        rf"{_START}((?:hf|gsk|r8|fw|tgp_v1|pcsk|lsv2_[ps][tk]|api_org|jina|exa|tvly|e2b|dg)_[A-Za-z0-9_-]{{20,}}"
        r"|(?:xai|pplx|nvapi|csk|tvly|dg|voyage|pa)-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,})",
        (f"hf_{_A20}", f"gsk_{_A20}", f"xai-{_A20}", f"AIzaSy{_A20}{_A20}", f"nvapi-{_A20}"),
        ("hf_transfer_is_not_installed", "AIzaXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "pa-rt-of-the-whole-sentence"),
        _key,
        abroad=True,
    ),
    Look(
        "provider key",
        rf"{_START}((?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_.-]{{24,}}|gh[pousr]_[A-Za-z0-9]{{20,}}"
        r"|github_pat_[A-Za-z0-9_]{20,}|gl[a-z]{2,6}-[A-Za-z0-9_.-]{18,}|xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{16,}"
        r"|xapp-[A-Za-z0-9-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hv[sbr]\.[A-Za-z0-9_-]{20,}"
        r"|do[opr]_v1_[a-f0-9]{40,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|dp\.[a-z]{2,5}\.[A-Za-z0-9_.-]{30,}"
        r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|gls?[ac]_[A-Za-z0-9_+/=]{30,}|shp[a-z]{2}_[a-fA-F0-9]{30,}"
        r"|lin_[a-z]{3,5}_[A-Za-z0-9]{30,}|(?:ntn|secret|figd|phc|rnd|whsec|fo1)_[A-Za-z0-9_+/=-]{24,}"
        r"|PMAK-[a-f0-9-]{40,}|sntry[su]_[A-Za-z0-9+/=_-]{40,}|NR[A-Z]{2}-[A-Z0-9]{20,}|ATATT3[A-Za-z0-9_=-]{40,}"
        r"|AGE-SECRET-KEY-1[0-9A-Z]{50,}|pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}"
        r"|EAA[AC][A-Za-z0-9_-]{40,}|[sp]k\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|key-[a-f0-9]{32}"
        r"|[0-9]{8,10}:A[A-Za-z0-9_-]{33,36}|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
        r"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}|[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})",
        (f"ghp_{_A20}", f"github_pat_{_A20}", f"glpat-{_A20}", f"xoxb-1234509876-{_A20}", f"SG.{_A20}.{_A20}"),
        ("github_pat_XXXXXXXXXXXXXXXXXXXXXX", "npm_config_registry", "glossy-pages-and-covers-for-all"),
        _key,
        abroad=True,
    ),
    Look(
        "provider key",
        rf"{_START}((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}|LTAI[A-Za-z0-9]{{16,}}|AKID[A-Za-z0-9]{{28,}})"
        r"(?:[^A-Za-z0-9]|$)",
        ("AKIAZ7QW2LP6RT4XV3NM", "LTAI5tZk7Qw2Lp9Rt4Xv8N"),
        ("AKIAIOSFODNN7EXAMPLE", "ASIAPACIFICREGIONISHERE"),
        lambda text, _: not stands_for_one(text),
        abroad=True,
    ),
    Look(
        "provider key",
        rf"{_START}((?:SK|dapi)[a-f0-9]{{32}})(?:[^A-Za-z0-9]|$)",
        (f"SK{_H32}", f"dapi{_H32}"),
        (f"SK{_H32}{_H32}",),
        _long_hex,
    ),
    Look(
        "JSON web token",
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{16,})",
        (f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3NDEifQ.{_A20}",),
        (
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3NDEifQ.",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.<signature>",
        ),
        _letters,
    ),
    Look(
        "authorization",
        r"(?i:\b(?:bearer|basic|negotiate|token|apikey|oauth|geniekey|ssws|splunk)(?:[ \t]+|%20|\+)(?:token=)?\"?)"
        r"([A-Za-z0-9+/._~=!$*|:-]{12,})",
        (f"Bearer {_A20}", "Authorization: Basic c3VwcG9ydDpodW50ZXIyeDk="),
        (
            "Bearer $COMETAPI_KEY",
            "Bearer <openai_key:3f9a2c>",
            "Basic support questions",
            "Token authentication-failed-for-all",
            "Bearer token gpt-4o-mini-2024-07-18",
        ),
        _scheme,
    ),
    Look(
        "authorization",
        r"(?i:\bdigest[ ][^\n\f<>]{0,400}\bresponse=[\\\"]{0,3})([0-9a-f]{32,})",
        (f'Digest username="probe", nonce="1", response="{_H32}"',),
        ("Digest sha-256 response=ok", 'Digest username="u", response="<credential:a1b2c3>"'),
        _letters,
    ),
    Look(
        "password in an address",
        r"[a-zA-Z]://[^\s/:@\"'<>?#]{0,80}:([^\s/@\"'<>]{3,200})@[A-Za-z0-9\[]",
        ("https://probe:hunter2x9@proxy.example.test:3128",),
        ("https://user:password@host", "https://u:${PASS}@host", "http://host:8080/x@y", "https://a:<x>@host"),
        _password,
    ),
    Look(
        "cookie",
        r"(?i:\bcookie2?[\"'\]]{0,2}[ ]?[:=,]\s{0,40}[\"'\[]{0,3}(?:value\"[ ]?:[ ]?\")?)([^\n\f\"<>]{16,})",
        (f"Set-Cookie: session={_A20}; Path=/", f'"cookie", "a=1; b={_A20}"'),
        ("set-cookie: <cookie:a1b2c3>", "Cookie: theme=dark; lang=en-GB; consent=accepted-all"),
        _cookies,
    ),
    Look(
        "signed address",
        r"(?i:[?&;](?:[a-z0-9_.-]{0,30}(?:sig|signature|token|secret|api[-_]?key|apikey|password|credential|auth)"
        r"|key|code|code_verifier|sv|pwd|pass|state|client_secret)=)([^&\s\"'<>#]{10,})",
        (f"https://a.test/?sig={_A20}", f"?api_key={_A20}&x=1", f"&X-Amz-Signature={_H32}"),
        ("?api-version=2024-10-21", "?key=<api_key:ab12cd>", "?token=YOUR_TOKEN_HERE", "&max_tokens=128000"),
        _parameter,
    ),
    Look(
        "chance in an address",
        r"([?&][A-Za-z0-9_.-]{1,40}=)([A-Za-z0-9_.~+/=-]{24,})",
        (f"https://app.example.test/reset?t={_A20}{_A20}",),
        (f"https://a.test/?request_id={_H32}", "?model=claude-3-5-sonnet-20241022-and-more"),
        _any_parameter,
    ),
    Look(
        "option of a command",
        r"((?:^|[\s\"'])(?:-[pu]|--?[a-z-]{0,30}(?:key|token|secret|passw(?:or)?d|pass|auth|user)[a-z-]{0,20})"
        r"[ =][\"']?)"
        r"([^\s\"'<>|;$]{8,})",
        ("docker login -u ci -p hunter2x9 registry.test", f"--api-key {_A20}", "curl -u ci:hunter2x9"),
        ("-p 8080:80800", "--api-key $KEY", "--token-limit 128000", "-u <account:a1b2c3>"),
        _option,
    ),
    Look(
        "webhook",
        r"(?i:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
        r"|webhook\.office\.com(?:/webhookb2)?|hooks\.zapier\.com/hooks/catch|hook\.[a-z0-9.]{0,20}make\.com"
        r"|open-apis/bot/v2/hook|api\.telegram\.org)/([A-Za-z0-9_/@:.-]{16,})",
        (f"https://hooks.slack.com/services/T0AB12CD3/B0EF45GH6/{_A20}",),
        ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",),
        lambda text, _: any(random(part, 16) for part in re.split(r"[/:@]", text)),
    ),
)
