"""Whatever a server does, `send` gives an observation, in bounded time and memory. On a real loopback socket."""

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
import uvloop
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.records import Observation, ProbeRequest, RequestKind
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.hostile import HOSTILE
from tests.servers.raw import RawServer, Script

TIMEOUT_S = 0.7
OVERTIME_S = 1.0
LIMIT_BYTES = 1 << 20
MEMORY_BYTES = 12 * LIMIT_BYTES  # the body as bytes and as text, what is read ahead, and the library's own

KEY = "sk-fake-hostile-0123456789"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    yield make_certificates(tmp_path_factory.mktemp("certificates"))


def _ask(url: str, *, stream: bool) -> ProbeRequest:
    return ProbeRequest(
        probe_id="p-1",
        target="hostile",
        kind=RequestKind.SCHEDULED,
        method="POST",
        url=url,
        headers=(("Content-Type", "application/json"), ("Authorization", "Bearer <REDACTED>")),
        body='{"model":"fake"}',
        model="fake",
        stream=stream,
        client_request_id="c-1",
    )


async def _send(client: Client, script: Script, url: str) -> Observation:
    """With nothing left behind: no task of ours outlives the call."""
    auth = Auth("Authorization", SecretStr(f"Bearer {KEY}"))
    seen = await client.send(_ask(url, stream=script.stream), auth, timeout_s=TIMEOUT_S, reuse=True)
    await client.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return seen


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("script", HOSTILE, ids=lambda script: script.name)
def test_a_hostile_server_gives_an_observation_in_bounded_time_and_memory(
    script: Script, loop_factory: Callable[[], asyncio.AbstractEventLoop], certificates: Certificates
) -> None:
    client = Client(Network(ca_file=certificates.ca_file), read_limit_bytes=LIMIT_BYTES)
    with RawServer(script, certificates) as server, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.sleep(0))
        tracemalloc.start()
        began = time.monotonic()
        try:
            seen = runner.run(_send(client, script, server.url))
        finally:
            took_s = time.monotonic() - began
            _, peak_bytes = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert len(server.requests) <= 1

    assert took_s < TIMEOUT_S + OVERTIME_S
    assert peak_bytes < MEMORY_BYTES
    if seen.fault is None:
        assert not script.faults
        assert seen.reply is not None
        assert seen.reply.complete is not seen.reply.truncated
    else:
        assert seen.fault.kind in script.faults
        assert seen.fault.message
        assert seen.reply is None or not seen.reply.complete
    if seen.reply is not None:
        assert len(seen.reply.body.encode("utf-8", "replace")) <= LIMIT_BYTES
    assert 0 < seen.timings.total_s < TIMEOUT_S + OVERTIME_S
    assert KEY not in repr(seen)


def test_the_table_names_each_server_once() -> None:
    assert len({script.name for script in HOSTILE}) == len(HOSTILE)
