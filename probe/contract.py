"""A provider's contract: every value that a probe relies on, each with where and when it was read."""

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
