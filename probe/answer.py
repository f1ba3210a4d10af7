"""The facts of a 2xx answer in one line, which the rules for answers look at.

A line such as ``http json media:json whole:yes ... choices:1 content:text finish:stop limit:none`` keeps what decides
apart from how it is found: a new rule about answers is one row in `probe.rules`, not code.
"""

from collections.abc import Sequence
from json import loads as lenient
from typing import Any, Final

from probe.body import DONE, Body, bounded, document, error_of, first_choice, message_of, visible
from probe.contract import Contract
from probe.records import ProbeRequest, Reply
from probe.shapes import required

# fmt: off
_STOP_WORDS: Final = frozenset((
    "stop", "eos", "eos_token", "end_turn", "complete", "stop_sequence", "tool_calls", "function_call", "tool_use",
    "length", "max_tokens", "max_output_tokens", "model_length", "content_filter", "safety", "sensitive", "refusal",
    "insufficient_system_resource", "error",
))
# fmt: on
_LIMIT_FIELDS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_MEDIA: Final = {"text/event-stream": "sse", "text/html": "html", "text/plain": "text"}


def answer_line(request: ProbeRequest, reply: Reply, body: Body, contract: Contract | None) -> str:
    """The facts of an answer that the rules for answers look at, always in this order."""
    objects = list(body.objects)
    choices = [first_choice(answer) for answer in objects]
    finish = next((c["finish_reason"] for c in reversed(choices) if isinstance(c.get("finish_reason"), str)), None)
    done = body.done or (contract is not None and contract.stream_chunk is not None and not terminal(contract))
    facts = {
        "media": _media(reply),
        "whole": _whole(reply),
        "utf8": "yes" if reply.valid_utf8 else "no",
        "lenient": "yes" if body.kind == "invalid" and _is_tolerated(reply.body) else "no",
        "events": len(body.chunks),
        "done": "yes" if done else "no",
        "broken": _broken(body),
        "error": "yes" if any(error_of(answer) is not None for answer in objects) else "no",
        "shape": _stream_shape(objects) if body.kind == "sse" else _shape(body.value),
        "choices": _choices(objects, body.kind == "sse"),
        "content": _content(choices),
        "finish": _finish_word(finish),
        "limit": _limit(request),
        "required": required(reply, body, contract),
    }
    mode = "stream" if request.stream else "http"
    return f"{mode} {body.kind} " + " ".join(f"{name}:{value}" for name, value in facts.items())


def _media(reply: Reply) -> str:
    media = (reply.header("content-type") or "").partition(";")[0].strip().lower()
    if not media:
        return "none"
    return "json" if media.endswith(("/json", "+json")) else _MEDIA.get(media, "other")


def _whole(reply: Reply) -> str:
    if reply.truncated:
        return "limit"
    announced = (reply.header("content-length") or "").strip()
    is_short = announced.isascii() and announced.isdigit() and int(announced[:15]) > reply.body_bytes
    return "no" if is_short or not reply.complete else "yes"


def _is_tolerated(text: str) -> bool:
    """Whether a lenient client would have read the answer all the same (a byte order mark, NaN)."""
    try:
        return isinstance(lenient(bounded(text).removeprefix("\ufeff")).get("choices"), list)
    except (ValueError, RecursionError, AttributeError):
        return False


def _broken(body: Body) -> str:
    """Whether a chunk is no JSON object; `tail`: only the last one, cut off where the stream ended."""
    broken = [chunk for chunk in body.chunks if chunk.problem or not isinstance(chunk.value, dict)]
    if not broken:
        return "no"
    is_tail = len(broken) == 1 and broken[0] is body.chunks[-1] and broken[0].problem == "cut" and not body.done
    return "tail" if is_tail else "yes"


def _stream_shape(chunks: Sequence[dict[str, Any]]) -> str:
    if any(_shape(chunk) == "completion" for chunk in chunks):
        return "completion"
    return "other" if chunks else "scalar"


def _shape(value: Any) -> str:
    match value:
        case {"choices": _} | {"object": "chat.completion" | "chat.completion.chunk"}:
            return "completion"
        case {"usage": _, "model": _} if "content" not in value:  # with it, it is another protocol's message
            return "completion"
        case dict():
            return "other"
    return "scalar"


def _choices(objects: Sequence[dict[str, Any]], is_stream: bool) -> str:
    found = "-"
    for answer in objects:
        match answer.get("choices"):
            case [dict() as choice, *_] if isinstance(choice.get("delta" if is_stream else "message"), dict):
                return "1"
            case []:
                found = "0"
            case None:
                pass
            case _:
                found = "bad"
    return found


def _content(choices: Sequence[dict[str, Any]]) -> str:
    """The best that any message or delta holds: text, a tool call, a refusal, reasoning only, or none."""
    messages = [message_of(choice) for choice in choices]
    contents = [message.get("content") for message in messages]
    if any(visible(content).strip() for content in contents):
        return "text"
    if any(message.get("tool_calls") or message.get("function_call") for message in messages):
        return "tools"
    if any(content is not None and not isinstance(content, str | list) for content in contents):
        return "bad"
    if any(message.get("refusal") for message in messages):
        return "refusal"
    reasoning = ("reasoning_content", "reasoning", "reasoning_details")
    thought = any(message.get(name) for message in messages for name in reasoning)
    return "reasoning" if thought or any(isinstance(content, list) and content for content in contents) else "none"


def _finish_word(finish: str | None) -> str:
    if not finish:
        return "none"
    return finish.lower() if finish.lower() in _STOP_WORDS else "other"


def _limit(request: ProbeRequest) -> str:
    """Whether a token limit of ours was in the request; an exchange from a file may not record its request."""
    if not request.body:
        return "unknown"
    match document(request.body).value:
        case dict() as sent if any(sent.get(name) is not None for name in _LIMIT_FIELDS):
            return "ours"
    return "none"


def terminal(contract: Contract | None) -> str | None:
    """The last frame of a stream as documented; [DONE] where there is no contract for streams."""
    return contract.stream_chunk.terminal if contract and contract.stream_chunk else DONE
