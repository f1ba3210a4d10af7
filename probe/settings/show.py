"""The configuration in effect, line by line, with where each value came from; and the file's JSON Schema."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from probe.records import Json
from probe.settings.kinds import DURATION_PATTERN, duration_text
from probe.settings.model import Probing, Settings, with_defaults
from probe.settings.sources import flatten

SECRET: Final = "<secret>"  # noqa: S105 - what is shown instead of one


def rows(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every dotted key and its value, defaults applied to the targets; a secret only as ``<secret>``."""
    tree = settings.model_dump(mode="json")
    tree["targets"] = [with_defaults(settings.defaults, target).model_dump(mode="json") for target in settings.targets]
    for name in tree["credentials"]:
        tree["credentials"][name]["value"] = SECRET
        if tree["credentials"][name]["gateway_log"] is not None:
            tree["credentials"][name]["gateway_log"]["value"] = SECRET
    if tree["server"]["token"] is not None:
        tree["server"]["token"]["value"] = SECRET
    if settings.network.proxy is not None:
        tree["network"]["proxy"] = SECRET
    for key, value in flatten(tree):
        yield key, _text(value)


def _text(value: Any) -> str:
    names: dict[Any, str] = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return names[value]
    return value if isinstance(value, str) else str(value)


def origin_of(key: str, found: Mapping[str, str]) -> str:
    """What set a key: itself or all of which it is a part; for a target, `defaults` may have."""
    if key.endswith(".value"):
        key = key.removesuffix(".value")
        key = next((known for known in found if known.startswith(f"{key}.")), key)
    at = key
    while at:
        if at in found:
            return found[at]
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    target, _, setting = key.partition("].")
    if target.startswith("targets[") and setting.partition(".")[0] in Probing.model_fields:
        inherited = origin_of(f"defaults.{setting}", found)
        return inherited if inherited == "default" else f"{inherited} (defaults)"
    return "default"


def schema() -> Json:
    """The JSON Schema of `freezeframe.yaml`."""
    plain = Settings.model_json_schema()
    for part in (plain, *plain["$defs"].values()):
        for known in part["properties"].values():
            if known.get("pattern") == DURATION_PATTERN and "default" in known:
                known["default"] = duration_text(known["default"])  # as it is written in the file
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}
