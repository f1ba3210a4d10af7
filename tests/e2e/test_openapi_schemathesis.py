"""schemathesis (an environment of its own, see tests/servers/install.sh) tries what our OpenAPI document says."""

from pathlib import Path

import pytest

from chaos import openapi
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Start, configure

pytestmark = pytest.mark.real

DOWN = error(503, "The upstream is overloaded", "server_error", "x")


def test_no_request_of_schemathesis_finds_more_or_less_than_is_described(tmp_path: Path, run: Start) -> None:
    """No 5xx; statuses, media types, headers and shapes as documented; other methods refused."""

    def answer(asked: Asked) -> Said:
        return DOWN if asked.model == "down" else GOOD

    with chat(answer) as server:
        targets = [{"name": name, "model": name, "credential": "a"} for name in ("well", "down")]
        file = configure(tmp_path, server.base_url, targets, ["a"])
        probe = run("described", file, {"KEY_OF_A": "sk-fake-described"})
        try:
            probe.first_packet("down")
            count, wrong = openapi.tried(probe.address, tmp_path, seed=8, examples=6, most_s=10)
        finally:
            probe.process.kill()
    assert wrong == []
    assert count > 300
