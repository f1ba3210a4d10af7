"""A contract as people read it: the seed article's table, and what is still to be filled in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from probe.contract.facts import Contract, RequestIdPlaces, Shape, Sourced
from probe.contract.values import is_placeholder

T = TypeVar("T")

NOT_DOCUMENTED: Final = "not documented"
_NEVER_READ: Final = datetime(1970, 1, 1, tzinfo=UTC)  # what a template writes for "not yet read"


@dataclass(frozen=True, slots=True)
class Area:
    """One line of the seed article's contract table. No source where the documents say nothing."""

    area: str
    value: str
    source: str | None
    accessed: datetime | None
    section: str | None
    verified_live: bool


def placeholders(contract: Contract) -> tuple[str, ...]:
    """The fields that still hold a template's placeholder: no probe is sent while there is one."""
    found = ["provider"] if is_placeholder(contract.provider) else []
    for statement in contract.statements:
        if any(is_placeholder(text) for text in statement.texts):
            found.append(f"{statement.place}.{'terminal' if statement.place == 'stream_chunk' else 'value'}")
        if is_placeholder(statement.source.url):
            found.append(f"{statement.place}.source")
        if statement.source.accessed == _NEVER_READ:
            found.append(f"{statement.place}.accessed")
    return tuple(found)


def documented_fields(shape: Shape) -> frozenset[str]:
    """The names of the fields that a schema states at its top."""
    schema = shape.schema or {}
    return frozenset((*schema.get("properties", {}), *schema.get("required", ())))


def areas(contract: Contract) -> tuple[Area, ...]:
    """The seed article's contract table, filled in; what the documents do not say reads ``not documented``."""
    return (
        _row("Base URL", contract.base_url, str),
        _row("Endpoint paths", contract.chat_path, lambda path: f"POST {path}"),
        _row(
            "Auth headers", contract.auth, lambda auth: f"{auth.header}: {auth.format.replace('{key}', '<REDACTED>')}"
        ),
        _shape_row("Request fields", contract.request),
        _shape_row("Response fields", contract.response),
        _shape_row("Response fields (stream)", contract.stream_chunk),
        _shape_row("Error behavior", contract.error),
        _row("Error behavior (statuses)", contract.error_statuses, _statuses),
        _row("Error behavior (retry guidance)", contract.error_retry, str),
        *(_row("Rate-limit or billing assumptions", limit, str) for limit in contract.limits or (None,)),
        _row("Model catalogue", contract.catalogue, lambda catalogue: catalogue.url),
        _row("Request ID", contract.request_id, _id_places),
        *([_row("Gateway log", contract.gateway_log, lambda log: f"GET {log.url}")] if contract.gateway_log else []),
        *(
            _row(f"Escalation route ({name.replace('_', ' ')})", contract.routes.get(name), str)
            for name in dict.fromkeys(("help_center", "support", *contract.routes))
        ),
    )


def _row(area: str, stated: Sourced[T] | None, show: Callable[[T], str]) -> Area:
    if stated is None:
        return Area(area, NOT_DOCUMENTED, None, None, None, False)
    source = stated.source
    return Area(area, show(stated.value), source.url, source.accessed, source.section, source.verified_live)


def _shape_row(area: str, shape: Shape | None) -> Area:
    return _row(area, None if shape is None else Sourced(shape, shape.source), _fields)


def _fields(shape: Shape) -> str:
    """Its fields in order, those required first."""
    schema = shape.schema or {}
    required = schema.get("required", ())
    names = dict.fromkeys((*required, *schema.get("properties", {})))
    text = ", ".join(f"{name} (required)" if name in required else name for name in names) or "fields not listed"
    return text if shape.terminal is None else f"{text}; ends with {shape.terminal}"


def _statuses(statuses: Mapping[str, str]) -> str:
    return "; ".join(f"{status}: {text}" for status, text in statuses.items())


def _id_places(places: RequestIdPlaces) -> str:
    named = [f"header {name}" for name in places.headers]
    return ", ".join([*named, *([f"text “{places.text}”"] if places.text else [])])
