"""The installed command on configurations, contracts, exchanges and live gateways: right, wrong and unreadable."""

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exporter.gateway import Gateway
from exporter.gateway_script import Behaviour
from probe import schemas
from tests.exporter import commands
from tests.servers import Process, free_port, get, until
from tests.servers.freezeframe import command, configure, contract, listens_on
from tests.servers.raw import RawServer, Script, answer

KEY = "sk-fake-cli-0123456789abcdef"
CORPUS = Path(__file__).parents[1] / "corpus/exchanges.jsonl"
Change = Callable[[dict[str, Any]], object]


TARGETS = (
    {"name": "small", "model": "demo-small", "credential": "a"},
    {"name": "large", "model": "demo-large", "credential": "a"},
)
FREEZE = {"failures": 3, "window": 3, "recover": 2, "confirm": {"attempts": 0, "backoff": "1s"}}


def configured(folder: Path, base_url: str = "http://127.0.0.1:9/v1", change: Change | None = None) -> Path:
    return configure(folder, base_url, TARGETS, ("a",), defaults={"freeze": FREEZE}, change=change)


call = partial(commands.call, KEY_OF_A=KEY)


def refused(ran: subprocess.CompletedProcess[str], named: str) -> None:
    """No secret in it either."""
    commands.refused(ran, named)
    assert KEY not in ran.stderr


WRONG: dict[str, tuple[Change, str]] = {
    "unknown key": (lambda config: config.update(stroe="./packets"), "stroe"),
    "literal key": (lambda config: config["credentials"].update(a=KEY), "credentials.a"),
    "key in place of a variable": (lambda config: config["credentials"].update(a={"env": KEY}), "credentials.a.env"),
    "key in place of a name": (lambda config: config["targets"][0].update(credential=KEY), "targets[0].credential"),
    "placeholder": (lambda config: config["targets"][1].update(model="<MODEL_ID_FROM_DOCS>"), "targets[1].model"),
    "unknown contract": (lambda config: config.update(contract="./none.yaml"), "contract"),
    "missing variable": (lambda config: config["credentials"].update(a={"env": "NOT_SET"}), "credentials.a.env"),
    "missing key file": (lambda config: config["credentials"].update(a={"file": "none"}), "credentials.a.file"),
    "bad duration": (lambda config: config["defaults"].update(cadence="30 parsecs"), "defaults.cadence"),
    "timeout of a cadence": (lambda config: config["defaults"].update(timeout="2s"), "defaults.timeout"),
    "duplicate target": (lambda config: config["targets"][1].update(name="small"), "targets[1].name"),
    "store below a file": (lambda config: config.update(store="./contract.yaml/packets"), "store"),
    "open address without a token": (lambda config: config["server"].update(listen="0.0.0.0:0"), "server.token"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_run_with_a_wrong_setting_ends_with_one_line_that_names_it(wrong: str, tmp_path: Path) -> None:
    change, named = WRONG[wrong]
    refused(call("run", "--config", configured(tmp_path, change=change)), named)


def test_a_contract_with_placeholders_is_refused(tmp_path: Path) -> None:
    file = configured(tmp_path)
    (tmp_path / "contract.yaml").write_text(json.dumps(contract("<BASE_URL_FROM_DOCS>")))
    refused(call("run", "--config", file), "base_url")


def test_an_unknown_variable_and_a_taken_address_are_named(tmp_path: Path) -> None:
    file = configured(tmp_path)
    for action in (("run",), ("config", "check")):
        refused(call(*action, "--config", file, FREEZEFRAME_TAGRETS=KEY), "FREEZEFRAME_TAGRETS")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        refused(call("run", "--config", file, "--listen", listen), "server.listen")


def test_several_wrong_settings_are_one_line_each(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["stroe"] = KEY
        config["defaults"]["cadence"] = "30 parsecs"

    ran = call("config", "check", "--config", configured(tmp_path, change=change))
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 2)
    assert ("stroe" in ran.stderr, "defaults.cadence" in ran.stderr, KEY in ran.stderr) == (True, True, False)


def test_a_configuration_that_holds_is_checked_and_shown_without_its_secret(tmp_path: Path) -> None:
    file = configured(tmp_path)
    assert "fine, 2 targets" in call("config", "check", "--config", file).stdout
    checked = json.loads(call("config", "check", "--config", file, "--json").stdout)
    assert checked == {"ok": True, "targets": ["small", "large"]}
    shown = json.loads(call("config", "show", "--config", file, "--json", FREEZEFRAME_LOG__LEVEL="debug").stdout)
    assert shown["log.level"] == {"value": "debug", "from": "environment FREEZEFRAME_LOG__LEVEL"}
    assert shown["defaults.cadence"]["from"] == "freezeframe.yaml"
    table = call("config", "show", "--config", file).stdout
    assert set(shown) <= {line.split()[0] for line in table.splitlines() if line.strip()}
    assert KEY not in table + json.dumps(shown)


def test_the_schemas_of_packets_and_addenda_are_printed_with_and_without_json() -> None:
    packet, addendum = call("packets", "schema"), call("packets", "schema", "--addendum", "--json")
    assert json.loads(packet.stdout) == schemas.packet()
    assert json.loads(addendum.stdout) == schemas.addendum()
    assert json.loads(packet.stdout)["$id"] == "urn:freezeframe:packet-1"


def test_the_schema_of_the_configuration_knows_every_section() -> None:
    schema = json.loads(call("config", "schema").stdout)
    assert {"contract", "credentials", "targets", "server", "store", "escalation"} <= set(schema["properties"])
    assert (schema["title"], schema["additionalProperties"]) == ("freezeframe.yaml", False)


@pytest.mark.parametrize("name", ["cometapi", "openai-compatible"])
def test_a_shipped_contract_is_shown_with_source_and_access_time(name: str) -> None:
    areas = json.loads(call("contract", "show", name, "--json").stdout)
    assert len({area["area"] for area in areas}) > 4
    assert {"Endpoint paths", "Auth headers", "Request fields", "Error behavior"} <= {area["area"] for area in areas}
    assert not any(area["verified_live"] for area in areas)
    assert all(area["accessed"] for area in areas if area["source"])
    table = call("contract", "show", name).stdout
    assert all(area["area"] in table for area in areas)
    assert "stored copy" in table


def test_an_unknown_contract_is_one_line_that_names_the_shipped_ones() -> None:
    refused(call("contract", "show", "comteapi"), "cometapi")


async def check(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The gateway answers on this loop meanwhile."""
    return await asyncio.to_thread(call, "check", "--config", file, *more)


async def test_check_is_0_when_all_are_ok_1_when_one_is_not_and_2_when_nothing_could_be_asked(tmp_path: Path) -> None:
    gateway = Gateway(keys={"a": KEY})
    await gateway.start()
    try:
        file = configured(tmp_path, gateway.base_url)
        good = await check(file, "--json")
        gateway.behaviours["demo-large"] = Behaviour.OVERLOADED
        bad = await check(file, "--json")
        told = await check(file)
        sent = gateway.chat_requests
        wrong = await check(configured(tmp_path, gateway.base_url, lambda config: config.update(stroe=1)))
    finally:
        await gateway.stop()
    assert good.returncode == 0, good.stderr
    assert [one["verdict"] for one in json.loads(good.stdout)] == ["ok", "ok"]
    assert bad.returncode == 1
    small, large = json.loads(bad.stdout)
    assert (small["verdict"], large["verdict"], large["status"]) == ("ok", "degradation", 503)
    assert large["reason"] == "upstream_overloaded"
    assert len(large["request_ids"]) == 1  # said twice by the gateway: in a header and in the text
    assert (told.returncode, "HTTP 503" in told.stdout, "wait" in told.stdout) == (1, True, True)
    refused(wrong, "stroe")
    assert sent == gateway.chat_requests == 6
    assert not (tmp_path / "packets").exists()
    assert KEY not in good.stdout + bad.stdout + told.stdout + told.stderr


async def test_check_of_a_gateway_that_is_not_there_says_no_reply(tmp_path: Path) -> None:
    ran = await check(configured(tmp_path, f"http://127.0.0.1:{free_port()}/v1"))
    assert (ran.returncode, ran.stdout.count("no reply"), ran.stderr) == (1, 2, "")


def test_every_recorded_exchange_is_classified_from_a_file_and_from_standard_input() -> None:
    from_file = call("classify", CORPUS)
    assert from_file.returncode == 0
    said = [json.loads(line) for line in from_file.stdout.splitlines()]
    assert [one["id"] for one in said] == [json.loads(line)["id"] for line in CORPUS.read_text().splitlines()]
    assert all({"id", "verdict", "label", "reason", "certain", "findings"} <= set(one) for one in said)
    from_pipe = call("classify", "-", stdin=CORPUS.read_bytes())
    assert without_tokens(from_pipe.stdout) == without_tokens(from_file.stdout)


def without_tokens(text: str) -> str:
    """What redaction leaves has a key of its own in each run."""
    return re.sub(r":[0-9a-f]{6}>", ">", text)


def test_an_exchange_is_redacted_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    headers = [["authorization", f"Bearer {KEY}"], ["content-type", "application/json"]]
    url = "https://a.test/?key=abcdefgh"
    case = {"id": "1", "input": {"request": {"method": "POST", "url": url, "headers": headers}}}
    (tmp_path / "one.jsonl").write_text(json.dumps(case) + "\n\n")
    for ran in (
        call("redact", tmp_path / "one.jsonl"),
        call("redact", "-", stdin=(tmp_path / "one.jsonl").read_bytes()),
    ):
        assert (ran.returncode, ran.stdout.count("\n")) == (0, 1)
        assert KEY not in ran.stdout
        assert "abcdefgh" not in json.loads(ran.stdout)["output"]["request"]["url"]
        assert sum(removal["count"] for removal in json.loads(ran.stdout)["report"]) >= 1


@pytest.mark.parametrize("name", ["classify", "redact"])
def test_what_cannot_be_read_as_exchanges_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_bytes(b'\n{"a": ' + KEY.encode())
    refused(call(name, tmp_path / "broken.jsonl"), "broken.jsonl, line 2")
    refused(call(name, "-", stdin=b'["' + KEY.encode() + b'"]'), "object")
    refused(call(name, "-", stdin=b"[]"), "object")
    refused(call(name, "-", stdin=b"{"), "line 1")
    refused(call(name, tmp_path / "none.jsonl"), "none.jsonl")
    refused(call(name, tmp_path), "readable file")


@contextmanager
def running(file: Path, *more: str) -> Iterator[Process]:
    """`freezeframe run`, ready."""
    process = Process.start("run", file.parent, command("run", "--config", file, *more), {"KEY_OF_A": KEY})
    try:
        process.wait_until_answering(f"http://{listens_on(file)}/-/ready", 20)
        yield process
    finally:
        process.kill()


def log_lines(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log.read_bytes().splitlines()]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_stop_says_so_once_and_ends_with_0(signum: signal.Signals, tmp_path: Path) -> None:
    with running(configured(tmp_path), "--json") as process:
        assert process.terminate(45, signum) == 0
    log = log_lines(process)
    assert [line["event"] for line in log].count("stopped") == 1
    assert (log[0]["event"], log[-1]["event"]) == ("started", "stopped")
    assert KEY not in json.dumps(log)


def test_a_run_without_its_provider_is_ready_and_logs_for_people_unless_asked_otherwise(tmp_path: Path) -> None:
    file = configured(tmp_path)
    with running(file) as process:
        assert get(f"http://{listens_on(file)}/-/ready") == b"ready\n"
        assert process.terminate(45) == 0
    log = process.log.read_text()
    assert log.splitlines()[-1].endswith("stopped")
    assert KEY not in log


def test_a_key_that_was_rotated_is_used_at_once_and_the_old_one_stays_out_of_packets(tmp_path: Path) -> None:
    """The server answers every request with yesterday's key in its error text."""
    rotated = "sk-fake-rotated-fedcba9876543210"
    error = json.dumps({"error": {"message": f"we once saw {KEY}", "type": "server_error"}}).encode()
    with RawServer(Script("echo", (answer(error, status="500 Internal Server Error"),))) as server:

        def change(config: dict[str, Any]) -> None:
            config["credentials"]["a"] = {"file": "key"}
            config["defaults"] |= {"cadence": "500ms", "timeout": "400ms", "slow": "300ms"}
            del config["targets"][1]

        (tmp_path / "key").write_text(KEY)
        file = configured(tmp_path, f"http://127.0.0.1:{server.port}/v1", change)
        with running(file, "--json") as process:
            until("a probe with the first key", lambda: any(KEY.encode() in one for one in server.requests), 20)
            (tmp_path / "new").write_text(rotated)
            (tmp_path / "new").rename(tmp_path / "key")
            until("a probe with the next key", lambda: any(rotated.encode() in one for one in server.requests), 20)
            until("a packet", lambda: list((tmp_path / "packets").glob("*.zip")), 20)
            assert process.terminate(45) == 0
    log = log_lines(process)
    (packet,) = (tmp_path / "packets").glob("*.zip")
    for secret in (KEY, rotated):
        assert secret.encode() not in packet.read_bytes()
        assert secret not in json.dumps(log)
    assert b"we once saw" in packet.read_bytes()
