"""The installed command, as people and machines call it."""

import json
import os
import signal
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import get, until
from tests.servers.freezeframe import command

ROOT = Path(__file__).parents[2]
KEY = "sk-fake-command-0123456789abcdef"
EXAMPLE = (ROOT / "tests/examples/freezeframe.yaml").read_text()
CONTRACT = (ROOT / "tests/examples/contract.yaml").read_text()


def call(*arguments: str | Path, cwd: Path = ROOT, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if not name.startswith("FREEZEFRAME_")}
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        input=stdin,
        env={**base, "EXAMPLE_KEY": KEY, "COLUMNS": "80", **environ},
        capture_output=True,
        text=True,
        timeout=90,
    )


@pytest.fixture(scope="module")
def demo() -> list[dict[str, Any]]:
    """The packets of one run of the demo."""
    ran = call("demo", "--seconds", "9", "--json")
    assert ran.returncode == 0, ran.stderr
    packets: list[dict[str, Any]] = json.loads(ran.stdout)["packets"]
    return packets


def test_the_demo_freezes_a_packet_of_every_class_and_each_verifies(demo: list[dict[str, Any]]) -> None:
    verdicts = {packet["verdict"] for packet in demo}
    assert verdicts == {"degradation", "auth_or_account", "quota_or_billing", "contract_mismatch"}
    assert {packet["reason"] for packet in demo} >= {"upstream_overloaded", "truncated_body", "invalid_key"}
    for packet in demo:
        assert call("packets", "verify", packet["path"]).returncode == 0


def test_no_key_of_the_demo_is_in_its_store(demo: list[dict[str, Any]]) -> None:
    store = Path(demo[0]["path"]).parent
    key = (store.parent / "key").read_text().strip()
    assert len(key) > 12
    for file in store.iterdir():
        data = file.read_bytes()
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                data += b"".join(archive.read(name) for name in archive.namelist())
        assert key.encode() not in data


def test_packets_are_listed_shown_fetched_and_exported(demo: list[dict[str, Any]], tmp_path: Path) -> None:
    store = str(Path(demo[0]["path"]).parent)
    small = next(packet for packet in demo if packet["target"] == "small")["id"]
    listed = json.loads(call("packets", "list", "--store", store, "--json").stdout)["packets"]
    assert {packet["id"] for packet in listed} == {packet["id"] for packet in demo}
    shown = call("packets", "show", small, "--store", store).stdout
    assert shown.startswith("# ")
    assert "We observed a" in shown
    assert "Follow-up owner" in shown
    assert call("packets", "fetch", small, "--store", store, "--out", tmp_path).returncode == 0
    assert (tmp_path / f"{small}.zip").read_bytes() == (Path(store) / f"{small}.zip").read_bytes()
    assert call("packets", "export", small, "--for", "support", "--store", store, "--out", tmp_path).returncode == 0
    with zipfile.ZipFile(tmp_path / f"{small}-support.zip") as archive:
        texts = b"".join(archive.read(name) for name in archive.namelist())
    assert b"demo on-call" not in texts
    assert call("packets", "verify", tmp_path / f"{small}-support.zip").returncode == 0


def test_an_altered_packet_is_found(demo: list[dict[str, Any]], tmp_path: Path) -> None:
    data = bytearray(Path(demo[0]["path"]).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "x.zip").write_bytes(data)
    verified = call("packets", "verify", tmp_path / "x.zip")
    assert verified.returncode == 1
    assert "altered" in verified.stdout


def test_a_wrong_packet_id_is_one_clear_line(tmp_path: Path) -> None:
    for packet in ("nope", "../x"):
        ran = call("packets", "show", packet, "--store", str(tmp_path / "packets"))
        assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
        assert "packets list" in ran.stderr


def configured(folder: Path, *changes: tuple[str, str]) -> Path:
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "freezeframe.yaml").write_text(text)
    return folder / "freezeframe.yaml"


WRONG = {
    "unknown key": (("state: ./state", "stat: ./state"), "stat"),
    "literal key": (("{env: EXAMPLE_KEY}", f'"{KEY}"'), "credentials.team-a"),
    "placeholder": (("model: example-small,", 'model: "<MODEL_ID_FROM_DOCS>",'), "targets[0].model"),
    "missing variable": (("{env: EXAMPLE_KEY}", "{env: NOT_SET_ANYWHERE}"), "credentials.team-a.env"),
    "bad duration": (("cadence: 1s", "cadence: 30 parsecs"), "defaults.cadence"),
    "timeout not shorter than cadence": (("timeout: 900ms", "timeout: 1s"), "timeout"),
    "duplicate target": (("name: small-stream", "name: small"), "targets[1].name"),
    "store that cannot be": (("store: ./packets", "store: ./contract.yaml/packets"), "store"),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_configuration_is_one_clear_message_that_names_the_key(wrong: str, tmp_path: Path) -> None:
    change, named = WRONG[wrong]
    ran = call("run", "--config", configured(tmp_path, change))
    assert ran.returncode == 2
    assert named in ran.stderr
    assert "Traceback" not in ran.stderr
    assert KEY not in ran.stderr + ran.stdout


def test_an_unknown_variable_and_a_taken_address_are_named(tmp_path: Path) -> None:
    file = configured(tmp_path)
    ran = call("config", "check", "--config", file, FREEZEFRAME_NONSENSE="1")
    assert (ran.returncode, "FREEZEFRAME_NONSENSE" in ran.stderr) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = call("run", "--config", file, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (ran.returncode, "server.listen" in ran.stderr) == (2, True)


def test_the_effective_configuration_shows_origins_and_no_secret(tmp_path: Path) -> None:
    file = configured(tmp_path)
    shown = json.loads(call("config", "show", "--config", file, "--json", FREEZEFRAME_LOG__LEVEL="debug").stdout)
    assert shown["log.level"] == {"value": "debug", "from": "environment FREEZEFRAME_LOG__LEVEL"}
    assert shown["defaults.cadence"]["from"] == "freezeframe.yaml"
    assert KEY not in json.dumps(shown)
    assert call("config", "check", "--config", file).returncode == 0
    assert json.loads(call("config", "schema").stdout)["title"] == "freezeframe.yaml"


@pytest.mark.parametrize("name", ["cometapi", "openai-compatible"])
def test_a_shipped_contract_is_shown_as_the_table_of_the_guide(name: str) -> None:
    areas = json.loads(call("contract", "show", name, "--json").stdout)
    assert {"Endpoint paths", "Auth headers", "Request fields", "Error behavior"} <= {area["area"] for area in areas}
    assert not any(area["verified_live"] for area in areas)
    assert "stored copy" in call("contract", "show", name).stdout


def test_recorded_exchanges_are_classified_and_redacted_from_file_and_standard_input(tmp_path: Path) -> None:
    corpus = ROOT / "tests/corpus/exchanges.jsonl"
    lines = call("classify", corpus).stdout.splitlines()
    assert len(lines) == len(corpus.read_text().splitlines())
    assert {"id", "verdict", "label", "reason", "certain", "findings"} <= set(json.loads(lines[0]))
    case = {"id": "1", "input": {"request": {"method": "POST", "url": "https://a.test/?key=abcdefgh", "headers": []}}}
    redacted = json.loads(call("redact", "-", stdin=json.dumps(case)).stdout)
    assert "abcdefgh" not in redacted["output"]["request"]["url"]
    assert redacted["report"]
    for ran in (call("classify", "-", stdin="{"), call("redact", "-", stdin="[]"), call("classify", tmp_path / "none")):
        assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        command("run", "--config", configured(tmp_path), "--listen", address),
        env={**os.environ, "EXAMPLE_KEY": KEY},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process, f"http://{address}"
    process.kill()
    process.communicate()


def test_a_run_is_ready_without_its_provider_and_stops_cleanly_on_sigterm(
    running: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = running

    def ready() -> bool:
        try:
            return get(f"{url}/-/ready") == b"ready\n"
        except OSError:
            return False

    until("ready", ready, 20)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert log.splitlines()[-1].endswith("stopped")
    assert KEY not in log
