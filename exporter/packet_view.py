"""One packet as it is shown: as it stands now, beside what was frozen and what was added. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from exporter import listing
from exporter.answers import listed
from probe import cautions
from probe.index import PacketEntry
from probe.packet import Addenda, Problem, merged
from probe.packet.later import NOTE_LABELS
from probe.packet.wording import OUTCOME_WORDS
from probe.records import Json


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

    def page(self) -> dict[str, Any]:
        """For people: what the template shows."""
        now = self._now()
        internal = now.get("internal", {})
        since = now["since_freeze"]
        return {
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
            "summary": self.files.get("summary.md", b"").decode("utf-8", "replace"),
            "files": [(name, len(self.files[name])) for name in sorted(self.files)],
            "documents": {
                name: orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() for name, document in self.addenda
            },
        }

    def _now(self) -> Json:
        frozen = orjson.loads(self.files["packet.json"])
        return merged(frozen, self.addenda)
