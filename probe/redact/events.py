"""Event streams: each event by itself, and what the events say together, since a secret may be split over them."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import orjson

from probe.redact.finding import find, folded_rest
from probe.redact.walk import MAX_DEPTH, parsed, pong, sealed_json
from probe.redact.work import Work

_Path = tuple[str | int, ...]
SPLIT: Final = "_split_over_events"  # ends the name of a rule that took what stood in several events
_ANSWERS: Final = frozenset(("content", "text", "reasoning", "reasoning_content", "thinking", "refusal", "delta"))
_BEGINNINGS: Final = ("data:", "event:", ":", "id:", "retry:")


def is_stream(body: str) -> bool:
    return body.lstrip("\ufeff").startswith(_BEGINNINGS)


def sealed_events(work: Work, place: str, body: str) -> str:
    lines = body.splitlines(keepends=True)
    events: dict[int, Any] = {}
    for number, line in enumerate(lines):
        opened = parsed(line[5:]) if line.startswith("data:") else None
        if opened is not None:
            events[number] = opened
    changed = _unsplit(work, place, events)
    answered = replace(work, strange=False)  # what the events answer together is dealt with
    sealed: list[str] = []
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        end = line[len(text) :]
        head, data = ("data:", text[5:]) if text.startswith("data:") else ("", text)
        space = data[: len(data) - len(data.lstrip(" "))]
        if number in events:
            raw = orjson.dumps(events[number]).decode() if number in changed else data[len(space) :]
            sealed.append(head + space + sealed_json(answered, place, raw, events[number]) + end)
        else:
            sealed.append(head + work.text(place, data) + end)
    return "".join(sealed)


def _unsplit(work: Work, place: str, events: dict[int, Any]) -> set[int]:
    """Takes out of the events what they say only together; the first of them keeps the token. Returns which
    changed."""
    said: dict[_Path, list[tuple[int, str]]] = {}
    for number, opened in events.items():
        for path, text in _leaves(opened):
            said.setdefault(path, []).append((number, text))
    changed: set[int] = set()
    for path, parts in said.items():
        whole = "".join(text for _, text in parts)
        if work.strange and not pong(whole) and not _ANSWERS.isdisjoint(path):
            new = [work.whole("answer_to_a_strange_request", "completion", place, whole), *[""] * (len(parts) - 1)]
        elif len(parts) < 2:
            continue
        else:
            new = _without(work, place, whole, [text for _, text in parts])
        for (number, old), text in zip(parts, new, strict=True):
            if old != text:
                _put(events[number], path, text)
                changed.add(number)
    return changed


def _without(work: Work, place: str, whole: str, parts: list[str]) -> list[str]:
    """The parts without what is found over their seams; what stands in one part alone is found there."""
    literal = work.literal(place, whole)
    if literal != whole and work.literal(place, "\n".join(parts)) == "\n".join(parts):
        return [work.text(place, literal), *[""] * (len(parts) - 1)]
    spans = find(whole, "", work.known, work.trusted)
    if not spans:
        return parts
    bounds = [0]
    for part in parts:
        bounds.append(bounds[-1] + len(part))
    out = []
    number = 0
    for begin, stop in itertools.pairwise(bounds):
        kept: list[str] = []
        at = begin
        while number < len(spans) and spans[number].start < stop:
            span = spans[number]
            end = folded_rest(whole, span.end)
            if span.start >= begin:
                rule = span.kind if end <= stop else f"{span.kind}{SPLIT}"
                kept += [whole[at : span.start], work.taken(rule, span.kind, place, span.value)]
            if end > stop:
                at = stop
                break
            at = max(at, end)
            number += 1
        out.append("".join([*kept, whole[at:stop]]))
    return out if "".join(out) != whole else parts


def _leaves(value: Any, path: _Path = (), depth: int = 0) -> Iterator[tuple[_Path, str]]:
    """The texts of an event that is streamed in pieces, by path; what lies deeper is dropped whole."""
    if depth > MAX_DEPTH + 1:
        return
    if isinstance(value, str):
        if len(path) > 1:  # a top-level text (id, model) is repeated in each event, not continued
            yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, key), depth + 1)


def _put(value: Any, path: _Path, text: str) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = text
