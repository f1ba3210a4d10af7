"""An export tells what is known now; for support nothing of ours is in any file of it."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from probe import render
from probe.packet import Audience, addenda_for_support, draft, for_support, merged
from probe.packet.audience import _MEASURED
from probe.records import Json
from probe.render.export import Original, export
from tests.probe.afterwards import AGAIN, CONFIRMED, FINAL, OUTAGE, PACKET, RECOVERED, STORY, named, noted

DIGEST = "0123456789abcdef" * 4
FROZEN = draft(OUTAGE)
OURS = (
    "llm-platform on-call",  # owner
    "/posts/",
    "small-p0000",  # an earlier packet
    "small-p0004",  # another packet of ours
    "recommendation",
    "Should I escalate",
    "Follow-up owner",
    '"internal"',
    '"notes"',
    "CASE-4711",  # and everything else that the notes said
    "zoe of the night shift",
    "paused the queue",
    "fallback model",
    "212 orders",
    "sales desk",
    "theirs-1",
    "2026-11-25",
    ".002.json",
    ".004.json",
    "confirmed",
)


def made(audience: Audience, addenda: Any = STORY, document: Json = FROZEN) -> dict[str, bytes]:
    return export(document, addenda, audience, Original(DIGEST))


def exported(audience: Audience, **changes: Any) -> Json:
    document: Json = orjson.loads(made(audience, **changes)["packet.json"])
    return document


@pytest.mark.parametrize("audience", ["support", "internal"])
def test_an_export_verifies_and_says_what_it_is(audience: Audience) -> None:
    files = made(audience)
    assert render.verify(render.pack(files)) == ()
    said = orjson.loads(files["packet.json"])["export"]
    as_of = {"support": "2026-11-24T03:07:30.123Z", "internal": "2026-11-24T03:30:00.123Z"}[audience]
    assert said | {"words": ""} == {
        "audience": audience,
        "packet_id": PACKET,
        "as_of": as_of,
        "frozen_zip_sha256": DIGEST,
        "words": "",
    }
    for name in ("summary.md", "packet.html"):
        assert said["words"].encode() in files[name]
    assert f"for {audience}, made from packet {PACKET} as of {as_of}; it is not the frozen original" in said["words"]


def test_both_audiences_read_outcome_scope_and_recovery() -> None:
    for audience in ("support", "internal"):
        files = made(audience)
        for name in ("summary.md", "packet.html"):
            text = files[name].decode()
            assert "Since the freeze" in text
            assert "deterministic: it failed every time" in text
            assert FINAL in text and "example-large" in text
            assert "10 of 13 probes (76.9%)" in text
            assert "recovered at 2026-11-24T03:07:30.123Z" in text
            assert "Since then (as of 2026-11-24T03:07:30.123Z)" in text
            assert text.index("Where to escalate") < text.index("Since the freeze")
    assert exported("support")["message"] == exported("internal")["message"]


def test_what_is_ours_alone_is_in_no_file_for_support() -> None:
    whole = b"".join(made("internal").values()).decode()
    assert not [ours for ours in OURS if ours not in whole], "each of them is there to be left out"
    told = made("support")
    assert [
        (ours, name) for ours in OURS for name, content in told.items() if ours in f"{name}{content.decode()}"
    ] == []
    assert sorted(name for name in told if name.startswith("addenda/")) == [
        "addenda/small-p0005.001.json",
        "addenda/small-p0005.003.json",
    ]


def test_internal_reads_every_addendum_and_every_note() -> None:
    files = made("internal")
    assert {name: orjson.loads(files[f"addenda/{name}"]) for name, _ in STORY} == dict(STORY)
    for name in ("summary.md", "packet.html"):
        for noted_ in ("CASE-4711", "paused the queue", "told the sales desk", "theirs-1, theirs-2", "small-p0000"):
            assert noted_.encode() in files[name]
    summary = files["summary.md"].decode()
    assert summary.index("Since the freeze") < summary.index("## Internal") < summary.index("Notes:")


def test_an_addendum_for_support_holds_what_was_measured_and_nothing_unknown() -> None:
    odd = RECOVERED | {"whisper": "ours"}
    given = (*named(CONFIRMED, odd, AGAIN, noted(1, text="x"), {"kind": "rumour"}), ("x.json", "text"))
    documents = dict(addenda_for_support(given))
    assert list(documents) == ["small-p0005.001.json", "small-p0005.002.json", "small-p0005.003.json"]
    confirmed, recovered, again = documents.values()
    assert confirmed == {key: value for key, value in CONFIRMED.items() if key not in ("recommendation", "instances")}
    assert recovered == {key: value for key, value in RECOVERED.items() if key != "packets"}
    assert again == AGAIN


def test_every_field_that_the_program_writes_is_either_measured_or_known_to_be_ours() -> None:
    """A new field of an addendum must be decided on."""
    ours = {"confirmation": {"recommendation", "instances"}, "recovery": {"packets"}, "reopening": set()}
    for document in (CONFIRMED, RECOVERED, AGAIN):
        assert document.keys() - _MEASURED[document["kind"]] - ours[document["kind"]] == set()


def test_a_merged_document_can_be_cut_for_support_as_well() -> None:
    cut = for_support(merged(FROZEN, STORY))
    told = orjson.dumps(cut).decode()
    assert [ours for ours in OURS if ours in told and ours != "confirmed"] == []
    assert for_support(cut) == cut
    assert cut["since_freeze"]["outcome"] == "deterministic"


@pytest.mark.parametrize("audience", ["support", "internal"])
def test_a_packet_to_which_nothing_was_added_is_exported_as_of_its_freeze(audience: Audience) -> None:
    files = made(audience, addenda=())
    document = orjson.loads(files["packet.json"])
    assert document["export"]["as_of"] == FROZEN["frozen_at"]
    assert document["message"] == FROZEN["message"]
    assert b"Since the freeze" not in files["summary.md"] + files["packet.html"]
    assert render.verify(render.pack(files)) == ()


def test_a_failure_that_came_and_went_for_a_day_is_exported_and_verifies() -> None:
    files = made("support", addenda=named(CONFIRMED, *[RECOVERED, AGAIN] * 250))
    assert len(files) > 500
    assert render.verify(render.pack(files)) == ()
    assert "- 481 older ones stand in packet.json" in files["summary.md"].decode()
    assert "- Back again: 250 times, last at 2026-11-24T03:20:00.123Z" in files["summary.md"].decode()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_an_export_checks_without_this_program(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(render.pack(made("internal")))).extractall(tmp_path)
    check = ["sha256sum", "--strict", "-c", "manifest.sha256"]
    ran = subprocess.run(check, cwd=tmp_path / PACKET, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 0, ran.stderr
    assert "addenda/small-p0005.004.json: OK" in ran.stdout


HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) | `"


def test_what_was_added_stays_inert_in_every_file() -> None:
    hostile = noted(1, text=HOSTILE, owner=HOSTILE, mitigation=HOSTILE, impact=HOSTILE)
    scope = CONFIRMED["scope"] | {"sentence": HOSTILE, "table": [[HOSTILE] * 7]}
    files = made("internal", addenda=named(CONFIRMED | {"scope": scope, "words": HOSTILE}, hostile))
    assert "<script" not in files["packet.html"].decode()
    text = files["summary.md"].decode()
    before, _, after = text.partition("## Since the freeze")
    prose = "".join(after.split("```")[::2])
    assert "<script" not in prose
    assert "](javascript" not in prose.replace("\\]", "")
    assert text.count("\n| ") == 16
    assert before.count("<script") == 1, "the sentence of the message"
