"""What the addenda of a packet say together: a fold over documents that anyone could have written. It never raises.

Of several statements the newest wins, which is the last one. A kind that is not known is listed and says nothing else;
a field of another type than ours is not said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from probe.packet import gateway_log
from probe.packet.case import SCOPE_COLUMNS
from probe.packet.facts import utc, utc_or_none
from probe.packet.wording import OUTCOME_WORDS
from probe.records import Json, Verdict

T = TypeVar("T")
Addenda = Sequence[tuple[str, Any]]  # name and document (whatever JSON it is), oldest first, as the vault gives them

# The kinds that tell what was measured; notes tell the rest.
FACTS: Final = ("confirmation", "recovery", "reopening", gateway_log.KIND)
NOTE_LABELS: Final = {  # the fields of a note, in the order in which they are shown
    "escalation_id": "Escalation ID",
    "submitted_at": "Submitted at",
    "route": "Route",
    "owner": "Follow-up owner",
    "next_review": "Next review",
    "mitigation": "Mitigation",
    "impact": "Confirmed impact",
    "text": "Note",
    "request_ids": "Customer-side request IDs",
}
NOTED: Final = tuple(field for field in NOTE_LABELS if field != "request_ids")  # those that are texts
_MOST: Final = 2**53


@dataclass(frozen=True, slots=True)
class Later:
    """`listed` is every addendum (name, kind, at, words); `as_of` is the newest instant of all of them, `measured_at`
    that of the facts. `asked_again` is how many confirmations failed, of how many. `failed_again` are instants at which
    the target was seen failing; `failures` of `probes` are summed over the incidents that ended."""

    listed: tuple[Json, ...]
    as_of: datetime | None
    measured_at: datetime | None
    recovered: bool
    recovered_at: datetime | None
    reopened: tuple[datetime, ...]
    failed_again: tuple[datetime, ...]
    incidents: int
    failures: int | None
    probes: int | None
    outcome: str | None
    asked_again: tuple[int, int]
    scope: Json | None
    recommendation: Json | None
    gateway_log: Json | None
    notes: tuple[Json, ...]

    def noted(self, field: str) -> str | None:
        """The newest stated value of a note's field."""
        return next((note[field] for note in reversed(self.notes) if note[field]), None)

    @property
    def confirmed_impact(self) -> Json | None:
        note = next((note for note in reversed(self.notes) if note["impact"]), None)
        return None if note is None else {"text": note["impact"], "at": note["at"]}


def read(addenda: Addenda) -> Later:
    """What they say."""
    known = [(str(name), document) for name, document in addenda if isinstance(document, dict)]
    of_kind: dict[str, list[Json]] = {kind: [] for kind in FACTS}
    for _, document in known:
        of_kind.get(_text(document.get("kind")) or "", []).append(document)
    confirmations, recoveries, reopenings, logs = (of_kind[kind] for kind in FACTS)
    turns = [document for _, document in known if document.get("kind") in ("recovery", "reopening")]
    recovered = bool(turns) and turns[-1]["kind"] == "recovery"
    again = [row for document in confirmations for row in _rows(document.get("confirmations"))]
    reopened = _known(_at(document, "at") for document in reopenings)
    counted = [counts for document in recoveries if (counts := _counts(document))]
    return Later(
        listed=tuple(_listed(str(name), document) for name, document in addenda),
        as_of=max(_known(_at(document, "at") for _, document in known), default=None),
        measured_at=max(
            _known(_at(document, "at") for documents in of_kind.values() for document in documents), default=None
        ),
        recovered=recovered,
        recovered_at=(_at(turns[-1], "recovered_at") or _at(turns[-1], "at")) if recovered else None,
        reopened=reopened,
        failed_again=(
            *_known(_at(row, "started_at") for row in again if _failed(row)),
            *_known(_at(document, "last_reproduced_at") for document in recoveries),
            *reopened,
        ),
        incidents=len(counted),
        failures=sum(failures for failures, _ in counted) if counted else None,
        probes=sum(probes for _, probes in counted) if counted else None,
        outcome=_newest(_outcome(document) for document in confirmations),
        asked_again=(sum(_failed(row) for row in again), len(again)),
        scope=_newest(_scope(document.get("scope")) for document in confirmations),
        recommendation=_newest(_recommendation(document.get("recommendation")) for document in confirmations),
        gateway_log=_newest(gateway_log.told(document) for document in logs),
        notes=tuple(_note(name, document) for name, document in known if document.get("kind") == "note"),
    )


def instant(value: object) -> datetime | None:
    """An instant with its time zone, in UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _at(document: Json, field: str) -> datetime | None:
    return instant(document.get(field))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _rows(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _known(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(value for value in values if value is not None)


def _newest(values: Iterable[T | None]) -> T | None:
    """The last of those that are known."""
    return next(reversed(_known(values)), None)


def _failed(row: Json) -> bool:
    verdict = _text(row.get("verdict"))
    return verdict in set(Verdict) and Verdict(verdict).is_failure


def _counts(recovery: Json) -> tuple[int, int] | None:
    failures, probes = recovery.get("failures"), recovery.get("probes")
    if type(failures) is not int or type(probes) is not int or not 0 <= failures <= probes <= _MOST:
        return None
    return failures, probes


def _outcome(confirmation: Json) -> str | None:
    outcome = _text(confirmation.get("outcome"))
    return outcome if outcome in OUTCOME_WORDS else None


def _scope(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    sentence, as_of = _text(value.get("sentence")), instant(value.get("as_of"))
    if sentence is None or as_of is None:
        return None
    columns = _texts(value.get("columns")) or list(SCOPE_COLUMNS)
    table = value.get("table")
    rows = [_texts(row) for row in table] if isinstance(table, list) else []
    whole = [row for row in rows if len(row) == len(columns)]
    return {"sentence": sentence, "columns": columns, "table": whole, "as_of": utc(as_of)}


def _recommendation(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    advice, words = _text(value.get("advice")), _text(value.get("words"))
    return {"advice": advice, "words": words, "reasons": _texts(value.get("reasons"))} if advice and words else None


def _note(name: str, document: Json) -> Json:
    stated = {field: _text(document.get(field)) for field in NOTED}
    return (
        {"name": name, "at": utc_or_none(_at(document, "at"))}
        | stated
        | {"request_ids": _texts(document.get("request_ids"))}
    )


def _listed(name: str, document: object) -> Json:
    said = document if isinstance(document, dict) else {}
    return {
        "name": name,
        "kind": _text(said.get("kind")),
        "at": utc_or_none(_at(said, "at")),
        "words": _text(said.get("words")),
    }
