"""What one key alone cannot tell: settings that contradict each other, or point at nothing."""

import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from probe.contract import did_you_mean, documented_fields, is_placeholder
from probe.pong import OWN_FIELDS, Target
from probe.pong import problems as pong_problems
from probe.settings.errors import ConfigError
from probe.settings.kinds import duration_text, is_loopback
from probe.settings.model import Settings, TlsSettings, with_defaults

_A_PAIR: Final = "cert_file to be a certificate and key_file its key, in PEM, the key without a passphrase"


def problems(settings: Settings, base: Path) -> Iterator[ConfigError]:
    """Contradictions between settings, and files that are not there."""
    yield from _repeated("targets", [target.name for target in settings.targets])
    yield from _repeated("controls", [control.name for control in settings.controls])
    for n in range(len(settings.targets)):
        yield from _target(n, settings)
    yield from _shard(settings.shard.index, settings.shard.count)
    server = settings.server
    if server.token is None and not is_loopback(server.listen):
        yield ConfigError("server.token", f"a token, because {server.listen} is not loopback", "none")
    if settings.network.ca_file is not None and not (base / settings.network.ca_file).is_file():
        yield ConfigError("network.ca_file", "a file that can be read", "none")
    yield from _tls(server.tls, base)


def _tls(tls: TlsSettings, base: Path) -> Iterator[ConfigError]:
    """Read as the listener will read them: a wrong file is told of at the start and by `config check`."""
    if tls.cert_file is None or tls.key_file is None:
        return
    unreadable = tuple(_unreadable({"cert_file": base / tls.cert_file, "key_file": base / tls.key_file}))
    yield from unreadable
    if unreadable:
        return
    try:  # a key under a passphrase must not ask for it on the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(base / tls.cert_file, base / tls.key_file, lambda: "")
    except (OSError, ValueError) as error:
        found = "a key of another certificate" if _is_mismatch(error) else "something else"
        yield ConfigError("server.tls", _A_PAIR, found)


def _unreadable(files: Mapping[str, Path]) -> Iterator[ConfigError]:
    for name, file in files.items():
        try:
            with file.open("rb"):
                pass
        except OSError as error:
            yield ConfigError(f"server.tls.{name}", "a file that can be read", error.strerror or "an error")


def _is_mismatch(error: Exception) -> bool:
    return isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"


def _shard(index: int | None, count: int) -> Iterator[ConfigError]:
    expected = f"a number from 0 to {count - 1}, or a pod's name that ends in one, because shard.count is {count}"
    if index is None and count > 1:
        yield ConfigError("shard.index", expected, "none")
    elif index is not None and index >= count:
        yield ConfigError("shard.index", expected, str(index))


def _repeated(key: str, names: Sequence[str]) -> Iterator[ConfigError]:
    for n, name in enumerate(names):
        if name in names[:n]:
            yield ConfigError(f"{key}[{n}].name", "a name of its own", f"{name!r} again")


def _target(n: int, settings: Settings) -> Iterator[ConfigError]:
    stated = settings.targets[n]
    target = with_defaults(settings.defaults, stated)
    own = f"targets[{n}]"
    if target.credential not in settings.credentials:
        # not repeated: someone may have put the key here
        hint = did_you_mean(target.credential, tuple(settings.credentials))
        yield ConfigError(f"{own}.credential", f"one of the names in credentials{hint}", "another")
    if is_placeholder(target.model):
        yield ConfigError(f"{own}.model", "a model ID from the provider's documents", "a placeholder")
    if target.timeout >= target.cadence:
        at = own if stated.model_fields_set & {"timeout", "cadence"} else "defaults"
        cadence = duration_text(target.cadence)
        yield ConfigError(f"{at}.timeout", f"less than the cadence of {cadence}", duration_text(target.timeout))
    if target.freeze.failures > target.freeze.window:
        at = own if "freeze" in stated.model_fields_set else "defaults"
        window = target.freeze.window
        yield ConfigError(f"{at}.freeze.failures", f"at most the window of {window}", str(target.freeze.failures))


def gateway_log_problems(names: Collection[str], targets: Sequence[Target]) -> Iterator[ConfigError]:
    """A token for a log that no contract documents, of those that its credential is used with."""
    for name in names:
        contracts = {target.contract.name: target.contract for target in targets if target.credential == name}
        if contracts and not any(contract.gateway_log for contract in contracts.values()):
            said = f"nothing of it in contract {', '.join(sorted(contracts))}"
            yield ConfigError(f"credentials.{name}.gateway_log", "a contract that documents a gateway log", said)


def request_problems(at: str, target: Target) -> Iterator[ConfigError]:
    """What our own request says that the contract does not document. Values are not repeated."""
    documented = documented_fields(target.contract.request) - OWN_FIELDS
    undocumented = [field for field in target.request if field not in documented]
    for field in undocumented:
        expected = f"a request field that contract {target.contract.name} documents{did_you_mean(field, documented)}"
        yield ConfigError(f"{at}.request.{field}", expected, "the probe's own" if field in OWN_FIELDS else "another")
    for finding in () if undocumented else pong_problems(target):
        expected = f"what contract {target.contract.name} documents for {finding.place}: {finding.expected}"
        yield ConfigError(f"{at}.request", expected, finding.observed)
