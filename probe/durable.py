"""A file that is there whole or as it was before, also over a crash: a temporary name, fsync, rename."""

import contextlib
import os
from pathlib import Path
from typing import Final

PART: Final = ".part"  # how the temporary name ends: after a kill one may be left


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write `content` to `path`, for one writer at a time. `mode` (what umask leaves of it) is for a new file, that of
    one that is there stays. OSError where the disk does not take it: then nothing has changed."""
    part = path.with_name(f".{path.name}{PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as out:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(out.fileno(), path.stat().st_mode & 0o7777)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_names(path.parent)


def sync_names(folder: Path) -> None:
    """The names in a folder are on the disk. OSError where it does not say so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
