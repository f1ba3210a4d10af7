"""The provider's own log of our requests: its rows, and which of them are of our attempts. Pure.

Only fields that the contract names are looked at, each is of one type and bounded, and a row's IDs are compared and
never shown: an account's log also holds names, addresses and prices, which are nobody's business here.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from probe.contract import GatewayLog, TimeField
from probe.contract.paths import at
from probe.records import Result

MOST_ROWS: Final = 1000
_MOST_S: Final = 1e6
_MOST_TOKENS: Final = 10**9
_LATEST: Final = 253402300799  # the end of the year 9999
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+/=-]{2,127}")
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `total_is_coarse` where the total is counted in whole seconds."""

    request_id: str | None
    response_id: str | None
    created_at: datetime | None
    type: str | None
    model: str | None
    stream: bool | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_s: float | None
    total_is_coarse: bool
    first_response_s: float | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What an attempt is known by: the provider's request IDs, else the ID of its completion."""

    probe_id: str
    request_ids: tuple[str, ...]
    completion_id: str | None


@dataclass(frozen=True, slots=True)
class LogRead:
    """What came of reading the log. `rows` are those of our attempts; `rows_read` (None: no answer could be read) and
    `read_at` are of the newest answer, `problem` says in our words what was wrong with it."""

    rows: tuple[Row, ...]
    rows_read: int | None
    read_at: datetime
    requests: int
    problem: str | None


def sought(results: Sequence[Result]) -> tuple[Sought, ...]:
    """The attempts that the provider can know by an ID."""
    found = (
        Sought(
            result.probe_id,
            tuple(dict.fromkeys(known.value for known in result.reading.request_ids)),
            result.reading.completion_id,
        )
        for result in results
    )
    return tuple(one for one in found if one.request_ids or one.completion_id)


def rows(body: bytes, log: GatewayLog) -> tuple[Row, ...] | None:
    """The rows of an answer; None where it holds no list of them."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    places = (at(document, path) for path in log.rows)
    listed = next((place for place in places if isinstance(place, list)), None)
    if listed is None:
        return None
    return tuple(_row(row, log) for row in listed[:MOST_ROWS] if isinstance(row, dict))


def of(one: Sought, known: Sequence[Row]) -> tuple[tuple[Row, ...], str | None]:
    """The rows of an attempt, and by what they were told: a gateway that tries again may write several."""
    by_request = tuple(row for row in known if row.request_id in one.request_ids)
    if by_request:
        return by_request, "request ID"
    by_response = tuple(row for row in known if one.completion_id and row.response_id == one.completion_id)
    return (by_response, "response ID") if by_response else ((), None)


def _row(row: dict[str, Any], log: GatewayLog) -> Row:
    def field(name: str) -> Any:
        path = log.fields.get(name)
        return None if path is None else at(row, path, opens_text=True)

    total, unit = _seconds(row, log.total)
    kind = field("type")
    stream = field("stream")
    return Row(
        request_id=_text(field("request_id"), _ID),
        response_id=_text(field("response_id"), _ID),
        created_at=_instant(field("created_at")),
        type=log.types.get(str(kind)) if type(kind) is int else None,
        model=_text(field("model"), _MODEL),
        stream=stream if isinstance(stream, bool) else None,
        prompt_tokens=_count(field("prompt_tokens")),
        completion_tokens=_count(field("completion_tokens")),
        total_s=total,
        total_is_coarse=unit == "s" and total is not None and total.is_integer(),
        first_response_s=_seconds(row, log.first_response)[0],
    )


def _seconds(row: dict[str, Any], places: Sequence[TimeField]) -> tuple[float | None, str | None]:
    """The first duration that is stated, and its unit. 0 and less stand for "not stated" in this family of logs."""
    for place in places:
        value = at(row, place.path, opens_text=True)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            seconds = value / 1000 if place.unit == "ms" else float(value)
            if 0 < seconds <= _MOST_S:
                return seconds, place.unit
    return None, None


def _text(value: Any, shape: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and shape.fullmatch(value) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _instant(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if type(value) is int and 0 < value <= _LATEST else None
