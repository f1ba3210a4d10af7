"""What a contract states, as frozen records; every value keeps its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import jsonschema_rs

from probe.contract.schema import validator
from probe.contract.violations import Violation, violations
from probe.records import Json

T = TypeVar("T")
ROOM: Final = 2000  # parts of one value that are held against a schema one by one

# What may be known of a row of a provider's log beside its durations. Nothing else of it is ever looked at.
LOG_FIELDS: Final = (
    *("request_id", "response_id", "created_at", "type", "model", "stream"),
    *("prompt_tokens", "completion_tokens"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """The newest time that a source was fetched live by ourselves, and whether the stated value was found in it."""

    at: datetime
    found: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where and when a value was read, as the contract file states it: `verified_live` is False while it was only read
    from a stored copy. `quote` are words that stand there literally; `look` is what we have seen ourselves since."""

    url: str
    accessed: datetime
    section: str | None = None
    verified_live: bool = False
    quote: str | None = None
    look: Look | None = None

    @property
    def is_verified(self) -> bool:
        """Whether the value stood in the live document, by our own look, or where there is none by the file's word."""
        return self.verified_live if self.look is None else self.look.found

    @property
    def read_at(self) -> datetime:
        """When it was last read: by ourselves where the value was found, else as the file says."""
        return self.look.at if self.look is not None and self.look.found else self.accessed


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T]):
    value: T
    source: Source


@dataclass(frozen=True, slots=True)
class AuthShape:
    """The documented auth header: its name and a format with ``{key}`` where the credential stands."""

    header: str
    format: str


@dataclass(frozen=True, slots=True)
class RequestIdPlaces:
    """Where the provider puts its request ID: header names, and a text such as ``request id: {id}``."""

    headers: tuple[str, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A public list of models that needs no key; `ids` is the path to their IDs, such as ``data[].id``."""

    url: str
    ids: str


@dataclass(frozen=True, slots=True)
class TimeField:
    """A field of a log row that holds a duration. `unit` is ``s`` or ``ms``."""

    path: str
    unit: str


@dataclass(frozen=True, slots=True)
class GatewayLog:
    """The provider's own log of an account's requests, read with an access token that is not the API key.

    `auth` has ``{key}`` where that token stands. The rows are at the first of the paths `rows` that holds a list.
    `fields` gives the path of each thing that is known of a row (`LOG_FIELDS`), `total` and `first_response` those of
    the two durations, the best first; `types` says what the numbers of the field `type` mean.
    """

    url: str
    auth: AuthShape
    rows: tuple[str, ...]
    fields: Mapping[str, str]
    total: tuple[TimeField, ...]
    first_response: tuple[TimeField, ...]
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """A documented body as JSON Schema 2020-12 (None: the documents state no shape), compiled once."""

    source: Source
    schema: Json | None
    terminal: str | None = None
    _compiled: jsonschema_rs.Validator | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", None if self.schema is None else validator(self.schema))

    def violations(self, value: Any, room: int = ROOM) -> tuple[Violation, ...]:
        """Where a JSON value is not of this shape: none where no shape is stated. A value of more than `room` parts
        is looked at up to its first violation."""
        return () if self._compiled is None else violations(self._compiled, value, room)


# The fields of a contract that hold one sourced thing, and the place of each in the file.
_PLACES: Final = {
    **{name: f"values.{name}" for name in ("base_url", "chat_path", "auth", "catalogue", "request_id", "gateway_log")},
    **{name: name for name in ("request", "response", "stream_chunk", "error")},
    "error_statuses": "error.statuses",
    "error_retry": "error.retry",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One stated value by its place in the file, with its source and its texts."""

    place: str
    source: Source
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    name: str
    provider: str
    base_url: Sourced[str]
    chat_path: Sourced[str]
    auth: Sourced[AuthShape]
    request: Shape
    response: Shape | None
    stream_chunk: Shape | None
    error: Shape | None
    error_statuses: Sourced[Mapping[str, str]] | None
    error_retry: Sourced[str] | None
    catalogue: Sourced[Catalogue] | None
    request_id: Sourced[RequestIdPlaces] | None
    limits: tuple[Sourced[str], ...]
    routes: Mapping[str, Sourced[str]]
    gateway_log: Sourced[GatewayLog] | None = None
    # Every value that the file states: what a probe sends first, then what is cited.
    statements: tuple["Statement", ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statements", self._statements())

    @property
    def chat_url(self) -> str:
        return _joined(self.base_url.value, self.chat_path.value)

    def _statements(self) -> tuple["Statement", ...]:
        auth, catalogue, request_id = self.auth.value, self.catalogue, self.request_id
        statuses, retry = self.error_statuses, self.error_retry
        shapes = (("response", self.response), ("stream_chunk", self.stream_chunk), ("error", self.error))
        rows = [
            Statement("values.base_url", self.base_url.source, (self.base_url.value,)),
            Statement("values.chat_path", self.chat_path.source, (self.chat_path.value,)),
            Statement("values.auth", self.auth.source, (auth.header, auth.format)),
            Statement("request", self.request.source, ()),
            *(Statement(name, shape.source, (shape.terminal or "",)) for name, shape in shapes if shape is not None),
            *(Statement(f"limits[{n}]", limit.source, (limit.value,)) for n, limit in enumerate(self.limits)),
            *(Statement(f"routes.{name}", route.source, (route.value,)) for name, route in self.routes.items()),
        ]
        if catalogue is not None:
            rows.append(Statement("values.catalogue", catalogue.source, (catalogue.value.url,)))
        if request_id is not None:
            rows.append(Statement("values.request_id", request_id.source, (request_id.value.text or "",)))
        if (log := self.gateway_log) is not None:
            texts = (log.value.url, log.value.auth.header, log.value.auth.format)
            rows.append(Statement("values.gateway_log", log.source, texts))
        if statuses is not None:
            rows.append(Statement("error.statuses", statuses.source, tuple(statuses.value.values())))
        if retry is not None:
            rows.append(Statement("error.retry", retry.source, (retry.value,)))
        return tuple(rows)

    def looked(self, looks: Mapping[str, Look]) -> "Contract":
        """The same contract, its sources with what our own looks at them showed, by the place of the statement."""

        def seen(place: str, stated: Any) -> Any:
            source = replace(stated.source, look=looks.get(place))
            return stated if source == stated.source else replace(stated, source=source)

        single = {name: seen(place, value) for name, place in _PLACES.items() if (value := getattr(self, name))}
        return replace(
            self,
            **single,
            limits=tuple(seen(f"limits[{n}]", limit) for n, limit in enumerate(self.limits)),
            routes={name: seen(f"routes.{name}", route) for name, route in self.routes.items()},
        )

    @property
    def trusted(self) -> tuple[str, ...]:
        """The addresses that the contract itself states: public documents, they may stand in a packet."""
        lists = [stated.value.url for stated in (self.catalogue, self.gateway_log) if stated is not None]
        routes = (route.value for route in self.routes.values())
        cited = (statement.source.url for statement in self.statements)
        return tuple(dict.fromkeys((self.base_url.value, self.chat_url, *lists, *routes, *cited)))


@lru_cache(maxsize=256)
def _joined(base: str, path: str) -> str:
    """One text for every probe that keeps it."""
    return base.rstrip("/") + "/" + path.lstrip("/")
