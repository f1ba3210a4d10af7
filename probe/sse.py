"""Server-sent events to the letter of the WHATWG HTML standard (9.2.6), from whole text or from bytes as they come.

`parse` reads a stored body, `Decoder` a live one; both put lines into the same `_Block`, so they cannot disagree. Two
things go beyond the letter because a probe needs them as evidence: a block that no blank line ended is kept
(`dangling`, and `tail` is the event it would have been: real gateways end ``data: [DONE]`` with one newline), and
`Decoder` drops events over a size limit, since the standard lets a server send an endless line.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

import orjson

EVENT_LIMIT_CHARS: Final = 256 * 1024

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One dispatched event. `id` is the last event ID in force (it persists), None before the first."""

    data: str
    event: str = "message"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A stored stream. `dangling` is the text after the last blank line ("" for none), `tail` the event in it."""

    events: tuple[ServerEvent, ...]
    comments: int
    dangling: str
    tail: ServerEvent | None


class _Block:
    """The event being built: the standard's data, event type and last event ID buffers."""

    __slots__ = ("_data", "_event", "_id", "comments")

    def __init__(self) -> None:
        self._data: list[str] = []
        self._event = ""
        self._id: str | None = None
        self.comments = 0

    def take(self, line: str) -> ServerEvent | None:
        """Process one line; a blank one dispatches the event, where there is data."""
        if not line:
            pending = self.pending
            self.discard()
            return pending
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments += 1
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
        return None

    @property
    def pending(self) -> ServerEvent | None:
        """What a blank line would dispatch now."""
        return ServerEvent("\n".join(self._data), self._event or "message", self._id) if self._data else None

    def discard(self) -> None:
        self._data = []
        self._event = ""


def parse(text: str) -> Parsed:
    """Read a whole stream."""
    block = _Block()
    events: list[ServerEvent] = []
    line_at = block_at = len(_BOM) if text.startswith(_BOM) else 0
    for end in _LINE_END.finditer(text, line_at):
        line = text[line_at : end.start()]
        event = block.take(line)
        if event is not None:
            events.append(event)
        line_at = end.end()
        if not line:
            block_at = line_at
    if line_at < len(text):
        block.take(text[line_at:])
    return Parsed(tuple(events), block.comments, text[block_at:], block.pending)


class Decoder:
    """Reads a live stream: UTF-8 and line ends may be split across chunks anywhere.

    An event of more than `limit_chars` is dropped whole, whether it is one endless line or many lines; what is held in
    memory stays under that limit plus one chunk.
    """

    __slots__ = ("_after_cr", "_block", "_held", "_limit", "_line", "_oversize", "_started", "_utf8", "dropped")

    def __init__(self, limit_chars: int = EVENT_LIMIT_CHARS) -> None:
        self._limit = limit_chars
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._block = _Block()
        self._line = ""  # the line that has not ended yet
        self._held = 0  # chars of the whole lines of this block
        self._oversize = False
        self._after_cr = False  # the last chunk ended in CR: a LF that follows belongs to it
        self._started = False
        self.dropped = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that this chunk completes."""
        text = self._utf8.decode(chunk)
        if text and not self._started:
            self._started = True
            text = text.removeprefix(_BOM)
        if text and self._after_cr:
            self._after_cr = False
            text = text.removeprefix("\n")
        events: list[ServerEvent] = []
        at = 0
        for end in _LINE_END.finditer(text):
            self._extend(text[at : end.start()])
            event = self._end_line()
            if event is not None:
                events.append(event)
            at = end.end()
        self._extend(text[at:])
        self._after_cr = text.endswith("\r")
        return events

    @property
    def tail(self) -> ServerEvent | None:
        """The event that whole lines have built and no blank line has ended yet."""
        return None if self._oversize else self._block.pending

    def _extend(self, text: str) -> None:
        if self._held + len(self._line) + len(text) > self._limit:
            self._oversize = True
            self._block.discard()
            self._held = 0
            self._line = "+"  # stands for a line that is not blank, so that the next line end is not a blank line
        elif not self._oversize:
            self._line += text
        elif text:
            self._line = "+"

    def _end_line(self) -> ServerEvent | None:
        line, self._line = self._line, ""
        if not self._oversize:
            self._held = self._held + len(line) if line else 0
            return self._block.take(line)
        if not line:
            self._oversize = False
            self.dropped += 1
        return None


def delta_content(data: str) -> str | None:
    """The content text of the first choice's delta in a chunk: a string, or the text parts of a list.

    None where there is none: the role chunk's empty string, a usage chunk, a reasoning delta, or no JSON at all.
    """
    match _json(data):
        case {"choices": [{"delta": {"content": str(content)}}, *_]}:
            return content or None
        case {"choices": [{"delta": {"content": [*parts]}}, *_]}:
            return "".join(_part_text(part) for part in parts) or None
    return None


def _json(data: str) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _part_text(part: object) -> str:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
    return ""
