"""What a contract states, as frozen records; every value keeps its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from probe.records import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Where and when a value was read. `verified_live` is False while it was only read from a stored copy."""

    url: str
    accessed: datetime
    section: str | None = None
    verified_live: bool = False


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
    """A public list of models that needs no key."""

    url: str
    ids: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A documented body as JSON Schema 2020-12 (None: the documents state no shape)."""

    source: Source
    schema: Json | None
    terminal: str | None = None


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

    @property
    def chat_url(self) -> str:
        return self.base_url.value.rstrip("/") + "/" + self.chat_path.value.lstrip("/")

    @property
    def statements(self) -> tuple["Statement", ...]:
        """Every value that the file states: what a probe sends first, then what is cited."""
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
        if statuses is not None:
            rows.append(Statement("error.statuses", statuses.source, tuple(statuses.value.values())))
        if retry is not None:
            rows.append(Statement("error.retry", retry.source, (retry.value,)))
        return tuple(rows)

    @property
    def trusted(self) -> tuple[str, ...]:
        """The addresses that the contract itself states: public documents, they may stand in a packet."""
        listed = () if self.catalogue is None else (self.catalogue.value.url,)
        routes = (route.value for route in self.routes.values())
        cited = (statement.source.url for statement in self.statements)
        return tuple(dict.fromkeys((self.base_url.value, self.chat_url, *listed, *routes, *cited)))
