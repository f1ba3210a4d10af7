"""What is seen of source documents: a metric for each area, one log line a change, the status page, safe files."""

import logging
from datetime import timedelta

import pytest
from exposed import rendered

from exporter.downloads import _foreign
from exporter.log import EventLog
from exporter.metrics import Metrics
from probe.records import SourceSeen, UnpaidSent
from probe.render import pack, unpack
from probe.render.archive import manifest
from probe.watch import AreaSeen
from tests.exporter.exporter_facts import CONTRACT, READ_AT, START, target
from tests.exporter.test_web import Site, site  # noqa: F401 - a fixture

URL = "https://docs.example.test/chat"
CHANGED = 'freezeframe_contract_source_changed{area="%s",contract="example"}'
ACCESSED = 'freezeframe_contract_accessed_timestamp_seconds{area="%s",contract="example"}'


def metrics() -> Metrics:
    return Metrics([target()], contracts={"example": CONTRACT}, version="0", clock=lambda: START)


async def numbers(known: Metrics) -> dict[str, float]:
    text = (await rendered(known))[0].decode()
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


async def test_unpaid_looks_at_documents_are_counted_from_zero() -> None:
    known = metrics()
    name = 'freezeframe_unpaid_requests_total{kind="source"}'
    assert (await numbers(known))[name] == 0
    known.on_event(UnpaidSent("source"))
    assert (await numbers(known))[name] == 1


async def test_before_the_first_fetch_there_is_no_word_on_changes_and_the_files_time_stands() -> None:
    shown = await numbers(metrics())
    assert not [name for name in shown if name.startswith("freezeframe_contract_source_changed")]
    assert shown[ACCESSED % "auth"] == READ_AT.timestamp()


async def test_an_area_shows_whether_it_changed_and_when_its_value_was_found_last() -> None:
    known, at = metrics(), START - timedelta(hours=1)
    known.set_areas(
        lambda: {
            ("example", "base_url"): AreaSeen(False, True, at),
            ("example", "auth"): AreaSeen(True, False, at),
            ("example", "response"): AreaSeen(False, None, at),
            ("example", "gone"): AreaSeen(True, True, at),
            ("other", "auth"): AreaSeen(True, True, at),
        }
    )
    shown = await numbers(known)
    assert {name: value for name, value in shown.items() if "source_changed" in name} == {
        CHANGED % "base_url": 0,
        CHANGED % "auth": 1,
        CHANGED % "response": 0,
    }
    assert shown[ACCESSED % "base_url"] == at.timestamp()
    assert shown[ACCESSED % "auth"] == READ_AT.timestamp()
    assert shown[ACCESSED % "response"] == READ_AT.timestamp()


def seen(
    *missing: str, asked: bool = True, failed: str | None = None, changed_to: str | None = None, url: str = URL
) -> SourceSeen:
    return SourceSeen(url, asked, failed, changed_to, missing)


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([seen(), seen()], []),
        ([seen(), seen(changed_to="a"), seen(changed_to="a")], ["source document changed: see `contract diff`"]),
        ([seen(changed_to="a"), seen(changed_to="b")], ["source document changed: see `contract diff`"] * 2),
        (
            [seen(changed_to="a"), seen()],
            ["source document changed: see `contract diff`", "source document is as it was when a person looked"],
        ),
        (
            [seen(failed="HTTP 404"), seen(failed="HTTP 404"), seen(failed="HTTP 500"), seen()],
            ["source document not reached", "source document reached again"],
        ),
        (
            [seen("example: values.auth"), seen("example: values.auth"), seen()],
            [
                "stated values are not found in their source: see `contract verify`",
                "stated values are found in their source again",
            ],
        ),
        ([seen("example: error", asked=False, changed_to="a"), seen("example: error", changed_to="a")], []),
        ([seen(asked=False), seen(changed_to="a")], ["source document changed: see `contract diff`"]),
        (
            [seen(changed_to="a"), seen(changed_to="a", url=f"{URL}2")],
            ["source document changed: see `contract diff`"] * 2,
        ),
    ],
)
def test_each_change_of_a_document_is_one_line(
    events: list[SourceSeen], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    log = EventLog()
    with caplog.at_level(logging.INFO, "freezeframe"):
        for event in events:
            log.on_event(event)
    assert [record.getMessage() for record in caplog.records] == lines


async def test_the_status_page_says_what_was_verified_and_what_changed(site: Site) -> None:  # noqa: F811
    page = (await site.client.get("/", headers={"Accept": "text/html"})).text
    head = '<tr><th scope="row" data-label="Area">'
    rows = {line.partition("</th>")[0].removeprefix(head): line for line in page.splitlines() if head in line}
    assert "verified live" in rows["base_url"]
    assert "unchanged" in rows["base_url"]
    assert "2 h" in rows["base_url"] or "2.0 h" in rows["base_url"] or "120" in rows["base_url"]
    assert "<strong>not found</strong>" in rows["chat_path"]
    assert "<strong>changed</strong>" in rows["chat_path"]
    assert "not fetched" in rows["auth"]
    assert "from a stored copy" in rows["auth"]


async def test_a_page_of_others_is_handed_out_to_be_kept_never_to_be_run(site: Site) -> None:  # noqa: F811
    hostile = b"<script>alert(1)</script>"
    names = {"sources/01-0123456789ab.html.txt": hostile, "sources/02-0123456789ab.bin": hostile}
    packet = next(iter(site.vault.zips))
    files = unpack(site.vault.zips[packet]) | names
    files.pop("manifest.sha256", None)
    site.vault.zips[packet] = pack(files | {"manifest.sha256": manifest(files)})
    for name, kind in zip(names, ("text/plain; charset=utf-8", "application/octet-stream"), strict=True):
        reply = await site.client.get(f"/packets/{packet}/files/{name}")
        assert reply.status_code == 200
        assert reply.content == hostile
        assert reply.headers["content-type"] == kind
        assert reply.headers["content-disposition"] == f'attachment; filename="{name.rpartition("/")[2]}"'
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in reply.headers["content-security-policy"]


def test_an_index_of_copies_is_ours_and_shown_as_json() -> None:
    assert _foreign("sources/01-a.md", b"").headers["content-type"].startswith("text/plain")
