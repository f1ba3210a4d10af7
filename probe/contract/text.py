"""A document as text: what a person would read of it, and the form in which two texts are compared.

Both are linear in the size of what somebody else wrote: the standard library's HTML parser is quadratic in unclosed
tags, so markup is taken out by patterns of RE2, each of which also ends where the text ends.
"""

import codecs
import html
import re
from typing import Final

import re2

MOST_BYTES: Final = 4 * 1024 * 1024
_PIECE: Final = re.compile(
    r".{1,8192}(?=\s)|.{1,8192}", re.DOTALL
)  # so that no other thread waits for a whole document

_MARKUP: Final = re2.compile(
    rb"(?is)<!--.*?(?:-->|\z)"
    rb"|<script\b.*?(?:</script\s*>|\z)"
    rb"|<style\b.*?(?:</style\s*>|\z)"
    rb"|<[a-z/!?][^>]*>"
)
_HREF: Final = re.compile(rb"(?i)<a\s[^>]{0,400}?\bhref\s*=\s*[\"']?([^\"'\s>]{1,500})")
_TAG_NAME: Final = re.compile(rb"</?([A-Za-z0-9]{1,12})")
_INLINE: Final = frozenset(
    b"a abbr b bdi bdo cite code em font i kbd mark q s samp small span strong sub sup u var wbr".split()
)

# Decoration of Markdown and tables, quotes and dashes of typographers, and what cannot be seen. No "&" is left, so that
# undoing HTML's entities a second time finds none.
_PLAIN: Final = str.maketrans(
    dict.fromkeys("`*_\\&\u00ad\u200b\u200c\u200d\u2060\ufeff", "")
    | dict.fromkeys("|\u00a0\u202f", " ")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"\u2026": "..."}
)


def readable(body: bytes, media: str) -> str:
    """What stands in a document, line by line; of HTML the text and the addresses of its links."""
    text = _decoded(body[:MOST_BYTES], media)
    kind = media.partition(";")[0].strip()
    looks_like_html = not kind and text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))
    if kind not in ("text/html", "application/xhtml+xml") and not looks_like_html:
        return "\n".join(text.splitlines())
    bare = _MARKUP.sub(_markup, text.encode("utf-8", "replace")).decode("utf-8", "replace")
    lines = (" ".join(line.split()) for line in _unescaped(bare).splitlines())
    return "\n".join(line for line in lines if line)


def normalised(text: str) -> str:
    """On one line, in lower case, without decoration: what is compared. Twice is the same as once."""
    plain = "".join(_unescape(piece).translate(_PLAIN).casefold() for piece in _PIECE.findall(text))
    return " ".join(plain.split())


def _decoded(body: bytes, media: str) -> str:
    charset = media.partition("charset=")[2] or "utf-8-sig"
    try:
        return codecs.decode(body, charset, "replace")
    except (LookupError, UnicodeError, ValueError, TypeError, AssertionError):  # unknown, or no encoding of text
        return body.decode("utf-8-sig", "replace")


def _markup(match: "re2._Match[bytes]") -> bytes:
    tag: bytes = match.group(0)
    if link := _HREF.match(tag):
        return b" " + link[1] + b" "
    name = _TAG_NAME.match(tag)
    return b"" if name is not None and name[1].lower() in _INLINE else b"\n"


def _unescaped(text: str) -> str:
    return "".join(_unescape(piece) for piece in _PIECE.findall(text))


def _unescape(piece: str) -> str:
    try:
        return html.unescape(piece)
    except ValueError:  # a character number of thousands of digits
        return piece
