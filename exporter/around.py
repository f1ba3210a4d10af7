"""The probes around a trip: those that were frozen, and those that ran since, as far as this prober still has them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from probe.packet.facts import tick
from probe.packet.later import Addenda
from probe.records import Json, Result
from probe.render.pictures import timeline

MOST_AFTER: Final = 60


def around(document: Json, addenda: Addenda, results: Sequence[Result]) -> Json | None:
    """The picture of a packet's history continued by `results` of its target, oldest first; None without a history.
    `after` counts the probes since, None where what we still have does not join up with what was frozen."""
    history = document.get("history") or []
    after = _after(history, results) if history else None
    picture = timeline(document | {"history": [*history, *(after or ())]}, tuple(_moments(document, addenda)))
    return picture and picture | {"after": None if after is None else len(after), "before": len(history)}


def _after(history: list[Json], results: Sequence[Result]) -> list[Json] | None:
    last = datetime.fromisoformat(history[-1]["due_at"])
    known = {row["probe_id"] for row in history}
    if not results or (results[0].due_at > last and results[0].probe_id not in known):
        return None
    later = [result for result in results if result.due_at >= last and result.probe_id not in known]
    return [tick(result) for result in later[:MOST_AFTER]]


def _moments(document: Json, addenda: Addenda) -> Iterator[tuple[datetime, str]]:
    yield from _moment(document.get("frozen_at"), "frozen")
    for _, added in addenda:
        if isinstance(added, dict) and added.get("kind") in ("recovery", "reopening"):
            yield from _moment(added.get("at"), "recovered" if added["kind"] == "recovery" else "back again")


def _moment(at: Any, words: str) -> Iterator[tuple[datetime, str]]:
    try:
        instant = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        return
    if instant.tzinfo is not None:
        yield instant, words
