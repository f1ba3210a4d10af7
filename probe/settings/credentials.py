"""A credential: where it is, and reading it anew at the moment of use. What it holds is never shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from pydantic import SecretStr

from probe.settings.errors import ConfigError
from probe.settings.model import SecretSource
from probe.settings.sources import read_text

SHORTEST_CHARS: Final = 8  # below that a secret cannot be told from ordinary text when a packet is redacted
# What obstore reads from the environment by itself and would be a secret in a packet (its type stubs name them all).
# Not GOOGLE_SERVICE_ACCOUNT_KEY: a key file begins like every other, its private key is found by its looks.
_STORE_KEYS: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN", "AWS_SSE_CUSTOMER_KEY_BASE64"),
    *("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY", "AZURE_STORAGE_TOKEN"),
    *("AZURE_STORAGE_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "AZURE_ENCRYPTION_KEY", "GOOGLE_BEARER_TOKEN"),
)
_STORE_SIGNATURES: Final = ("AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_SAS_TOKEN")
_SHOWABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")  # looks like a variable's name and not like a key pasted in its place


@dataclass(frozen=True, slots=True)
class Credential:
    """One of `credentials`, or the server's token. `key` is the setting it came from."""

    key: str
    env: str | None
    file: Path | None
    _environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, key: str, source: SecretSource, base: Path, environ: Mapping[str, str]) -> "Credential":
        return cls(key, source.env, None if source.file is None else base / source.file, environ)

    def read(self) -> SecretStr:
        """The value as it is now. ConfigError names the setting and what is wrong, never the value."""
        if self.env is not None:
            place = f"{self.key}.env"
            text = self._environ.get(self.env)
            if text is None:
                shown = self.env if _SHOWABLE.fullmatch(self.env) else "that it names"
                raise ConfigError(place, f"the environment variable {shown} to be set", "it unset")
        else:
            assert self.file is not None
            place = f"{self.key}.file"
            text = read_text(place, self.file)
        secret = text.rstrip("\r\n")
        if not secret.strip():
            raise ConfigError(place, "a secret", "an empty one")
        if not (secret.isascii() and secret.isprintable()):
            raise ConfigError(place, "a secret of printable ASCII characters", "other characters")
        if len(secret) < SHORTEST_CHARS:
            raise ConfigError(place, f"a secret of at least {SHORTEST_CHARS} characters", "a shorter one")
        return SecretStr(secret)


def store_secrets(environ: Mapping[str, str]) -> tuple[SecretStr, ...]:
    """The keys and signatures that a remote store's library takes from its own variables."""
    found = [environ.get(name, "").strip() for name in _STORE_KEYS]
    for name in _STORE_SIGNATURES:  # of a shared access signature only the signature is secret
        found += parse_qs(environ.get(name, "").strip().removeprefix("?")).get("sig", [])
    return tuple(SecretStr(text) for text in dict.fromkeys(found) if len(text) >= SHORTEST_CHARS)
