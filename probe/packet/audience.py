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
    "gateway_log": frozenset((*_EVERY, "source", "read_at", "rows_read", "attempts", "not_found")),
}
# Of each attempt in a gateway_log; tokens are of the account, not of the failure.
_OF_AN_ATTEMPT: Final = frozenset(
    {
        *("probe_id", "started_at", "failed", "request_ids", "completion_id", "matched_by", "rows"),
        *("ours", "gateway", "difference", "sentence"),
    }
)
_OF_ITS_ROW: Final = frozenset(
    {"created_at", "type", "model", "stream", "total_s", "total_in_whole_seconds", "first_response_s"}
)
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
        (name, _narrowed({key: value for key, value in document.items() if key in _MEASURED[document["kind"]]}))
        for name, document in addenda
        if isinstance(document, dict) and _is_measured(document.get("kind"))
    )


def _narrowed(document: Json) -> Json:
    """A gateway_log without what its rows hold beside times, model and kind."""
    if document.get("kind") != "gateway_log" or not isinstance(document.get("attempts"), list):
        return document
    attempts = [
        {key: value for key, value in attempt.items() if key in _OF_AN_ATTEMPT}
        for attempt in document["attempts"]
        if isinstance(attempt, dict)
    ]
    for attempt in attempts:
        row = attempt.get("gateway")
        attempt["gateway"] = (
            {key: value for key, value in row.items() if key in _OF_ITS_ROW} if isinstance(row, dict) else None
        )
    return document | {"attempts": attempts}


def _is_measured(kind: Any) -> bool:
    return isinstance(kind, str) and kind in _MEASURED
