"""The reply as it comes in: bounded, decompressed, read as an event stream where it is one. Time is an argument."""

import codecs
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from probe import sse
from probe.records import Reply

DONE: Final = "[DONE]"


class BadEncoding(Exception):
    """A content-encoding that was not asked for and cannot be undone."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a reply, as they were sent."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    http_version: str

    def joined(self, name: bytes) -> str | None:
        """Every value of a header in one line, as HTTP reads them; None where it was not sent."""
        values = [value.decode("latin-1") for known, value in self.headers if known.lower() == name]
        return ", ".join(values) if values else None


class Reading:
    """The reply as far as it has come. Bounded: what is over the limit is neither kept nor decompressed."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._head: Head | None = None
        self._wire_bytes = 0
        self._text = bytearray()
        self._inflate: Inflate | None = None
        self._events: sse.Decoder | None = None
        self.truncated = False
        self.is_ended = False
        self.first_event: float | None = None
        self.first_token: float | None = None
        self.longest_gap_s: float | None = None  # between two events, the terminal one included
        self._last_event: float | None = None
        self.over: float | None = None  # when the last byte that matters came in

    def begin(self, head: Head) -> None:
        self._head = head
        encoding = (head.joined(b"content-encoding") or "").strip().lower()
        if encoding not in ("", "identity"):
            self._inflate = Inflate(encoding)
        if (head.joined(b"content-type") or "").lower().startswith("text/event-stream"):
            self._events = sse.Decoder()

    @property
    def http_version(self) -> str | None:
        return None if self._head is None else self._head.http_version

    @property
    def is_done(self) -> bool:
        """Nothing is missing any more: the message has ended, or the terminal event of its stream is there."""
        return self.over is not None

    def feed(self, chunk: bytes, at: float | None) -> None:
        self._wire_bytes += len(chunk)
        room = self._limit_bytes - len(self._text)
        plain = chunk if self._inflate is None else self._inflate.feed(chunk, room + 1)
        self.truncated = len(plain) > room or self._wire_bytes > self._limit_bytes
        self._text += plain[:room]
        if self._events is None:
            return
        events = self._events.feed(plain[:room])
        if events and self.first_event is None:
            self.first_event = at
        if self.first_token is None and any(sse.delta_content(event.data) for event in events):
            self.first_token = at
        # Some gateways end the terminal event with one newline only, so it is looked for before its blank line too.
        tail = self._events.tail
        if tail is not None and tail.data.strip() == DONE:
            events.append(tail)
        if at is None or self.over is not None or not events:
            return
        self._note_gap(at, len(events))
        if any(event.data.strip() == DONE for event in events):
            self.over = at

    def _note_gap(self, at: float, events: int) -> None:
        """The silence before these events, which came together; before the first of all is no gap."""
        if self._last_event is not None:
            self.longest_gap_s = max(self.longest_gap_s or 0.0, at - self._last_event)
        elif events > 1:
            self.longest_gap_s = 0.0
        self._last_event = at

    def end(self, at: float | None) -> None:
        self.is_ended = True
        if self._inflate is not None and self._wire_bytes and not (self._inflate.is_whole or self.is_done):
            raise BadEncoding("the compressed data is cut short")
        self.over = at

    def reply(self, *, whole: bool) -> Reply | None:
        if self._head is None:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")
        final = self.is_ended and not self.truncated  # else the cut may have gone through a character
        try:
            body, valid = decoder("strict").decode(bytes(self._text), final), True
        except UnicodeDecodeError:
            body, valid = decoder("replace").decode(bytes(self._text), final), False
        return Reply(
            status=self._head.status,
            headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in self._head.headers),
            body=body,
            body_bytes=self._wire_bytes,
            complete=whole and not self.truncated,
            truncated=self.truncated,
            valid_utf8=valid,
        )


class Inflate:
    """gzip and deflate undone, a bounded piece at a time. We ask for identity; some servers do not care."""

    def __init__(self, encoding: str) -> None:
        self._is_known = encoding in ("gzip", "x-gzip", "deflate")
        self._may_be_raw = encoding == "deflate"  # some send it without the zlib header that the standard asks for
        self._stream = zlib.decompressobj(
            wbits=32 + zlib.MAX_WBITS
        )  # finds out by itself which of the two headers it is

    @property
    def is_whole(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes, at_most: int) -> bytes:
        if not self._is_known:
            raise BadEncoding("unsupported content-encoding")
        try:
            plain = self._stream.decompress(chunk, at_most)
        except zlib.error as error:
            if not self._may_be_raw:
                raise BadEncoding(str(error)) from None
            self._may_be_raw = False
            self._stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
            return self.feed(chunk, at_most)
        self._may_be_raw = False
        return plain
