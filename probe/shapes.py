"""What a reply's body says against the documented shapes: its answer, the chunks of its stream, and its errors.

Fields that the documents do not name are welcome. A shape never outranks what the words and the status say: it makes
findings, and for a 2xx answer one fact (`required`) that the rules for answers look at.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Literal

from probe.body import Body, error_of
from probe.contract import Contract, Shape, Violation, size
from probe.records import Finding, Reply

Area = Literal["response", "stream_chunk", "error"]

FINDINGS_LIMIT: Final = 5
_BODIES_LIMIT: Final = 200  # of one stream
_ROOM: Final = 1000  # parts of all bodies that are told one by one; what comes after is told by its first violation

# area -> the rule of its findings, and what its whole is called
NAMED: Final[dict[Area, tuple[str, str]]] = {
    "response": ("response_schema", "response body"),
    "stream_chunk": ("chunk_schema", "stream chunk"),
    "error": ("error_schema", "error body"),
}


def required(reply: Reply, body: Body, contract: Contract | None) -> Literal["missing", "whole", "unknown"]:
    """Whether every field that the documents require of this answer is there."""
    answer = [found for area, _, found in _checked(reply, body, contract) if area != "error"]
    if not answer:
        return "unknown"
    return "missing" if any(violation.is_missing for found in answer for violation in found) else "whole"


def violations(reply: Reply, body: Body, contract: Contract | None) -> tuple[Finding, ...]:
    """Where the reply is not as documented: each once, what is missing first."""
    found: dict[tuple[Area, Violation], Shape] = {}
    for area, shape, seen in _checked(reply, body, contract):
        found |= {(area, violation): shape for violation in seen}
    missing_first = sorted(found.items(), key=lambda entry: not entry[0][1].is_missing)  # else as they came
    return tuple(_finding(area, violation, shape) for (area, violation), shape in missing_first[:FINDINGS_LIMIT])


def _finding(area: Area, violation: Violation, shape: Shape) -> Finding:
    rule, whole = NAMED[area]
    place = violation.place or whole
    return Finding(rule, place, violation.expected, violation.observed, shape.source.url, shape.source.accessed)


def _checked(
    reply: Reply, body: Body, contract: Contract | None
) -> Iterator[tuple[Area, Shape, tuple[Violation, ...]]]:
    """The violations of every body whose shape is documented; of more than 200 chunks the first ones."""
    room = _ROOM
    for area, value in islice(_bodies(reply, body), _BODIES_LIMIT):
        shape: Shape | None = getattr(contract, area, None)
        if shape is None or shape.schema is None:
            continue
        try:
            found = shape.violations(value, room)
        except (ValueError, RecursionError):  # nested too deep to be checked
            continue
        if found:
            room = max(1, room - size(value, room))
        yield area, shape, tuple(violation for violation in found if not violation.is_about_extra_fields)


def _bodies(reply: Reply, body: Body) -> Iterator[tuple[Area, Any]]:
    """Every JSON text of the reply with the area that documents it. An error is one under any status."""
    is_stream = body.kind == "sse"
    if not is_stream and body.kind != "json":
        return
    for value in (chunk.value for chunk in body.chunks if not chunk.problem) if is_stream else (body.value,):
        if reply.status >= 400 or (200 <= reply.status < 300 and error_of(value) is not None):
            yield "error", value
        elif 200 <= reply.status < 300:
            yield "stream_chunk" if is_stream else "response", value
