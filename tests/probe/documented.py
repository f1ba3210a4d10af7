"""Contracts that state shapes, and what is judged by them, for tests of findings."""

from dataclasses import replace
from typing import Any

from probe.classify import Expectation, classify
from probe.contract import Contract, Shape
from probe.records import Headers, Judgement
from tests.probe.exchanges import JSON, SSE, contract, observed, reply, source

USAGE = '{"model":"m","stream":true,"stream_options":{"include_usage":true}}'
CHOICE = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "object", "required": ["content"], "properties": {"content": {"type": ["string", "null"]}}},
        "finish_reason": {"enum": ["stop", "length"]},
    },
}
RESPONSE = {
    "type": "object",
    "required": ["id", "choices"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "choices": {"type": "array", "minItems": 1, "items": CHOICE},
        "usage": {"type": "object", "properties": {"total_tokens": {"type": "integer", "minimum": 1}}},
    },
}
CHUNK = {
    "type": "object",
    "required": ["choices"],
    "properties": {
        "choices": {
            "type": "array",
            "items": {"properties": {"delta": {"properties": {"content": {"type": "string"}}}}},
        }
    },
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {"message": {"type": "string"}, "type": {"type": "string"}, "code": {"type": "string"}},
        }
    },
}


def documented(
    response: Any = RESPONSE, chunk: Any = CHUNK, error: Any = ERROR, terminal: str | None = "[DONE]", **changes: Any
) -> Contract:
    """A contract that states shapes; each area in a document of its own."""
    shapes = {
        "response": Shape(source("response"), response),
        "stream_chunk": Shape(source("stream"), chunk, terminal),
        "error": Shape(source("error"), error),
    }
    return replace(contract(), **(shapes | changes))


def judged(
    body: str,
    status: int = 200,
    headers: Headers = JSON,
    known: Contract | None = None,
    sent: str = '{"model":"m"}',
    **facts: Any,
) -> Judgement:
    as_stream = facts.pop("stream", headers == SSE)
    seen = observed(reply(status, body, headers, **facts), stream=as_stream, body=sent)
    return classify(seen, Expectation(known or documented()))


def rows(judgement: Judgement) -> list[tuple[str, str, str, str]]:
    return [(found.rule, found.place, found.expected, found.observed) for found in judgement.findings]


def label(judgement: Judgement) -> tuple[str, str, bool]:
    return judgement.verdict.value, judgement.reason, judgement.certain
