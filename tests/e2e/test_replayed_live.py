"""A packet of the real process is judged again, and its request is sent once more: counted by the server itself."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.exporter.commands import call
from tests.servers import until
from tests.servers.chat import ChatServer, chat, error
from tests.servers.freezeframe import Freezeframe, Start

pytestmark = pytest.mark.real

KEY = "sk-fake-replay-e2e-0123456789abcdef"
TARGET = {"name": "one", "model": "example-small", "credential": "a"}
REQUESTS = "freezeframe_requests_total"
BUSY = error(503, "The engine is overloaded, try again later", "server_error", "overloaded")


def replayed(probe: Freezeframe, packet: str, *arguments: str) -> Mapping[str, Any]:
    ran = call("packets", "replay", packet, "--json", *arguments, cwd=probe.folder, KEY_OF_A=KEY)
    assert ran.returncode == 0, ran.stderr
    assert KEY not in ran.stdout + ran.stderr
    shown: Mapping[str, Any] = json.loads(ran.stdout)
    return shown


def sent_as_replay(probe: Freezeframe) -> int:
    lines = probe.get("/metrics", "text/plain").decode().splitlines()
    [line] = [line for line in lines if line.startswith(REQUESTS) and 'kind="replay"' in line]
    return int(float(line.rpartition(" ")[2]))


def same_count(probe: Freezeframe, server: ChatServer) -> bool:
    before = len(server.asked)
    return probe.total(REQUESTS) == before == len(server.asked)


def test_a_replay_costs_one_request_whoever_sends_it(freezeframe: Start) -> None:
    with chat(lambda _: BUSY) as server:
        probe = freezeframe("replayed", server.base_url, [TARGET], {"a": KEY})
        packet = probe.first_packet("one").listed["id"]

        frozen = replayed(probe, packet)
        assert (frozen["changed"], frozen["live"]) == (False, None)
        assert {known["today"]["reason"] for known in frozen["exchanges"]} == {"upstream_overloaded"}
        assert frozen["findings"]["compared"]
        assert sent_as_replay(probe) == 0

        live = replayed(probe, packet, "--live")["live"]
        assert (live["verdict"], live["reason"], live["status"], live["same"]) == (
            "degradation",
            "upstream_overloaded",
            503,
            True,
        )
        assert sent_as_replay(probe) == 1
        until("exporter and server count the same", lambda: same_count(probe, server), 10, pause_s=0.05)
        probe.stop()

        before = len(server.asked)
        assert replayed(probe, packet, "--live")["live"]["same"], "the command holds the state itself now"
        assert len(server.asked) == before + 1
        assert {asked.key for asked in server.asked} == {KEY}
