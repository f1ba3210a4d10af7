"""The secrets that the program knows: read at the moment of use, and known to the redactor from that moment on.

A key file may rotate while we run. A key that was ever read stays known: a server may echo yesterday's.
"""

from collections.abc import Sequence

from pydantic import SecretStr

from probe.edges import KeyUnavailable
from probe.redact import Policy, Redactor
from probe.settings import ConfigError, Loaded
from probe.state import token_key
from probe.watch import TokenUnavailable


class Keyring:
    """Reads credentials; gives the redactor and the gate every secret read so far."""

    def __init__(self, loaded: Loaded) -> None:
        self._key = token_key(loaded.base / loaded.settings.state)
        self._known: dict[str, SecretStr] = {}
        self.adopt(loaded)

    def adopt(self, loaded: Loaded) -> None:
        """What a newly loaded configuration knows, beside everything known before."""
        self._loaded = loaded
        for secret in loaded.secrets():
            self._known[secret.get_secret_value()] = secret
        self._redactor = self._build()

    def key(self, credential: str) -> SecretStr:
        """The credential's value, read anew. KeyUnavailable names the setting and what was expected."""
        try:
            return self._met(self._loaded.credentials[credential].read())
        except ConfigError as error:
            raise KeyUnavailable(str(error)) from None

    def gateway_log_token(self, credential: str) -> SecretStr | None:
        """The access token for the provider's log of that credential's account, read anew; None where none is
        configured. TokenUnavailable names the setting and what was expected."""
        source = self._loaded.gateway_logs.get(credential)
        try:
            return None if source is None else self._met(source.read())
        except ConfigError as error:
            raise TokenUnavailable(str(error)) from None

    def _met(self, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value() not in self._known:
            self._known[secret.get_secret_value()] = secret
            self._redactor = self._build()
        return secret

    def secrets(self) -> Sequence[SecretStr]:
        return tuple(self._known.values())

    def redactor(self) -> Redactor:
        return self._redactor

    def _build(self) -> Redactor:
        settings = self._loaded.settings
        trusted = [url for contract in self._loaded.contracts.values() for url in contract.trusted]
        trusted += [owner for owner in [settings.escalation.owner] if owner]
        policy = Policy(request_ids=settings.redaction.request_ids, egress_ip=settings.redaction.egress_ip)
        return Redactor(self.secrets(), trusted, policy, self._key)
