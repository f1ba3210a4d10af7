"""The daily look at documents: one after another, on its grid, over restarts and reloads, told only as it is."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from probe.client import Client, Network
from probe.contract import Contract, parse
from probe.records import Event, SourceSeen, StoreFailed, UnpaidSent
from probe.sources import Sources
from probe.watch import AreaSeen, Pace, SourceWatch
from tests.servers.documents import Documents

FAST = Pace(recheck_s=0.05, first_s=0.0, look_s=0.02)
ONCE = Pace(recheck_s=3600.0, first_s=0.0, look_s=0.02)
NEVER = Pace(recheck_s=None, look_s=0.02)


@dataclass
class Running:
    watch: SourceWatch
    client: Client
    events: list[Event] = field(default_factory=list)

    def seen(self, url: str) -> list[SourceSeen]:
        return [it for it in self.events if isinstance(it, SourceSeen) and it.url == url]

    async def until(self, look: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not look():  # noqa: ASYNC110 - what is looked for is the state itself, which signals nobody
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(contracts: list[Contract], folder: Path, pace: Pace) -> AsyncIterator[Running]:
    client, events = Client(Network()), list[Event]()
    watch = SourceWatch(contracts, client.get, Sources(folder), events.append)
    task = asyncio.create_task(watch.run(pace))
    try:
        yield Running(watch, client, events)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.aclose()


def of(documents: Documents, **changes: Any) -> Contract:
    return parse(json.dumps(documents.contract() | changes), "example")


async def test_every_document_is_fetched_once_and_its_statements_are_found(tmp_path: Path) -> None:
    with Documents() as documents:
        known = of(documents)
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: len(it.seen(documents.url("help"))) == 1)
            assert sorted(documents.asked) == ["/chat.md", "/errors.md", "/help.md"]
            assert it.events.count(UnpaidSent("source")) == 3
            assert it.watch.looked(known).auth.source.is_verified
            areas = it.watch.areas()
            assert {key[1] for key in areas} >= {"base_url", "error", "routes.support", "request_id"}
            assert all(area.is_found and not area.is_changed for area in areas.values())
            assert all(seen.failed is None and seen.missing == () for seen in it.seen(documents.url("chat")))


async def test_before_anything_was_fetched_nothing_is_said(tmp_path: Path) -> None:
    with Documents() as documents:
        known = of(documents)
        async with running([known], tmp_path, NEVER) as it:
            await asyncio.sleep(0.1)
            assert documents.asked == []
            assert it.watch.areas() == {}
            assert it.watch.looked(known) == known
            assert [document.copy for document in it.watch.documents(known)] == [None, None, None]


async def test_a_changed_document_and_a_lost_value_are_told_and_kept(tmp_path: Path) -> None:
    with Documents() as documents:
        known, url = of(documents), documents.url("chat")
        async with running([known], tmp_path, FAST) as it:
            await it.until(lambda: it.watch.areas())
            documents.write("chat", "# Chat\nSend `X-New-Key: <key>`.\n")
            await it.until(lambda: it.seen(url)[-1].changed_to)
            assert "example: values.auth" in it.seen(url)[-1].missing
            assert it.watch.areas()["example", "auth"].is_changed
            assert it.watch.areas()["example", "auth"].is_found is False
            assert it.watch.looked(known).auth.source.look is not None
            assert not it.watch.looked(known).auth.source.is_verified
            assert not it.watch.areas()["example", "error"].is_changed
        assert Sources(tmp_path).known(url).is_changed


async def test_a_document_that_is_away_keeps_its_copy_and_says_why(tmp_path: Path) -> None:
    with Documents() as documents:
        known, url = of(documents), documents.url("chat")
        async with running([known], tmp_path, FAST) as it:
            await it.until(lambda: it.watch.areas())
            page = documents.pages.pop("/chat.md")
            await it.until(lambda: it.seen(url)[-1].failed == "HTTP 404")
            document = next(it for it in it.watch.documents(known) if it.url == url)
            assert document.copy is not None
            assert document.failed is not None
            assert it.watch.looked(known).auth.source.is_verified
            documents.pages["/chat.md"] = page
            await it.until(lambda: it.seen(url)[-1].failed is None)


async def test_a_document_that_was_never_there_is_no_copy(tmp_path: Path) -> None:
    with Documents() as documents:
        known, url = of(documents), documents.url("chat")
        documents.pages.clear()
        async with running([known], tmp_path, FAST) as it:
            await it.until(lambda: it.seen(url))
            assert it.watch.looked(known) == known
            assert it.watch.areas() == {}


async def test_a_restart_knows_what_was_kept_and_asks_no_sooner(tmp_path: Path) -> None:
    with Documents() as documents:
        known = of(documents)
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: len(documents.asked) == 3 and len(it.watch.areas()) > 8)
            before = it.watch.areas()
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: it.watch.areas() == before)
            await asyncio.sleep(0.1)
            assert len(documents.asked) == 3
            assert not any(seen.asked for seen in it.seen(documents.url("chat")))
        old = datetime.now(UTC) - timedelta(days=2)
        for url in {documents.url(name) for name in ("chat", "errors", "help")}:
            Sources(tmp_path).fail(url, old, "aged")
            index = Sources(tmp_path)._index(url)
            index.write_text(index.read_text().replace(datetime.now(UTC).strftime("%Y-%m-%dT"), f"{old:%Y-%m-%dT}"))
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: len(documents.asked) == 6)


async def test_a_reload_looks_for_the_new_statements_in_the_copies_that_are_there(tmp_path: Path) -> None:
    with Documents() as documents:
        known = of(documents)
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: len(documents.asked) == 3 and len(it.watch.areas()) > 8)
            limit = {"value": "9 a day", "source": documents.url("chat"), "accessed": "2026-11-20T09:00:00Z"}
            other = of(documents, limits=[limit])
            assert it.watch.looked(other) == other
            it.watch.adopt([other], 3600.0)
            await it.until(lambda: ("example", "limits") in it.watch.areas())
            assert it.watch.areas()["example", "limits"].is_found is False
            assert it.watch.looked(other).auth.source.is_verified
            assert len(documents.asked) == 3
            it.watch.adopt([], None)
            await it.until(lambda: it.watch.areas() == {})
            it.watch.adopt([known], 0.05)
            await it.until(lambda: len(documents.asked) > 6)


async def test_what_a_command_fetched_meanwhile_is_taken_in(tmp_path: Path) -> None:
    with Documents() as documents:
        known, url = of(documents), documents.url("chat")
        async with running([known], tmp_path, NEVER) as it:
            client = Client(Network())
            answer = await client.get(url, timeout_s=5, limit_bytes=10_000)
            await client.aclose()
            Sources(tmp_path).keep(answer, url, "", {}, by_person=True)  # type: ignore[arg-type]
            await it.until(lambda: it.watch.looked(known).auth.source.is_verified)


async def test_a_disk_that_takes_nothing_is_told_of_and_the_copy_stays_in_memory(tmp_path: Path) -> None:
    with Documents() as documents:
        known, url = of(documents), documents.url("chat")
        (tmp_path / "sources").write_text("a file where a folder belongs")
        async with running([known], tmp_path / "sources", FAST) as it:
            await it.until(lambda: it.watch.looked(known).auth.source.is_verified)
            assert any(isinstance(event, StoreFailed) and event.operation == "sources" for event in it.events)
            documents.pages.clear()
            await it.until(lambda: it.seen(url)[-1].failed == "HTTP 404")


async def test_bytes_that_are_gone_from_the_disk_are_not_cited(tmp_path: Path) -> None:
    with Documents() as documents:
        known = of(documents)
        async with running([known], tmp_path, ONCE) as it:
            await it.until(lambda: len(documents.asked) == 3 and len(it.watch.areas()) > 8)
        shutil.rmtree(tmp_path / "copies")
        async with running([known], tmp_path, NEVER) as it:
            await it.until(lambda: it.seen(documents.url("chat")))
            assert it.watch.looked(known) == known


async def test_an_area_of_two_documents_is_as_the_weaker_of_them(tmp_path: Path) -> None:
    with Documents() as documents:
        limits = [
            {"value": text, "source": documents.url(page), "accessed": "2026-11-20T09:00:00Z"}
            for text, page in (("# Errors", "errors"), ("# Nothing", "help"))
        ]
        async with running([of(documents, limits=limits)], tmp_path, ONCE) as it:
            await it.until(lambda: ("example", "limits") in it.watch.areas())
            seen = it.watch.areas()["example", "limits"]
            assert isinstance(seen, AreaSeen)
            assert (seen.is_changed, seen.is_found) == (False, False)
