"""Settings out of their sources, or every complaint about them in our own words."""

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import InitSettingsSource

from probe.contract import did_you_mean, kind, shown_key
from probe.settings.errors import ConfigError, raise_all, together
from probe.settings.model import Settings
from probe.settings.sources import (
    EnvironmentSource,
    FileSource,
    known_keys,
    origins,
    referenced_variables,
    variable_problems,
)

# The settings whose wrong value is shown: no secret belongs there, and even then only a short one is repeated.
_SHOWN: Final = frozenset(
    {
        *("cadence", "timeout", "slow", "reopen", "backoff", "history", "packets", "connection", "name", "role"),
        *("failures", "window", "recover", "attempts", "probes_per_day", "tokens_per_day", "stream", "listen"),
        *("request_ids", "egress_ip", "level", "format"),
    }
)
_SHOWN_CHARS: Final = 24
_EXPECTED: Final[Mapping[str, str]] = {
    "missing": "a value",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "too_short": "at least one",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "setting": "{expected}",
}


def read_settings(
    path: Path, environ: Mapping[str, str], overrides: Mapping[str, str]
) -> tuple[Settings, dict[str, str]]:
    """The settings, and which keys were set by what. ConfigError or ConfigErrors where they do not hold."""
    file = FileSource(path)
    flags = InitSettingsSource(Settings, _nested(overrides))
    referenced = referenced_variables(environ, file.yaml_data)
    ours = {name: value for name, value in environ.items() if name not in referenced}
    unknown = tuple(variable_problems(ours))
    raise_all(unknown)
    found = origins(ours, path.name, file.yaml_data) | {key: f"--{key.rpartition('.')[2]}" for key in overrides}
    try:
        return Settings(flags, EnvironmentSource(ours), file), found
    except ValidationError as error:
        complaints = [_complaint(one, found) for one in error.errors(include_url=False)]
    raise together(complaints)


def _nested(overrides: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        *parents, leaf = key.split(".")
        reduce(lambda part, name: part.setdefault(name, {}), parents, tree)[leaf] = value
    return tree


def _complaint(error: ErrorDetails, found: Mapping[str, str]) -> ConfigError:
    location = tuple(step for step in error["loc"] if step != "[key]")
    if error["type"] == "extra_forbidden":
        return _unknown_key(location)
    context = error.get("ctx", {})
    expected = _EXPECTED.get(error["type"], "another kind of value").format(**context)
    key = _dotted(location)
    origin = found.get(key, "")
    where = f" ({origin})" if origin.startswith(("environment", "--")) else ""
    return ConfigError(key, expected, f"{context.get('found') or _shown(error)}{where}")


def _unknown_key(location: tuple[int | str, ...]) -> ConfigError:
    *parents, last = location
    if parents[:1] == ["credentials"] or parents[:2] == ["server", "token"]:
        # what stands there instead of `env` may be the secret itself
        return ConfigError(_dotted(tuple(parents)), "{env: NAME} or {file: path}", "an unknown key")
    hint = did_you_mean(str(last), known_keys(tuple(parents)))
    return ConfigError(_dotted(location), f"a known key{hint}", "an unknown one")


def _shown(error: ErrorDetails) -> str:
    value = error["input"]
    if error["type"] == "missing":
        return "nothing"
    if not isinstance(value, str | int | float) or error["loc"][-1] not in _SHOWN or "credentials" in error["loc"]:
        return "none" if value == [] else kind(value)
    return repr(value) if len(str(value)) <= _SHOWN_CHARS else f"{len(str(value))} characters"


def _dotted(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{shown_key(step)}" for step in location)
    return "".join(steps).removeprefix(".")
