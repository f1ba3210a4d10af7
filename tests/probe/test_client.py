"""What one probe puts on the wire, what it measures, and what it keeps to itself. On real loopback sockets."""

import asyncio
import errno
import gzip
import itertools
import logging
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.client.faults import timeout_in
from probe.records import Connection, Fault, Headers, Observation, Phase, ProbeRequest, Reply, RequestKind
from probe.wire import Journal, dial
from probe.wire.words import describe
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.raw import (
    COMPLETION,
    SSE,
    Forever,
    Hold,
    RawServer,
    Script,
    Step,
    Tunnel,
    Wait,
    answer,
    chunk,
    delta,
    head,
    silent_port,
)

KEY = "sk-fake-0123456789abcdef"
AUTH = Auth("authorization", SecretStr(f"Bearer {KEY}"))
HEADERS: Headers = (
    ("Content-Type", "application/json"),
    ("Accept", "application/json"),
    ("User-Agent", "freezeframe/0"),
    ("X-Client-Request-Id", "c-1"),
    ("Authorization", "Bearer <REDACTED>"),
)
BODY = '{"model":"fake","messages":[{"role":"user","content":"é"}]}'

LOOPS = pytest.mark.parametrize(
    "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    yield make_certificates(tmp_path_factory.mktemp("certificates"))


def ask(url: str, *, headers: Headers = HEADERS, body: str = BODY, stream: bool = False) -> ProbeRequest:
    return ProbeRequest("p-1", "t", RequestKind.SCHEDULED, "POST", url, headers, body, "fake", stream, "c-1")


def healthy(*steps: Step, **options: object) -> Script:
    return Script("healthy", steps or (answer(),), **options)  # type: ignore[arg-type]


async def probe(
    url: str,
    network: Network | None = None,
    *,
    timeout_s: float = 5.0,
    auth: Auth = AUTH,
    on_sent: Callable[[], None] | None = None,
    limit_bytes: int = 1 << 20,
    request: ProbeRequest | None = None,
) -> Observation:
    """One request by a client of its own."""
    client = Client(network or Network(), read_limit_bytes=limit_bytes)
    try:
        return await client.send(request or ask(url), auth, timeout_s=timeout_s, reuse=False, on_sent=on_sent)
    finally:
        await client.aclose()


def whole(seen: Observation) -> Reply:
    assert seen.fault is None
    assert seen.reply is not None
    assert seen.reply.complete
    return seen.reply


# ---------------------------------------------------------------- on the wire


async def test_the_request_on_the_wire_is_the_record_with_the_key_in_its_place() -> None:
    with RawServer(healthy()) as server:
        whole(await probe(server.url + "?a=1"))
    before, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert before.decode().split("\r\n") == [
        "POST /v1/chat/completions?a=1 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Type: application/json",
        "Accept: application/json",
        "User-Agent: freezeframe/0",
        "X-Client-Request-Id: c-1",
        f"Authorization: Bearer {KEY}",
        f"Content-Length: {len(BODY.encode())}",
    ]
    assert body == BODY.encode()


@pytest.mark.parametrize(
    "status", ["302 Found", "401 Unauthorized", "429 Too Many Requests", "503 Service Unavailable"]
)
async def test_one_call_is_one_request_whatever_the_answer(status: str) -> None:
    """No redirect is followed, no challenge answered, nothing tried again."""
    reply = answer(b"{}", "Location: /elsewhere", 'WWW-Authenticate: Basic realm="x"', "Retry-After: 0", status=status)
    sent: list[int] = []
    with RawServer(healthy(reply)) as server:
        seen = await probe(server.url, on_sent=lambda: sent.append(1))
        assert whole(seen).status == int(status[:3])
    assert (len(server.requests), server.connections, len(sent)) == (1, 1, 1)


async def test_a_hang_up_is_not_tried_again_even_on_a_kept_connection() -> None:
    client = Client(Network())
    with RawServer(healthy(answer(), keeps_alive=True)) as server:
        whole(await client.send(ask(server.url), AUTH, timeout_s=5, reuse=True))
    with RawServer(Script("hangs up", ())) as server:
        seen = await client.send(ask(server.url), AUTH, timeout_s=5, reuse=True)
    assert seen.fault == Fault("RemoteProtocolError", "Server disconnected without sending a response.")
    assert len(server.requests) == 1
    await client.aclose()


async def test_a_fresh_connection_for_each_request_unless_reuse_is_asked_for() -> None:
    client = Client(Network())
    with RawServer(healthy(answer(), keeps_alive=True)) as server:
        for _ in range(2):
            seen = await client.send(ask(server.url), AUTH, timeout_s=5, reuse=False)
            assert seen.connection is not None
            assert not seen.connection.reused
        assert server.connections == 2
        for reused in (False, True, True):
            seen = await client.send(ask(server.url), AUTH, timeout_s=5, reuse=True)
            assert seen.connection is not None
            assert seen.connection.reused is reused
            assert (seen.timings.connect_s is None) is reused
        assert (server.connections, len(server.requests)) == (3, 5)
        await client.aclose()


@LOOPS
def test_the_kernel_tells_round_trip_and_retransmits_also_of_an_exchange_that_never_ended(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def exchanges() -> None:
        for script, fault in ((healthy(answer()), None), (healthy(Hold()), "ReadTimeout")):
            with RawServer(script) as server:
                seen = await probe(server.url, timeout_s=0.3)
            assert (seen.fault and seen.fault.kind) == fault
            assert seen.connection is not None
            assert seen.connection.tcp_retransmits == 0
            assert seen.connection.tcp_rtt_s is not None
            assert 0 < seen.connection.tcp_rtt_s < 0.25

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(exchanges())


async def test_a_connection_the_server_has_closed_meanwhile_is_replaced_before_the_request() -> None:
    """Noticed while idle: the request is sent once, on a new connection."""
    client = Client(Network())
    with RawServer(healthy(answer())) as server:
        for connections in (1, 2):
            seen = await client.send(ask(server.url), AUTH, timeout_s=5, reuse=True)
            whole(seen)
            assert seen.connection is not None
            assert not seen.connection.reused
            assert server.connections == connections
            await asyncio.sleep(0.05)  # for the server's goodbye
    assert len(server.requests) == 2
    await client.aclose()


async def test_two_requests_at_once_of_one_target_do_not_share_a_connection() -> None:
    client = Client(Network())
    with RawServer(healthy(Wait(0.05), answer(), keeps_alive=True)) as server:
        sends = [client.send(ask(server.url), AUTH, timeout_s=5, reuse=True) for _ in range(2)]
        for seen in await asyncio.gather(*sends):
            whole(seen)
        assert server.connections == 2
        await client.aclose()


async def test_a_broken_exchange_ends_its_connection() -> None:
    client = Client(Network())
    with RawServer(healthy(head("Content-Length: 9"), b"{", Hold(), keeps_alive=True)) as server:
        for _ in range(2):
            seen = await client.send(ask(server.url), AUTH, timeout_s=0.1, reuse=True)
            assert seen.fault is not None
        assert server.connections == 2
    await client.aclose()


# ---------------------------------------------------------------- environment and proxies


async def test_proxies_and_netrc_of_the_environment_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    for name, value in (("HTTP_PROXY", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")):
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "")
    with RawServer(healthy()) as server:
        whole(await probe(server.url))
    assert server.requests[0].lower().count(b"authorization:") == 1


async def test_a_configured_proxy_is_asked_for_a_plain_url_with_its_own_credential() -> None:
    with RawServer(healthy()) as proxy:
        network = Network(proxy=SecretStr(f"http://user:pa%20ss@127.0.0.1:{proxy.port}"))
        seen = await probe("http://api.invalid/v1/chat/completions", network)
    whole(seen)
    lines = proxy.requests[0].decode().split("\r\n")
    assert lines[0] == "POST http://api.invalid/v1/chat/completions HTTP/1.1"
    assert "Host: api.invalid" in lines
    assert "Proxy-Authorization: Basic dXNlcjpwYSBzcw==" in lines
    assert seen.connection is not None
    assert seen.connection.peer_port == proxy.port


async def test_https_goes_through_a_tunnel_that_never_sees_the_key(certificates: Certificates) -> None:
    sent: list[int] = []
    with RawServer(healthy(scheme="https", tls="good"), certificates) as server, Tunnel() as tunnel:
        network = Network(SecretStr(f"http://127.0.0.1:{tunnel.port}"), certificates.ca_file)
        seen = await probe(server.url, network, on_sent=lambda: sent.append(len(tunnel.asked)))
    whole(seen)
    assert tunnel.asked[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
    assert KEY.encode() not in tunnel.asked[0]
    assert sent == [1]  # once, and not for CONNECT
    assert seen.timings.tls_s is not None
    assert seen.connection is not None
    assert seen.connection.tls_version is not None


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("407 Proxy Authentication Required", "407 Proxy Authentication Required"),
        ("503 whatever the proxy says", "503 Service Unavailable"),
        ("599 x", "unknown status"),
    ],
)
async def test_a_refusal_of_the_proxy_is_the_proxys_fault(status: str, message: str) -> None:
    sent: list[int] = []
    with Tunnel(status) as tunnel:
        network = Network(SecretStr(f"http://127.0.0.1:{tunnel.port}"))
        seen = await probe("https://127.0.0.1:1/", network, on_sent=lambda: sent.append(1))
    assert seen.fault == Fault("ProxyError", message)
    assert not sent


async def test_a_proxy_that_is_not_there_is_the_proxys_fault() -> None:
    network = Network(SecretStr("http://user:secret-password@127.0.0.1:1"))
    seen = await probe("http://api.invalid/", network)
    assert seen.fault == Fault("ProxyError", "[Errno 111] Connection refused (talking to the proxy)")
    with silent_port() as port:
        seen = await probe("http://api.invalid/", Network(SecretStr(f"http://127.0.0.1:{port}")), timeout_s=0.1)
    assert seen.fault is not None
    assert seen.fault.kind == "ProxyError"


async def test_a_tls_failure_behind_the_proxy_is_not_the_proxys_fault(certificates: Certificates) -> None:
    with RawServer(healthy(scheme="https", tls="untrusted"), certificates) as server, Tunnel() as tunnel:
        seen = await probe(server.url, Network(SecretStr(f"http://127.0.0.1:{tunnel.port}")))
    assert seen.fault is not None
    assert seen.fault.kind == "ConnectError"
    assert "CERTIFICATE_VERIFY_FAILED" in seen.fault.message


async def test_a_proxy_that_never_opens_the_tunnel_is_a_timeout() -> None:
    with RawServer(Script("holds", (Hold(),))) as proxy:
        seen = await probe("https://api.invalid/", Network(SecretStr(f"http://127.0.0.1:{proxy.port}")), timeout_s=0.1)
    assert seen.fault == Fault("ConnectTimeout", "timed out after 0.1 s waiting for the tunnel and its TLS handshake")


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1", "user:secret-password@x", "http://", "http://x:secret-password"]
)
def test_a_wrong_proxy_url_is_refused_at_once_and_not_quoted(proxy: str) -> None:
    with pytest.raises(ValueError, match="the proxy must be given as") as caught:
        Client(Network(SecretStr(proxy)))
    assert "secret-password" not in str(caught.value)


def test_a_ca_file_that_cannot_be_read_is_refused_at_once() -> None:
    with pytest.raises(OSError, match="No such file"):
        Client(Network(ca_file="/nowhere/ca.pem"))


# ---------------------------------------------------------------- what is measured


async def test_the_phases_of_a_plain_reply() -> None:
    """A literal address resolves nothing, http has no TLS, a reply that is no stream has no events: None, not 0."""
    with RawServer(healthy(Wait(0.1), answer()[:-20], Wait(0.1), answer()[-20:])) as server:
        seen = await probe(server.url)
    t = seen.timings
    assert (t.resolve_s, t.tls_s, t.first_event_s, t.first_token_s) == (None, None, None, None)
    assert t.connect_s is not None
    assert t.send_s is not None
    assert t.processing_s is not None
    assert t.transfer_s is not None
    assert t.first_byte_s is not None
    assert 0.05 <= t.processing_s < 0.5
    assert 0.05 <= t.transfer_s < 0.5
    assert t.connect_s + t.send_s + t.processing_s <= t.first_byte_s
    assert t.total_s == pytest.approx(t.first_byte_s + t.transfer_s)
    assert seen.last_phase is Phase.TRANSFER
    assert seen.connection is not None
    told = replace(seen.connection, tcp_rtt_s=None, tcp_retransmits=None)
    assert told == Connection("127.0.0.1", server.port, reused=False, http_version="HTTP/1.1")
    assert abs(datetime.now(UTC) - seen.started_at) < timedelta(seconds=5)


@LOOPS
def test_a_name_is_resolved_apart_and_tls_is_timed_apart(
    certificates: Certificates, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with RawServer(healthy(scheme="https", tls="good"), certificates) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            seen = runner.run(probe(url, Network(ca_file=certificates.ca_file)))
    whole(seen)
    assert seen.timings.resolve_s is not None
    assert seen.timings.tls_s is not None
    assert seen.connection is not None
    assert seen.connection.peer_ip == "127.0.0.1"
    assert seen.connection.tls_version == "TLSv1.3"
    assert seen.connection.cert_expires_at is not None
    left = seen.connection.cert_expires_at - datetime.now(UTC)
    assert timedelta(days=1) < left <= timedelta(days=2)


@LOOPS
def test_a_stream_gives_first_byte_first_event_first_token_in_turn(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """The role event has no content yet; a comment is no event; an event in two pieces counts when it is whole."""
    first, rest = delta("p")[:30], delta("p")[30:]
    steps = (
        SSE,
        chunk(b": keep-alive\n\n"),
        Wait(0.1),
        chunk(delta("")),
        Wait(0.1),
        chunk(first),
        Wait(0.1),
        chunk(rest),
        Wait(0.1),
        chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n",
    )
    with RawServer(healthy(*steps)) as server, asyncio.Runner(loop_factory=loop_factory) as runner:
        seen = runner.run(probe(server.url))
    t = seen.timings
    assert t.first_byte_s is not None
    assert t.first_event_s is not None
    assert t.first_token_s is not None
    assert t.first_event_s - t.first_byte_s >= 0.05
    assert t.first_token_s - t.first_event_s >= 0.15
    assert t.total_s - t.first_token_s >= 0.05
    assert whole(seen).body.endswith("data: [DONE]\n\n")
    assert seen.last_phase is Phase.TRANSFER


@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b"data: [DONE]\n", b"data:[DONE]\r\n\r\n"])
async def test_a_stream_is_over_with_its_terminal_event_even_if_the_server_never_closes(end: bytes) -> None:
    """A bounded wait for what should not follow; the time is that of the terminal event."""
    with RawServer(healthy(SSE, chunk(delta("p")), chunk(end), Hold())) as server:
        seen = await probe(server.url)
    assert whole(seen).body == (delta("p") + end).decode()
    assert seen.timings.total_s < 0.2
    assert seen.last_phase is Phase.TRANSFER


async def test_what_comes_after_the_terminal_event_is_kept() -> None:
    with RawServer(healthy(SSE, chunk(b"data: [DONE]\n\n"), Wait(0.05), chunk(b"more"), b"0\r\n\r\n")) as server:
        assert whole(await probe(server.url)).body == "data: [DONE]\n\nmore"


async def test_what_comes_after_the_terminal_event_of_a_stream_that_never_closes_is_kept() -> None:
    with RawServer(healthy(SSE, chunk(b"data: [DONE]\n\n"), Wait(0.05), chunk(delta("late")), Hold())) as server:
        seen = await probe(server.url)
    assert whole(seen).body == "data: [DONE]\n\n" + delta("late").decode()
    assert seen.timings.longest_gap_s is None, "what comes too late is no event of the answer"


@pytest.mark.parametrize(
    ("steps", "least_s", "most_s"),
    [
        ((chunk(delta("a")), Wait(0.3), chunk(delta("b")), Wait(0.1), chunk(b"data: [DONE]\n\n")), 0.25, 0.6),
        ((chunk(delta("a")), Wait(0.3), chunk(b"data: [DONE]\n")), 0.25, 0.6),
        ((chunk(delta("a")), Wait(0.1), chunk(b": ping\n\n"), Wait(0.1), chunk(delta("b"))), 0.15, 0.6),
        ((Wait(0.3), chunk(delta("a") + delta("b") + b"data: [DONE]\n\n")), 0.0, 0.0),
        ((Wait(0.3), chunk(delta("a") + b"data: [DONE]\n")), 0.0, 0.0),
    ],
    ids=["longest", "before the end", "keep-alive is no event", "together", "together without a blank line"],
)
async def test_the_longest_silence_between_two_events_is_measured(
    steps: tuple[Step, ...], least_s: float, most_s: float
) -> None:
    with RawServer(healthy(SSE, *steps, b"0\r\n\r\n")) as server:
        gap_s = (await probe(server.url)).timings.longest_gap_s
    assert gap_s is not None
    assert least_s <= gap_s <= most_s


@pytest.mark.parametrize("steps", [(answer(),), (SSE, chunk(delta("a")), Wait(0.1), b"0\r\n\r\n")])
async def test_a_plain_answer_and_one_event_alone_have_no_silence_between_events(steps: tuple[Step, ...]) -> None:
    with RawServer(healthy(*steps)) as server:
        assert (await probe(server.url)).timings.longest_gap_s is None


async def test_a_rude_end_after_the_terminal_event_is_no_fault() -> None:
    with RawServer(healthy(SSE, chunk(delta("p") + b"data: [DONE]\n\n"))) as server:
        whole(await probe(server.url))


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """The last moment is then the end of the connection, not the last byte."""
    with RawServer(healthy(head("Content-Type: application/json"), COMPLETION, Wait(0.1))) as server:
        seen = await probe(server.url)
    assert whole(seen).body.encode() == COMPLETION
    assert seen.timings.transfer_s is not None
    assert seen.timings.transfer_s >= 0.05


@pytest.mark.parametrize(
    ("limit_bytes", "truncated"), [(len(COMPLETION) - 1, True), (len(COMPLETION), False), (len(COMPLETION) + 1, False)]
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_body_is_read_to_the_limit_and_not_a_byte_further(
    limit_bytes: int, truncated: bool, encoding: str
) -> None:
    body = COMPLETION if encoding == "identity" else gzip.compress(COMPLETION)
    with RawServer(healthy(answer(body, f"Content-Encoding: {encoding}"))) as server:
        seen = await probe(server.url, limit_bytes=limit_bytes)
    assert seen.fault is None
    assert seen.reply is not None
    assert seen.reply.body.encode() == COMPLETION[:limit_bytes]
    assert (seen.reply.truncated, seen.reply.complete) == (truncated, not truncated)
    assert seen.reply.body_bytes == len(body)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(COMPLETION)),
        ("x-gzip", gzip.compress(COMPLETION)),
        ("deflate", zlib.compress(COMPLETION)),
        ("deflate", _raw_deflate(COMPLETION)),
        ("GZIP", gzip.compress(COMPLETION)),
        ("identity", COMPLETION),
        ("", COMPLETION),
    ],
)
async def test_an_encoding_that_was_not_asked_for_is_undone(encoding: str, body: bytes) -> None:
    with RawServer(healthy(answer(body, f"Content-Encoding: {encoding}"))) as server:
        reply = whole(await probe(server.url))
    assert reply.body.encode() == COMPLETION
    assert reply.body_bytes == len(body)


@pytest.mark.parametrize(("body", "text"), [(b"a\xffb", "a\ufffdb"), (b"a\xc3", "a\ufffd")])
async def test_invalid_utf8_is_replaced_and_said(body: bytes, text: str) -> None:
    with RawServer(healthy(answer(body))) as server:
        reply = whole(await probe(server.url))
    assert (reply.body, reply.valid_utf8) == (text, False)


async def test_a_character_cut_in_two_by_our_limit_is_not_the_servers_mistake() -> None:
    with RawServer(healthy(answer("aé".encode()))) as server:
        seen = await probe(server.url, limit_bytes=2)
    assert seen.reply is not None
    assert (seen.reply.body, seen.reply.valid_utf8, seen.reply.truncated) == ("a", True, True)


async def test_headers_keep_their_case_their_order_and_their_doubles() -> None:
    with RawServer(healthy(answer(b"{}", "X-B: 1", "x-A: \xe9", "X-B: 2"))) as server:
        reply = whole(await probe(server.url))
    assert reply.headers[2:] == (("X-B", "1"), ("x-A", "é".encode().decode("latin-1")), ("X-B", "2"))


# ---------------------------------------------------------------- what did not work


async def test_a_refused_connection_was_not_sent_and_has_no_phases() -> None:
    sent: list[int] = []
    with RawServer(healthy()) as server:
        pass  # the port is free again
    seen = await probe(server.url, on_sent=lambda: sent.append(1))
    assert seen.fault == Fault("ConnectError", "[Errno 111] Connection refused")
    assert (seen.reply, seen.connection, seen.last_phase, sent) == (None, None, Phase.NONE, [])
    assert seen.timings.connect_s is None


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example"])
async def test_a_name_that_does_not_resolve_says_so(host: str) -> None:
    seen = await probe(f"http://{host}/")
    assert seen.fault is not None
    assert seen.fault.kind == "ConnectError"
    assert seen.fault.message.startswith("[Errno -")
    assert seen.fault.message.endswith("(getaddrinfo failed)")


async def test_no_tcp_connection_in_time_is_a_connect_timeout() -> None:
    with silent_port() as port:
        seen = await probe(f"http://127.0.0.1:{port}/", timeout_s=0.1)
    assert seen.fault == Fault("ConnectTimeout", "timed out after 0.1 s waiting for a TCP connection")
    assert seen.last_phase is Phase.NONE


async def test_what_had_arrived_before_the_deadline_is_kept() -> None:
    with RawServer(healthy(head("Content-Type: text/plain", "Content-Length: 9"), b"abc", Hold())) as server:
        seen = await probe(server.url, timeout_s=0.2)
    assert seen.fault == Fault("ReadTimeout", "timed out after 0.2 s waiting for the end of the reply")
    assert seen.reply is not None
    assert (seen.reply.status, seen.reply.body, seen.reply.body_bytes, seen.reply.complete) == (200, "abc", 3, False)
    assert seen.last_phase is Phase.FIRST_BYTE
    assert seen.timings.transfer_s is None
    assert 0.15 <= seen.timings.total_s < 0.7  # the deadline begins a little before the clock of the timings


async def test_a_request_that_the_server_does_not_take_is_a_write_timeout() -> None:
    with RawServer(Script("deaf", (Wait(5),), reads_request=False)) as server:
        seen = await probe(server.url, timeout_s=0.3, request=ask(server.url, body="x" * (32 << 20)))
    assert seen.fault == Fault("WriteTimeout", "timed out after 0.3 s waiting for the request to be taken")
    assert seen.last_phase is Phase.CONNECT


async def test_an_answer_before_the_whole_request_was_taken_is_heard() -> None:
    """A gateway refuses early and closes: that is an answer, no write error."""
    refusal = answer(b"{}", "Connection: close", status="413 Content Too Large")
    with RawServer(Script("early", (refusal, Wait(0.2)), reads_request=False)) as server:
        seen = await probe(server.url, timeout_s=2, request=ask(server.url, body="x" * 100))
    assert whole(seen).status == 413
    assert seen.timings.processing_s is not None
    assert seen.timings.processing_s >= 0


async def test_cancelling_passes_through_and_closes_the_socket() -> None:
    client = Client(Network())
    with RawServer(healthy(Hold())) as server:
        sent = asyncio.Event()
        sending = asyncio.create_task(
            client.send(ask(server.url), AUTH, timeout_s=30, reuse=True, on_sent=lambda: sent.set())
        )
        await sent.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert asyncio.all_tasks() == {asyncio.current_task()}
    await client.aclose()


# ---------------------------------------------------------------- the key


@pytest.mark.parametrize("value", [f"Bearer {KEY}\n", f"Bearer {KEY}\x00", f" Bearer {KEY}", f"Bearer {KEY}é"])
async def test_a_key_that_no_header_can_hold_is_not_sent_and_not_quoted(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RawServer(healthy()) as server:
        seen = await probe(server.url, auth=Auth("Authorization", SecretStr(value)))
    assert seen.fault == Fault("LocalProtocolError", "Illegal header value (Authorization)")
    assert server.connections == 0
    assert KEY not in repr(seen) + caplog.text


@pytest.mark.parametrize(
    "reply",
    [
        answer(),
        b"HTTP/1.1 200 OK\r\nBad Header " + KEY.encode() + b"\r\n\r\n",
        b"Bearer " + KEY.encode() + b"\r\n\r\n",
        head("Transfer-Encoding: chunked") + KEY.encode() + b"\r\n",
        answer(b"{}", "Content-Encoding: " + KEY),
    ],
)
async def test_the_key_is_nowhere_but_on_the_wire(reply: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nor in the library's debug log, nor in a fault about bytes in which the server echoed it."""
    caplog.set_level(logging.DEBUG, "httpcore2.connection")
    with RawServer(healthy(reply)) as server:
        client = Client(Network())
        seen = await client.send(ask(server.url), AUTH, timeout_s=5, reuse=True)
        assert KEY not in repr(client) + repr(client.__dict__) + repr(AUTH) + caplog.text
        await client.aclose()
    assert KEY.encode() in server.requests[0]
    assert KEY not in repr(seen.request) + repr(seen.fault)


@pytest.mark.parametrize("headers", [HEADERS[:-1], (*HEADERS, ("AUTHORIZATION", "x"))])
async def test_a_request_without_one_place_for_its_credential_is_our_own_mistake(headers: Headers) -> None:
    with pytest.raises(ValueError, match="exactly one place") as caught:
        await probe("http://127.0.0.1:1/", request=ask("http://127.0.0.1:1/", headers=headers))
    assert KEY not in str(caught.value)


# ---------------------------------------------------------------- the unpaid look


async def test_anything_with_a_status_is_reachable_and_nothing_else() -> None:
    client = Client(Network())
    with RawServer(healthy(head("Content-Length: 0", status="500 Oops"))) as server:
        assert await client.reachable(server.url, 5)
    assert server.requests[0].startswith(b"GET /v1/chat/completions HTTP/1.1\r\n")
    assert b"authorization" not in server.requests[0].lower()
    assert not await client.reachable(server.url, 5)
    with RawServer(healthy(Hold())) as server:
        assert not await client.reachable(server.url, 0.1)


async def test_a_document_is_fetched_whole_within_its_limit_or_not_at_all() -> None:
    client = Client(Network())
    with RawServer(healthy(answer(b"x" * 1000))) as server:
        assert await client.fetch(server.url, 5, 1000) == b"x" * 1000
        assert await client.fetch(server.url, 5, 999) is None
    assert b"authorization" not in server.requests[0].lower()
    assert await client.fetch(server.url, 5, 1000) is None, "nobody listens"
    for bad in (head("Content-Length: 0", status="500 Oops"), head("Location: /x", status="302 Found"), Hold(), b"no"):
        with RawServer(healthy(bad)) as server:
            assert await client.fetch(server.url, 0.2, 1000) is None
    with RawServer(healthy(head(), Forever(b"x" * 65536))) as server:
        assert await client.fetch(server.url, 5, 100_000) is None


# ---------------------------------------------------------------- names, addresses, words


NOWHERE = "127.0.0.9"  # loopback too, but nobody listens


async def test_a_refused_address_is_passed_over_at_once() -> None:
    with RawServer(healthy()) as server:
        async with asyncio.timeout(dial.STAGGER_S / 2):
            transport, _ = await dial.connect([NOWHERE, "127.0.0.1"], server.port, asyncio.Protocol)
        assert transport.get_extra_info("peername") == ("127.0.0.1", server.port)
        await close(transport)


@LOOPS
def test_a_silent_address_does_not_keep_the_next_from_being_tried(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """A later address is tried after a moment; the first connection that stands is taken, the other given up."""

    async def race(port: int) -> None:
        transport, _ = await dial.connect([NOWHERE, "127.0.0.1"], port, asyncio.Protocol)
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        await close(transport)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with (
        silent_port(NOWHERE) as port,
        socket.create_server(("127.0.0.1", port)),
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        runner.run(race(port))


async def test_of_many_failures_the_one_with_an_answer_is_told() -> None:
    """A family without a route says less than a host that refused."""
    for order in itertools.permutations(["255.255.255.255", "127.0.0.1"]):
        with pytest.raises(ConnectionRefusedError):
            await dial.connect(order, 1, asyncio.Protocol)


async def test_a_race_that_is_cancelled_leaves_nothing_behind() -> None:
    with silent_port() as port:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await dial.connect(["127.0.0.1"] * 2, port, asyncio.Protocol)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def close(transport: asyncio.Transport) -> None:
    """Gone when this returns: a transport leaves its socket to the next turns of the loop."""
    transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "[Errno 111] Connection refused"),
        (ConnectionResetError(), "[Errno 104] Connection reset by peer"),
        (BrokenPipeError(), "[Errno 32] Broken pipe"),
        (ConnectionAbortedError("SSL handshake is taking too long"), "[Errno 103] Software caused connection abort"),
        (OSError(errno.ENOTCONN, "x"), "[Errno 104] Connection reset by peer"),
        (OSError(errno.EMFILE, "x"), "[Errno 24] Too many open files"),
        (socket.gaierror(-3, "Temporary failure"), "[Errno -3] Temporary failure (getaddrinfo failed)"),
        (ssl.SSLError(1, "[SSL: X] x (_ssl.c:1)"), "[SSL: X] x (_ssl.c:1)"),
        (ValueError("a secret"), "[Errno 5] Input/output error"),
    ],
)
def test_errors_are_told_in_the_clients_words(error: Exception, words: str) -> None:
    assert describe(error) == words


@pytest.mark.parametrize(
    ("host", "is_address"),
    [("127.0.0.1", True), ("::1", True), ("fe80::1%lo", True), ("localhost", False), ("127.1", False), ("", False)],
)
def test_only_an_address_is_not_resolved(host: str, is_address: bool) -> None:
    assert dial.is_literal(host) is is_address


@pytest.mark.parametrize(
    ("journal", "fault"),
    [
        (Journal(), Fault("ConnectTimeout", "timed out after 5 s waiting for a TCP connection")),
        (Journal(is_resolving=True), Fault("ConnectTimeout", "timed out after 5 s waiting for getaddrinfo")),
        (Journal(writing=1.0), Fault("WriteTimeout", "timed out after 5 s waiting for the request to be taken")),
        (Journal(writing=1.0, sent=2.0), Fault("ReadTimeout", "timed out after 5 s waiting for the first byte")),
        (Journal(first_byte=3.0), Fault("ReadTimeout", "timed out after 5 s waiting for the end of the reply")),
    ],
    ids=repr,
)
def test_a_timeout_is_named_by_the_phase_it_came_in(journal: Journal, fault: Fault) -> None:
    assert timeout_in(journal, 5.0, Network()) == fault
