"""What people add to a packet: escalation ID, route, owner, mitigation, impact. Pure; sealed like everything else.

A pasted key is refused, with the field and the kind of it and never its text; personal data becomes a token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from pydantic import SecretStr

from probe import gate, render
from probe.packet.facts import utc
from probe.packet.later import NOTE_LABELS
from probe.records import Json, Removal
from probe.redact import Redactor

MOST_CHARS: Final = 4000
MOST_REQUEST_IDS: Final = 50
# What redaction takes out that is somebody's and no credential; everything else that it finds may be live.
_PERSONAL: Final = frozenset(
    (
        *("email", "iban", "card", "ip", "account_id", "private_path", "phone", "request_id"),
        *("egress_ip_by_policy", "request_id_by_policy"),
        # A note that names somebody, or tells what somebody said, is told of and not refused.
        *("private_file", "person", "personal", "address", "birth_date", "national_id", "customer_number", "vehicle"),
        *("place", "handle", "device", "account", "bank_account", "wallet", "prompt", "transcript"),
    )
)


class BadNote(ValueError):
    """One field: what was expected, and what was found (never its text)."""

    def __init__(self, field: str, expected: str, found: str) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Note:
    """What is known beside the packet; None is not said. `submitted_at` is an instant, `next_review` an instant or a
    date, `request_ids` are the customer's own."""

    escalation_id: str | None = None
    submitted_at: str | None = None
    route: str | None = None
    owner: str | None = None
    next_review: str | None = None
    mitigation: str | None = None
    impact: str | None = None
    text: str | None = None
    request_ids: tuple[str, ...] = ()


_NAMES: Final = tuple(field.name for field in fields(Note))


def parse(given: Mapping[str, Any]) -> Note:
    """A note from what a person stated; empty texts are not said. BadNote names the field that is wrong."""
    unknown = sorted(set(given) - set(_NAMES))
    if unknown:
        raise BadNote("note", f"only {', '.join(_NAMES)}", "another field")
    texts: dict[str, Any] = {}
    for name in _NAMES[:-1]:
        value = given.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadNote(name, "a text", "something else")
        if len(value) > MOST_CHARS:
            raise BadNote(name, f"at most {MOST_CHARS} characters", f"{len(value)}")
        if value.strip():
            texts[name] = value.strip()
    if "submitted_at" in texts:
        texts["submitted_at"] = utc(_instant("submitted_at", texts["submitted_at"]))
    if "next_review" in texts:
        texts["next_review"] = _day_or_instant(texts["next_review"])
    ids = given.get("request_ids") or ()
    if not isinstance(ids, list | tuple) or not all(isinstance(it, str) and 0 < len(it) <= 200 for it in ids):
        raise BadNote("request_ids", "a list of IDs of at most 200 characters", "something else")
    if len(ids) > MOST_REQUEST_IDS:
        raise BadNote("request_ids", f"at most {MOST_REQUEST_IDS} IDs", f"{len(ids)}")
    note = Note(**texts, request_ids=tuple(ids))
    if note == Note():
        raise BadNote("note", "at least one field", "none")
    return note


def addendum(
    packet_id: str, note: Note, at: datetime, redactor: Redactor, secrets: Sequence[SecretStr]
) -> tuple[Json, tuple[Removal, ...]]:
    """The addendum's document (kind ``note``) and what was taken out of it. BadNote where it holds a key."""
    document: Json = {"schema_version": "1", "kind": "note", "at": utc(at), "packet_id": packet_id}
    removals: list[Removal] = []
    for name in _NAMES:
        value = getattr(note, name)
        texts = value if isinstance(value, tuple) else [value] if value else []
        sealed = [_sealed(name, text, redactor, removals) for text in texts]
        document[name] = sealed if isinstance(value, tuple) else sealed[0] if sealed else None
    _refuse_secrets(document, secrets)
    document["words"] = "; ".join(f"{NOTE_LABELS[name]}: {_said(document[name])}" for name in _NAMES if document[name])
    return document, tuple(removals)


def _refuse_secrets(document: Json, secrets: Sequence[SecretStr]) -> None:
    """The gate's look at each field, which names it, and at the whole, in which one may explain another."""
    fields_ = {name: render.json_bytes([document[name]]) for name in _NAMES}
    hits = gate.inspect(fields_, secrets) or gate.inspect({"note": render.json_bytes(document)}, secrets)
    for hit in hits:
        if hit.kind == gate.CONFIGURED:
            raise BadNote(hit.file, "no secret", "a configured secret, in whole or in part")
        raise BadNote(hit.file, "no secret", f"what looks like one ({hit.kind})")


def _sealed(name: str, text: str, redactor: Redactor, removals: list[Removal]) -> str:
    sealed = redactor.seal_text(text, name)
    secret = next((removal.rule for removal in sealed.removals if removal.rule not in _PERSONAL), None)
    if secret is not None:
        raise BadNote(name, "no secret", f"what looks like one ({secret})")
    removals.extend(sealed.removals)
    return sealed.value


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _instant(name: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadNote(name, "an instant such as 2026-11-24T03:00:00Z", "something else") from None
    if instant.tzinfo is None:
        raise BadNote(name, "an instant with its time zone, such as 2026-11-24T03:00:00Z", "one without")
    return instant


def _day_or_instant(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return utc(_instant("next_review", text))
