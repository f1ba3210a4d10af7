"""What `classify` and `redact` read: JSON lines of exchanges, or a browser's HAR, told apart by content."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import orjson
import typer

from probe import har
from probe.corpus import CorpusError
from probe.settings import ConfigError

Recorded = Annotated[Path, typer.Argument(help="JSON lines of exchanges, or a browser's HAR; - for standard input.")]
Everything = Annotated[bool, typer.Option("--all", help="Every entry of a HAR, not only calls to a chat API.")]
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LOG_WITHIN: Final = 1024  # bytes at the beginning of a HAR in which its `log` stands


def recorded(file: Path, everything: bool) -> Iterator[Any]:
    """The exchanges of a file: `har.Call` for each entry of a HAR, else what each line holds."""
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            yield from _read(stream, str(file), everything)
    except OSError as error:
        raise ConfigError(str(file), "a readable file", error.strerror or "an error") from None


def _read(stream: BinaryIO, name: str, everything: bool) -> Iterator[Any]:
    at, first = _first_line(stream)
    if first.startswith(b"{"):
        found = _har(first, stream)
        if found is not None:
            taken, passed_over = har.calls(found, everything=everything)
            if passed_over:
                why = "neither failed nor are they calls to a chat API; --all takes them"
                sys.stderr.write(
                    f"freezeframe: {name}: entries read: {len(taken)}; passed over: {passed_over} ({why})\n"
                )
            yield from taken
            return
    if first:
        yield _line(first, name, at)
    for number, line in enumerate(stream, start=at + 1):
        if line.strip():
            yield _line(line, name, number)


def _first_line(stream: BinaryIO) -> tuple[int, bytes]:
    """The first line that is not blank, and its number; at most what a HAR may have, and one byte."""
    number = 0
    while line := stream.readline(har.MOST_BYTES + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.strip():
            return number, line.lstrip()
    return number, b""


def _har(first: bytes, stream: BinaryIO) -> dict[str, Any] | None:
    """The HAR that begins with this line. None: the line is something of its own, and nothing more was read."""
    try:
        value = orjson.loads(first)
        return value if har.is_har(value) else None
    except orjson.JSONDecodeError:
        if not _could_be_har(first):
            return None
    text = first + stream.read(har.MOST_BYTES + 1 - len(first))
    if len(text) > har.MOST_BYTES:
        raise CorpusError("har", f"at most {har.MOST_BYTES >> 20} MiB", "more")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CorpusError(f"har: line {error.lineno}, column {error.colno}", "JSON", "what is none") from None
    if not har.is_har(value):
        raise CorpusError("har: log.entries", "a list", "nothing")
    return dict(value)


def _could_be_har(first: bytes) -> bool:
    """A first line that is no JSON by itself: of a HAR over many lines it is a brace, or a brace and `log`."""
    opening = first[:_LOG_WITHIN].rstrip()
    return opening == b"{" or opening[1:].lstrip().startswith(b'"log"')


def _line(line: bytes, name: str, number: int) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ConfigError(f"{name}, line {number}", "one JSON object a line", "broken JSON") from None
