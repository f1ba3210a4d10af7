"""Facts of a reply: IDs, usage, model, head-room, clock and error fields; and which response headers are worth keeping.

Nothing here raises, whatever a server sent: what cannot be read is absent. Patterns run in linear time (re2).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

import orjson
import re2

from probe.answer import terminal
from probe.body import (
    DONE,
    Body,
    ErrorText,
    bounded,
    error_of,
    first_choice,
    message_of,
    reply_error_text,
    take_apart,
    visible,
)
from probe.contract import Contract
from probe.records import ErrorBody, Observation, QuotaReading, Reading, Reply, RequestId, Usage

CONTENT_LIMIT_CHARS: Final = 2048
_TOKENS_LIMIT: Final = 10**9  # no chat answer is longer: a larger count is not a count

# In the order in which support desks ask for them (research on header families: gateways, vendors, clouds, edges).
REQUEST_ID_HEADERS: Final = (
    *("x-cometapi-request-id", "x-oneapi-request-id", "x-request-id", "request-id", "x-generation-id"),
    *("x-litellm-call-id", "apim-request-id", "x-ms-request-id", "x-ms-client-request-id", "x-amzn-requestid"),
    *("x-amz-request-id", "x-amz-id-2", "x-kong-request-id", "x-correlation-id", "x-trace-id", "x-server-trace-id"),
    *("x-dashscope-request-id", "x-ds-trace-id", "x-siliconcloud-trace-id", "x-tt-logid", "x-vercel-id"),
    *("x-cloud-trace-context", "traceparent"),
)
_QUOTA_HEADERS: Final = (
    ("requests", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"),
    ("requests", "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
    ("requests", "x-ratelimit-limit", "x-ratelimit-remaining"),
    ("requests", "ratelimit-limit", "ratelimit-remaining"),
    ("tokens", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"),
    ("tokens", "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining"),
)

# Response headers whose value holds no secret and no account data. Not here, on purpose: openai-organization,
# anthropic-organization-id, x-litellm-model-api-base, x-litellm-key-spend, set-cookie, location, www-authenticate.
SAFE_HEADERS: Final[frozenset[str]] = frozenset(
    (
        *REQUEST_ID_HEADERS,
        *(name for _, limit, remaining in _QUOTA_HEADERS for name in (limit, remaining)),
        *("x-ratelimit-reset", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"),
        *("ratelimit", "ratelimit-policy", "ratelimit-reset", "retry-after", "retry-after-ms"),
        *("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-tokens-reset"),
        *(f"anthropic-ratelimit-input-tokens-{state}" for state in ("limit", "remaining", "reset")),
        *(f"anthropic-ratelimit-output-tokens-{state}" for state in ("limit", "remaining", "reset")),
        *("openai-processing-ms", "openai-version", "x-new-api-version", "x-envoy-upstream-service-time"),
        *("x-ms-region", "azureml-model-session", "x-amzn-errortype", "x-litellm-version", "x-litellm-model-id"),
        *("x-litellm-model-group", "x-litellm-response-duration-ms", "x-litellm-overhead-duration-ms"),
        *("x-litellm-attempted-retries", "x-litellm-attempted-fallbacks", "x-litellm-response-cost"),
        *("x-litellm-timeout", "x-kong-upstream-latency", "x-kong-proxy-latency", "server-timing"),
        *("cf-ray", "cf-cache-status", "cf-mitigated", "x-cache", "via", "server", "date", "age", "vary"),
        *("content-type", "content-length", "content-encoding", "transfer-encoding", "connection"),
        *("keep-alive", "cache-control", "expires", "allow", "alt-svc", "x-content-type-options"),
        *("x-frame-options", "strict-transport-security", "access-control-allow-origin"),
    )
)

# ---------------------------------------------------------------- all of it


def read(observation: Observation, contract: Contract | None) -> Reading:
    """The facts that a reply states about itself. Nothing arrived: nothing is stated."""
    reply = observation.reply
    if reply is None:
        return Reading()
    body = take_apart(reply, terminal(contract) or DONE)
    answers = list(body.objects)
    choices = [first_choice(answer) for answer in answers]
    error = reply_error_text(reply, body)
    stated = _server_date(reply)
    content = "".join(visible(message_of(choice).get("content"))[:CONTENT_LIMIT_CHARS] for choice in choices)
    return Reading(
        request_ids=_request_ids(reply, error, contract),
        cf_ray=_name(reply.header("cf-ray")),
        completion_id=next(filter(None, (_name(answer.get("id")) for answer in answers)), None),
        model_answered=next(filter(None, (_name(answer.get("model")) for answer in answers)), None),
        finish_reason=next(filter(None, (_name(c.get("finish_reason")) for c in reversed(choices))), None),
        usage=_usage(answers),
        quota=_quota(reply),
        retry_after=_name(reply.header("retry-after")),
        server_date=stated,
        clock_offset_s=_clock_offset_s(observation, stated),
        error=_error_body(reply, body),
        content=bounded(content)[:CONTENT_LIMIT_CHARS] or None,
    )


# ---------------------------------------------------------------- headers

_NUMBER: Final = re2.compile(r"\A\d{1,15}\z")
_ID: Final = r"([A-Za-z0-9][A-Za-z0-9_.:-]{5,127})"
_ID_IN_TEXT: Final = re2.compile(
    rf"(?i)\b(?:request|trace|ray)[ _-]?id\b[\"'` ]*[:=：]?[\"'` ]*{_ID}|\b(req_[A-Za-z0-9]{{8,}})"
)


def _number(value: str) -> int | None:
    return int(value) if _NUMBER.search(bounded(value)) else None


def _quota(reply: Reply) -> tuple[QuotaReading, ...]:
    """One reading a kind: the first family of headers that states a number."""
    found: dict[str, QuotaReading] = {}
    stated = {name.lower(): value.strip() for name, value in reversed(reply.headers)}  # the first of a name counts
    for kind, limit_name, remaining_name in _QUOTA_HEADERS:
        if limit_name not in stated and remaining_name not in stated:
            continue
        limit, remaining = _number(stated.get(limit_name, "")), _number(stated.get(remaining_name, ""))
        if limit is not None or remaining is not None:
            found.setdefault(kind, QuotaReading(kind, limit, remaining))
    return tuple(found.values())


def _request_ids(reply: Reply, error: ErrorText, contract: Contract | None) -> tuple[RequestId, ...]:
    places = contract.request_id.value if contract and contract.request_id else None
    names = {name.lower() for name in places.headers} if places else set()
    names.update(REQUEST_ID_HEADERS)
    found = [
        RequestId(f"header {name.lower()}", value.strip()[:256])
        for name, value in reply.headers
        if name.lower() in names and value.strip() and value.strip() != "<redacted>"
    ]
    found += error.ids
    if not error.words:
        return tuple(dict.fromkeys(found))
    if places and places.text and "{id}" in places.text:
        before, _, after = places.text.partition("{id}")
        documented = re2.compile(f"(?i){re2.escape(before)}{_ID}{re2.escape(after)}")
        found += [RequestId("error text", match.group(1)) for match in documented.finditer(error.words)]
    for match in _ID_IN_TEXT.finditer(error.words):
        value = (match.group(1) or match.group(2)).rstrip(".:")
        if any(sign.isdigit() for sign in value):  # "request id header" names none
            found.append(RequestId("error text", value))
    return tuple(dict.fromkeys(found))


def _server_date(reply: Reply) -> datetime | None:
    return _date((reply.header("date") or "")[:64])


@lru_cache(maxsize=16)  # many targets answer within one second
def _date(text: str) -> datetime | None:
    try:
        stated = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return stated.replace(tzinfo=UTC) if stated.tzinfo is None else stated.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _clock_offset_s(observation: Observation, stated: datetime | None) -> float | None:
    """How far the server's clock is ahead of ours when the answer's head arrived; `Date` has whole seconds."""
    if stated is None:
        return None
    elapsed_s = observation.timings.first_byte_s
    try:
        arrived = observation.started_at + timedelta(
            seconds=observation.timings.total_s if elapsed_s is None else elapsed_s
        )
        return (stated - arrived).total_seconds()
    except (ValueError, OverflowError, TypeError):
        return None


# ---------------------------------------------------------------- the body


def _error_body(reply: Reply, body: Body) -> ErrorBody | None:
    error = next((found for found in map(error_of, body.objects) if found is not None), None)
    match error:
        case {"error": dict() as nested}:
            error = nested
    match error:
        case None if reply.status < 400 or body.kind not in ("text", "invalid", "cut"):
            return None
        case None:
            return ErrorBody(_text(reply.body.strip()), None, None, None)
        case dict():
            names = ("message", "msg", "detail", "error_msg", "status_msg", "title", "error")
            message = next((error[name] for name in names if error.get(name) not in (None, "")), None)
            kind = next((error[name] for name in ("type", "status", "error_type") if error.get(name)), None)
            code = next((error[name] for name in ("code", "error_code", "status_code") if name in error), None)
            return ErrorBody(_text(message), _text(kind), _text(code), _text(error.get("param")))
    return ErrorBody(_text(error), None, None, None)


def _text(value: Any) -> str | None:
    """Whatever type it had, as text; a structure as JSON."""
    match value:
        case None:
            return None
        case str():
            return bounded(value)[:CONTENT_LIMIT_CHARS]
        case dict() | list():
            try:
                return orjson.dumps(value).decode()[:CONTENT_LIMIT_CHARS]
            except (TypeError, orjson.JSONEncodeError):
                return None
    return str(value)[:CONTENT_LIMIT_CHARS]


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _TOKENS_LIMIT else None


def _usage(answers: Sequence[dict[str, Any]]) -> Usage | None:
    """The last usage object that counts something: a stream repeats it, some put it into the choice."""
    found: Usage | None = None
    for answer in answers:
        for holder in (answer, first_choice(answer), answer.get("x_groq")):
            match holder:
                case {"usage": dict() as usage}:
                    counted = Usage(
                        _count(usage.get("prompt_tokens", usage.get("input_tokens"))),
                        _count(usage.get("completion_tokens", usage.get("output_tokens"))),
                        _count(usage.get("total_tokens")),
                    )
                    found = found if counted == Usage(None, None, None) else counted
    return found


def _name(value: Any) -> str | None:
    return bounded(value)[:256] or None if isinstance(value, str) else None
