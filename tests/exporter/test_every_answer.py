"""Every answer of every route, also every refusal, carries the headers that keep a browser safe."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message

from exporter import posted
from exporter.access import MOST_HEAD_BYTES, Access
from exporter.answers import HEADERS, Refusal
from exporter.downloads import FOREVER, SANDBOX
from exporter.posted import MOST_BODY_BYTES
from tests.exporter.test_web import FIRST, HTML, Site, _site, raw, serving

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "fake-token-for-tests"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
FILES = ("packet.html", "packet.json", "summary.md", "sources/page", "none.txt")
ELSEWHERE = (
    "/unknown",
    "/packets/%2e%2e",
    "/packets/none/packet.zip",
    "//",
    "/metrics/",
    "/packets/latest?target=small",
)


def _paths(site: Site) -> list[str]:
    routes = [it.path for it in site.app.routes if isinstance(it, Route)]
    assert len(routes) == len(site.app.routes), "what is mounted would have to be listed too"
    filled = [it.replace("{id}", FIRST) for it in routes]
    plain = [it for it in filled if "{" not in it]
    files = [it.replace("{name:path}", name) for it in filled if "{" in it for name in FILES]
    assert len(files) == len(FILES), "one route serves the files"
    return [*dict.fromkeys(plain), *files, *ELSEWHERE]


def _wanting(answer: httpx2.Response) -> list[str]:
    """The headers that are not as they must be."""
    wanted = dict(HEADERS)
    name = str(answer.request.url.path)
    if name.startswith(f"/packets/{FIRST}/") and answer.status_code in (200, 304):
        wanted["Cache-Control"] = FOREVER
        if "/files/" in name:
            wanted["Content-Security-Policy"] = SANDBOX
    wrong = [
        f"{it}: {answer.headers.get(it)}" for it, value in wanted.items() if answer.headers.get_list(it) != [value]
    ]
    told = [it for it in answer.headers if it in ("server", "x-powered-by") or it.startswith("access-control-")]
    return wrong + told


def _direct(app: Starlette) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost")


def _asked(token: str | None) -> Site:
    return _site(_direct, Access(lambda: None if token is None else SecretStr(token), loopback=True))


@pytest.fixture(params=[None, TOKEN])
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    running = _asked(request.param)
    async with running.client:
        if request.param:
            running.client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield running


@pytest.mark.parametrize("method", METHODS)
async def test_of_every_route_by_every_method_in_either_form(site: Site, method: str) -> None:
    seen = set()
    for path in _paths(site):
        for headers in ({}, HTML, {"Origin": "https://evil.example.test"}):
            answer = await site.client.request(method, path, headers=headers)
            seen.add(answer.status_code)
            assert _wanting(answer) == [], (method, path, headers, answer.status_code)
    assert len(seen) > 1


async def test_of_refusals_for_want_of_a_token_too() -> None:
    site = _asked(TOKEN)
    async with site.client:
        for path in _paths(site):
            for headers in ({}, HTML, {"Authorization": "Bearer wrong"}, {"Cookie": "freezeframe=1.2.3"}):
                for method in ("GET", "POST"):
                    answer = await site.client.request(method, path, headers=headers)
                    assert _wanting(answer) == [], (method, path, headers, answer.status_code)


async def test_of_errors_of_our_own_and_of_the_store_too(site: Site) -> None:
    failed = await site.client.post("/packets", json={"target": "broken"})
    site.vault.broken = True
    away = await site.client.get("/packets")
    assert [failed.status_code, away.status_code] == [500, 503]
    assert [_wanting(failed), _wanting(away)] == [[], []]
    large = await site.client.post("/packets", content=b"x" * (MOST_BODY_BYTES + 1))
    assert (large.status_code, _wanting(large)) == (413, [])


async def test_nobody_elses_site_is_let_read_an_answer(site: Site) -> None:
    """No CORS: a preflight is no permission, and no answer names an origin."""
    asked = {"Origin": "https://evil.example.test", "Access-Control-Request-Method": "POST"}
    for path in _paths(site):
        answer = await site.client.request("OPTIONS", path, headers=asked)
        assert answer.status_code in (403, 404, 405), path
        assert not [it for it in answer.headers if it.startswith("access-control-")]


async def test_a_body_that_never_ends_is_told_so_and_the_connection_closed() -> None:
    """How long it may take is an argument, so that nobody waits here."""
    sent = [b"target=", b"small"]
    forever = asyncio.Event()

    async def receive() -> Message:
        if sent:
            return {"type": "http.request", "body": sent.pop(0), "more_body": True}
        await forever.wait()
        raise AssertionError

    request = Request({"type": "http", "method": "POST", "path": "/packets", "headers": []}, receive)
    with pytest.raises(Refusal) as refused:
        await posted.body(request, within_s=0.01)
    assert (refused.value.status_code, refused.value.headers) == (408, {"Connection": "close"})


async def test_a_head_that_is_too_large_is_refused_on_every_path(site: Site) -> None:
    for path in ("/metrics", "/packets"):
        large = await site.client.get(path, headers={"X": "a" * MOST_HEAD_BYTES})
        assert (large.status_code, _wanting(large)) == (431, [])
        assert (await site.client.get(f"{path}?{'a' * MOST_HEAD_BYTES}")).status_code == 431


def test_bodies_are_read_by_that_function_alone() -> None:
    """Whoever read one by itself would forget its bounds."""
    readers = {
        (file.name, node.attr)
        for file in (ROOT / "exporter").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("stream", "body", "form", "json")
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
        and file.name not in ("gateway.py", "gateway_answers.py")  # the gateway of the demo, on loopback for a minute
    }
    assert readers == {("posted.py", "stream")}


def test_secrets_are_compared_in_constant_time_only() -> None:
    """In the modules that decide who may come in, nothing that is or may be a secret stands beside == or `in`."""
    secret = re.compile(r"token|secret|signature|signed|presented|expected|password|cookie|key", re.I)
    public = {"0 < len(key) <= MOST_KEY_CHARACTERS"}  # the length of an Idempotency-Key
    found = []
    compared = 0
    for name in ("access.py", "sessions.py", "login.py", "webhook.py", "posted.py"):
        source = (ROOT / "exporter" / name).read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest":
                compared += 1
            if isinstance(node, ast.Compare) and not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
                text = ast.unparse(node)
                if secret.search(text) and text not in public:
                    found.append((name, text))
    assert compared == 3, "the token, the signature of a session, and the token of a form"
    assert found == []


# ---------------------------------------------------------------- raw bytes

SMUGGLED = b"GET /packets HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /packets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
AMBIGUOUS = {
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "a length that is none": HEAD + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "another coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "codings in two lines": HEAD
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "a space before the colon": HEAD + b"Content-Length : 44\r\n\r\n" + SMUGGLED,
    "a folded first header": b"POST /packets HTTP/1.1\r\n Host: localhost\r\n\r\n" + SMUGGLED,
    "a chunk size that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SMUGGLED,
    "two hosts": b"GET /packets HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.test\r\n\r\n" + SMUGGLED,
    "no host": b"GET /packets HTTP/1.1\r\n\r\n" + SMUGGLED,
    "a zero in a header": b"GET /packets HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n" + SMUGGLED,
    "a head that does not end": b"GET /packets HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00" + SMUGGLED,
}


async def test_what_two_servers_could_read_in_two_ways_is_refused_and_nothing_after_it_is_read() -> None:
    async with serving() as site:
        for what, request in AMBIGUOUS.items():
            answer = await raw(site.port, request)
            assert answer.startswith(b"HTTP/1.1 400 "), what
            assert answer.count(b"HTTP/1.1 ") == 1, what
            assert b"evil" not in answer and b"aaaa" not in answer, f"{what}: the request is not quoted"
        assert site.board.frozen == []


async def test_a_length_beside_chunks_is_read_as_chunks_and_the_connection_ends_with_it() -> None:
    """RFC 9112, 6.3: what stands after the last chunk is never a request of somebody else's."""
    async with serving() as site:
        body = b'{"target": "small"}'
        chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        answer = await raw(
            site.port,
            HEAD + b"Connection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + SMUGGLED,
        )
        assert answer.count(b"HTTP/1.1 ") == 1
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 201 "))


async def test_a_host_that_holds_a_path_opens_no_other_path() -> None:
    """Who decides by a URL that is made with the Host header would read /metrics here."""
    async with serving(TOKEN, loopback=False) as site:
        for host in (b"x/metrics?", b"x/metrics#", b"user@x/metrics?y="):
            answer = await raw(site.port, b"GET /packets HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 401 "), host


async def test_a_forwarded_address_or_scheme_changes_nothing() -> None:
    async with serving() as site:
        forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
        plain, told = await site.client.get("/packets"), await site.client.get("/packets", headers=forged)
        assert (told.status_code, told.content) == (plain.status_code, plain.content)
        forged["X-Forwarded-Host"] = "localhost"
        assert (await site.client.get("/packets", headers={"Host": "evil.example.test"} | forged)).status_code == 403
