"""The folder `state`: held by one process at a time, and the keys that redaction tokens and sessions are made with."""

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class StateInUse(Exception):
    """Another process works in this folder."""


@dataclass(slots=True)
class Held:
    """A folder that is ours until this is closed; the system frees it when the process ends in any way."""

    descriptor: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def hold(state: Path) -> Held:
    """Take `state` for this process alone. StateInUse where another one has it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StateInUse from None
    return Held(descriptor)


def token_key(state: Path) -> bytes:
    """The key that redaction tokens are made with, one per `state`, made at first use: equal values get equal tokens
    in all packets of a store, and nobody without the key can test a guess against a token."""
    return _kept(state / "redaction.key")


def session_key(state: Path) -> bytes:
    """The key that sessions of the pages are signed with, one per `state`: a restart signs nobody out."""
    return _kept(state / "session.key")


def _kept(file: Path) -> bytes:
    """32 random bytes, made at first use."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(32))
    return file.read_bytes()
