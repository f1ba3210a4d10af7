"""Where settings come from, first wins: the command line, the environment, the file; and which of them set what."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import orjson
from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource, YamlConfigSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

from probe.contract import FILE_LIMIT_BYTES, YamlError, did_you_mean, kind, read_yaml
from probe.settings.errors import ConfigError
from probe.settings.model import Settings

_AS_JSON: Final[Mapping[Any, str]] = {list: "a JSON list", dict: "a JSON object"}
PREFIX: Final = "FREEZEFRAME_"
_SERVICE_LINKS: Final = (
    "a known variable{}; if Kubernetes injects it for a Service named freezeframe, set enableServiceLinks: false"
)


class FileSource(YamlConfigSettingsSource):
    """The configuration file, read strictly."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ConfigError(str(path), "a configuration file", "none")
        super().__init__(Settings, yaml_file=path)

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        try:
            document = read_yaml(read_text(file_path.name, file_path))
        except YamlError as error:
            raise ConfigError(file_path.name, "a YAML file", str(error)) from None
        if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
            raise ConfigError(file_path.name, "a mapping of settings", kind(document))
        return document


class EnvironmentSource(EnvSettingsSource):
    """``FREEZEFRAME_SERVER__LISTEN=...`` out of a given environment; lists and mappings are JSON."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(
            Settings, case_sensitive=False, env_prefix=PREFIX, env_nested_delimiter="__", env_parse_none_str="null"
        )

    def _load_env_vars(self) -> Mapping[str, str | None]:
        ours = {name: value for name, value in self._environ.items() if _path(name)}
        return parse_env_vars(ours, self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str)


def variable_problems(environ: Mapping[str, str]) -> Iterator[ConfigError]:
    """A variable with our prefix that is no setting, or is not the JSON it must be."""
    for name, value in sorted(environ.items()):
        path = _path(name)
        if not path:
            continue
        annotation: Any = Settings
        known: tuple[str, ...] = ()
        for n, key in enumerate(path):
            known = tuple("__".join((*path[:n], sibling)).upper() for sibling in _keys(annotation) or ())
            annotation = _inside(annotation, key)
            if annotation is None:
                hint = did_you_mean(name.upper(), [PREFIX + sibling for sibling in known])
                yield ConfigError(f"environment {name}", _SERVICE_LINKS.format(hint), "an unknown one")
                break
        else:
            wanted = get_origin(annotation)
            if wanted in _AS_JSON and not isinstance(_json(value), wanted):
                yield ConfigError(f"environment {name}", _AS_JSON[wanted], "other text")


def referenced_variables(environ: Mapping[str, str], document: Mapping[str, Any]) -> frozenset[str]:
    """The variables that credentials and the token name: one of those may begin with our own prefix."""
    credentials, server = document.get("credentials"), document.get("server")
    sources = [*credentials.values()] if isinstance(credentials, dict) else []
    sources += [source.get("gateway_log") for source in sources if isinstance(source, dict)]
    sources += [server.get("token")] if isinstance(server, dict) else []
    named = [source.get("env") for source in sources if isinstance(source, dict)]
    named += [value for name, value in environ.items() if _path(name)[-1:] == ("env",)]
    return frozenset(name for name in named if isinstance(name, str))


def origins(environ: Mapping[str, str], file_name: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Which keys the file and the environment set, dotted, with the source that wins."""
    found = {key: file_name for key, _ in flatten(document)}
    for name, value in sorted(environ.items()):
        if not (path := _path(name)):
            continue
        key = ".".join(path)
        whole = _json(value)
        if isinstance(whole, list):  # a list is replaced, not merged
            found = {known: origin for known, origin in found.items() if not known.startswith(f"{key}[")}
        parts = flatten(whole, key) if isinstance(whole, dict | list) else ((key, value),)
        found |= {leaf: f"environment {name}" for leaf, _ in parts}
    return found


def flatten(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree as ``targets[0].labels.region``; an empty list or mapping is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from flatten(part, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list | tuple) and value:
        for n, part in enumerate(value):
            yield from flatten(part, f"{at}[{n}]")
    else:
        yield at, value


def read_text(key: str, path: Path) -> str:
    """A whole small file; ConfigError names the setting that wanted it."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise ConfigError(key, "a file that can be read", error.strerror or "an error") from None
    if len(content) > FILE_LIMIT_BYTES:
        raise ConfigError(key, f"a file of at most {FILE_LIMIT_BYTES // 1024} KiB", "a larger one")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(key, "UTF-8 text", "other bytes") from None


def _path(name: str) -> tuple[str, ...]:
    """The setting that a variable addresses; empty for a variable that is not ours."""
    return tuple(name[len(PREFIX) :].lower().split("__")) if name.upper().startswith(PREFIX) else ()


def _plain(annotation: Any) -> Any:
    """Without Annotated and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(kind for kind in get_args(annotation) if kind is not type(None))
        else:
            return annotation


def _keys(annotation: Any) -> tuple[str, ...] | None:
    """The keys that a part of the file knows; None where any will do (or none can be)."""
    return tuple(annotation.model_fields) if _is_part(annotation) else None


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _inside(annotation: Any, key: str) -> Any:
    if _is_part(annotation):
        field = annotation.model_fields.get(key)
        return None if field is None else _plain(field.annotation)
    if get_origin(annotation) is dict:
        return _plain(get_args(annotation)[1])
    return None


def known_keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that the file knows at a place in it."""
    annotation: Any = Settings
    for step in location:
        inside_list = get_origin(annotation) is list
        annotation = _plain(get_args(annotation)[0]) if inside_list else _inside(annotation, str(step))
    return _keys(annotation) or ()


def _json(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
