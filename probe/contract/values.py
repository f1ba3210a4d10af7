"""What may be said of a single value without repeating it."""

import difflib
import re
from collections.abc import Collection
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

_PLACEHOLDER: Final = re.compile(r"<[A-Za-z][^<>]*>")
_NAME: Final = re.compile(r"[\w. -]{1,64}")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9_-]{16,}", re.ASCII)


def url_problem(text: str) -> str | None:
    """Why this is not a plain http(s) URL, in words that do not repeat it; None where it is one."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "text that is not a URL"
    if parts.scheme not in ("http", "https"):
        return "another scheme" if parts.scheme else "no scheme"
    if not parts.hostname or not text.isascii() or not text.isprintable() or " " in text:
        return "text that is not a URL"
    if "@" in parts.netloc:
        return "a user name or password in the URL"
    return None


def is_placeholder(text: str) -> bool:
    """Whether a template's ``<PLACEHOLDER>`` still stands in the value."""
    return _PLACEHOLDER.search(text) is not None


def kind(value: object) -> str:
    """What kind of value it is, never the value."""
    if isinstance(value, str):
        return "text" if value.strip() else "empty text"
    names = {
        type(None): "nothing",
        bool: "true or false",
        dict: "a mapping",
        list: "a list",
        datetime: "a date and time",
    }
    return names.get(type(value), "a number" if isinstance(value, int | float) else "a value of another kind")


def did_you_mean(key: str, known: Collection[str]) -> str:
    """`` (did you mean cadence?)`` where a known key is close, else nothing."""
    close = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def shown_key(key: str) -> str:
    """A key as it may be repeated: what could be a secret that was pasted before the colon is only counted."""
    could_be = any(re.search("[0-9]", run) and re.search("[A-Za-z]", run) for run in _LONG_RUN.findall(key))
    if could_be or not _NAME.fullmatch(key):
        return f"(a key of {len(key)} characters)"
    return key
