"""A packet as programs and people read it over HTTP: as it stands now, beside what was frozen and what was added."""

import re
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from exporter import answers
from exporter.packet_view import View
from probe import render
from probe.index import PacketEntry
from probe.packet import Addenda, draft, merged
from probe.vault import Vault
from tests.probe.afterwards import AGAIN, CONFIRMED, FINAL, OUTAGE, PACKET, RECOVERED, STORY, named, noted

FROZEN = draft(OUTAGE)
FILES = render.files(FROZEN)
ENTRY = PacketEntry(
    id=PACKET,
    target="small",
    verdict="degradation",
    reason="upstream_overloaded",
    trigger="threshold",
    frozen_at=datetime(2026, 11, 24, 3, 2, 30, tzinfo=UTC),
    incident=PACKET,
    state="recovered",
    zip_sha256="00",
    size_bytes=1,
)
NASTY = "<script>alert('x')</script>"
COPIES = re.compile(r"<script>for \(const button .*?</script>", re.DOTALL)


def page(addenda: Addenda) -> str:
    return answers.html("packet.html", **View(ENTRY, FILES, addenda).page())


def test_programs_read_the_merged_packet_beside_its_addenda() -> None:
    told = orjson.loads(orjson.dumps(View(ENTRY, FILES, STORY).document()))
    assert told["packet"] == merged(FROZEN, STORY)
    assert told["addenda"] == [{"name": name, "document": document} for name, document in STORY]
    assert told["files"] == sorted(FILES)
    assert (told["id"], told["state"], told["packet"]["since_freeze"]["state"]) == (PACKET, "recovered", "recovered")
    assert orjson.loads(FILES["packet.json"]) == FROZEN, "the file stays as it was frozen"


def test_people_read_how_it_stands_before_what_was_frozen() -> None:
    told = page(STORY)
    now, _, frozen = told.partition("<h2>As it was frozen</h2>")
    for known in (
        "recovered</span> at 2026-11-24T03:07:30.123Z",
        "deterministic: it failed every time",
        "10 of 13 probes (76.9%)",
        f"{FINAL} <span",
        "(as of 2026-11-24T03:02:50.123Z)",
        "confirmed in a note at 2026-11-24T03:30:00.123Z: checkout was down",
        "<strong>escalate</strong>",
        "<dt>Escalation ID</dt><dd>CASE-4711</dd>",
        "<dt>Mitigation</dt><dd>traffic goes to the fallback model</dd>",
        "Since then (as of 2026-11-24T03:07:30.123Z)",
        ">example-large</td>",
    ):
        assert known in now
    notes = now.partition("<h2>Notes</h2>")[2].partition("<h2>")[0]
    assert notes.index("told the sales desk") < notes.index("paused the queue"), "the newest first"
    assert "theirs-1, theirs-2" in notes
    assert "# example-gateway chat API" in frozen and "not known yet" in frozen
    assert frozen.count("<h2>Addendum <code>") == 4


@pytest.mark.parametrize(
    ("addenda", "words"),
    [
        ((), "open</span>, no recovery is recorded"),
        ((), "at the freeze)"),
        ((), "declared in configuration, not observed"),
        (named(RECOVERED, AGAIN), "<dt>Back again</dt><dd>at 2026-11-24T03:20:00.123Z</dd>"),
        (named({"kind": "recovery"}), 'recovered</span> at <span class="soft">not known</span>'),
        (named({"kind": "weather"}), f"weather: see {PACKET}.001.json below"),
    ],
)
def test_what_is_not_known_says_so(addenda: Addenda, words: str) -> None:
    assert words in page(addenda)


def test_what_others_wrote_is_escaped() -> None:
    scope = CONFIRMED["scope"] | {"sentence": NASTY, "table": [[NASTY] * 7], "columns": [NASTY] * 7}
    advised = {"advice": NASTY, "words": NASTY, "reasons": [NASTY]}
    fields = dict.fromkeys(("owner", "mitigation", "impact", "text", "route", "escalation_id"), NASTY)
    odd = {"kind": NASTY, "words": NASTY, "at": NASTY, NASTY: NASTY}
    told = page(named(CONFIRMED | {"scope": scope, "recommendation": advised}, noted(1, **fields), odd))
    ours = COPIES.search(told)
    assert ours is not None and "alert" not in ours[0]
    told = told.replace(ours[0], "")
    assert "<script" not in told and told.count("&lt;script&gt;") > 20
    assert "style=" not in told and " on" not in "".join(part.split(">")[0] for part in told.split("<")[1:])


async def test_what_the_vault_holds_is_what_is_merged(tmp_path: Path) -> None:
    vault = Vault.open("packets", tmp_path)
    await vault.freeze(PACKET, render.pack(FILES))
    for _, document in STORY:
        await vault.add(PACKET, document)
    (entry,) = await vault.entries()
    told = View(entry, render.unpack(await vault.read(PACKET)), await vault.addenda(PACKET)).document()
    assert told["packet"] == merged(FROZEN, STORY)
    assert told["state"] == told["packet"]["since_freeze"]["state"]
