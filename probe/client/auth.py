"""The one record that holds a live key, and what a header may hold at all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httpcore2
from pydantic import SecretStr

# RFC 9110 field-value, ASCII only: what h11 would refuse is refused here, before a library quotes the value anywhere.
_FIELD_VALUE: Final = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?")
_FIELD_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")


@dataclass(frozen=True, slots=True)
class Auth:
    """The auth header as it is sent; `value` is the whole of it, e.g. ``Bearer k``."""

    header: str
    value: SecretStr


def refuse_illegal(headers: Iterable[tuple[str, str]]) -> None:
    """LocalProtocolError, which names the header and not its value."""
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name):
            raise httpcore2.LocalProtocolError("Illegal header name")
        if value and not _FIELD_VALUE.fullmatch(value):
            raise httpcore2.LocalProtocolError(f"Illegal header value ({name})")
