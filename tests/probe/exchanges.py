"""Exchanges from plain values, and the recorded ones, for tests of what is read and decided. All values are fake."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from probe.contract import AuthShape, Catalogue, Contract, RequestIdPlaces, Shape, Source, Sourced
from probe.records import Fault, Headers, Json, Observation, Phase, ProbeRequest, Reply, RequestKind, Timings


def _recorded(name: str) -> list[Json]:
    path = Path(__file__).parent.parent / "corpus" / name
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


CORPUS = _recorded("exchanges.jsonl")
ELSEWHERE = _recorded("elsewhere.jsonl")  # of other providers, labelled by someone who had not read the rules
RECORDED = [*CORPUS, *ELSEWHERE]
STARTED = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
READ_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream"),)
HTML = (("content-type", "text/html"),)


def source(area: str) -> Source:
    return Source(f"https://docs.example.test/{area}", READ_AT)


def contract(terminal: str | None = "[DONE]", text: str | None = "request id: {id}") -> Contract:
    return Contract(
        name="example",
        provider="example-gateway",
        base_url=Sourced("https://api.example.test/v1", source("base")),
        chat_path=Sourced("/chat/completions", source("path")),
        auth=Sourced(AuthShape("Authorization", "Bearer {key}"), source("auth")),
        request=Shape(source("request"), {"type": "object"}),
        response=Shape(source("response"), {"type": "object"}),
        stream_chunk=Shape(source("stream"), {"type": "object"}, terminal),
        error=Shape(source("error"), {"type": "object"}),
        error_statuses=None,
        error_retry=None,
        catalogue=Sourced(Catalogue("https://api.example.test/models", "data[].id"), source("catalogue")),
        request_id=Sourced(RequestIdPlaces(("X-Example-Trace",), text), source("ids")),
        limits=(),
        routes={},
    )


def request(stream: bool = False, body: str = '{"model":"m"}') -> ProbeRequest:
    return ProbeRequest(
        probe_id="p1",
        target="small",
        kind=RequestKind.SCHEDULED,
        method="POST",
        url="https://api.example.test/v1/chat/completions",
        headers=(),
        body=body,
        model="m",
        stream=stream,
        client_request_id="c1",
    )


def reply(status: int, body: str, headers: Headers = JSON, **facts: Any) -> Reply:
    return Reply(status, headers, body, facts.pop("body_bytes", len(body.encode("utf-8", "replace"))), **facts)


def observed(
    answer: Reply | None = None,
    fault: Fault | None = None,
    stream: bool = False,
    body: str = '{"model":"m"}',
    timings: Timings | None = None,
) -> Observation:
    return Observation(
        request=request(stream, body),
        started_at=STARTED,
        reply=answer,
        fault=fault,
        timings=timings or Timings(total_s=0.5, first_byte_s=0.4),
        connection=None,
        last_phase=Phase.TRANSFER if fault is None else Phase.NONE,
    )


def completion(content: Any = "pong", finish: Any = "stop", **more: Any) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage} | more


def chunk(content: Any = None, finish: Any = None, **more: Any) -> Json:
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice]} | more


def stream(*events: Json | str) -> str:
    return "".join(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events)


def error(message: str, kind: str | None = None, code: Any = None, **more: Any) -> str:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code} | more})
