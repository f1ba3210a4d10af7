"""Whether a run of characters looks as if chance had made it (a key, a digest) or a person (a word, a name of a
model).

The patterns are the standard library's, which costs a fifth of re2 for a short run: each is one class repeated, or a
word before one, where there is nothing to go back for.
"""

import base64
import binascii
import re
from typing import Final

SHORTEST_RUN: Final = 16
RUN: Final = re.compile(r"[A-Za-z0-9+/_~-]{16,}={0,2}")
_CLASS: Final = {
    code: "u" if chr(code).isupper() else "l" if chr(code).islower() else "d" if chr(code).isdigit() else " "
    for code in range(128)
}
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UNSPOKEN: Final = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{5}")
_DIGEST_BYTES: Final = (16, 20, 28, 32, 48, 64)
_PUBLIC_ID: Final = re.compile(
    r"(?:(?:chatcmpl|cmpl|gen|resp|msg|req|call|toolu|fc|run|thread|batch|asst|step|evt|event|fp|trace|chatcmpl-tool"
    r"|file|rs|ws|ftjob|vs|embd|modr|img|aud|srvtoolu|cas|cs|request)[-_])[A-Za-z0-9_-]+"
    r"|20[0-9]{12,}[A-Za-z0-9]{0,12}|[0-9a-f]{16}-[A-Z]{3}|1-[0-9a-f]{8}-[0-9a-f]{24}"
    r"|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
)
_SPLIT: Final = str.maketrans(dict.fromkeys("+/=_~-.!#$%&*@^", " "))
_MOST_SIGNS: Final = 3.0  # words and numbers are longer on average; what chance makes changes its kind sooner


def dated_id(run: str) -> bool:
    """An ID that begins with the moment it was made, as gateways write them."""
    return len(run) >= 14 and run[:2] == "20" and run[:14].isdigit()


def public_id(run: str) -> bool:
    """A request, trace or completion ID by its form: what support looks up, and nobody logs in with."""
    return _PUBLIC_ID.fullmatch(run.strip("=")) is not None


def random(run: str) -> bool:
    """Made by chance: kinds of characters that change more often than in anything that a person reads."""
    parts = run.translate(_SPLIT).split()
    mixed = length = pieces = 0
    for part in parts:
        length += len(part)
        changes = _pieces(part)
        if changes > 1 and (len(part) < 3.5 * changes or not part.isalpha()):
            mixed += len(part)
            pieces += changes
        if len(part) >= SHORTEST_RUN and len(part) < (_MOST_SIGNS if len(part) < 20 else 3.3) * changes:
            return True
        if len(part) >= SHORTEST_RUN and changes > 4 and len(part) < 4 * changes and _UNSPOKEN.search(part):
            return True
        if len(part) >= 24 and changes > 2 and _HEX.fullmatch(part):
            return True
    if length >= 24 and mixed >= 0.5 * length and pieces >= 10 and run.upper() != run and run.lower() != run:
        return True
    return length >= 8 and mixed >= 0.7 * length and mixed < _MOST_SIGNS * pieces


def parts(run: str) -> list[tuple[int, int]]:
    """The parts of a run that chance made: the whole, or single segments of a path."""
    segments = run.split("/")
    if len(segments) == 1:
        return [(0, len(run))] if random(run) else []
    if len(segments) <= 2 + len(run) // 24 and not any(_word(segment) for segment in segments) and random(run):
        return [(0, len(run))]
    out = []
    at = 0
    for segment in segments:
        if len(segment) >= SHORTEST_RUN and random(segment):
            out.append((at, at + len(segment)))
        at += len(segment) + 1
    return out


def _word(segment: str) -> bool:
    return len(segment) >= 4 and (segment.isalpha() and (segment.islower() or segment.istitle()))


def _pieces(part: str) -> int:
    """Of how many pieces it is put together: numbers, words with or without a capital, capitals."""
    kinds = part.translate(_CLASS)
    changes = sum(kinds.count(change) for change in ("lu", "ld", "dl", "ud", "du"))
    return changes + 1 + kinds.count("uul")


def digest(run: str) -> bool:
    """Of the form and length of a digest, in hex or base64, and of bytes that are no text."""
    if _HEX.fullmatch(run):
        return len(run) <= 128
    data = decoded(run)
    return data is not None and len(data) in _DIGEST_BYTES and not printable(data)


def decoded(run: str) -> bytes | None:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def printable(data: bytes) -> bool:
    """Bytes that somebody can read as text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return sum(sign.isprintable() or sign in "\r\n\t" for sign in text) >= 0.85 * len(text)


def base64_text(run: str) -> bool:
    """Base64 of a text that can be read, however it is cut at its head."""
    if _HEX.fullmatch(run):
        return False
    for cut in range(4):
        data = decoded(run[cut : cut + (len(run) - cut) // 4 * 4])
        if data is not None and len(data) >= 12 and printable(data):
            return True
    return False
