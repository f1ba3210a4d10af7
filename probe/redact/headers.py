"""Headers: a name that is known to be safe keeps its value, less what is found in it; any other value goes."""

from typing import Final

import re2

from probe.patterns import present
from probe.patterns.credentials import ROWS as CREDENTIALS
from probe.reading import REQUEST_ID_HEADERS
from probe.records import Headers
from probe.records.sealed import TOKEN
from probe.redact import chance
from probe.redact.allowed import TRACE_HEADERS
from probe.redact.finding import About
from probe.redact.names import meaning, split
from probe.redact.work import HIDDEN, Work

_IDS: Final = frozenset((*REQUEST_ID_HEADERS, *TRACE_HEADERS, "x-client-request-id", "cf-ray"))
_SCHEME: Final = re2.compile(
    r"(?i)(?:(bearer|basic|token|apikey|key|digest|negotiate|oauth|aws4-hmac-sha256)[ \t]+)?(?:token=)?(.*)"
)
_PLACEHOLDER: Final = re2.compile(r"(?i)[<$\[{].*|.*<redacted>")
_NAME: Final = re2.compile(r"[A-Za-z0-9_-]{1,64}")
_AUTHORIZATION: Final = frozenset(("authorization", "proxy-authorization"))
_NEVER_SAFE: Final = frozenset(("set", "cookie", "user", "account", "org", "organization"))


def sealed_headers(work: Work, place: str, headers: Headers, safe: frozenset[str]) -> Headers:
    return tuple(_one(work, place, name, value, safe) for name, value in headers)


def _one(work: Work, place: str, name: str, value: str, safe: frozenset[str]) -> tuple[str, str]:
    if (place, name, value) in work.clean:
        return name, value
    before = work.noted()
    sealed = _looked_at(work, place, name, value, safe)
    if sealed == (name, value) and work.noted() == before:
        work.clean.add((place, name, value))
    return sealed


def _looked_at(work: Work, place: str, name: str, value: str, safe: frozenset[str]) -> tuple[str, str]:
    shown = _name(work, place, name)
    lower = name.lower()
    where = f"{place} {shown.lower()}"
    if lower in safe or _safe_by_name(lower):
        about = _about(lower)
        if lower in REQUEST_ID_HEADERS and work.keeper.request_ids != "keep":
            return shown, work.request_id(value, where)
        return shown, work.guarded(where, value, lambda at, text: work.text(at, text, about))
    if TOKEN.fullmatch(value) or value.endswith("<REDACTED>"):
        return shown, value
    if lower in _AUTHORIZATION:
        return shown, _authorization(work, where, value)
    work.note("header_not_known_safe", where)
    return shown, HIDDEN


def _name(work: Work, place: str, name: str) -> str:
    if ("header", name) in work.clean:
        return name
    before = work.noted()
    shown = work.guarded(place, name, work.literal if _plain(name) else work.text)
    if shown == name and work.noted() == before:
        work.clean.add(("header", name))
    return shown


def _plain(name: str) -> bool:
    """A name as names are, in whatever case; a server may write a secret into one as well."""
    return _NAME.fullmatch(name) is not None and not chance.random(name.lower()) and not _is_key(name)


def _is_key(name: str) -> bool:
    return any(pattern in CREDENTIALS and pattern.holds is None for pattern in present(name))


def _safe_by_name(name: str) -> bool:
    """Digests, by whatever prefix a vendor gives them."""
    return meaning(name).sort == "digest" and not _NEVER_SAFE & set(split(name))


def _about(name: str) -> About:
    if meaning(name).sort == "digest":
        return "digest"
    return "id" if name in _IDS else ""


def _authorization(work: Work, place: str, value: str) -> str:
    """The scheme stays: how one logs in is a part of the contract, with what is not."""
    found = _SCHEME.fullmatch(value)
    scheme, secret = (found.group(1) or "", found.group(2)) if found else ("", value)
    lead = f"{scheme} " if scheme else ""
    if TOKEN.fullmatch(secret) or _PLACEHOLDER.fullmatch(secret):
        return lead + work.literal(place, secret)
    return lead + work.whole("credential_in_header", "credential", place, secret)
