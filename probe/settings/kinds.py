"""The kinds of value that a setting can have; each says in plain words what it expects."""

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from probe.contract import url_problem

_UNITS_S: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)")
DURATION_PATTERN: Final = f"^{_DURATION.pattern}$"
_A_DURATION: Final = "a duration such as 30s"
_LONGEST_S: Final = 36_500 * 86_400.0  # what is longer overflows a date somewhere


def wrong(expected: str, found: str | None = None) -> PydanticCustomError:
    """`found` only where it says more than the value itself may."""
    return PydanticCustomError("setting", "{expected}", {"expected": expected, "found": found})


def _seconds(value: object) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong(_A_DURATION)
    seconds = round(float(match[1]) * _UNITS_S[match[2]], 9)
    if seconds > _LONGEST_S:
        raise wrong("a duration of at most 36500d")
    return seconds


def duration_text(seconds: float) -> str:
    """The shortest text that reads back as the same duration."""
    for unit, length in _UNITS_S.items():
        count = round(seconds / length, 6)
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds:g}s"


def _check(holds: Callable[[Any], bool], expected: str) -> AfterValidator:
    def check(value: Any) -> Any:
        if not holds(value):
            raise wrong(expected)
        return value

    return AfterValidator(check)


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise wrong("a whole number")
    return value


def _matches(pattern: str, expected: str) -> AfterValidator:
    return _check(lambda text: re.fullmatch(pattern, text) is not None, expected)


def _is_json(value: object) -> bool:
    """What YAML makes of it and JSON cannot say: dates, NaN, keys that are numbers."""
    try:
        return bool(orjson.loads(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)) == value)
    except (TypeError, ValueError):
        return False


def _plain_url(text: str) -> str:
    problem = url_problem(text)
    if problem is not None:
        raise wrong("an http(s) URL without a user name or password", problem)
    return text


def _store(text: str) -> str:
    """A path, or the URL of an object store; its credentials come from its own environment, never from the URL."""
    if "://" not in text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("s3", "gs", "az", "memory"):
        raise wrong("a path, s3://, gs://, az:// or memory://", "another scheme")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise wrong("a store URL without credentials, query or fragment", "one with")
    if parts.scheme != "memory" and not parts.netloc:
        raise wrong("a store URL with a bucket", "none")
    return text


def _shard_index(value: object) -> object:
    """A number, or the name of a pod that ends in one, as Kubernetes names those of a StatefulSet."""
    if isinstance(value, str) and (found := re.fullmatch(r"(?:[a-z0-9.-]*-)?(\d{1,4})", value, re.ASCII)):
        return int(found[1])
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong("a number from 0, or a pod's name that ends in one such as freezeframe-2")
    return value


def _proxy(secret: SecretStr) -> SecretStr:
    parts = urlsplit(secret.get_secret_value())
    try:
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        fits = False
    if not fits:
        raise wrong("an http(s) URL of a proxy", "another text")
    return secret


def split_listen(text: str) -> tuple[str, int]:
    """``host:port`` as a pair; an IPv6 host stands in brackets. ValueError where it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535:
        raise ValueError("no port")
    if ":" in host:
        if not (host.startswith("[") and host.endswith("]")):
            raise ValueError("an IPv6 address stands in brackets")
        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif not re.fullmatch(r"[A-Za-z0-9.-]*", host):
        raise ValueError("not a host")
    return host, int(port)


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach the listener."""
    host, _ = split_listen(listen)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_listen(text: str) -> bool:
    try:
        split_listen(text)
    except ValueError:
        return False
    return True


Text = Annotated[str, _check(lambda text: bool(text.strip()) and text.isprintable(), "text")]
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
PositiveDuration = Annotated[Duration, _check(lambda seconds: seconds > 0, "a duration longer than 0s")]
Cadence = Annotated[PositiveDuration, _check(lambda seconds: seconds <= 7 * 86_400, "a duration of at most 7d")]
Count = Annotated[int, Field(ge=1), BeforeValidator(_not_bool)]
CountOrZero = Annotated[int, Field(ge=0), BeforeValidator(_not_bool)]
ShardIndex = Annotated[
    int,
    BeforeValidator(_shard_index),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^(.*-)?\d{1,4}$"}]}),
]
TargetName = Annotated[
    str,
    _matches(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "up to 63 letters, digits, dots, dashes and underscores"),
]
LabelName = Annotated[
    str,
    _matches(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,62}", "a Prometheus label name (letters, digits, underscores)"),
]
VariableName = Annotated[str, _matches(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
PlainUrl = Annotated[str, AfterValidator(_plain_url)]
StoreUrl = Annotated[Text, AfterValidator(_store)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]
Listen = Annotated[str, _check(_is_listen, "host:port such as 127.0.0.1:9464")]
RequestFields = Annotated[dict[str, Any], _check(_is_json, "a mapping of JSON values")]
