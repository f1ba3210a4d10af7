"""What was expected where a reply is a mismatch, and whether a document of the contract says so.

An expectation that no document states is the convention of OpenAI-compatible APIs. Its words say that, and no source
is cited for it. What a schema states is held against the reply by `probe.shapes`, which then says more than a row here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from probe.contract import Contract, Source, documented_fields
from probe.records import Finding

CONVENTION: Final = "OpenAI-compatible convention"


class Expected(NamedTuple):
    """`stated` is where a document would say it (see `stated`); None where only the convention does."""

    stated: str | None
    place: str
    words: str


_COMPLETION: Final = Expected("response", "response body", "a chat completion as one JSON object")
_REQUEST: Final = Expected("request", "request", "the documented request is accepted")
REASONS: Final[Mapping[str, Expected]] = {
    "error_in_200": Expected("statuses", "response status", "an error carries an error status, a 2xx a completion"),
    "missing_choices": Expected(None, "choices", "a list of choices"),
    "empty_choices": Expected(None, "choices", "at least one choice"),
    "content_null": Expected(None, "choices[0].message.content", "text, since the answer ended normally"),
    "empty_body": _COMPLETION,
    "html_on_200": _COMPLETION,
    "invalid_json": _COMPLETION,
    "wrong_shape": _COMPLETION,
    "bad_content_encoding": Expected(None, "content-encoding", "a body that decodes as announced"),
    "wrong_content_type": Expected(None, "content-type", "application/json, or text/event-stream for a stream"),
    "truncated_stream": Expected("terminal", "stream", "a finish reason, then the terminal frame"),
    "missing_done": Expected("terminal", "terminal frame", "the terminal frame as the last event"),
    "missing_finish_reason": Expected(None, "choices[0].finish_reason", "why the answer ended"),
    "stream_not_honoured": Expected("stream", "stream", "server-sent events, since stream is true"),
    "invalid_sse": Expected("stream_chunk", "stream chunk", "one JSON object in each event"),
    "content_filtered": Expected(None, "choices[0]", "an answer to a harmless prompt"),
    "path_not_found": Expected("chat_path", "path", "the documented path exists"),
    "method_not_allowed": Expected("chat_path", "method", "POST is allowed on the documented path"),
    "redirect": Expected("chat_path", "URL", "the documented URL answers itself"),
    "model_not_found": Expected("catalogue", "model", "the model that was asked for is served"),
    "model_retired": Expected("catalogue", "model", "the model that was asked for is served"),
}


def stated(contract: Contract | None, where: str | None) -> Source | None:
    """The source of what a contract states there; None where it states nothing of the kind.

    ``response, stream_chunk, error``: that shape's fields. ``stream``: that there are streams. ``terminal``: what ends
    one. ``stream_options``: that request field. ``statuses``: those of errors. Others are values and the request.
    """
    if contract is None or where is None:
        return None
    chunk, request, values = contract.stream_chunk, contract.request, contract.error_statuses
    match where:
        case "response" | "stream_chunk" | "error":
            shape = getattr(contract, where)
            return shape.source if shape is not None and shape.schema is not None else None
        case "stream":
            return chunk.source if chunk is not None else None
        case "terminal":
            return chunk.source if chunk is not None and chunk.terminal is not None else None
        case "stream_options":
            return request.source if where in documented_fields(request) else None
        case "statuses":
            return values.source if values is not None else None
    value = getattr(contract, where)
    return value.source if value is not None else None


def found(rule: str, expected: Expected, observed: str, contract: Contract | None) -> Finding:
    """One disagreement, with the source of what was expected or with the word that no document states it."""
    source = stated(contract, expected.stated)
    if source is not None:
        return Finding(rule, expected.place, expected.words, observed, source.url, source.accessed)
    why = "no contract is given" if contract is None else "no document of the contract states it"
    return Finding(rule, expected.place, f"{expected.words} ({CONVENTION}; {why})", observed)


def of_reason(reason: str) -> Expected:
    return REASONS.get(reason, _REQUEST)
