"""The ways in which a configured secret may be written, so that an echo of it is found in any of them."""

import base64
import html
import json
from urllib.parse import quote

import re2

SHORTEST_PART_CHARS = 12  # a part of a secret at least this long counts as the secret
_TAIL = r"[A-Za-z0-9+/=_-]*"


def spellings(secret: str) -> frozenset[str]:
    """Plain, percent, JSON, HTML and hex forms, and those of each of its ends of SHORTEST_PART_CHARS."""
    parts = [secret]
    if len(secret) >= 2 * SHORTEST_PART_CHARS:
        parts += [secret[:SHORTEST_PART_CHARS], secret[-SHORTEST_PART_CHARS:]]
    return frozenset(form for part in parts for form in _forms(part))


def _forms(text: str) -> set[str]:
    data = text.encode()
    once = json.dumps(text)[1:-1]
    slashed = once.replace("/", "\\/")
    quoted = {quote(text, safe=""), quote(text), quote(text, safe="", encoding="utf-8").replace("%20", "+")}
    return {
        text,
        *quoted,
        *(_lower_hex(form) for form in quoted),
        "".join(f"%{byte:02X}" for byte in data),
        "".join(f"%{byte:02x}" for byte in data),
        once,
        slashed,
        json.dumps(once)[1:-1],
        json.dumps(slashed)[1:-1],
        "".join(f"\\u{ord(char):04x}" for char in text),
        "".join(f"\\u{ord(char):04X}" for char in text),
        html.escape(text),
        html.escape(text, quote=False),
        html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        "".join(f"&#{ord(char)};" for char in text),
        "".join(f"&#x{ord(char):x};" for char in text),
        data.hex(),
        data.hex().upper(),
    }


def _lower_hex(text: str) -> str:
    return re2.sub(r"%[0-9A-F]{2}", lambda found: found.group(0).lower(), text)  # type: ignore[no-any-return]


def base64_cores(secret: str) -> frozenset[str]:
    """What base64 of any text around the secret must hold, at each of the three alignments, in both alphabets."""
    cores = set()
    data = secret.encode()
    for shift in range(3):
        padded = b"\0" * shift + data
        core = base64.b64encode(padded[: len(padded) // 3 * 3]).decode()[4 if shift else 0 :]
        if len(core) >= SHORTEST_PART_CHARS - 4:
            cores |= {core, core.replace("+", "-").replace("/", "_")}
    return frozenset(cores)


def finder(secret: str) -> str:
    """A regular expression that finds the secret in every spelling; a base64 run is found whole."""
    plain = sorted(spellings(secret), key=len, reverse=True)
    coded = [_TAIL + re2.escape(core) + _TAIL for core in sorted(base64_cores(secret))]
    return "|".join([*coded, *(re2.escape(form) for form in plain)])
