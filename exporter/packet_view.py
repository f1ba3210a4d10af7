"""One packet as it is shown: as it stands now, beside what was frozen and what was added. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from exporter import listing
from exporter.answers import listed
from exporter.around import around
from exporter.bodies import diff
from probe import cautions
from probe.index import PacketEntry
from probe.packet import SCHEMA_VERSION, Addenda, Problem, merged, removed
from probe.packet.later import NOTE_LABELS
from probe.packet.wording import OUTCOME_WORDS
from probe.records import Json, Result
from probe.render.pictures import waterfall

_HINTS: Final = {
    "submitted_at": "such as 2026-11-24T03:00:00Z",
    "next_review": "such as 2026-11-25",
    "request_ids": "apart by a blank",
}


@dataclass(frozen=True, slots=True)
class View:
    """A packet of the index, its files by name, its addenda, oldest first, and what is wrong with addenda that are not
    among them."""

    entry: PacketEntry
    files: Mapping[str, bytes]
    addenda: Addenda
    problems: Sequence[Problem] = ()

    def document(self) -> Json:
        """For programs: `packet` is merged with the addenda; the frozen one is the file packet.json."""
        now = self._now()
        return {
            **listing.row(self.entry),
            "packet": now,
            "warnings": cautions.as_json(cautions.of_document(now)),
            "problems": listed(self.problems),
            "addenda": [{"name": name, "document": document} for name, document in self.addenda],
            "files": sorted(self.files),
        }

    def page(self, results: Sequence[Result] = ()) -> dict[str, Any]:
        """For people: what the template shows; `results` are those that we still have of the target, oldest first."""
        now = self._now()
        internal = now.get("internal", {})
        since = now["since_freeze"]
        return self._measured(now, results) | {
            "entry": self.entry,
            "since": since,
            "message": now.get("message", []),
            "warnings": cautions.of_document(now),
            "problems": self.problems,
            "outcome": OUTCOME_WORDS.get(since["outcome"]),
            "scope": since["scope"] or now.get("scope"),
            "impact": since["confirmed_impact"] or now.get("impact"),
            "follow_up": {name: value for name, value in internal.get("follow_up", {}).items() if value},
            "notes": internal.get("notes", []),
            "labels": NOTE_LABELS,
            "hints": _HINTS,
            "summary": self.files.get("summary.md", b"").decode("utf-8", "replace"),
            "files": [(name, len(self.files[name])) for name in sorted(self.files)],
            "documents": {
                name: orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() for name, document in self.addenda
            },
        }

    def history_ends(self) -> datetime:
        """When the last probe was due that was frozen."""
        frozen = orjson.loads(self.files["packet.json"])
        try:
            return datetime.fromisoformat(frozen["history"][-1]["due_at"])
        except (LookupError, TypeError, ValueError):  # of another version
            return self.entry.frozen_at

    def _measured(self, now: Json, results: Sequence[Result]) -> dict[str, Any]:
        """The attempts and their pictures; of a packet of another version nothing, its files tell."""
        if now.get("schema_version") != SCHEMA_VERSION or "happened" not in now:
            return dict.fromkeys(("document", "removed", "around", "waterfall", "failing", "good", "diff"))
        exchanges = now["exchanges"]
        newest, last_good = (now["happened"]["attempts"] or [now["subject"]])[-1], now["expected"]["last_good"]
        failing, good = exchanges.get(newest["probe_id"]), last_good and exchanges.get(last_good["probe_id"])
        return {
            "document": now,
            "removed": removed.grouped(now["redaction"]),
            "around": around(now, self.addenda, results),
            "waterfall": waterfall(now),
            "failing": (newest, failing),
            "good": (last_good, good),
            "diff": diff(good, failing),
        }

    def _now(self) -> Json:
        frozen = orjson.loads(self.files["packet.json"])
        return merged(frozen, self.addenda)
