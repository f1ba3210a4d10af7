"""The address of a call as it may be shown: no user, no values of its query, no part that could be an ID or a key."""

from typing import Final
from urllib.parse import urlsplit

import re2

from probe.redact import HIDDEN

_KNOWN_QUERY: Final = frozenset({"api-version"})  # a date; any other value of a query may be a key
_LONG_RUN: Final = re2.compile(r"[A-Za-z0-9]{12,}")


def shown(url: str) -> str:
    """A URL without user, fragment, values of its query, and parts of its path that could be an ID or a key."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return HIDDEN
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme[:20]}://"
    path = "/".join(map(_segment, parts.path[:500].split("/")))
    where = f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}"
    if not parts.query:
        return where
    pairs = (pair.partition("=") for pair in parts.query[:2000].split("&"))
    return where + "?" + "&".join(f"{_segment(n)}={v if n in _KNOWN_QUERY else HIDDEN}" for n, _, v in pairs)


def _segment(part: str) -> str:
    """As it is where it reads as words and versions."""
    runs = _LONG_RUN.findall(part)
    mixed = any(any(char.isdigit() for char in run) for run in runs)
    return HIDDEN if len(part) > 64 or mixed or any(len(run) > 24 for run in runs) else part
