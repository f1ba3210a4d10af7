"""What a reply says of itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RequestId:
    """A server-side ID and where it stood, e.g. ``header x-request-id`` or ``error text``."""

    place: str
    value: str


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The error object of a reply as its documented fields; whatever type they had, as text."""

    message: str | None
    type: str | None
    code: str | None
    param: str | None


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """Head-room as the server stated it in a rate-limit header. `kind` is ``requests`` or ``tokens``."""

    kind: str
    limit: int | None
    remaining: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed by the server's own `usage` object."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says, read from its sealed form: IDs, usage, model, quota, error fields, clock."""

    request_ids: tuple[RequestId, ...] = ()
    cf_ray: str | None = None
    completion_id: str | None = None
    model_answered: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    quota: tuple[QuotaReading, ...] = ()
    retry_after: str | None = None
    server_date: datetime | None = None
    clock_offset_s: float | None = None
    error: ErrorBody | None = None
    content: str | None = None
