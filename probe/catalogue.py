"""The provider's public model list: what an answer lists, whether it is believed, and what it says of our models. Pure.

An absence is concluded only from a list that is whole and not suddenly much shorter than before: half a list, or an
empty one, would retire models that are served.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson

from probe.contract import Catalogue
from probe.contract.paths import each
from probe.records import Fetched, Unfetched

MOST_MODELS: Final = 1000  # remembered of one list, configured ones first
_OWN_WORDS: Final = 200  # characters of a problem


@dataclass(frozen=True, slots=True)
class Listed:
    """What one answer lists. `whole` is False where it says itself that there is more, or where a row has no ID."""

    ids: frozenset[str]
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Member:
    """Of one model: whether it is listed (None: not known), and our newest look that saw it."""

    listed: bool | None = None
    last_listed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the newest believed answer of a list said; `rows` is its length."""

    catalogue: Catalogue
    looked_at: datetime
    rows: int
    models: Mapping[str, Member] = field(default_factory=dict)


def read(answer: Fetched | Unfetched, catalogue: Catalogue) -> Listed | str:
    """The list in an answer, or in our words why it is none."""
    if isinstance(answer, Unfetched):
        return answer.words[:_OWN_WORDS]
    if answer.status != 200:
        return f"HTTP {answer.status}"
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return "the answer is not JSON"
    found = each(document, catalogue.ids)
    if found is None:
        return f"the answer holds no list at {catalogue.ids}"
    ids = frozenset(one for one in found if isinstance(one, str) and one)
    if not ids:
        return "the list is empty"
    named = sum(isinstance(one, str) and bool(one) for one in found)
    return Listed(ids, len(found), named == len(found) and not _says_more(document, len(found)))


def distrust(listed: Listed, before: Known | None) -> str | None:
    """Why a list is not believed beside the one before it; None where it is."""
    if before is not None and listed.rows * 2 < before.rows:
        return f"{listed.rows} rows, less than half of the {before.rows} before"
    return None


def taken(
    listed: Listed, catalogue: Catalogue, looked_at: datetime, models: Collection[str], before: Known | None
) -> Known:
    """What is known once this list is believed; `models` are the configured ones, others are remembered beside them."""
    earlier = {} if before is None else before.models
    names = list(dict.fromkeys((*sorted(models), *earlier)))[:MOST_MODELS]
    return Known(
        catalogue,
        looked_at,
        listed.rows,
        {name: _member(name, listed, looked_at, earlier.get(name, Member())) for name in names},
    )


def moved(before: Known | None, after: Known, models: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the models left the list and which entered it, between two lists that were believed."""
    earlier: Mapping[str, Member] = {} if before is None else before.models
    pairs = [(name, earlier.get(name, Member()), after.models[name]) for name in sorted(models) if name in after.models]
    gone = [(name, was) for name, was, now in pairs if now.listed is False and was.listed is not False]
    left = tuple(name for name, was in gone if was.last_listed_at is not None)
    entered = tuple(name for name, was, now in pairs if was.listed is False and now.listed)
    return left, entered


def _member(name: str, listed: Listed, looked_at: datetime, earlier: Member) -> Member:
    if name in listed.ids:
        return Member(True, looked_at)
    return replace(earlier, listed=False if listed.whole else None)


def _says_more(document: Any, rows: int) -> bool:
    """A total that is larger than the list, or a mark that there are more pages."""
    if not isinstance(document, dict):
        return False
    total = document.get("total")
    return (type(total) is int and total > rows) or document.get("has_more") is True
