"""A document is fetched whole or not at all, within its host, and never from a private network by name."""

import hashlib
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.client.addresses import literal_refusal, refusal
from probe.records import Fetched, Unfetched
from tests.servers.hostile import _bomb
from tests.servers.raw import Forever, Hold, RawServer, Script, Tunnel, answer, chunk, head

LIMIT = 100_000
KEY = "sk-fake-document-reader"


async def get(url: str, *, timeout_s: float = 2.0, auth: Auth | None = None) -> Fetched | Unfetched:
    client = Client(Network())
    try:
        return await client.get(url, timeout_s=timeout_s, limit_bytes=LIMIT, auth=auth)
    finally:
        await client.aclose()


async def played(*steps: object, timeout_s: float = 2.0, keeps_alive: bool = False) -> Fetched | Unfetched:
    with RawServer(Script("", steps, keeps_alive=keeps_alive)) as server:  # type: ignore[arg-type]
        return await get(server.url, timeout_s=timeout_s)


def moved(location: str, status: str = "302 Found") -> bytes:
    return head(f"Location: {location}", "Content-Length: 0", status=status)


async def test_a_document_comes_with_its_time_type_and_digest() -> None:
    page = b"# Chat\n"
    before = datetime.now(UTC)
    found = await played(head("Content-Type: text/Markdown; charset=UTF-8", f"Content-Length: {len(page)}") + page)
    assert isinstance(found, Fetched)
    assert (found.status, found.media, found.body) == (200, "text/markdown", page)
    assert found.sha256 == hashlib.sha256(page).hexdigest()
    assert before <= found.fetched_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("announced", "media"),
    [
        ("text/html; charset=GBK", "text/html; charset=gbk"),
        ('text/html; charset="utf-8"', "text/html"),
        ("<script>", ""),
        ("", ""),
    ],
)
async def test_a_type_is_read_without_trust(announced: str, media: str) -> None:
    found = await played(head(f"Content-Type: {announced}", "Content-Length: 0"))
    assert isinstance(found, Fetched)
    assert found.media == media


async def test_another_status_is_told_with_its_body() -> None:
    found = await played(answer(b"gone", status="404 Not Found"))
    assert isinstance(found, Fetched)
    assert (found.status, found.body) == (404, b"gone")


async def test_one_get_asks_for_identity_and_carries_neither_cookie_nor_key() -> None:
    with RawServer(Script("", (head("Set-Cookie: a=b", "Content-Length: 0"),))) as server:
        client = Client(Network())
        for _ in range(2):
            await client.get(server.url, timeout_s=2, limit_bytes=LIMIT, accept="text/plain")
        assert len(server.requests) == 2
        for asked in server.requests:
            assert asked.startswith(b"GET ")
            assert b"Accept-Encoding: identity" in asked
            assert b"Accept: text/plain" in asked
            assert b"ookie" not in asked


async def test_redirects_within_the_host_are_followed_and_the_key_goes_to_the_first_address_only() -> None:
    with RawServer(Script("", (moved("/next"),), keeps_alive=False)) as server:
        found = await get(server.url, auth=Auth("Authorization", SecretStr(f"Bearer {KEY}")))
        assert found == Unfetched("more than 5 redirects")
        assert len(server.requests) == 6
        assert KEY.encode() in server.requests[0]
        assert not any(KEY.encode() in asked for asked in server.requests[1:])
        assert all(asked.startswith(b"GET /next ") for asked in server.requests[1:])


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://docs.example.test/chat", "it redirects to another host, docs.example.test: not followed"),
        ("//[2001:db8::1]/", "it redirects to another host, 2001:db8::1: not followed"),
        ("http://[broken", "it redirects to another host, an unreadable name: not followed"),
        ("https://127.0.0.1/chat", "it redirects to another scheme or port of the same host: not followed"),
        ("http://127.0.0.1:1/chat", "it redirects to another scheme or port of the same host: not followed"),
        ("http://127.0.0.1:no-port/", "what was to be fetched, or what it redirects to, is not a URL"),
    ],
)
async def test_a_redirect_that_leaves_the_host_is_not_followed(location: str, words: str) -> None:
    with RawServer(Script("", (moved(location),))) as server:
        assert await get(server.url) == Unfetched(words)
        assert len(server.requests) == 1


async def test_a_user_name_is_not_taken_from_a_redirect() -> None:
    with RawServer(Script("", (b"",))) as server:
        port = server.port
    with RawServer(Script("", (moved(f"http://user:secret@127.0.0.1:{port}/"),))) as server:
        found = await get(server.url)
        assert isinstance(found, Unfetched)
        assert "secret" not in found.words


async def test_a_redirect_without_an_address_is_an_answer() -> None:
    found = await played(head("Content-Length: 0", status="302 Found"))
    assert isinstance(found, Fetched)
    assert found.status == 302


@pytest.mark.parametrize(
    "steps",
    [
        (head(), Forever(b"a" * 65536)),
        (head("Transfer-Encoding: chunked"), Forever(chunk(b"a" * 65536))),
        (head("Content-Encoding: gzip", f"Content-Length: {len(_bomb(16))}"), _bomb(16)),
        (head("Content-Encoding: gzip"), _bomb(1)[:10], Forever(b"\0\0\0\xff\xff" * 99)),
    ],
    ids=["endless", "endless chunks", "gzip bomb", "gzip of nothing"],
)
async def test_what_is_too_long_is_not_taken(steps: tuple[object, ...]) -> None:
    assert await played(*steps, timeout_s=5) == Unfetched(f"longer than {LIMIT} bytes")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((head("Content-Length: 99"), Forever(b"a", 0.05)), "timed out after 0.4 s waiting for the end of the reply"),
        ((Hold(),), "timed out after 0.4 s waiting for the first byte"),
        ((moved("/again"), Hold()), None),
    ],
    ids=["slow drip", "silence", "redirect, then silence"],
)
async def test_one_deadline_is_for_everything(steps: tuple[object, ...], words: str | None) -> None:
    began = time.monotonic()
    found = await played(*steps, timeout_s=0.4)
    assert time.monotonic() - began < 1.5
    assert isinstance(found, Unfetched)
    assert words is None or found.words == words


async def test_compressed_data_that_is_cut_short_is_no_document() -> None:
    found = await played(answer(_bomb(1)[:99], "Content-Encoding: gzip"))
    assert found == Unfetched("the compressed data is cut short")


async def test_a_key_that_no_header_can_hold_is_not_sent_and_not_told() -> None:
    with RawServer(Script("", (answer(),))) as server:
        found = await get(server.url, auth=Auth("Authorization", SecretStr(f"Bearer {KEY}\n")))
        assert isinstance(found, Unfetched)
        assert KEY not in found.words
        assert server.requests == []


# ---------------------------------------------------------------- no way into the cluster


@pytest.mark.parametrize("name", ["2130706433", "127.1", "0x7f000001"])
async def test_a_name_that_leads_to_a_private_address_is_refused(name: str) -> None:
    """The system's resolver takes these for names of 127.0.0.1: no DNS is needed to show it."""
    with RawServer(Script("", (answer(),))) as server:
        found = await get(f"http://{name}:{server.port}/")
        assert isinstance(found, Unfetched)
        assert "not public" in found.words
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_address_that_the_url_itself_names_is_reached(host: str) -> None:
    with RawServer(Script("", (answer(b"here"),))) as server:
        found = await get(f"http://{host}:{server.port}/")
        assert isinstance(found, Fetched)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]"],
)
async def test_the_address_of_a_metadata_service_is_refused_even_where_it_is_named(host: str) -> None:
    found = await get(f"http://{host}/latest/meta-data/")
    assert found == Unfetched("the address is link-local: nothing is fetched from there")


async def test_behind_a_proxy_a_metadata_address_is_refused_before_the_proxy_is_asked() -> None:
    with Tunnel() as tunnel:
        client = Client(Network(proxy=SecretStr(f"http://127.0.0.1:{tunnel.port}")))
        found = await client.get("https://169.254.169.254/", timeout_s=2, limit_bytes=LIMIT)
        assert isinstance(found, Unfetched)
        assert tunnel.asked == []


PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


@pytest.mark.parametrize(
    ("host", "addresses", "is_refused"),
    [
        ("docs.example.test", [PUBLIC], False),
        ("docs.example.test", [PUBLIC, "2606:2800:220:1::1"], False),
        ("docs.example.test", [PUBLIC, PRIVATE], True),
        ("docs.example.test", ["fd00::1"], True),
        ("docs.example.test", ["::1"], True),
        ("docs.example.test", ["::ffff:10.0.0.7"], True),
        ("docs.example.test", ["64:ff9b::a00:7"], True),
        ("docs.example.test", ["100.64.0.1"], True),
        ("docs.example.test", ["224.0.0.1"], True),
        ("docs.example.test", ["0.0.0.0"], True),
        ("docs.example.test", ["169.254.1.1"], True),
        ("localhost", ["127.0.0.1", "::1"], False),
        ("LocalHost.", ["127.0.0.1"], False),
        ("localhost", [PRIVATE], True),
        ("localhost.example.test", ["127.0.0.1"], True),
        (PRIVATE, [PRIVATE], False),
    ],
)
def test_a_name_must_lead_to_public_addresses_only(host: str, addresses: list[str], is_refused: bool) -> None:
    assert (refusal(host, addresses) is not None) == is_refused


@settings(max_examples=200)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_however_ipv6_wraps_it(address: object) -> None:
    wrapped = [str(address), f"::ffff:{address}", f"64:ff9b::{address}"]
    assert len({refusal("docs.example.test", [it]) for it in wrapped}) == 1
    assert (literal_refusal(str(address)) is None) == (not str(address).startswith("169.254."))


def test_of_a_name_nothing_can_be_said_without_resolving() -> None:
    assert literal_refusal("docs.example.test") is None
