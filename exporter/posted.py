"""What a POST says: its body, its fields, its Idempotency-Key. Each is bounded, and refused by name where wrong."""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request

from exporter.answers import Refusal

MOST_BODY_BYTES: Final = 64 * 1024
READ_S: Final = 10.0  # for the whole of it: who drips a byte at a time holds a connection no longer
MOST_KEY_CHARACTERS: Final = 255
FORM: Final = "application/x-www-form-urlencoded"
FORM_TOKEN: Final = "form_token"  # noqa: S105 - a field's name; `access` looks at it before a route is asked


async def body(request: Request, most_bytes: int = MOST_BODY_BYTES, within_s: float = READ_S) -> bytes:
    read = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                read += chunk
                if len(read) > most_bytes:
                    raise Refusal(413, f"At most {most_bytes} bytes are read.", headers={"Connection": "close"})
    except TimeoutError:
        raise Refusal(408, f"The body did not arrive within {within_s:g} s.", headers={"Connection": "close"}) from None
    return bytes(read)


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MOST_KEY_CHARACTERS:
        raise Refusal(400, "Idempotency-Key: expected 1 to 255 characters", parameter="Idempotency-Key")
    return key


def fields(request: Request, content: bytes) -> dict[str, Any]:
    """What a form or a JSON object states. A form's request IDs are one field, apart by white space or commas."""
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/json":
            try:
                stated = orjson.loads(content)
            except orjson.JSONDecodeError:
                raise Refusal(400, "The body is not JSON.") from None
            return stated if isinstance(stated, dict) else {}
        case kind if kind == FORM:
            form: dict[str, Any] = {
                name: values[0] for name, values in parse_qs(content.decode("utf-8", "replace")).items()
            }
            form.pop(FORM_TOKEN, None)
            if "request_ids" in form:
                form["request_ids"] = form["request_ids"].replace(",", " ").split()
            return form
        case _:
            raise Refusal(415, "Expected a form or JSON.", headers={"Accept-Post": "application/json"})


def target(request: Request, content: bytes) -> str:
    """The target that a form or a JSON object names."""
    named = fields(request, content).get("target")
    if not isinstance(named, str) or not named:
        raise Refusal(400, "target: expected the name of a target", parameter="target")
    return named
