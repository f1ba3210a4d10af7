"""Finds contracts: one that is shipped, by its name, or a file beside the configuration, by its path."""

from importlib import resources
from pathlib import Path

from probe.contract import Contract, ContractError, did_you_mean, parse
from probe.settings.errors import ConfigError
from probe.settings.sources import read_text


def shipped() -> tuple[str, ...]:
    """The names of the contracts that come with the program."""
    return tuple(sorted(path.name.removesuffix(".yaml") for path in _folder().iterdir() if path.name.endswith(".yaml")))


def _folder() -> Path:
    return Path(str(resources.files("probe") / "contracts"))


class Contracts:
    """The contracts of one configuration, each read once."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._paths: dict[str, Path] = {}
        self.by_name: dict[str, Contract] = {}

    def find(self, key: str, reference: str) -> Contract:
        """The contract that setting `key` refers to; ConfigError names the setting or the contract's own field."""
        known = shipped()
        path = _folder() / f"{reference}.yaml" if reference in known else (self._base / reference).resolve()
        name = path.name.removesuffix(".yaml").removesuffix(".yml")
        if self._paths.get(name) == path:
            return self.by_name[name]
        if name in self._paths:
            raise ConfigError(key, "contracts with different file names", f"two called {name}")
        if not path.is_file():
            hint = did_you_mean(reference, known)
            raise ConfigError(key, f"a shipped contract ({', '.join(known)}) or the path of a file{hint}", "neither")
        try:
            contract = parse(read_text(key, path), name)
        except ContractError as error:
            raise ConfigError(error.place, error.expected, error.found) from None
        self._paths[name] = path
        self.by_name[name] = contract
        return contract
