"""What a stream owes beside the shape of its chunks: its last frame, why it ended, its usage; and nothing after that.

Each check makes a finding of its own, whatever the verdict is. Nothing is held against a stream that broke off, was
longer than we read, or reported an error: what is missing then has a cause, and the verdict names it.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from probe.answer import terminal
from probe.body import DONE, Body, document, error_of, first_choice
from probe.contract import Contract, documented_fields
from probe.expected import Expected, found
from probe.records import Finding, Observation, Reply

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_OF_THE_FRAME: Final = ("event:", "id:", "retry:")  # fields that may follow `data:` inside the terminal frame


def checks(observation: Observation, body: Body, contract: Contract | None) -> Iterator[Finding]:
    """The findings of one answer; none where there is no contract, or no stream under a 2xx was asked for and came."""
    reply = observation.reply
    if contract is None or reply is None or body.kind != "sse" or not observation.request.stream:
        return
    if not 200 <= reply.status < 300:
        return
    failed = [number for number, chunk in enumerate(body.chunks, 1) if _is_error(chunk.value)]
    if failed:
        yield from _error_frame(failed[0], len(body.chunks), contract)
    elif reply.complete and not reply.truncated:
        yield from _owed(observation.request.body, body, contract)
    after = _after_terminal(reply, terminal(contract) or DONE) if body.done else 0
    if after:
        nothing = Expected("terminal", "terminal frame", "nothing but blank lines and comments after it")
        yield found("after_terminal_frame", nothing, f"{after} characters after it", contract)


def _is_error(value: Any) -> bool:
    ended = first_choice(value).get("finish_reason") if isinstance(value, dict) else None
    return ended == "error" or error_of(value) is not None


def _error_frame(number: int, count: int, contract: Contract) -> Iterator[Finding]:
    """Some providers document errors as events of a stream: then one is no disagreement."""
    if contract.stream_chunk is not None and "error" in documented_fields(contract.stream_chunk):
        return
    chunk = Expected("stream_chunk", "stream chunk", "a part of the completion in each event")
    yield found("error_frame", chunk, f"an error in event {number} of {count}, after HTTP 200", contract)


def _owed(asked: str, body: Body, contract: Contract) -> Iterator[Finding]:
    frame = terminal(contract)
    if frame is not None and not body.done:
        last = Expected("terminal", "terminal frame", f"data: {frame} as the last event")
        yield found("terminal_frame", last, "missing", contract)
    choices = [first_choice(answer) for answer in body.objects]
    if not any(isinstance(choice.get("finish_reason"), str) and choice["finish_reason"] for choice in choices):
        why = Expected(None, "choices[0].finish_reason", "why the answer ended")
        yield found("finish_reason", why, "missing", contract)
    if _asks_for_usage(asked) and not any(_has_usage(answer) for answer in body.objects):
        usage = Expected("stream_options", "usage", "a chunk with usage, since stream_options.include_usage was sent")
        yield found("usage_frame", usage, "missing", contract)


def _asks_for_usage(asked: str) -> bool:
    match document(asked).value:
        case {"stream_options": {"include_usage": True}}:
            return True
    return False


def _has_usage(answer: dict[str, Any]) -> bool:
    return any(isinstance(holder.get("usage"), dict) for holder in (answer, first_choice(answer)))


def _after_terminal(reply: Reply, frame: str) -> int:
    """How many characters follow the terminal frame, beside blank lines and comments."""
    lines = iter(_LINE_END.split(reply.body.removeprefix("\ufeff")))
    next((line for line in lines if line.startswith("data:") and line[5:].strip() in (DONE, frame)), None)
    count, in_frame = 0, True
    for line in lines:
        in_frame = in_frame and line != ""
        if line.strip() and not line.startswith(":") and not (in_frame and line.startswith(_OF_THE_FRAME)):
            count += len(line)
    return count
