"""After a trip the provider's own log is read, and what it counts stands beside what we measured; or words why not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_secrets import everywhere
from tests.servers import until
from tests.servers.chat import Asked, ChatServer, Said, chat, error
from tests.servers.freezeframe import READ_AT, Freezeframe, Packet, Start, configure
from tests.servers.gateway_log import PRIVATE, LogServer, documented, gateway_log, page, row
from tests.servers.scraped import scrape
from tests.servers.secrets import leaks

pytestmark = pytest.mark.real

KEY = "fake/api+key=0001"
TOKENS = {name: f"fake/access+token={name}=0001" for name in ("whole", "refused", "garbage", "endless", "empty")}
SLOW_S = 0.4
DEFAULTS = {"cadence": "2s", "timeout": "1900ms", "slow": "1800ms"}


@dataclass
class Gateway:
    """Answers 503 after a while, and writes a row of its own log that counts only a part of that time."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Said:
        self.waiting.wait(SLOW_S)
        request_id = f"20261124030000{asked.number:09d}{asked.model[:2]}AbCdEf"
        self.rows.append(row(request_id, total_ms=120, frt=100, model_name=asked.model, created_at=1_795_489_200))
        return error(503, f"The model is overloaded (request id: {request_id})", "fake_api_error", "overloaded")


@contextmanager
def gateway() -> Iterator[tuple[ChatServer, LogServer]]:
    it = Gateway()
    answers = {
        TOKENS["whole"]: lambda: page(it.rows),
        TOKENS["refused"]: lambda: (401, b'{"success":false,"message":"no"}'),
        TOKENS["garbage"]: lambda: (200, b"<html>" + PRIVATE[0].encode()),
        TOKENS["endless"]: lambda: (200, b" " * (50 << 20)),
        TOKENS["empty"]: lambda: page([row("somebody-elses-0001")]),
    }
    with chat(it.answer) as api, gateway_log(answers) as log:
        yield api, log


def configured(folder: Path, api: ChatServer, log: LogServer, names: list[str]) -> Path:
    def with_tokens(config: dict[str, Any]) -> None:
        for name in names:
            config["credentials"][name]["gateway_log"] = {"file": f"./token-{name}"}

    targets = [{"name": name, "model": name, "credential": name} for name in names]
    file = configure(folder, api.base_url, targets, names, defaults=DEFAULTS, change=with_tokens)
    contract = json.loads((folder / "contract.yaml").read_text())
    source = {"source": "https://docs.example.test/log", "accessed": READ_AT}
    contract["values"]["gateway_log"] = {"value": documented(log.url)} | source
    (folder / "contract.yaml").write_text(json.dumps(contract))
    for name in names:
        (folder / f"token-{name}").write_text(TOKENS[name])
    return file


def started(run: Start, name: str, file: Path, names: list[str]) -> Freezeframe:
    return run(name, file, {f"KEY_OF_{known.upper()}": f"{KEY}-{known}" for known in names})


def of_the_log(probe: Freezeframe, packet: Packet, timeout_s: float) -> dict[str, Any]:
    def look() -> list[dict[str, Any]]:
        added = json.loads(probe.get(f"/packets/{packet.listed['id']}"))["addenda"]
        return [one["document"] for one in added if one["document"]["kind"] == "gateway_log"]

    return until("the addendum of the log", look, timeout_s)[0]


def test_what_the_gateway_counts_stands_beside_what_we_measured(tmp_path: Path, run: Start) -> None:
    with gateway() as (api, log):
        probe = started(run, "corroborated", configured(tmp_path, api, log, ["whole"]), ["whole"])
        packet = probe.first_packet("whole")
        document = of_the_log(probe, packet, 30)
        _numbers_are_right(document, packet)
        now = json.loads(probe.get(f"/packets/{packet.listed['id']}"))["packet"]
        assert any("passed outside what the gateway counted" in line for line in now["message"])
        page_of_it = probe.get(f"/packets/{packet.listed['id']}", "text/html").decode()
        assert "own log beside our measurements" in page_of_it
        assert scrape(probe.url).total("freezeframe_unpaid_requests_total", kind="gateway_log") >= 1
        assert set(log.asked) == {TOKENS["whole"]}
        assert log.refused == [], "no API key, and no other request, ever came there"
        seen = {path: probe.get(path, accept) for path, accept in everywhere(probe, [packet.listed["id"]])}
        probe.stop()
        _nothing_private_is_left(probe, seen)


def _numbers_are_right(document: dict[str, Any], packet: Packet) -> None:
    frozen = {attempt["probe_id"]: attempt for attempt in packet.document["happened"]["attempts"]}
    failed = [attempt for attempt in document["attempts"] if attempt["failed"]]
    assert {attempt["probe_id"] for attempt in failed} == frozen.keys()
    assert document["not_found"] == []
    for attempt in failed:
        ours = frozen[attempt["probe_id"]]
        assert attempt["ours"]["total_s"] == ours["total_s"] >= SLOW_S
        assert attempt["request_ids"][0] in {known["value"] for known in ours["request_ids"]}
        assert (attempt["gateway"]["total_s"], attempt["gateway"]["first_response_s"]) == (0.12, 0.1)
        assert attempt["gateway"]["type"] == "error"
        assert attempt["difference"]["total_s"] == pytest.approx(ours["total_s"] - 0.12, abs=0.001)
        first_s = attempt["ours"]["first_byte_s"]
        assert (
            f"The gateway's own log gives 0.10 s to its first response for this request; we waited {first_s:.2f} s:"
            in attempt["sentence"]
        )


def _nothing_private_is_left(probe: Freezeframe, seen: dict[str, bytes]) -> None:
    files = {
        str(file.relative_to(probe.folder)): file.read_bytes()
        for file in probe.folder.rglob("*")
        if file.is_file() and not file.name.startswith("token-") and file != probe.process.log
    }
    files["log"] = probe.process.log.read_bytes()
    secrets = (TOKENS["whole"], f"{KEY}-whole", *PRIVATE)
    assert not [
        leak for secret in secrets for name, data in (seen | files).items() for leak in leaks(secret, name, data)
    ]


def test_a_log_that_refuses_or_lies_or_knows_nothing_costs_words_only(tmp_path: Path, run: Start) -> None:
    names = ["refused", "garbage", "endless", "empty"]
    with gateway() as (api, log):
        probe = started(run, "uncorroborated", configured(tmp_path, api, log, names), names)
        packets = {name: probe.first_packet(name) for name in names}
        read = {name: of_the_log(probe, packet, 90) for name, packet in packets.items()}
        assert read["refused"]["words"] == "The gateway's own log could not be read (1 request): HTTP 401."
        assert read["garbage"]["words"].startswith("The gateway's own log could not be read (3 requests): the answer")
        assert read["endless"]["problem"] == "longer than 2097152 bytes"
        assert "not found in the newest 1 rows read at" in read["empty"]["words"]
        assert read["empty"]["attempts"] == []
        for name in names:
            assert log.asked.count(TOKENS[name]) == (1 if name == "refused" else 3)
            assert probe.packets(name)[0]["id"] == packets[name].listed["id"]
        assert scrape(probe.url).total("freezeframe_unpaid_requests_total", kind="gateway_log") == 10
        assert scrape(probe.url).total("freezeframe_store_errors_total") == 0
        seen = {path: probe.get(path, accept) for path, accept in everywhere(probe, [packets["garbage"].listed["id"]])}
        assert not [leak for name, data in seen.items() for leak in leaks(PRIVATE[0], name, data)]
        probe.stop()
