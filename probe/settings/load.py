"""Loads the configuration once and whole: settings, contracts, credentials. All complaints at once, no secrets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from probe.budget import Budget
from probe.contract import Contract, placeholders
from probe.pong import Target
from probe.records import FreezePolicy
from probe.settings import checks
from probe.settings.contracts import Contracts
from probe.settings.credentials import SHORTEST_CHARS, Credential, store_secrets
from probe.settings.errors import ConfigError, raise_all
from probe.settings.model import Settings, TargetSettings, with_defaults
from probe.settings.read import read_settings
from probe.settings.show import origin_of, rows
from probe.shards import Shard, part


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that holds: everything resolved, nothing sent. `targets` and `contracts` are those of our shard,
    `elsewhere` the targets of the others. `gateway_logs` are the access tokens for the provider's own log, by the name
    of the credential whose account it is."""

    settings: Settings
    targets: tuple[Target, ...]
    elsewhere: tuple[Target, ...]
    contracts: Mapping[str, Contract]
    credentials: Mapping[str, Credential]
    gateway_logs: Mapping[str, Credential]
    token: Credential | None
    origins: Mapping[str, str]
    base: Path
    file: Path
    environ: Mapping[str, str] = field(repr=False)
    overrides: Mapping[str, str]

    def again(self) -> "Loaded":
        """The same sources read anew. ConfigError where they no longer hold."""
        return load(self.file, self.environ, self.overrides)

    def secrets(self) -> tuple[SecretStr, ...]:
        """Every configured secret, read now: credentials, the server's token, what a proxy URL carries, and what the
        store's library finds in its own variables."""
        named = [one.read() for one in (*self.credentials.values(), *self.gateway_logs.values())]
        token = [] if self.token is None else [self.token.read()]
        return (*named, *token, *_userinfo(self.settings.network.proxy), *store_secrets(self.environ))

    @property
    def shard(self) -> Shard:
        return Shard(self.settings.shard.index or 0, self.settings.shard.count)

    @property
    def shard_words(self) -> str | None:
        """Which part of the targets is probed here; None where all are."""
        whole = len(self.targets) + len(self.elsewhere)
        return None if self.shard.is_alone else self.shard.words(len(self.targets), whole)

    @property
    def budget(self) -> Budget:
        """Our part of the day's budget, by how often our targets are probed among all."""
        ours = sum(1 / target.cadence_s for target in self.targets)
        of_all = ours + sum(1 / target.cadence_s for target in self.elsewhere)
        stated = self.settings.budget
        return Budget(part(stated.probes_per_day, ours, of_all), part(stated.tokens_per_day, ours, of_all))

    def path(self, text: str) -> Path:
        """A path of the file, which is relative to the file."""
        return self.base / text


def load(path: Path, environ: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Loaded:
    """Settings from the command line (`overrides`, by dotted key), the environment and the file, in that order.

    ConfigError, or ConfigErrors where there are several. Nothing is fetched.
    """
    base = path.parent.resolve()
    settings, found = read_settings(path, environ, overrides or {})
    credentials = {
        name: Credential.of(f"credentials.{name}", source, base, environ)
        for name, source in settings.credentials.items()
    }
    gateway_logs = {
        name: Credential.of(f"credentials.{name}.gateway_log", source.gateway_log, base, environ)
        for name, source in settings.credentials.items()
        if source.gateway_log is not None
    }
    source = settings.server.token
    token = None if source is None else Credential.of("server.token", source, base, environ)
    known = (*credentials.values(), *gateway_logs.values(), *([] if token is None else [token]))
    contracts = Contracts(base)
    targets, errors = _targets(settings, contracts)
    errors += checks.gateway_log_problems(gateway_logs, targets)
    raise_all([*_unreadable(known), *checks.problems(settings, base), *errors])
    raise_all([*_same_as_the_key(credentials, gateway_logs)])
    shard = Shard(settings.shard.index or 0, settings.shard.count)
    owned = tuple(target for target in targets if shard.owns(target.name))
    return Loaded(
        settings=settings,
        targets=owned,
        elsewhere=tuple(target for target in targets if not shard.owns(target.name)),
        contracts={target.contract.name: target.contract for target in owned},
        credentials=credentials,
        gateway_logs=gateway_logs,
        token=token,
        origins={key: origin_of(key, found) for key, _ in rows(settings)},
        base=base,
        file=path,
        environ=environ,
        overrides=overrides or {},
    )


def _unreadable(credentials: Iterable[Credential]) -> Iterator[ConfigError]:
    for credential in credentials:
        try:
            credential.read()
        except ConfigError as error:
            yield error


def _same_as_the_key(
    credentials: Mapping[str, Credential], gateway_logs: Mapping[str, Credential]
) -> Iterator[ConfigError]:
    """An access token is more than the API key may do, and is sent elsewhere."""
    for name, access in gateway_logs.items():
        if access.read() == credentials[name].read():
            yield ConfigError(access.key, "an access token of its own", "the API key")


def _targets(settings: Settings, contracts: Contracts) -> tuple[tuple[Target, ...], list[ConfigError]]:
    """Every target with the defaults applied and its contract found, and what is wrong with any of them."""
    targets: list[Target] = []
    errors: list[ConfigError] = []
    for n, stated in enumerate(settings.targets):
        own = stated.contract is not None
        try:
            contract = contracts.find(
                f"targets[{n}].contract" if own else "contract", stated.contract or settings.contract
            )
        except ConfigError as error:
            errors.append(error)
            continue
        errors += (
            ConfigError(f"{contract.name}: {field}", "what the provider's documents say", "a placeholder")
            for field in placeholders(contract)
        )
        targets.append(_target(with_defaults(settings.defaults, stated), contract))
        errors += checks.request_problems(
            f"targets[{n}]" if "request" in stated.model_fields_set else "defaults", targets[-1]
        )
    return tuple(targets), errors


def _target(stated: TargetSettings, contract: Contract) -> Target:
    freeze = stated.freeze
    return Target(
        name=stated.name,
        contract=contract,
        model=stated.model,
        stream=stated.stream,
        credential=stated.credential,
        labels=stated.labels,
        cadence_s=stated.cadence,
        timeout_s=stated.timeout,
        slow_s=stated.slow,
        reuse_connection=stated.connection == "reuse",
        freeze=FreezePolicy(
            failures=freeze.failures,
            window=freeze.window,
            recover=freeze.recover,
            reopen_s=freeze.reopen,
            confirm_attempts=freeze.confirm.attempts,
            confirm_backoff_s=freeze.confirm.backoff,
        ),
        request=stated.request,
    )


def _userinfo(proxy: SecretStr | None) -> tuple[SecretStr, ...]:
    """What a proxy URL carries: user with password, and the password where it is long enough to be told apart."""
    parts = urlsplit("" if proxy is None else proxy.get_secret_value())
    if "@" not in parts.netloc:
        return ()
    together = parts.netloc.rpartition("@")[0]
    password = unquote(parts.password or "")
    found = dict.fromkeys((together, unquote(together), password if len(password) >= SHORTEST_CHARS else together))
    return tuple(SecretStr(text) for text in found)


def effective(loaded: Loaded) -> tuple[tuple[str, str, str], ...]:
    """Dotted key, value, origin: for `config show`."""
    return tuple((key, value, loaded.origins[key]) for key, value in rows(loaded.settings))
