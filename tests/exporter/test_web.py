"""The routes: asked directly, and over a real socket where the bytes on it matter."""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn
from exporter_facts import CONTRACT, START, result, target
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from pydantic import SecretStr
from starlette.applications import Starlette

from exporter.metrics import Metrics
from exporter.noticed import Noticed
from exporter.reload import Reloaded
from exporter.web import Access, WindowView, create
from probe.index import PacketEntry
from probe.notes import BadNote, Note
from probe.packet import Problem
from probe.pong import Target
from probe.records import Json, Listing, Result, Verdict
from probe.render import pack, verify
from probe.render.archive import manifest
from probe.settings import ConfigError
from probe.vault import PacketNotFound, StoreError, Vault
from probe.watch import AreaSeen

TOKEN = "fake-token-for-tests"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NASTY = "<script>alert('x')</script>"
FIRST, SECOND = "20261124T120000Z-small-0a1b2c3d", "20261124T130000Z-small-4e5f6a7b"


def _entry(packet_id: str, **changes: Any) -> PacketEntry:
    packet = PacketEntry(
        id=packet_id,
        target="small",
        verdict="contract_mismatch",
        reason="missing_choices",
        trigger="threshold",
        frozen_at=START,
        incident=FIRST,
        state="open",
        zip_sha256="00",
        size_bytes=1,
    )
    return replace(packet, **changes)


def _zip(packet_id: str) -> bytes:
    page = f"<html><body>{NASTY}</body></html>"
    files = {
        "packet.json": orjson.dumps({"packet_id": packet_id, "verdict": "contract_mismatch"}),
        "packet.html": page.encode(),
        "summary.md": f"# Summary {NASTY}\n".encode(),
        "history.jsonl": b"{}\n",
        "repro.sh": b"#!/bin/sh\n",
        "sources/page": page.encode(),
    }
    return _packed(files)


def _packed(files: dict[str, bytes]) -> bytes:
    return pack(files | {"manifest.sha256": manifest(files)})


@dataclass
class MemoryVault:
    """Packets in memory, as the routes read them."""

    zips: dict[str, bytes] = field(default_factory=lambda: {name: _zip(name) for name in (FIRST, SECOND)})
    listed: tuple[PacketEntry, ...] = (
        _entry(SECOND, frozen_at=START + timedelta(hours=1)),
        _entry(FIRST, state="recovered"),
    )
    broken: bool = False
    beside: tuple[Problem, ...] = ()

    async def read(self, packet_id: str, /) -> bytes:
        try:
            return self.zips[packet_id]
        except KeyError:
            raise PacketNotFound(packet_id) from None

    async def addenda(self, packet_id: str, /) -> tuple[tuple[str, Json], ...]:
        return ((f"{packet_id}.001.json", {"kind": "recovery", "note": NASTY}),) if packet_id == FIRST else ()

    async def verify(self, packet_id: str, /) -> tuple[Problem, ...]:
        return (*verify(self.zips[packet_id], packet_id), *self.beside)

    async def entries(self) -> tuple[PacketEntry, ...]:
        if self.broken:
            raise StoreError("list: disk on fire at /secret/place")
        return self.listed

    async def of(self, target: str, /) -> tuple[PacketEntry, ...]:
        return tuple(known for known in await self.entries() if known.target == target)

    async def entry(self, packet_id: str, /) -> PacketEntry:
        for known in await self.entries():
            if known.id == packet_id:
                return known
        raise PacketNotFound(packet_id)


@dataclass
class FixedBoard:
    """A program as the pages see it. `frozen` lists what was asked to be frozen."""

    ready: bool = True
    shard_words: str | None = None
    alerts: tuple[Noticed, ...] = ()
    targets: tuple[Target, ...] = (
        target(),
        replace(target(NASTY, stream=True), model="a&b"),
    )
    controls: Mapping[str, bool | None] = field(default_factory=lambda: {"outside": True, "edge": False, "new": None})
    outside_reachable: bool | None = True
    twins: tuple[tuple[str, str], ...] = (("small", "<b>10.0.0.2:9464"),)
    listings: Mapping[tuple[str, str], Listing] = field(
        default_factory=lambda: {
            ("example", "example-small"): Listing("https://docs.example.test/models", START, True, START),
            ("example", "a&b"): Listing("https://docs.example.test/models", START, False, START - timedelta(days=1)),
        }
    )
    areas: Mapping[tuple[str, str], AreaSeen] = field(
        default_factory=lambda: {
            ("example", "base_url"): AreaSeen(False, True, START - timedelta(hours=2)),
            ("example", "chat_path"): AreaSeen(True, False, START - timedelta(hours=3)),
        }
    )
    frozen: list[str] = field(default_factory=list)
    reload_fails: bool = False
    notes: list[Note] = field(default_factory=list)
    store_answers: asyncio.Event = field(default_factory=asyncio.Event)

    def results(self, target: str) -> tuple[Result, ...]:
        if target != "small":
            return ()
        verdicts = (Verdict.OK, Verdict.MISSED, Verdict.CONTRACT_MISMATCH)
        return tuple(result(verdict=verdict, ended_at=START - timedelta(minutes=1)) for verdict in verdicts)

    async def results_since(self, target: str, due_at: datetime) -> tuple[Result, ...]:
        return self.results(target)

    def last_failed(self, target: str) -> Result | None:
        failing = (it for it in reversed(self.results(target)) if it.verdict.is_failure and it.sealed is not None)
        return next(failing, None)

    def window(self, target: str) -> WindowView:
        if target != "small":
            return WindowView(0, 5, 3, frozenset(), ())
        return WindowView(3, 5, 3, frozenset({Verdict.CONTRACT_MISMATCH}), (FIRST,))

    async def note(self, packet_id: str, note: Note) -> str:
        if packet_id != FIRST:
            raise PacketNotFound(packet_id)
        if "key" in (note.text or ""):
            raise BadNote("text", "no secret", "what looks like one (api_key)")
        self.notes.append(note)
        return f"{packet_id}.{len(self.notes):03d}.json"

    async def reload(self) -> Reloaded:
        if self.reload_fails:
            raise ConfigError("targets[0].cadence", "a duration such as 30s", "'soon'")
        return Reloaded(("new",), (), ("small",), ())

    async def freeze_now(self, target: str) -> str:
        if target == "broken":
            raise RuntimeError("a secret detail")
        if target not in {known.name for known in self.targets}:
            raise KeyError(target)
        if target != "small":
            raise LookupError(target)
        await self.store_answers.wait()
        self.frozen.append(target)
        return f"{FIRST[:-1]}{len(self.frozen)}"


@dataclass
class Site:
    """The running exporter and a client of it."""

    client: httpx2.AsyncClient
    app: Starlette
    board: FixedBoard
    vault: MemoryVault
    metrics: Metrics
    port: int


def _site(client_of: Callable[[Starlette], httpx2.AsyncClient], access: Access, port: int = 0) -> Site:
    board, vault = FixedBoard(), MemoryVault()
    board.store_answers.set()
    metrics = Metrics(board.targets, contracts={"example": CONTRACT}, version="0", clock=lambda: START)
    app = create(board, vault, metrics, access, clock=lambda: START, freeze_wait_s=0.05)
    return Site(client_of(app), app, board, vault, metrics, port)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    def direct(app: Starlette) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://localhost")

    running = _site(direct, Access(token=lambda: None, loopback=True))
    async with running.client:
        yield running


@contextlib.asynccontextmanager
async def serving(token: str | None = None, *, loopback: bool = True) -> AsyncIterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        access = Access(token=lambda: None if token is None else SecretStr(token), loopback=loopback)
        running = _site(
            lambda _: httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False), access, port
        )
        server = uvicorn.Server(uvicorn.Config(running.app, log_config=None, lifespan="off", server_header=False))
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        async with running.client:
            yield running
        server.should_exit = True
        await serve


@pytest.fixture
async def served() -> AsyncIterator[Site]:
    async with serving() as running:
        yield running


async def raw(port: int, request: bytes) -> bytes:
    """The answer to exactly these bytes: a client library would tidy them up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


# ---------------------------------------------------------------- machines


async def test_metrics_are_served_in_the_form_asked_for(served: Site) -> None:
    served.metrics.on_event(result(probe_id="probe-1"))
    plain = await served.client.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    names = {family.name for family in parse_text(plain.text)}
    assert {"probe_success", "freezeframe_probes"} <= names
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    other = await served.client.get("/metrics", headers=accept)
    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.headers["content-encoding"] == "gzip"
    assert {family.name for family in parse_openmetrics(other.text)} >= {"probe_success", "freezeframe_probes"}
    assert "probe-1" in other.text


async def test_health_does_not_depend_on_the_provider_and_readiness_is_the_boards(site: Site) -> None:
    assert (await site.client.get("/-/healthy")).status_code == 200
    assert (await site.client.get("/-/ready")).status_code == 200
    site.board.ready = False
    assert (await site.client.get("/-/ready")).status_code == 503
    assert (await site.client.get("/-/healthy")).status_code == 200


UNKNOWN = ["/foo", "/metrics/", "/favicon.ico", "/packets/", "/-/", "//metrics", "/Metrics"]


async def test_an_unknown_path_is_404_and_never_metrics(served: Site) -> None:
    for path in UNKNOWN:
        answer = await raw(served.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 404 "), path
        assert b"application/problem+json" in answer and b"freezeframe_" not in answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/metrics"),
        ("DELETE", "/packets"),
        ("PUT", f"/packets/{FIRST}"),
        ("POST", "/-/healthy"),
        ("OPTIONS", "/"),
    ],
)
async def test_a_wrong_method_is_405_and_says_which_are_right(site: Site, method: str, path: str) -> None:
    answer = await site.client.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


ANSWERED = ["/", "/metrics", "/-/healthy", "/packets", f"/packets/{FIRST}", f"/packets/{FIRST}/packet.zip", "/nowhere"]


async def test_head_answers_as_get_without_a_body(served: Site) -> None:
    for path in ANSWERED:
        got, head = await served.client.get(path), await served.client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]


# ---------------------------------------------------------------- who may


async def test_with_a_token_only_metrics_and_health_are_open() -> None:
    async with serving(TOKEN, loopback=False) as site:
        for path in ("/metrics", "/-/healthy", "/-/ready"):
            assert (await site.client.get(path)).status_code == 200
        for path in ("/", "/packets", "/packets/latest?target=small", f"/packets/{FIRST}/packet.zip", "/nowhere"):
            refused = await site.client.get(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer")
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["x-content-type-options"] == "nosniff"
        assert (await site.client.post("/packets", json={"target": "small"})).status_code == 401
        assert site.board.frozen == []
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert (await site.client.get("/packets", headers=headers)).status_code == 200


async def test_without_a_token_a_foreign_host_name_sees_health_and_metrics_only(site: Site) -> None:
    headers = {"Host": "rebound.example.test"}
    assert (await site.client.get("/packets", headers=headers)).status_code == 403
    assert (await site.client.get("/", headers=headers | HTML)).status_code == 403
    assert (await site.client.get("/metrics", headers=headers)).status_code == 200


# ---------------------------------------------------------------- pages


async def test_a_reload_says_what_changed_or_what_is_wrong(site: Site) -> None:
    done = await site.client.post("/-/reload")
    assert (done.status_code, done.json()) == (
        200,
        {"reloaded": True, "added": ["new"], "removed": [], "changed": ["small"], "needs_restart": []},
    )
    site.board.reload_fails = True
    failed = await site.client.post("/-/reload")
    assert failed.status_code == 400
    assert "targets[0].cadence: expected a duration" in failed.json()["detail"]


async def test_a_note_is_added_once_per_idempotency_key(site: Site) -> None:
    for _ in range(2):
        added = await site.client.post(
            f"/packets/{FIRST}/notes", json={"escalation_id": "CASE-7"}, headers={"Idempotency-Key": "k1"}
        )
        assert (added.status_code, added.json()) == (
            201,
            {"id": FIRST, "addendum": f"{FIRST}.001.json", "warnings": []},
        )
    assert site.board.notes == [Note(escalation_id="CASE-7")]
    other = await site.client.post(
        f"/packets/{FIRST}/notes", json={"escalation_id": "CASE-8"}, headers={"Idempotency-Key": "k1"}
    )
    assert other.status_code == 422


async def test_the_form_of_the_packets_page_adds_a_note(site: Site) -> None:
    page = await site.client.get(f"/packets/{FIRST}", headers={"Accept": "text/html"})
    assert f'action="/packets/{FIRST}/notes"' in page.text
    added = await site.client.post(
        f"/packets/{FIRST}/notes",
        data={"owner": "on-call", "text": "", "request_ids": "a-1, a-2"},
        headers={"Accept": "text/html"},
    )
    assert (added.status_code, added.headers["location"]) == (303, f"/packets/{FIRST}")
    assert site.board.notes == [Note(owner="on-call", request_ids=("a-1", "a-2"))]


@pytest.mark.parametrize(
    ("packet", "content", "status", "parameter"),
    [
        (FIRST, {"text": "a key"}, 422, "text"),
        (FIRST, {}, 422, "note"),
        (FIRST, {"submitted_at": "soon"}, 422, "submitted_at"),
        ("no-such-packet", {"text": "x"}, 404, None),
    ],
)
async def test_a_note_that_is_wrong_is_refused_by_name(
    site: Site, packet: str, content: dict[str, str], status: int, parameter: str | None
) -> None:
    refused = await site.client.post(f"/packets/{packet}/notes", json=content)
    assert refused.status_code == status
    assert refused.json().get("parameter") == parameter
    assert site.board.notes == []


async def test_the_status_page_shows_targets_incidents_controls_and_the_contract(site: Site) -> None:
    page = (await site.client.get("/", headers=HTML)).text
    assert f'<a href="/packets/{FIRST}">' in page
    assert "possible contract mismatch" in page and "3 of the last 5 failed" in page
    assert "missing_choices" not in page and "error_in_200" in page
    assert page.count("<rect ") == 3 and "3 probes, 2 not ok" in page
    assert "1 min ago" in page and "0.750 s" in page
    assert "not probed yet" in page
    assert "does not answer" in page and "not asked yet" in page
    assert "https://docs.example.test/chat" in page and "from a stored copy" in page and "34 d" in page
    assert "small also by &lt;b&gt;10.0.0.2:9464, with the same credential" in page
    assert ">in the public list<" in page
    assert "<strong>not in the public list</strong>, last seen there 2026-11-23" in page


async def test_what_others_wrote_is_escaped_on_every_page(site: Site) -> None:
    for path in ("/", f"/packets/{FIRST}", f"/packets?target={NASTY}"):
        page = (await site.client.get(path, headers=HTML)).text
        assert page.startswith("<!doctype html>")
        assert "<script" not in page.replace("<script>for (const button of ", "") and "&lt;script&gt;" in page
    assert "<script" not in (await site.client.get(f"/packets?verdict={NASTY}", headers=HTML)).text


async def test_pages_may_load_nothing_but_their_own_style(site: Site) -> None:
    for path in ("/", "/packets", f"/packets/{FIRST}", "/nowhere"):
        answer = await site.client.get(path, headers=HTML)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy and "unsafe" not in policy
        assert "style=" not in answer.text, "a style attribute would be blocked"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


async def test_errors_are_pages_for_people_and_problem_details_for_programs(site: Site) -> None:
    page = await site.client.get("/packets/unknown", headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    problem = await site.client.get("/packets/unknown")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such packet.",
    }
    assert page.headers["vary"] == problem.headers["vary"] == "Accept"


async def test_an_error_of_ours_says_nothing_of_its_cause(served: Site) -> None:
    answer = await served.client.post("/packets", json={"target": "broken"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text and "Traceback" not in answer.text


# ---------------------------------------------------------------- packets


async def test_packets_are_listed_as_json_and_as_a_page(site: Site) -> None:
    answer = await site.client.get("/packets")
    assert answer.headers["vary"] == "Accept"
    listed = answer.json()
    assert [packet["id"] for packet in listed["packets"]] == [SECOND, FIRST]
    assert listed["next"] is None
    fields = {"id", "target", "verdict", "reason", "trigger", "frozen_at", "incident", "state"}
    assert fields <= set(listed["packets"][0])
    assert listed["packets"][1]["frozen_at"] == "2026-11-24T12:00:00.000Z"
    page = await site.client.get("/packets", headers=HTML)
    assert page.headers["vary"] == "Accept"
    assert f'<a href="/packets/{SECOND}">' in page.text


async def test_the_next_page_follows_from_the_answer(site: Site) -> None:
    first = (await site.client.get("/packets", params={"limit": 1, "verdict": "contract_mismatch"})).json()
    assert (first["packets"][0]["id"], first["next"]) == (SECOND, SECOND)
    second = (await site.client.get("/packets", params={"limit": 1, "before": first["next"]})).json()
    assert (second["packets"][0]["id"], second["next"]) == (FIRST, None)
    page = await site.client.get("/packets", params={"limit": 1, "target": "small"}, headers=HTML)
    link = re.search(r'<a href="([^"]+)" rel="next">', page.text)
    assert link is not None
    older = await site.client.get(link[1].replace("&amp;", "&"), headers=HTML)
    assert FIRST in older.text and SECOND not in older.text.replace(f"before={SECOND}", "")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "verdict=down", "since=yesterday", "until=soon", "before=..", "before=unknown"]
)
async def test_a_bad_parameter_is_named(site: Site, query: str) -> None:
    answer = await site.client.get(f"/packets?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == query.partition("=")[0]


async def test_the_latest_packet_is_found_by_time(site: Site) -> None:
    async def location(**params: str) -> str:
        answer = await site.client.get("/packets/latest", params=params)
        assert answer.status_code == 302
        return str(answer.headers["location"])

    assert await location(target="small") == f"/packets/{SECOND}"
    assert await location(target="small", at="2026-11-24T12:59:59Z") == f"/packets/{FIRST}"
    assert await location(target="small", at=str(START.timestamp())) == f"/packets/{FIRST}"
    early = {"target": "small", "at": "2026-11-24T11:59:59Z"}
    assert (await site.client.get("/packets/latest", params=early)).status_code == 404
    assert (await site.client.get("/packets/latest", params={"target": "unknown"})).status_code == 404
    missing = await site.client.get("/packets/latest")
    assert (missing.status_code, missing.json()["parameter"]) == (400, "target")
    bad = await site.client.get("/packets/latest", params={"target": "small", "at": "now"})
    assert (bad.status_code, bad.json()["parameter"]) == (400, "at")


async def test_a_packet_is_shown_with_what_was_added_later(site: Site) -> None:
    shown = (await site.client.get(f"/packets/{FIRST}")).json()
    assert (shown["id"], shown["state"]) == (FIRST, "recovered")
    assert shown["packet"]["packet_id"] == FIRST
    assert shown["addenda"] == [{"name": f"{FIRST}.001.json", "document": {"kind": "recovery", "note": NASTY}}]
    assert "summary.md" in shown["files"]
    page = (await site.client.get(f"/packets/{FIRST}", headers=HTML)).text
    assert "# Summary &lt;script&gt;" in page and f"{FIRST}.001.json" in page
    assert f'href="/packets/{FIRST}/files/sources/page"' in page


async def test_the_zip_is_served_whole_with_its_digest(site: Site) -> None:
    path = f"/packets/{FIRST}/packet.zip"
    answer = await site.client.get(path)
    digest = hashlib.sha256(site.vault.zips[FIRST])
    assert answer.content == site.vault.zips[FIRST]
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{FIRST}.zip"'
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    again = await site.client.get(path, headers={"If-None-Match": f'"other", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await site.client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    assert (await site.client.get("/packets/unknown/packet.zip")).status_code == 404


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("packet.html", "text/html; charset=utf-8"),
        ("packet.json", "application/json"),
        ("summary.md", "text/markdown; charset=utf-8"),
        ("history.jsonl", "application/jsonl"),
        ("repro.sh", "text/plain; charset=utf-8"),
        ("sources/page", "application/octet-stream"),
    ],
)
async def test_a_file_of_a_packet_is_served_into_a_sandbox(site: Site, name: str, content_type: str) -> None:
    answer = await site.client.get(f"/packets/{FIRST}/files/{name}")
    assert answer.headers["content-type"] == content_type
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert answer.headers["x-content-type-options"] == "nosniff"


TRICKS = [
    f"/packets/{FIRST}/files/absent.txt",
    f"/packets/{FIRST}/files/",
    f"/packets/{FIRST}/files/../../../../etc/passwd",
    f"/packets/{FIRST}/files/%2e%2e/%2e%2e/etc/passwd",
    f"/packets/{FIRST}/files//etc/passwd",
    f"/packets/{FIRST}/files/packet.json%00.html",
    "/packets/../packets",
    "/packets/..%2f..%2fetc%2fpasswd",
    "/packets/%2e%2e/packet.zip",
    f"/packets/{FIRST}%00",
    f"/packets/{FIRST}.zip",
    "/packets/a_b",
    "/packets/%C3%A9",
    f"/packets/{FIRST}/packet.zip/",
    f"/packets/{FIRST}/",
]


async def test_tricks_with_paths_are_not_found(served: Site) -> None:
    for path in TRICKS:
        answer = await raw(served.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 404 "), path


async def test_a_packet_that_was_altered_in_the_store_is_reported_and_can_still_be_fetched(site: Site) -> None:
    site.vault.zips[FIRST] = b"not a zip"
    answer = await site.client.get(f"/packets/{FIRST}")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "not as it was frozen" in answer.json()["detail"]
    assert answer.json()["problems"] == [{"file": "packet.zip", "problem": "unreadable"}]
    assert (await site.client.get(f"/packets/{FIRST}/packet.zip")).content == b"not a zip"


async def test_an_altered_file_is_named_and_neither_it_nor_the_packet_is_shown(site: Site) -> None:
    data = site.vault.zips[FIRST]
    at = data.index(b"# Summary")
    site.vault.zips[FIRST] = data[:at] + b"!" + data[at + 1 :]
    page = await site.client.get(f"/packets/{FIRST}", headers=HTML)
    assert page.status_code == 500
    assert "<code>summary.md</code>: altered" in page.text and f'href="/packets/{FIRST}/packet.zip"' in page.text
    for path in (f"/packets/{FIRST}", f"/packets/{FIRST}/files/history.jsonl"):
        refused = await site.client.get(path)
        assert refused.json()["problems"] == [{"file": "summary.md", "problem": "altered"}]
    fetched = await site.client.get(f"/packets/{FIRST}/packet.zip")
    assert (fetched.status_code, fetched.content) == (200, site.vault.zips[FIRST])
    assert fetched.headers["etag"] == f'"{hashlib.sha256(site.vault.zips[FIRST]).hexdigest()}"'


async def test_what_is_wrong_beside_a_whole_packet_is_said_above_it(site: Site) -> None:
    site.vault.beside = (Problem(f"{FIRST}.002.json", "altered"),)
    shown = await site.client.get(f"/packets/{FIRST}")
    assert (shown.status_code, shown.json()["problems"]) == (
        200,
        [{"file": f"{FIRST}.002.json", "problem": "altered"}],
    )
    page = (await site.client.get(f"/packets/{FIRST}", headers=HTML)).text
    assert f"<code>{FIRST}.002.json</code> altered" in page
    assert "Not everything beside this packet" in page


async def test_the_list_shows_digests_and_what_cannot_be_trusted(site: Site) -> None:
    site.vault.listed = (_entry(FIRST, state="altered", zip_sha256="ab" * 32),)
    [row] = (await site.client.get("/packets")).json()["packets"]
    assert (row["state"], row["zip_sha256"]) == ("altered", "ab" * 32)
    page = (await site.client.get("/packets", headers=HTML)).text
    assert '<span class="state altered">altered</span>' in page
    assert f'<code title="{"ab" * 32}">abababababab</code>' in page


async def test_a_note_that_should_not_be_sent_is_added_with_a_warning(site: Site) -> None:
    note = {"text": "Screenshot attached.", "mitigation": "It is caused by your proxy."}
    added = await site.client.post(f"/packets/{FIRST}/notes", json=note)
    assert added.status_code == 201
    warnings = added.json()["warnings"]
    assert [(it["kind"], it["where"]) for it in warnings] == [("root_cause", "mitigation"), ("screenshot", "text")]


async def test_the_packet_s_page_warns_before_the_message(site: Site) -> None:
    document = {
        "packet_id": FIRST,
        "verdict": "contract_mismatch",
        "message": ["We observed a chat API issue.", "Impact: because your load balancer drops it."],
    }
    site.vault.zips[FIRST] = _packed({"packet.json": orjson.dumps(document)})
    page = (await site.client.get(f"/packets/{FIRST}", headers=HTML)).text
    assert page.index("Before you send it") < page.index("Message to send")
    assert "<strong>root cause</strong>, message, line 2" in page
    [warning] = (await site.client.get(f"/packets/{FIRST}")).json()["warnings"]
    assert (warning["kind"], warning["where"]) == ("root_cause", "message, line 2")


async def test_a_packet_of_a_form_of_tomorrow_is_not_guessed_at_and_can_be_fetched(site: Site) -> None:
    files = {"packet.json": b'{"packet_id":"' + FIRST.encode() + b'","schema_version":"9","message":7,"internal":[]}'}
    site.vault.zips[FIRST] = _packed(files)
    reply = await site.client.get(f"/packets/{FIRST}")
    assert reply.status_code == 501
    assert "of form 9; this version of freezeframe reads form 1" in reply.json()["detail"]
    page = await site.client.get(f"/packets/{FIRST}", headers={"Accept": "text/html"})
    assert (page.status_code, "of form 9" in page.text) == (501, True)
    assert (await site.client.get(f"/packets/{FIRST}/packet.zip")).status_code == 200
    assert (await site.client.get(f"/packets/{FIRST}/files/packet.json")).status_code == 200


async def test_a_packet_that_is_not_listed_is_not_found(site: Site) -> None:
    site.vault.listed = ()
    assert (await site.client.get(f"/packets/{FIRST}")).status_code == 404


async def test_a_packet_that_cannot_be_read_is_listed_as_that(site: Site) -> None:
    site.vault.listed = (_entry(FIRST, verdict="not known", trigger="not known", state="unreadable"),)
    assert (await site.client.get("/packets")).json()["packets"][0]["state"] == "unreadable"
    assert "unreadable" in (await site.client.get("/packets", headers=HTML)).text


async def test_a_store_that_fails_is_said_counted_and_not_described(site: Site) -> None:
    site.vault.broken = True
    answer = await site.client.get("/packets")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/secret/place" not in answer.text
    exposition = (await site.client.get("/metrics")).text
    assert 'freezeframe_store_errors_total{operation="read"} 1.0' in exposition


async def test_packets_of_the_real_vault_are_served() -> None:
    vault = Vault.open("memory://", Path())
    document = {
        "packet_id": FIRST,
        "target": {"name": "small"},
        "verdict": "degradation",
        "reason": "upstream_5xx",
        "trigger": "threshold",
        "frozen_at": "2026-11-24T12:00:00.000Z",
        "incident": FIRST,
    }
    data = _packed({"packet.json": orjson.dumps(document), "summary.md": b"# Summary"})
    await vault.freeze(FIRST, data)
    await vault.add(FIRST, {"kind": "recovery"})
    board = FixedBoard()
    metrics = Metrics(board.targets, contracts={"example": CONTRACT}, version="0")
    app = create(board, vault, metrics, Access(token=lambda: None, loopback=True))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
        listed = (await client.get("/packets")).json()["packets"]
        assert [(packet["id"], packet["state"]) for packet in listed] == [(FIRST, "recovered")]
        assert (await client.get(f"/packets/{FIRST}/packet.zip")).content == data
        assert (await client.get(f"/packets/{FIRST}/files/summary.md")).text == "# Summary"
        shown = (await client.get(f"/packets/{FIRST}")).json()
        assert {name: shown["packet"][name] for name in document} == document
        assert (shown["packet"]["since_freeze"]["state"], len(shown["addenda"])) == ("recovered", 1)
        assert (await client.get(f"/packets/{FIRST}/files/packet.json")).json() == document, "as it was frozen"
        assert listed[0]["zip_sha256"] == hashlib.sha256(data).hexdigest()
        assert (await client.get("/packets/unknown")).status_code == 404


# ---------------------------------------------------------------- freeze now


async def test_a_program_freezes_with_json_and_a_person_with_a_form(served: Site) -> None:
    made = await served.client.post("/packets", json={"target": "small"})
    assert made.status_code == 201
    assert made.headers["location"] == f"/packets/{made.json()['id']}"
    form = await served.client.post("/packets", data={"target": "small"})
    assert form.status_code == 201
    person = await served.client.post("/packets", data={"target": "small"}, headers=HTML)
    assert (person.status_code, person.headers["location"]) == (303, f"/packets/{FIRST[:-1]}3")
    assert served.board.frozen == ["small"] * 3


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"target": "unknown"}', "application/json", 404),
        (orjson.dumps({"target": NASTY}), "application/json", 409),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"target": 5}', "application/json", 400),
        (b'{"target": ""}', "application/json", 400),
        (b"", "application/x-www-form-urlencoded", 400),
        (b"target=\xff", "application/x-www-form-urlencoded", 404),
        (b"target=small", "text/plain", 415),
        (b"target=small", "", 415),
        (b'{"target": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_what_cannot_be_frozen_is_refused(site: Site, body: bytes, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await site.client.post("/packets", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.board.frozen == []


async def test_a_body_without_a_stated_length_is_bounded_too(served: Site) -> None:
    head = b"POST /packets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"x" * (64 * 1024 + 1)
    answer = await raw(served.port, head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(chunk), chunk))
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_repeated_idempotency_key_freezes_once(site: Site) -> None:
    headers = {"Idempotency-Key": "key-1"}
    answers = [await site.client.post("/packets", json={"target": "small"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert site.board.frozen == ["small"]
    other = await site.client.post("/packets", json={"target": NASTY}, headers=headers)
    assert (other.status_code, other.json()["parameter"]) == (422, "Idempotency-Key")
    long = await site.client.post("/packets", json={"target": "small"}, headers={"Idempotency-Key": "k" * 256})
    assert (long.status_code, long.json()["parameter"]) == (400, "Idempotency-Key")


async def test_while_the_store_does_not_answer_the_asker_is_told_to_come_back(site: Site) -> None:
    site.board.store_answers.clear()
    headers = {"Idempotency-Key": "key-1"}
    waiting = await site.client.post("/packets", json={"target": "small"}, headers=headers)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "10")
    site.board.store_answers.set()
    done = await site.client.post("/packets", json={"target": "small"}, headers=headers)
    assert done.status_code == 201
    assert site.board.frozen == ["small"], "the first request went on and was joined"


async def test_another_sites_form_freezes_nothing(site: Site) -> None:
    headers = {"Origin": "https://evil.example.test"}
    answer = await site.client.post("/packets", data={"target": "small"}, headers=headers)
    assert answer.status_code == 403
    assert site.board.frozen == []
