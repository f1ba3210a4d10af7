"""What is known to be secret: every configured secret, and every part of one that is long enough to matter."""

from collections.abc import Sequence
from typing import Final

import re2
from pydantic import SecretStr

PART_BYTES: Final = 12


class Literals:
    """Finds the secrets it was made of."""

    def __init__(self, secrets: Sequence[SecretStr]) -> None:
        texts = {secret.get_secret_value() for secret in secrets} - {""}
        parts = {part for text in texts for part in _parts(text.encode())}
        bare = {part for text in texts for part in _parts("".join(text.split()).encode())}
        self._parts, self._bare = _any_of(parts), _any_of(bare)

    def find(self, data: bytes) -> int:
        """Where the first one stands; -1 where none does."""
        return _first(self._parts, data)

    def find_bare(self, data: bytes) -> int:
        """The same in a text without white space."""
        return _first(self._bare, data)


def _parts(secret: bytes) -> set[bytes]:
    """The whole, and for a long one every window of PART_BYTES: a part of a key is too much as well."""
    if len(secret) < 2 * PART_BYTES:
        return {secret} - {b""}
    return {secret[at : at + PART_BYTES] for at in range(len(secret) - PART_BYTES + 1)}


def _any_of(parts: set[bytes]) -> object | None:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are compared, not signs
    options.max_mem = 64 << 20
    options.log_errors = False
    options.literal = False
    return re2.compile(b"|".join(re2.escape(part) for part in sorted(parts)), options) if parts else None


def _first(parts: object, data: bytes) -> int:
    found = None if parts is None else parts.search(data)  # type: ignore[attr-defined]
    return -1 if found is None else found.start()
