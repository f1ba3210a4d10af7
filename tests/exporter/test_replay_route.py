"""POST /packets/{id}/replay: one paid request, or a refusal that says why none was sent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
import pytest
from pydantic import SecretStr

from exporter.metrics import Metrics
from exporter.web import Access, create
from probe import render
from probe.budget import BudgetSpent
from probe.packet import draft
from probe.records import Json
from probe.replay import Unlike
from probe.vault import PacketNotFound, Vault
from tests.probe.evidence import case, overloaded

PACKET = "20261124T030000Z-small-0a1b2c3d"
OTHER = "20261124T040000Z-small-4e5f6a7b"
DOCUMENT = draft(case(overloaded(3), packet_id=PACKET, incident=PACKET))
ANSWER: Json = {"target": "small", "verdict": "ok", "same": False}
TOKEN = "fake-token-for-tests"


@dataclass
class Board:
    """The prober as the route sees it; `sent` are the packets whose requests it sent."""

    refuses: Exception | None = None
    sent: list[str] = field(default_factory=list)

    async def replay(self, document: Json) -> Json:
        if self.refuses is not None:
            raise self.refuses
        self.sent.append(document["packet_id"])
        return ANSWER | {"number": len(self.sent)}


@dataclass
class Zips:
    """The vault as the route reads it."""

    stored: dict[str, bytes] = field(default_factory=dict)

    async def read(self, packet_id: str, /) -> bytes:
        try:
            return self.stored[packet_id]
        except KeyError:
            raise PacketNotFound(packet_id) from None


@dataclass
class Site:
    board: Board
    zips: Zips
    client: httpx2.AsyncClient

    async def replay(self, packet: str = PACKET, **headers: str) -> httpx2.Response:
        return await self.client.post(f"/packets/{packet}/replay", headers=headers)


def packed(document: Json) -> bytes:
    return render.pack(render.files(document))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    board, zips = Board(), Zips({name: packed(DOCUMENT | {"packet_id": name}) for name in (PACKET, OTHER)})
    metrics = Metrics((), contracts={}, version="0")
    app = create(cast("Any", board), cast("Vault", zips), metrics, Access(lambda: SecretStr(TOKEN), loopback=True))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield Site(board, zips, client)


async def test_the_answer_is_what_came_back(site: Site) -> None:
    answer = await site.replay()
    assert (answer.status_code, answer.json()) == (200, ANSWER | {"number": 1})
    assert answer.headers["cache-control"] == "no-store"
    assert site.board.sent == [PACKET]


async def test_nothing_is_sent_without_the_token_or_by_a_get(site: Site) -> None:
    assert (await site.replay(Authorization="Bearer wrong")).status_code == 401
    assert (await site.client.get(f"/packets/{PACKET}/replay")).status_code == 405
    assert (await site.replay(Origin="https://elsewhere.example")).status_code == 403
    assert site.board.sent == []


async def test_a_repeated_idempotency_key_sends_once(site: Site) -> None:
    answers = [await site.replay(**{"Idempotency-Key": "key-1"}) for _ in range(2)]
    assert [answer.json()["number"] for answer in answers] == [1, 1]
    other = await site.replay(OTHER, **{"Idempotency-Key": "key-1"})
    assert (other.status_code, other.json()["parameter"]) == (422, "Idempotency-Key")
    assert (await site.replay(**{"Idempotency-Key": "k" * 256})).status_code == 400
    assert site.board.sent == [PACKET]


async def test_a_refused_replay_may_be_asked_for_again_with_its_key(site: Site) -> None:
    site.board.refuses = BudgetSpent()
    assert (await site.replay(**{"Idempotency-Key": "key-1"})).status_code == 429
    site.board.refuses = None
    assert (await site.replay(**{"Idempotency-Key": "key-1"})).status_code == 200


async def test_an_unknown_packet_is_404(site: Site) -> None:
    for packet in ("20261124T050000Z-small-00000000", "..%2Fx", "a_b"):
        assert (await site.replay(packet)).status_code == 404


async def test_a_request_that_no_target_sends_is_409_and_says_why(site: Site) -> None:
    site.board.refuses = Unlike("no target small is configured")
    answer = await site.replay()
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["detail"] == "Not sent: no target small is configured."


async def test_a_budget_that_does_not_allow_it_is_429_until_the_next_day(site: Site) -> None:
    site.board.refuses = BudgetSpent()
    answer = await site.replay()
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert "kept for the schedule" in answer.json()["detail"]


async def test_what_is_not_a_whole_packet_of_this_version_is_409(site: Site) -> None:
    site.zips.stored |= {
        PACKET: packed(DOCUMENT).replace(b"no capacity left", b"no capacity lost"),
        OTHER: packed(DOCUMENT | {"schema_version": "0"}),
    }
    for packet, said in ((PACKET, "altered"), (OTHER, "another version")):
        answer = await site.replay(packet)
        assert answer.status_code == 409
        assert said in answer.json()["detail"]
    assert site.board.sent == []
