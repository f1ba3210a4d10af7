"""What the demo gateway documents, and the contract that states those very values: one set of constants for both."""

from datetime import datetime
from typing import Final

import orjson

from probe.records import Json

MARK: Final = "values are fake"
CHAT_PATH: Final = "/chat/completions"
FIELDS: Final = frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "temperature"})
MODELS: Final = ("demo-small", "demo-stream", "demo-account", "demo-large", "demo-shape")
STATUSES: Final[dict[str, str]] = {
    "400": "the request is not the documented one",
    "401": "the key is missing, wrong or revoked",
    "404": "no such path or model",
    "429": "quota exhausted",
    "503": "the upstream is overloaded",
}
RETRY: Final = "After 503, wait as long as retry-after says. Do not retry other errors."
SUPPORT: Final = "mailto:support@example.test"
_AUTH: Final = {"header": "Authorization", "format": "Bearer {key}"}
_REQUEST_ID: Final = {"headers": ["x-request-id"], "text": "request id: {id}"}

_INDEX = """\
This is freezeframe's demo gateway. All its values are fake: no model runs here, its faults are played from a script.
Documents: /docs/chat.md /docs/errors.md /docs/help.md   Models: {origin}/api/models
"""
_CHAT = """\
# Chat of the demo gateway
All values here are fake: no model runs behind this gateway.

## Quick start
The base URL is {origin}/v1

## Create a chat completion
POST {path} with a JSON object. Fields: {fields}.
`model` and `messages` are required; each message has a `role` and a `content`.

## Authentication
Send the header `Authorization: Bearer <key>`.

## Response
A JSON object with `id`, `object`, `created`, `model`, at least one entry in `choices`, and `usage`.
Each choice has a `message` with the text in `content`, and a `finish_reason`.

## Streaming
With `stream: true` the answer is server-sent events. Each is a JSON object with `choices`, whose entries have a
`delta`; the chunk after the last has no choices and holds `usage`. The stream ends with `data: [DONE]`.
"""
_ERRORS = """\
# Errors of the demo gateway
All values here are fake.

An error is `{{"error": {{"message", "type", "param", "code"}}}}`. The request ID is in the header `x-request-id`,
and at the end of the message as `(request id: ...)`.

## Statuses
{statuses}

## Retry
{retry}
"""
_HELP = """\
# Help for the demo gateway
All values here are fake, and nobody reads this address: {support}
"""


def documents(origin: str, models: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """The unpaid pages by path: content type and text."""
    markdown = "text/markdown; charset=utf-8"
    statuses = "\n".join(f"- {status}: {meaning}" for status, meaning in STATUSES.items())
    chat = _CHAT.format(origin=origin, path=CHAT_PATH, fields=", ".join(sorted(FIELDS)))
    listed = {"object": "list", "data": [{"id": model, "object": "model"} for model in models]}
    return {
        "/": ("text/plain; charset=utf-8", _INDEX.format(origin=origin)),
        "/docs/chat.md": (markdown, chat),
        "/docs/errors.md": (markdown, _ERRORS.format(statuses=statuses, retry=RETRY)),
        "/docs/help.md": (markdown, _HELP.format(support=SUPPORT)),
        "/api/models": ("application/json", orjson.dumps(listed).decode()),
    }


def contract(origin: str, accessed: datetime) -> Json:
    """The contract file of the gateway at `origin`, as a plain value: dump it as YAML or JSON."""
    read = accessed.isoformat()
    chat, errors, help_ = (f"{origin}/docs/{name}.md" for name in ("chat", "errors", "help"))

    def sourced(value: object, source: str, section: str | None = None) -> Json:
        entry = {"value": value, "source": source, "accessed": read}
        return entry if section is None else {**entry, "section": section}

    choices = {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["message"]}}
    error = {"type": "object", "required": ["message", "type"]}
    return {
        "provider": "demo-gateway",
        "values": {
            "base_url": sourced(f"{origin}/v1", chat, "Quick start"),
            "chat_path": sourced(CHAT_PATH, chat, "Create a chat completion"),
            "auth": sourced(_AUTH, chat, "Authentication"),
            "catalogue": sourced({"url": f"{origin}/api/models", "ids": "data[].id"}, f"{origin}/"),
            "request_id": sourced(_REQUEST_ID, errors),
        },
        "request": {
            "source": chat,
            "accessed": read,
            "schema": {
                "type": "object",
                "required": ["model", "messages"],
                "properties": {field: {} for field in sorted(FIELDS)},
                "additionalProperties": False,
            },
        },
        "response": {
            "source": chat,
            "accessed": read,
            "schema": {
                "type": "object",
                "required": ["id", "object", "choices"],
                "properties": {"choices": choices},
            },
        },
        "stream_chunk": {
            "source": chat,
            "accessed": read,
            "schema": {"type": "object", "required": ["choices"]},
            "terminal": "[DONE]",
        },
        "error": {
            "source": errors,
            "accessed": read,
            "schema": {"type": "object", "required": ["error"], "properties": {"error": error}},
            "statuses": sourced(STATUSES, errors, "Statuses"),
            "retry": sourced(RETRY, errors, "Retry"),
        },
        "limits": [],
        "routes": {
            "help_center": sourced(help_, help_),
            "support": sourced(SUPPORT, help_),
        },
    }
