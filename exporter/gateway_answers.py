"""What the demo gateway answers, decided as a value before a byte is sent: valid calls, and each behaviour."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson

from exporter.gateway_docs import FIELDS
from exporter.gateway_script import Behaviour
from probe.records import Headers, Json

_JSON: Final = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes on the wire. `parts` are the events of a stream; not `whole`, the connection ends too early."""

    status: int
    headers: Headers
    parts: tuple[bytes, ...]
    stream: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A chat request that was found valid."""

    model: str
    stream: bool


class Refused(Exception):
    """A request that the documented contract does not allow."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def request_id_at(now: datetime) -> str:
    """An ID in the form of the one-api family: the instant to the microsecond, then eight random characters."""
    return now.strftime("%Y%m%d%H%M%S%f") + secrets.token_hex(4)


def error_answer(status: int, type_: str, code: str, message: str, request_id: str) -> Answer:
    error = {"message": f"{message} (request id: {request_id})", "type": type_, "param": None, "code": code}
    return Answer(status, (_JSON,), (orjson.dumps({"error": error}),))


def answer(behaviour: Behaviour, call: Call, request_id: str, now: datetime) -> Answer:
    """What a behaviour answers to a valid call."""
    match behaviour:
        case Behaviour.OVERLOADED:
            text = "The upstream for this model is overloaded, please try again later"
            overloaded = error_answer(503, "demo_error", "upstream_overloaded", text, request_id)
            return replace(overloaded, headers=(*overloaded.headers, ("retry-after", "2")))
        case Behaviour.REVOKED:
            text = "This API key has been revoked"
            return error_answer(401, "invalid_request_error", "invalid_api_key", text, request_id)
        case Behaviour.EXHAUSTED:
            text = "Insufficient quota: the balance of this key is used up, please add credit to go on"
            return error_answer(429, "insufficient_quota", "insufficient_quota", text, request_id)
        case _:
            return _stream(behaviour, call, now) if call.stream else _completion(behaviour, call, now)


def _completion(behaviour: Behaviour, call: Call, now: datetime) -> Answer:
    content = None if behaviour is Behaviour.CONTENT_NULL else "pong"
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {**_envelope("chat.completion", call, now), "choices": [choice], "usage": _usage()}
    if behaviour is Behaviour.MISSING_CHOICES:
        del body["choices"]
    return Answer(200, (_JSON,), (orjson.dumps(body),), whole=behaviour is not Behaviour.CUT)


def _stream(behaviour: Behaviour, call: Call, now: datetime) -> Answer:
    envelope = _envelope("chat.completion.chunk", call, now)
    word = None if behaviour is Behaviour.CONTENT_NULL else "pong"
    deltas: tuple[tuple[Json, str | None], ...] = (
        ({"role": "assistant", "content": ""}, None),
        ({"content": word}, None),
        ({}, "stop"),
    )
    chunks = [
        {**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} for delta, finish in deltas
    ]
    chunks.append({**envelope, "choices": [], "usage": _usage()})
    if behaviour is Behaviour.MISSING_CHOICES:
        for chunk in chunks:
            del chunk["choices"]
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]
    cut = behaviour is Behaviour.CUT
    headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    return Answer(200, headers, tuple(events[:2] if cut else events), stream=True, whole=not cut)


def _envelope(kind: str, call: Call, now: datetime) -> Json:
    created = int(now.timestamp())
    return {"id": f"chatcmpl-{secrets.token_hex(8)}", "object": kind, "created": created, "model": call.model}


def _usage() -> Json:
    return {"prompt_tokens": 19, "completion_tokens": 1, "total_tokens": 20}


def read_call(body: bytes, models: tuple[str, ...]) -> Call:
    """The documented request and nothing else, or `Refused`."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "invalid_json", "The body is not valid JSON") from error
    if not isinstance(fields, dict):
        raise Refused(400, "invalid_request", "The body must be a JSON object")
    if unknown := sorted(fields.keys() - FIELDS):
        raise Refused(400, "unknown_parameter", f"Unrecognized request argument supplied: {unknown[0]}")
    model, messages, stream = fields.get("model"), fields.get("messages"), fields.get("stream", False)
    if not isinstance(model, str) or not model:
        raise Refused(400, "invalid_request", "You must provide a model parameter")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "invalid_request", "You must provide messages, at least one")
    for message in messages:
        whole = isinstance(message, dict) and isinstance(message.get("role"), str)
        if not whole or not isinstance(message.get("content"), str):
            raise Refused(400, "invalid_request", "Each message must have a role and a content")
    if not isinstance(stream, bool):
        raise Refused(400, "invalid_request", "stream must be true or false")
    if model not in models:
        raise Refused(404, "model_not_found", f"The model {model!r} does not exist")
    return Call(model, stream)
