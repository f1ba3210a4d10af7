"""Names and their values in text: assignments, YAML, dumps of headers, reprs, query strings, labels, HTML fields."""

from collections.abc import Iterator
from typing import Any, Final

import re2

from probe.patterns import SYNTHETIC_PROMPTS
from probe.patterns.looks import numbered, secretive
from probe.redact import chance
from probe.redact.allowed import ALLOWED
from probe.redact.names import Meaning, meaning
from probe.redact.vocabulary import NAME_PARTS, ORDINARY

_PAIR: Final = re2.compile(
    r"([A-Za-z_\p{Han}][\pL\pN_.-]*(?: \pL[\pL\pN_-]*){0,3})"
    r"(\\{0,3}[\"'`]?[\])]?[ \t]*(?:=>|:=|={1,2}|[:：＝])[ \t]*[(\[]?)(\\{0,7}[\"'`])?"
)
_NODE: Final = re2.compile(r">([^<>]*[^<>\s][^<>]*)")
_FIELDS: Final = (
    re2.compile(r"<([A-Za-z][A-Za-z0-9_.:-]*)[^<>]*>([^<>\x00]+)</"),
    re2.compile(
        r"\b(?:name|id|property|itemprop|key|data-[a-z-]+)=[\"']([^\"'<>]+)[\"'][^<>]*\b(?:value"
        r"|content)=[\"']([^\"'<>\x00]+)[\"']"
    ),
    re2.compile(r"\b(?:id|itemprop|class|data-[a-z-]+)=[\"']([^\"'<>]+)[\"'][^<>]*>([^<>\x00]+)<"),
)
_LONGEST_LABEL_CHARS: Final = 60
_LABEL: Final = re2.compile(r"\pL[\pL\pN_.'’-]*(?: [\pL\pN_.'’-]+){0,3}")
_PLACEHOLDER: Final = re2.compile(
    r"(?i)\$\{?[a-z_]+\}?|<[^<>]*>.?|\[[^\[\]]*\]|\{\{?[^{}\"':]*\}?\}|%\(?[a-z_]+\)?s?|\x00.*|.*\*\*.*|\*|.*\.\.\."
    r"|x{3,}|[-_.]*"
    r"|.*<redacted>|(?:your|my|the)[-_ ][a-z]+(?:[-_ ][a-z]+){0,2}|.*[-_]here|[0-9]{1,5}(?:\.[0-9]+)?"
)
_SCHEME: Final = re2.compile(
    r"(?i)(?:bearer|basic|token|apikey|key|oauth|negotiate|geniekey|ssws|splunk)[ \t]+(?:token=\"?)?"
)
_QUOTED_LINE: Final = re2.compile(r"[^\r\n\x00\"'<]*")
_SOCKET: Final = re2.compile(
    r"\[?[0-9a-fA-F]{0,4}[.:][0-9a-fA-F.:]+\]?(?::[0-9]+)?[,\s\])]"
)  # of the net, not of a house
_WORD: Final = re2.compile(r"[^\s\"'`<>,;&|)\]}\x00]+")
_QUERY_WORD: Final = re2.compile(r"[^\s\"'`<>,;&|)\]}#\x00]+")
_PHRASE: Final = re2.compile(r"[^\r\n\t,;|<>\"`)}\]\x00]+")
_NEXT_PAIR: Final = re2.compile(r"\s+[\pL_][\pL\pN_.-]*[=:]")
_LOWER_PROSE: Final = re2.compile(r"[a-z]+(?:[ ][a-z'-]+)+[.!]?")
_PERSON: Final = re2.compile(
    r"\p{Lu}[\pL'’.-]*(?: [\pL'’.&-]+)*(?: \p{Lu}[\pL'’.-]*)|\p{Han}{2,4}|\p{Hangul}{2,4}"
    r"|[\p{Hiragana}\p{Katakana}\p{Han}]{2,8}"
)
_DIGITS_NEEDED: Final = frozenset(
    ("ip", "phone", "card", "bank_account", "national_id", "birth_date", "vehicle", "customer_number")
)
_WHOLE_LINE: Final = frozenset(("cookie", "set-cookie", "set_cookie"))
_SPOKEN_PROMPTS: Final = frozenset(
    ("prompt", "input_value", "question", "transcript", "user_message", "user_prompt", "system_prompt", "query")
)

_HEADER: Final = Meaning("secret", "header")

_LONGEST_PLACEHOLDER_CHARS: Final = 256
_LONGEST_PHRASE_CHARS: Final = 400

Found = tuple[int, int, str]


def ordinary(value: str) -> bool:
    """A placeholder or a word about the value instead of a value."""
    if len(value) > _LONGEST_PLACEHOLDER_CHARS:
        return False
    return _PLACEHOLDER.fullmatch(value) is not None or value.strip(".,:;!?'\" ").lower() in ORDINARY


def person_like(value: str) -> bool:
    return _PERSON.fullmatch(value.strip()) is not None


def goes(said: Meaning, value: str, *, written: bool) -> bool:
    """Whether a value goes because of its name; `written` in a text, where prose may only look like a pair."""
    if said.sort == "code":
        return bool(value) and not (value[0] in "<$[{*\x00" or value.lower() in ORDINARY)
    if said.sort not in ("secret", "weak", "personal", "prompt", "name") or ordinary(value):
        return False
    if said.sort == "weak" and said.kind == "code":
        return len(value) >= 20 and chance.random(value) and not chance.public_id(value)
    if said.sort == "weak":
        return secretive(value) or (len(value) >= 8 and chance.random(value))
    if said.sort == "name":
        return person_like(value)
    if said.kind == "account" and chance.dated_id(value):
        return False
    if said.sort == "prompt":
        return value not in SYNTHETIC_PROMPTS and (
            not written or value.count(" ") >= 3 or len(value) > 64 or not value.isascii()
        )
    if written and said.kind in _DIGITS_NEEDED and not numbered(value):
        return False
    if written and _LOWER_PROSE.fullmatch(value):
        return False
    return len(value) >= 3 or not written


def pairs(text: str) -> Iterator[Found]:
    """Where values stand that go because of the name before them."""
    taken = 0
    for found in _PAIR.finditer(text):
        if found.start() < taken:
            continue
        name = found.group(1)
        said = _said(name)
        if (
            name[:2] in ("x-", "X-")
            and name.lower() not in ALLOWED
            and said.sort != "digest"
            and found.group(2).strip() == ":"
        ):
            said = _HEADER
        if not said.sort:
            if name.endswith("content") and found.group(3) and _role_before(text, found.start()):
                said = Meaning("prompt", "prompt")
            else:
                continue
        if said.sort in ("id", "digest"):
            continue
        start, end = _span(text, found, said)
        value = text[start:end]
        if said.sort == "prompt" and not found.group(3) and name.split(" ")[-1].lower() not in _SPOKEN_PROMPTS:
            continue
        if said.sort in ("secret", "weak") and said is not _HEADER and not found.group(3) and _prose(text, value, end):
            continue
        if (
            (said is _HEADER and value and not ordinary(value))
            or (
                said.sort == "weak"
                and text[max(0, found.start() - 1) : found.start()] in ("?", "&", "#", ";")
                and len(value) >= 8
                and not value.isalpha()
            )
            or goes(said, value, written=True)
        ):
            taken = end
            yield start, end, said.kind


def _said(name: str) -> Meaning:
    """By the last words; a name of several words is a label only as far as its words say something together."""
    return meaning(name) if len(name) <= 80 else meaning(name[-80:].partition(" ")[2])


def _span(text: str, found: Any, said: Meaning) -> tuple[int, int]:
    start = found.end()
    quote = found.group(3)
    if quote:
        end = _closing(text, start, quote, greedy=said.sort == "prompt")
        return (_after_scheme(text, start) if said.sort == "secret" else start), end
    if said.sort in ("secret", "weak", "code"):
        if said is _HEADER:
            return start, _until(_QUOTED_LINE, text, start)
        if found.group(1).lower() in _WHOLE_LINE or text[start : start + 7].lower() in ("digest ", "aws4-hm"):
            return start, _line_end(text, start)
        start = _after_scheme(text, start)
        query = text[max(0, found.start() - 1) : found.start()] in ("?", "&", "#")
        return start, _until(_QUERY_WORD if query else _WORD, text, start)
    if said.kind == "address" and _SOCKET.match(text[start : start + 64]):
        return start, _until(_WORD, text, start)
    if said.sort == "prompt" or said.kind == "address":
        return start, _line_end(text, start)
    phrase = _PHRASE.match(text[start : start + _LONGEST_PHRASE_CHARS])
    if phrase is None:
        return start, start
    other = _NEXT_PAIR.search(phrase.group())
    end = start + (phrase.end() if other is None else other.start())
    for stop in (" and ", " for ", " (", " from ", " on ", " is ", " was ", "' ", "',", "')"):
        at = text.find(stop, start, end)
        if at >= 0:
            end = at
    value = text[start:end]
    if said.kind != "place":
        value = _name_in(value)
    return start, start + len(value.rstrip(" .'"))


def _name_in(value: str) -> str:
    """The words that a name is made of: the first one, and what follows with a capital or as a part of names."""
    words = value.split(" ")
    kept = 1
    while kept < len(words) and (not words[kept][:1].islower() or words[kept].rstrip(".,") in NAME_PARTS):
        kept += 1
    named = " ".join(words[:kept])
    cut = named.find("&")
    return named[:cut] if cut >= 0 and named[cut - 1 : cut + 2] != " & " else named


def _after_scheme(text: str, start: int) -> int:
    scheme = _SCHEME.match(text[start : start + 40])
    return start + scheme.end() if scheme else start


def _until(form: Any, text: str, start: int) -> int:
    """Where what a form takes ends; in a window that grows, since a search in a long text would cost its length."""
    window = 256
    while True:
        found = form.match(text[start : start + window])
        end = start if found is None else start + int(found.end())
        if end < start + window or start + window >= len(text):
            return end
        window *= 8


def _line_end(text: str, start: int) -> int:
    ends = [at for at in (text.find("\n", start), text.find("\x00", start)) if at >= 0]
    return min(ends, default=len(text))


def _closing(text: str, start: int, quote: str, *, greedy: bool) -> int:
    if greedy:
        line = _line_end(text, start)
        at = text.rfind(quote, start, line)
        return line if at < 0 else at
    at = start
    while True:
        at = text.find(quote, at)
        line = text.find("\n", start, at if at >= 0 else len(text))
        if line >= 0:
            return line
        if at < 0:
            return len(text)
        if len(quote) > 1 or text[at - 1] != "\\" or at == start:
            return at
        at += 1


def _prose(text: str, value: str, end: int) -> bool:
    """A word that is followed by more words speaks about a value; it is none."""
    return value.isalpha() and text[end : end + 1] == " " and text[end + 1 : end + 2].isalpha()


def _role_before(text: str, at: int) -> bool:
    before = text[max(0, at - 80) : at]
    return "role" in before and "assistant" not in before


def labelled(text: str) -> Iterator[Found]:
    """Values that the markup around them names: by the label before them, by their element, by its attributes."""
    label = ""
    for found in _NODE.finditer(text):
        if label:
            yield from _named(label, text, found.span(1))
        whole = text[found.end() : found.end() + 1] == "<"
        label = (
            found.group(1).strip().rstrip(":： ")
            if whole and found.end() - found.start() < _LONGEST_LABEL_CHARS
            else ""
        )
        if not _LABEL.fullmatch(label):
            label = ""
    for form in _FIELDS:
        for found in form.finditer(text):
            yield from _named(found.group(1), text, found.span(2))


def _named(name: str, text: str, span: tuple[int, int]) -> Iterator[Found]:
    said = meaning(name)
    if said.sort in ("", "id", "digest", "prompt"):
        return
    raw = text[span[0] : span[1]]
    value = raw.strip()
    if value and goes(said, value, written=True):
        start = span[0] + len(raw) - len(raw.lstrip())
        yield start, start + len(value), said.kind
