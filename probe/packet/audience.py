"""What of a packet is for the provider's support, and what is ours alone. Pure.

Owner, posts, earlier packets, the recommendation and everything that people noted stay here. Of an addendum only the
fields that are known to tell what was measured go out: it allows, it does not forbid.
"""

from typing import Any, Final, Literal

from probe.packet.later import Addenda
from probe.records import Json

Audience = Literal["internal", "support"]

_EVERY: Final = ("schema_version", "kind", "at", "packet_id", "target", "words")
_MEASURED: Final = {
    "confirmation": frozenset((*_EVERY, "outcome", "confirmations", "stopped", "siblings", "controls", "scope")),
    "recovery": frozenset(
        (*_EVERY, "first_failed_at", "last_reproduced_at", "recovered_at", "failures", "probes", "failure_share")
    ),
    "reopening": frozenset((*_EVERY, "verdict", "reason", "probe_id")),
}
_OURS: Final = frozenset({"recommendation", "confirmed_impact"})  # of `since_freeze`


def for_support(document: Json) -> Json:
    """The document, frozen or merged, without what is ours alone."""
    kept = {key: value for key, value in document.items() if key != "internal"}
    if "since_freeze" in kept:
        since = kept["since_freeze"]
        listed = [row for row in since["addenda"] if _is_measured(row["kind"])]
        kept["since_freeze"] = {key: since[key] for key in since if key not in _OURS} | {"addenda": listed}
        kept["impact"] = {key: value for key, value in kept.get("impact", {}).items() if key != "confirmed"}
    return kept


def addenda_for_support(addenda: Addenda) -> Addenda:
    """Without notes and unknown kinds, and of the others only what was measured."""
    return tuple(
        (name, {key: value for key, value in document.items() if key in _MEASURED[document["kind"]]})
        for name, document in addenda
        if isinstance(document, dict) and _is_measured(document.get("kind"))
    )


def _is_measured(kind: Any) -> bool:
    return isinstance(kind, str) and kind in _MEASURED
