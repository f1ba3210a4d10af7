"""A packet carries the documents relied on, and says of each how it was read: what was seen, no more."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from probe import render
from probe.contract import Contract
from probe.contract.document import Copy, Document, Failed, examine, looks
from probe.findings import CATALOGUE
from probe.gated import build as _build
from probe.packet import Case, draft, frozen
from probe.records import Finding, Json
from probe.render.export import Original, export
from tests.probe.evidence import DOCS, ERRORS, START, case, contract, good, overloaded, target

OUTAGE = (good(1), overloaded(3), overloaded(4), overloaded(5))
FETCHED_AT = START - timedelta(hours=1)
AT = "2026-11-24T02:00:00.123Z"
CHAT = (
    "The base URL is https://api.example.test/v1 and POST /chat/completions. Authorization: Bearer KEY. Fields: model,"
    " messages, stream. An answer has id and choices; a stream of choices ends with [DONE]."
    " Help: https://example.test/support"
)
FAILURES = "error, 503, header x-example-request-id, (request id: x)"


def document(url: str, text: str, known: Contract | None = None, **changes: Any) -> Document:
    body = text.encode()
    said = examine([known or contract()], url, body, "text/markdown").by_contract["example"]
    copy = Copy(
        url, FETCHED_AT, FETCHED_AT, 200, "text/markdown", hashlib.sha256(body).hexdigest(), "0" * 64, len(body)
    )
    return Document(**({"url": url, "copy": copy, "body": body, "occurrences": said, "is_changed": False} | changes))


def frozen_case(*documents: Document, known: Contract | None = None) -> Case:
    looked = (known or contract()).looked(looks(documents))
    return case(*OUTAGE, target=target(contract=looked), documents=documents)


def packet(frozen_now: Case, *secrets: str) -> dict[str, bytes]:
    data, hits = _build(frozen_now, [SecretStr(it) for it in secrets])
    assert hits == ()
    assert data is not None
    assert render.verify(data) == ()
    return render.unpack(data)


def told(files: dict[str, bytes]) -> Json:
    document: Json = orjson.loads(files["packet.json"])
    return document


BOTH = (document(DOCS, CHAT), document(ERRORS.url, FAILURES))


def test_copies_lie_in_the_packet_under_a_safe_name_with_an_index() -> None:
    files = packet(frozen_case(*BOTH))
    rows = orjson.loads(files["sources/index.json"])
    assert rows == told(files)["documented"]["frozen_sources"]
    assert [row["url"] for row in rows] == [DOCS, ERRORS.url]
    assert files[rows[0]["file"]] == CHAT.encode()
    assert rows[0]["file"].startswith("sources/01-")
    assert rows[0]["sha256"] == hashlib.sha256(CHAT.encode()).hexdigest()
    assert (rows[0]["status"], rows[0]["fetched_at"], rows[0]["bytes"]) == (200, AT, len(CHAT))
    assert {it["outcome"] for row in rows for it in row["outcomes"]} == {"verified"}
    assert {it["place"] for it in rows[1]["outcomes"]} == {"error", "error.statuses", "values.request_id"}


def test_sha256sum_checks_the_copies(tmp_path: Path) -> None:
    data, _ = _build(frozen_case(*BOTH), [])
    assert data is not None
    with zipfile.ZipFile(BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    checked = subprocess.run(["sha256sum", "-c", "--strict", "manifest.sha256"], cwd=folder, capture_output=True)
    assert checked.returncode == 0
    assert checked.stdout.count(b"sources/") == 3


def test_verified_against_is_said_only_after_a_live_fetch_in_which_the_value_was_found() -> None:
    document = draft(frozen_case(*BOTH))
    assert document["message"][1] == f"The request contract was verified against {DOCS} at {AT} (UTC)."
    assert document["documented"]["verified_live"] is True
    assert document["documented"]["cited"]["accessed"] == AT
    assert f"verified against {DOCS} at {AT}" in document["expected"]["words"]
    entry = dict(document["internal"]["template"])["example-gateway doc source"]
    assert entry == f"verified against {DOCS} at {AT}; verified against {ERRORS.url} at {AT}"
    assert document["internal"]["recommendation"] != draft(case(*OUTAGE))["internal"]["recommendation"]


def test_without_any_fetch_a_stored_copy_is_cited_and_no_folder_is_made() -> None:
    files = packet(case(*OUTAGE))
    assert not [name for name in files if name.startswith("sources")]
    rows = told(files)["documented"]["frozen_sources"]
    assert [row["words"] for row in rows] == ["no copy was fetched"] * 2
    assert "read from a stored copy" in told(files)["message"][1]
    assert b"verified against" not in b"".join(files.values())


def test_a_fetch_that_never_worked_leaves_a_stored_copy_and_says_why() -> None:
    away = Document(DOCS, failed=Failed(FETCHED_AT, "HTTP 404"))
    files = packet(frozen_case(away))
    row = told(files)["documented"]["frozen_sources"][0]
    assert row["words"] == f"no copy was fetched: HTTP 404 at {AT}"
    assert "read from a stored copy" in told(files)["message"][1]


def test_a_document_that_is_away_now_is_still_cited_as_it_was_fetched() -> None:
    later = Failed(FETCHED_AT + timedelta(minutes=30), "[Errno 111] Connection refused")
    document = draft(frozen_case(Document(DOCS, BOTH[0].copy, BOTH[0].body, BOTH[0].occurrences, later)))
    row = document["documented"]["frozen_sources"][0]
    assert row["unreachable"] == {"at": "2026-11-24T02:30:00.123Z", "why": "[Errno 111] Connection refused"}
    assert "since then not reached" in row["words"]
    assert f"verified against {DOCS} at {AT}" in document["message"][1]


def test_a_value_that_was_not_found_is_said_plainly() -> None:
    document_now = draft(frozen_case(document(DOCS, "# Moved\nThe base URL is https://api.example.test/v9."), BOTH[1]))
    assert document_now["message"][1] == f"The request contract was not found in {DOCS} as fetched at {AT} (UTC)."
    assert document_now["documented"]["verified_live"] is False
    assert f"not found in {DOCS} as fetched at {AT}" in document_now["expected"]["words"]
    first = document_now["documented"]["frozen_sources"][0]
    nearest = {it["place"]: it["nearest"] for it in first["outcomes"]}
    assert nearest["values.base_url"] == "The base URL is https://api.example.test/v9."
    page = packet(frozen_case(document(DOCS, "# Moved"), BOTH[1]))["packet.html"].decode()
    assert f"not found as fetched {AT}" in page


def test_a_part_that_was_not_found_is_told_beside_what_was() -> None:
    said = draft(frozen_case(document(DOCS, CHAT.replace("Bearer", "Token")), BOTH[1]))["message"][1]
    assert said.startswith(f"The request contract was verified against {DOCS} at {AT}")
    assert said.endswith("; parts of it were not found in the documents as fetched.")


def test_one_document_that_several_statements_cite_is_as_the_weakest_of_them() -> None:
    document_now = draft(frozen_case(document(DOCS, CHAT.replace("Bearer", "Token")), BOTH[1]))
    entry = dict(document_now["internal"]["template"])["example-gateway doc source"]
    assert entry.startswith(f"not found in {DOCS} as fetched at {AT}; verified against {ERRORS.url}")


def test_a_disagreement_cites_its_source_as_it_was_read() -> None:
    own = Finding("response_schema", "choices", "a list", "null", DOCS, FETCHED_AT)
    clock = Finding("clock_drift", "header date", "within 5 s", "an hour ahead")
    listed = Finding(CATALOGUE, "model", "listed", "not listed", "https://docs.example.test/models", START)
    failing = replace(OUTAGE[-1], judgement=replace(OUTAGE[-1].judgement, findings=(own, clock, listed)))
    looked = target(contract=contract().looked(looks(BOTH)))
    found = draft(case(good(1), failing, target=looked, documents=BOTH))["expected"]["findings"]
    assert [it["how"] for it in found] == [
        f"verified against {DOCS} at {AT}",
        None,
        "verified against https://docs.example.test/models at 2026-11-24T03:00:00.123Z",
    ]
    assert [it["verified_live"] for it in found] == [True, None, True]


def test_a_large_document_is_named_with_its_digest() -> None:
    large = Document(DOCS, BOTH[0].copy, None, BOTH[0].occurrences)
    files = packet(frozen_case(large, BOTH[1]))
    row = told(files)["documented"]["frozen_sources"][0]
    assert (row["file"], row["sha256"]) == (None, BOTH[0].copy and BOTH[0].copy.sha256)
    assert row["words"].endswith("named only, its bytes are not in this packet")
    assert "verified against" in told(files)["message"][1]


def test_all_copies_together_are_bounded() -> None:
    half = b"x" * (frozen.MOST_BYTES // 2 + 1)
    both = frozen_case(*(Document(it.url, it.copy, half, it.occurrences) for it in BOTH))
    assert [row["file"] is not None for row in frozen.rows(both)] == [True, False]
    assert len(frozen.files(both)) == 1


def test_a_document_in_which_a_configured_secret_stands_is_named_and_not_carried() -> None:
    secret = "sk-fake-0123456789abcdefghij"
    files = packet(frozen_case(document(DOCS, f"{CHAT} {secret}"), BOTH[1]), secret)
    assert secret.encode() not in b"".join(files.values())
    rows = told(files)["documented"]["frozen_sources"]
    assert [row["file"] is None for row in rows] == [True, False]


def test_a_secret_in_the_nearest_passage_is_dropped() -> None:
    secret = "sk-fake-0123456789abcdefghij"
    lost = document(DOCS, f"The base URL is https://api.example.test/v9 for {secret}")
    files = packet(frozen_case(lost, BOTH[1]), secret)
    assert secret.encode() not in b"".join(files.values())
    assert any("nearest" in path for path in told(files)["redaction"]["dropped"])


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", ""])
def test_no_copy_is_named_as_something_that_a_double_click_would_run(media: str) -> None:
    copy = BOTH[0].copy
    assert copy is not None
    page = Document(DOCS, Copy(**{name: getattr(copy, name) for name in copy.__slots__} | {"media": media}), b"<svg/>")
    (name,) = frozen.files(frozen_case(page))
    assert name.rpartition(".")[2] in ("txt", "bin")


@pytest.mark.parametrize("audience", ["support", "internal"])
def test_an_export_carries_the_copies_too(audience: Any) -> None:
    data, _ = _build(frozen_case(*BOTH), [])
    assert data is not None
    original = render.unpack(data)
    made = export(told(original), (), audience, Original.of(data))
    assert render.verify(render.pack(made)) == ()
    copies = {name for name in original if name.startswith("sources/")}
    assert len(copies) == 3
    assert {name: made[name] for name in copies} == {name: original[name] for name in copies}


def test_freezing_the_same_case_twice_gives_the_same_bytes() -> None:
    assert _build(frozen_case(*BOTH), []) == _build(frozen_case(*BOTH), [])
