"""A reply's body, taken apart once: what kind it is, its JSON or its stream's chunks, and the words of its error.

Nothing here raises, whatever a server sent, and nothing recurses: orjson stops at 1,024 levels, an error body is walked
with a list and a limit, and texts are cut to 64 KiB before a pattern sees them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from json import loads as strict_by_the_letter
from typing import Any, Final, Literal, NamedTuple, NoReturn

import orjson
import re2

from probe import sse
from probe.records import Reply, RequestId
from probe.records.sealed import TOKEN

TEXT_LIMIT_CHARS: Final = 64 * 1024
DONE: Final = "[DONE]"
_NODE_LIMIT: Final = 2000  # values looked at in one error body


class Document(NamedTuple):
    """A JSON text: its value, or why there is none: `cut` (a JSON text that ends too early) or `invalid`."""

    value: Any
    problem: Literal["cut", "invalid"] | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What a body is. `json`, `cut` and `invalid` began as JSON; `blank` is white space only.

    Of `sse` the chunks are the decoded data of its events, in order, without the terminal frame.
    """

    kind: Literal["empty", "blank", "html", "xml", "json", "cut", "invalid", "sse", "text"]
    value: Any = None
    chunks: tuple[Document, ...] = ()
    done: bool = False

    @property
    def objects(self) -> Iterator[dict[str, Any]]:
        """The JSON objects of the answer: every readable chunk of a stream, or the one of a plain reply."""
        for value in [chunk.value for chunk in self.chunks] if self.kind == "sse" else [self.value]:
            match value:
                case {}:
                    yield value
                case [{} as first, *_]:  # Google wraps an error in a list
                    yield first


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def document(text: str) -> Document:
    """Decode a JSON text. Duplicate names: the last counts. NaN, a byte order mark and 1,024 levels are invalid."""
    try:
        return Document(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        if "unexpected end" in error.msg:
            return Document(None, "cut")
        if "surrogate in string" not in error.msg and "infinity" not in error.msg:
            return Document(None, "invalid")
    # Half an emoji at a chunk's end and 1e999 are JSON by the letter; orjson refuses both.
    try:
        return Document(strict_by_the_letter(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return Document(None, "invalid")


_HTML: Final = re2.compile(r"(?i)\A\s*(<!doctype\s*html|<html|<head|<body|<center|<title|<h1|<!--)")
_SSE: Final = re2.compile(r"\A\s*(data|event|id|retry)?:")


@lru_cache(maxsize=1)  # one reply is looked at for its verdict and for its facts
def take_apart(reply: Reply, terminal: str = DONE) -> Body:
    """What kind of body it is, by look and content-type; `terminal` is the documented last frame of a stream."""
    text = reply.body
    media = (reply.header("content-type") or "").lower()
    opening = bounded(text.lstrip("\ufeff \t\r\n")[:256])
    if not opening:
        return Body("blank" if text else "empty")
    if not opening.startswith(("{", "[")):  # else it is none of these
        if _HTML.search(opening):
            return Body("html")
        if opening.startswith("<") and TOKEN.match(opening) is None:
            return Body("xml")
        if _SSE.search(opening) or "event-stream" in media:
            return _stream(text, terminal)
    # A status of 400 or more has no strict reader: there a byte order mark is passed over.
    decoded = document(text.removeprefix("\ufeff") if reply.status >= 400 else text)
    if decoded.problem is None:
        return Body("json", decoded.value)
    if decoded.problem == "cut" and opening.startswith(("{", "[", '"')):
        return Body("cut")
    return Body("invalid" if opening.startswith(("{", "[")) else "text")


def _stream(text: str, terminal: str) -> Body:
    parsed = sse.parse(text)
    events = [*parsed.events, *([parsed.tail] if parsed.tail else [])]
    frames = [event for event in events if event.data.strip() not in ("", DONE, terminal)]
    chunks = [_chunk(event) for event in frames]
    # Some servers break the format when they fail: the error object stands bare, without `data:`.
    bare = document(text[text.rfind("\n{") + 1 :].strip()) if "\n{" in text else Document(None)
    if isinstance(bare.value, dict) and error_of(bare.value) is not None:
        chunks.append(bare)
    return Body("sse", None, tuple(chunks), any(event.data.strip() in (DONE, terminal) for event in events))


def _chunk(event: sse.ServerEvent) -> Document:
    """The data of an event; what is named an error is one, whatever its data looks like."""
    decoded = document(event.data)
    if event.event == "error" and error_of(decoded.value) is None:
        return Document({"error": event.data if decoded.problem else decoded.value or event.data})
    return decoded


# ---------------------------------------------------------------- the words of an error

# fmt: off
_CODE_KEYS: Final = frozenset((
    "code", "type", "status", "reason", "error_type", "errortype", "error_code", "errorcode", "err_code", "status_code",
    "statuscode", "__type", "limit_source", "provider_name", "param",
))
_ID_KEYS: Final = frozenset((
    "request_id", "requestid", "request-id", "req_id", "trace_id", "traceid", "log_id", "logid",
))
# Names, links and echoes: their words are not the error's.
_MUTE_KEYS: Final = frozenset((
    "id", "object", "model", "user_id", "docs", "doc_url", "documentation_url", "help", "url", "@type", "instance",
    "headers", "created", "timestamp",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error body as text: `codes` one ``name: value`` a line, `words` what a person reads, `ids` named ID fields."""

    codes: str = ""
    words: str = ""
    ids: tuple[RequestId, ...] = ()


def error_text(value: Any) -> ErrorText:
    """Collect codes and words of any error envelope, in document order, also from JSON inside a string."""
    codes: list[str] = []
    words: list[str] = []
    ids: list[RequestId] = []
    todo: list[tuple[str, Any, int]] = [("", value, 0)]
    for _ in range(_NODE_LIMIT):
        if not todo:
            break
        name, node, unwrapped = todo.pop()
        match node:
            case dict():
                inner = [(key.lower(), child, unwrapped) for key, child in node.items() if isinstance(key, str)]
                todo += [entry for entry in reversed(inner) if entry[0] not in _MUTE_KEYS]
            case list():
                todo += [(name, child, unwrapped) for child in reversed(node[:_NODE_LIMIT])]
            case str() if name in _ID_KEYS:
                ids.append(RequestId(f"body {name}", node[:256]))
            case str() if unwrapped < 3 and node.lstrip()[:1] in ("{", "["):
                nested = document(node[:TEXT_LIMIT_CHARS].strip())
                if nested.problem is None:
                    todo.append((name, nested.value, unwrapped + 1))
                else:
                    words.append(node)
            case bool():
                pass
            case str() | int() | float() if name in _CODE_KEYS:
                codes.append(f"{name}: {str(node)[:256]}")
            case str() if node.strip():
                words.append(node)
    return ErrorText(bounded("\n".join(codes)), bounded("\n".join(words)), tuple(ids))


def bounded(text: str) -> str:
    """The first 64 KiB, fit for a pattern (a lone surrogate is none)."""
    return text[:TEXT_LIMIT_CHARS].encode("utf-8", "replace").decode()


def error_of(value: Any) -> Any:
    """The error that a decoded body carries, whatever its envelope; None where there is none."""
    match value:
        case [dict() as first, *_]:
            return error_of(first)
        case {"error": error} if error:
            return error
        case {"choices": [*_]}:
            return None
        case {"object": "error"} | {"type": "error"} | {"success": False}:
            return value
        case {"errors": [_, *_]} | {"fault": _} | {"error_code": _} | {"error_msg": _}:
            return value
        case {"detail": detail} if detail:
            return value
        case {"base_resp": {"status_code": int(code)} as inner} | {"header": {"code": int(code)} as inner} if code:
            return inner
        case {"Error": error} | {"Response": {"Error": error}} if error:
            return error
        case {"message": str()} | {"msg": str()}:
            return value
    return None


_CODE_IN_TEXT: Final = re2.compile(r"(?i)\"(code|type|status|reason)\"\s*:\s*\"?([A-Za-z0-9_. -]{1,80})")


def reply_error_text(reply: Reply, body: Body) -> ErrorText:
    """The error words of a reply. Where an error is no readable JSON, its raw text is read as it is."""
    if reply.status < 400:
        return error_text([error for error in map(error_of, body.objects) if error is not None])
    found = error_text(body.value if body.kind == "json" else [chunk.value for chunk in body.chunks])
    if found.words or found.codes or body.kind in ("html", "json"):
        return found
    text = bounded(reply.body)
    codes = (f"{match.group(1).lower()}: {match.group(2)}" for match in _CODE_IN_TEXT.finditer(text))
    return ErrorText(bounded("\n".join(codes)), text)


# ---------------------------------------------------------------- the answer


def first_choice(answer: dict[str, Any]) -> dict[str, Any]:
    """The first choice of a completion or chunk; {} where there is none."""
    match answer:
        case {"choices": [dict() as choice, *_]}:
            return choice
    return {}


def visible(content: Any) -> str:
    """The text that a reader of the answer sees: a string, or the text parts of a list."""
    match content:
        case str():
            return content
        case list():
            parts = (part for part in content if isinstance(part, dict) and part.get("type") != "thinking")
            return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))
    return ""


def message_of(choice: dict[str, Any]) -> dict[str, Any]:
    """The message of a choice, or its delta in a stream; {} where there is none."""
    message = choice.get("message", choice.get("delta"))
    return message if isinstance(message, dict) else {}
