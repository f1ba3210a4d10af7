"""POST /alerts, from the bytes on the wire to what stands beside a packet: answered at once, done once, bounded."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from exporter_facts import result, target
from pydantic import SecretStr

from exporter.access import Access
from exporter.alerts import Alert, Candidate, Why
from exporter.inbox import MOST_PER_PACKET, MOST_WAITING, Full, Inbox
from exporter.metrics import Metrics
from exporter.noticed import MOST_KNOWN, Noticed, Notices
from exporter.web import create
from exporter.webhook import MOST_AT_ONCE, MOST_BYTES
from probe.history import History
from probe.index import PacketEntry
from probe.pong import Target
from probe.records import Json, Result, Verdict
from probe.vault import StoreError
from tests.probe.held import held_by

TOKEN: Final = "fake-token-for-alerts"
PACKET: Final = "20261124T120000Z-small-0a1b2c3d"
FROZEN: Final = "20261124T120500Z-large-4e5f6a7b"
NOW: Final = datetime.now(UTC)
WEBHOOKS: Final = Path(__file__).parent / "webhooks"


def alert(number: int = 1, **changes: Any) -> Alert:
    labels = {"alertname": "FreezeframeDegradation", "scope": "target", "target": "small", "verdict": "degradation"}
    return replace(Alert(True, labels, f"{number:016x}", NOW), **changes)


def about(name: str, number: int = 1) -> Alert:
    return replace(alert(number), labels={"alertname": "MyRule", "target": name})


def resolved(told: Alert) -> Alert:
    return replace(told, is_firing=False, ends_at=NOW + timedelta(minutes=5))


def posted(*alerts: Alert) -> bytes:
    rows = [
        {
            "status": "firing" if it.is_firing else "resolved",
            "labels": it.labels,
            "startsAt": it.starts_at.isoformat(),
            "endsAt": (it.ends_at or datetime(1, 1, 1, tzinfo=UTC)).isoformat(),
            "fingerprint": it.fingerprint,
        }
        for it in alerts
    ]
    return json.dumps({"version": "4", "alerts": rows}).encode()


@dataclass
class Prober:
    """The running program as the inbox sees it. `added` are the addenda that it was asked for."""

    targets: tuple[Target, ...] = (target(), target("large"), target("fresh"))
    frozen: list[str] = field(default_factory=list)
    added: list[Json] = field(default_factory=list)
    refuses: Exception | None = None

    def last_failed(self, target: str) -> Result | None:
        return result(target, Verdict.DEGRADATION, ended_at=NOW) if target == "large" else None

    def open_packets(self, target: str) -> tuple[Candidate, ...]:
        return (Candidate(PACKET, "small", "degradation", NOW, PACKET, is_open=True),) if target == "small" else ()

    async def freeze_for_alert(self, target: str) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.frozen.append(target)
        return FROZEN

    def append(self, packet: str, target: str, document: Json) -> None:
        assert (document["packet_id"], document["target"]) == (packet, target)
        self.added.append(document)

    def sealed(self, text: str, place: str) -> str:
        return text.replace("sk-fake-pasted", "[token]")


@dataclass
class Store:
    """The vault as the inbox reads it; `stored` are addenda of any packet."""

    stored: list[Json] = field(default_factory=list)
    fails: int = 0
    listed: int = 0
    read: int = 0

    async def entries(self) -> tuple[PacketEntry, ...]:
        self.listed += 1
        if self.fails:
            self.fails -= 1
            raise StoreError("list: disk on fire")
        entry = PacketEntry(PACKET, "small", "degradation", "upstream_5xx", "threshold", NOW, PACKET, "open", "00", 1)
        return (entry, replace(entry, id="gone", target="gone"))

    async def addenda(self, _: str, /) -> tuple[tuple[str, Json], ...]:
        self.read += 1
        return tuple((f"{number:03d}.json", document) for number, document in enumerate(self.stored, 1))


@dataclass
class Desk:
    prober: Prober
    store: Store
    inbox: Inbox

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(it["packet_id"], it["fingerprint"][-1], it["status"]) for it in self.prober.added]

    @property
    def latest(self) -> Noticed:
        return self.inbox.notices.latest()[0]

    async def looked_at(self, *alerts: Alert) -> int:
        """Take these and wait until they were looked at; how many were new."""
        taken = self.inbox.take(alerts)
        async with asyncio.timeout(10):
            await self.inbox.idle()
        return taken


@contextlib.asynccontextmanager
async def desk(history: History, store: Store | None = None) -> AsyncIterator[Desk]:
    prober, store = Prober(), store or Store()
    inbox = Inbox(prober, store, Notices(history), retry_s=0.01)
    worker = asyncio.create_task(inbox.run())
    try:
        yield Desk(prober, store, inbox)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


@pytest.fixture
async def running() -> AsyncIterator[Desk]:
    async with desk(History()) as it:
        yield it


# ---------------------------------------------------------------- what becomes of an alert


async def test_a_firing_and_a_resolved_alert_stand_beside_the_packet_once(running: Desk) -> None:
    assert await running.looked_at(alert()) == 1
    assert await running.looked_at(alert(), alert()) == 0
    assert await running.looked_at(resolved(alert())) == 1
    assert await running.looked_at(resolved(alert()), alert()) == 0
    assert running.told == [(PACKET, "1", "firing"), (PACKET, "1", "resolved")]
    assert (running.latest.packet, running.latest.is_firing, running.prober.frozen) == (PACKET, False, [])


async def test_an_alert_that_fires_anew_is_another_one(running: Desk) -> None:
    later = alert(starts_at=NOW + timedelta(seconds=1))
    assert await running.looked_at(alert(), later) == 2
    assert running.told == [(PACKET, "1", "firing"), (PACKET, "1", "firing")]


async def test_without_a_packet_the_latest_failing_exchange_is_frozen(running: Desk) -> None:
    await running.looked_at(about("large"))
    assert running.prober.frozen == ["large"]
    assert running.told == [(FROZEN, "1", "firing")]
    await running.looked_at(resolved(about("large")))
    assert (running.prober.frozen, running.told[-1]) == (["large"], (FROZEN, "1", "resolved"))


@pytest.mark.parametrize(
    ("name", "refuses", "why"),
    [
        ("fresh", None, Why.NOTHING_FAILED),
        ("nobody", None, Why.UNKNOWN),
        ("large", LookupError("its packet was refused"), Why.REFUSED),
        ("large", KeyError("large"), Why.UNKNOWN),
    ],
)
async def test_an_alert_without_a_packet_says_why(
    running: Desk, name: str, refuses: Exception | None, why: Why
) -> None:
    running.prober.refuses = refuses
    await running.looked_at(about(name))
    assert (running.latest.packet, running.latest.why, running.told) == (None, why, [])
    await running.looked_at(resolved(about(name)))
    assert (running.latest.why, running.latest.is_firing, running.told) == (why, False, [])


async def test_an_alert_that_is_first_heard_of_when_it_is_over_is_told_of_once(running: Desk) -> None:
    await running.looked_at(resolved(alert()))
    await running.looked_at(alert())
    assert running.told == [(PACKET, "1", "resolved")]


async def test_a_pasted_key_in_a_name_is_sealed_everywhere(running: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "freezeframe")
    labels = {"alertname": "sk-fake-pasted\n" + "x" * 500, "target": "small"}
    await running.looked_at(alert(labels=labels))
    assert running.latest.name.startswith("[token] xxx")
    written = json.dumps(running.prober.added) + repr([vars(record) for record in caplog.records])
    assert "alert fires" in written and "sk-fake" not in written


async def test_a_store_that_is_away_is_waited_for(running: Desk) -> None:
    running.store.fails = 2
    await running.looked_at(alert())
    assert (running.told, running.store.listed) == ([(PACKET, "1", "firing")], 3)


# ---------------------------------------------------------------- what is known over a restart


async def test_a_restart_adds_nothing_and_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    before = History(file)
    async with desk(before) as first:
        await first.looked_at(alert(), about("nobody", 2))
        assert await before.flush()
    before.close()
    after = History(file)
    async with desk(after) as second:
        assert await second.looked_at(alert(), about("nobody", 2)) == 0
        assert [it.why for it in second.inbox.notices.latest()] == [Why.UNKNOWN, None]
        assert await second.looked_at(resolved(alert())) == 1
        assert second.told == [(PACKET, "1", "resolved")]
    after.close()


async def test_without_its_state_it_reads_from_the_packet_what_was_told() -> None:
    async with desk(History()) as first:
        await first.looked_at(alert())
        stored = [{"kind": "recovery"}, *first.prober.added, {"no": "kind"}]
    async with desk(History(), Store(stored)) as second:
        assert await second.looked_at(alert()) == 1
        assert (second.told, second.latest.packet) == ([], PACKET)
        await second.looked_at(resolved(alert()))
        assert second.told == [(PACKET, "1", "resolved")]


async def test_what_another_version_remembered_is_not_known() -> None:
    history = History()
    history.remember("alert/0007", b'{"of": "another version"}')
    assert Notices(history).latest() == ()


# ---------------------------------------------------------------- bounds


async def test_a_packet_tells_of_so_many_alerts_and_no_more(running: Desk) -> None:
    for number in range(MOST_PER_PACKET + 5):
        await running.looked_at(alert(number))
    assert len(running.prober.added) == MOST_PER_PACKET
    assert running.latest.packet == PACKET  # it is found all the same, and the log says so


async def test_a_packet_that_was_told_of_so_many_before_takes_no_more() -> None:
    stored = [{"kind": "alert", "fingerprint": f"{number:x}"} for number in range(MOST_PER_PACKET)]
    async with desk(History(), Store(stored)) as it:
        await it.looked_at(alert())
        assert it.told == []


async def test_a_flood_of_alerts_reads_no_more_of_a_packet_that_takes_none() -> None:
    """Also once the notices have forgotten what was added: each read is a request to the store for every addendum."""
    stored = [{"kind": "alert", "fingerprint": f"{number:x}"} for number in range(MOST_PER_PACKET)]
    async with desk(History(), Store(stored)) as it:
        for number in range(20):
            await it.looked_at(alert(number))
        assert (it.told, it.store.read) == ([], 1)


async def test_ten_thousand_webhooks_leave_as_much_behind_as_a_thousand() -> None:
    history = History()
    async with desk(history) as it:

        async def flood(first: int, count: int) -> int:
            for number in range(first, first + count, 50):
                await it.looked_at(*(alert(number + step, labels={"alertname": "x" * 90}) for step in range(50)))
            return held_by(it.inbox, history)

        full = await flood(0, MOST_KNOWN)
        assert await flood(MOST_KNOWN, 9_000) <= full
        assert len(it.inbox.notices.latest()) == len(history.recalled("alert/")) == MOST_KNOWN
        assert it.inbox.notices.latest()[0].fingerprint == f"{9_999:016x}"


async def test_what_does_not_fit_into_the_queue_is_not_taken_at_all() -> None:
    inbox = Inbox(Prober(), Store(), Notices(History()))  # its worker does not run
    assert inbox.take([alert(number) for number in range(MOST_WAITING)]) == MOST_WAITING
    assert inbox.take([alert(3)]) == 0  # it waits already
    with pytest.raises(Full):
        inbox.take([alert(MOST_WAITING), alert(3)])


async def test_a_stop_looks_at_what_waits_and_takes_no_more(running: Desk) -> None:
    running.inbox.take([alert(number) for number in range(20)])
    assert await running.inbox.drain(10) == 0
    assert len(running.told) == 20
    with pytest.raises(Full):
        running.inbox.take([alert(99)])


async def test_a_stop_does_not_wait_for_a_store_that_stays_away(running: Desk) -> None:
    running.store.fails = 10_000
    running.inbox.take([alert()])
    assert await running.inbox.drain(0.05) == 1


# ---------------------------------------------------------------- the route


@dataclass
class Site:
    desk: Desk
    client: httpx2.AsyncClient

    async def post(self, body: bytes, **headers: str) -> httpx2.Response:
        return await self.client.post("/alerts", content=body, headers={"Content-Type": "application/json"} | headers)


@pytest.fixture
async def site(running: Desk) -> AsyncIterator[Site]:
    app = create(
        cast("Any", running.prober),
        cast("Any", running.store),
        Metrics((), contracts={}, version="0"),
        Access(lambda: SecretStr(TOKEN), loopback=True),
        inbox=running.inbox,
    )
    transport = httpx2.ASGITransport(app)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield Site(running, client)


async def test_a_webhook_is_answered_before_anything_was_done(site: Site) -> None:
    answer = await site.post((WEBHOOKS / "freezeframe-firing.json").read_bytes())
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "repeated": 0, "left_out": 0})
    assert site.desk.inbox.notices.latest() == ()
    await site.desk.inbox.idle()
    assert site.desk.latest.why is Why.UNKNOWN  # the target `stream` is not probed here
    again = await site.post((WEBHOOKS / "freezeframe-firing.json").read_bytes())
    assert again.json() == {"accepted": 0, "repeated": 1, "left_out": 0}


async def test_what_is_no_webhook_is_refused_with_its_path(site: Site) -> None:
    answer = await site.post(posted(alert(), alert(2)).replace(b"0000000000000002", b"!"))
    assert (answer.status_code, answer.json()["parameter"]) == (422, "$.alerts[1].fingerprint")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await site.post(b"{")).status_code == 422
    assert site.desk.inbox.notices.latest() == ()


async def test_only_json_is_taken_and_only_so_much_of_it(site: Site) -> None:
    assert (await site.post(posted(), **{"Content-Type": "text/plain"})).status_code == 415
    assert (await site.post(b" " * (MOST_BYTES + 1))).status_code == 413
    assert (await site.client.get("/alerts")).status_code == 405


async def test_the_token_is_wanted(site: Site) -> None:
    assert (await site.post(posted(alert()), Authorization="Bearer fake-other")).status_code == 401
    assert site.desk.inbox.notices.latest() == ()


async def test_a_full_queue_is_told_to_come_again(site: Site) -> None:
    site.desk.inbox.take([alert(number) for number in range(MOST_WAITING)])
    answer = await site.post(posted(alert(MOST_WAITING)))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_only_so_many_bodies_are_read_at_once(site: Site) -> None:
    goes_on = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield posted(alert())[:10]
        await goes_on.wait()
        yield posted(alert())[10:]

    slow = [asyncio.create_task(site.client.post("/alerts", content=dripping(), headers=JSON)) for _ in range(20)]
    answered, _ = await asyncio.wait(slow, timeout=0.2)
    assert {task.result().status_code for task in answered} == {503}
    assert len(answered) == 20 - MOST_AT_ONCE
    goes_on.set()
    assert sorted({(await task).status_code for task in slow}) == [202, 503]


JSON: Final = {"Content-Type": "application/json"}
