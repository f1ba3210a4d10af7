"""The second look, by other code than redaction's: does any finished file still hold a configured secret?

Every file is read raw and in decoded views (percent, JSON escapes, HTML, base64, white space removed). The gate says
where, never what.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from probe.records import Json

PART_CHARS = 12
DROPPED = "<dropped: it held a configured secret>"
_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'\\/]))")


@dataclass(frozen=True, slots=True)
class Hit:
    """A file in which a configured secret was found, and in which line and view."""

    file: str
    where: str


def inspect(files: Mapping[str, bytes], secrets: Sequence[SecretStr]) -> tuple[Hit, ...]:
    """Where a configured secret, or a part of one, can still be read."""
    parts = [part for secret in secrets for part in _parts(secret.get_secret_value())]
    hits = []
    for name, data in sorted(files.items()):
        text = data.decode("utf-8", "replace")
        for view, seen in _views(text):
            for part in parts:
                at = seen.find(part)
                if at >= 0:
                    hits.append(Hit(name, f"line {seen.count(chr(10), 0, at) + 1}, read as {view}"))
                    break
    return tuple(hits)


def drop(document: Json, secrets: Sequence[SecretStr]) -> tuple[Json, tuple[str, ...]]:
    """The document without the strings in which a secret can be read, and their dotted paths."""
    dropped: list[str] = []

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {key: walk(inner, f"{path}.{key}" if path else key) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, f"{path}[{number}]") for number, inner in enumerate(value)]
        if isinstance(value, str) and inspect({"": value.encode()}, secrets):
            dropped.append(path)
            return DROPPED
        return value

    cleaned: Json = walk(document, "")
    return cleaned, tuple(dropped)


def _parts(secret: str) -> set[str]:
    """The whole, and for a long one every window of PART_CHARS: a part of a key is too much as well."""
    if len(secret) < 2 * PART_CHARS:
        return {secret}
    return {secret[at : at + PART_CHARS] for at in range(len(secret) - PART_CHARS + 1)}


def _views(text: str) -> Iterator[tuple[str, str]]:
    yield "plain text", text
    unescaped = _unescape(text)
    again = _unescape(unescaped)
    yield "JSON escapes", unescaped
    yield "JSON escapes twice", again
    yield "percent-encoding", unquote(text)
    yield "HTML", html.unescape(text)
    yield "JSON, percent and HTML", html.unescape(unquote(again))
    yield "text without white space", "".join(again.split())
    for found in _RUN.finditer(text):
        yield from (("base64", decoded) for decoded in _base64(found.group()))
    for found in _HEX.finditer(text):
        with_hex = bytes.fromhex(found.group()).decode("utf-8", "replace")
        yield "hex", with_hex


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda m: m[3] or chr(int(m[1] or m[2], 16)), text) if "\\" in text else text


def _base64(run: str) -> Iterator[str]:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    for offset in range(4):  # a run may begin with other characters of the alphabet
        part = plain[offset:]
        part = part[: len(part) // 4 * 4]
        if len(part) >= PART_CHARS:
            try:
                yield base64.b64decode(part, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue
