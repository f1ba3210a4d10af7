"""The folder of posts: notes and their index, written whole or not at all, with what people wrote in them kept."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from probe.render.post import MARKER
from probe.render.post_index import Listed, listed

INDEX: Final = "index.md"
SUFFIX: Final = ".md"
_MOST_BYTES: Final = 64 * 1024  # front matter stands at the beginning
_MARKER: Final = MARKER.encode()


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[None]:
    """The folder, made if absent, to one writer at a time. OSError where it cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: two writers at once may then miss each other
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def with_kept(path: Path, generated: str) -> bytes:
    """The new content of a file: what is generated, down to the marker, then what people wrote below it. Of a file
    without the marker everything is theirs. OSError where it is there and cannot be read."""
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = b""
    lines = before.splitlines(keepends=True)
    at = next((number for number, line in enumerate(lines) if line.strip() == _MARKER), None)
    theirs = before if at is None else b"".join(lines[at + 1 :])
    ours = generated.encode()
    return ours + (b"\n" if at is None and theirs else b"") + theirs


def all_listed(folder: Path, but: str) -> tuple[Listed, ...]:
    """Every post of the folder but the index and the one named; what cannot be read is listed by its name alone."""
    names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(SUFFIX) and not entry.is_dir()]
    shown = [name for name in names if not name.startswith(".") and name not in (INDEX, but)]
    return tuple(listed(name, _beginning(folder / name)) for name in shown)


def _beginning(path: Path) -> str:
    """Nothing where it cannot be read, and of what is no plain file: reading a pipe would wait."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
