"""`packets fetch --alert`: the zip for automation that holds an alert, from a store or from a running freezeframe."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from exporter.alert_json import MOST_BYTES, BadAlert, find, read
from exporter.listing import row
from probe import render
from probe.packet import draft
from probe.vault import Vault
from tests.exporter.commands import call, refused
from tests.probe.evidence import case, good, overloaded
from tests.servers.served import Handler, origin, served

CASE: Final = case(good(1), overloaded(2), overloaded(3))
PACKET: Final = CASE.packet_id
DATA: Final = render.pack(render.files(draft(CASE)))
TOKEN: Final = "fake-token-for-automation"
BEGAN: Final = CASE.frozen_at.isoformat()
ALERT: Final[dict[str, Any]] = {
    "labels": {"alertname": "FreezeframeDegradation", "scope": "target", "target": "small", "verdict": "degradation"},
    "annotations": {"packet_url": "http://not-ours.example.test/packets/latest?target=small"},
    "startsAt": BEGAN,
    "endsAt": "2099-01-01T00:00:00Z",
    "fingerprint": "f351e8ee4452ee55",
    "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
}
POSTED: Final = ALERT | {"status": "firing", "endsAt": "0001-01-01T00:00:00Z"}
WHOLE: Final = ALERT | {
    "labels": {"alertname": "FreezeframeContractFailing", "scope": "contract", "contract": CASE.target.contract.name}
}
OTHER: Final = ALERT | {"labels": {"alertname": "Other\x1b[31m", "target": "nobody"}, "fingerprint": "00"}
EARLIER: Final = POSTED | {"status": "resolved", "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-01T00:05:00Z"}
SHAPES: Final[dict[str, Any]] = {
    "a webhook": {"version": "4", "status": "firing", "alerts": [POSTED], "groupKey": "{}"},
    "what amtool prints": [ALERT],
    "one alert": ALERT,
    "one of a webhook": POSTED,
    "resolved since": POSTED | {"status": "resolved", "endsAt": BEGAN},
    "a whole contract": [WHOLE],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    asyncio.run(Vault.open("packets", folder).freeze(PACKET, DATA))
    return folder / "packets"


def file_of(folder: Path, alerts: Any) -> Path:
    file = folder / "alerts.json"
    file.write_text(json.dumps(alerts))
    return file


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_form_in_which_an_alert_is_held_leads_to_its_packet(shape: str, store: Path) -> None:
    (alert,) = read(json.dumps(SHAPES[shape]).encode())
    assert find(alert, await Vault.open(str(store), store).entries()) == PACKET


def test_standard_input_is_read_and_several_alerts_are_told_of_one_by_one(store: Path, tmp_path: Path) -> None:
    alerts = json.dumps([ALERT, OTHER, WHOLE]).encode()
    ran = call("packets", "fetch", "--alert", "-", "--store", store, "--out", tmp_path, "--json", stdin=alerts)
    found = {"packet": PACKET, "path": f"{tmp_path / PACKET}.zip", "sha256": hashlib.sha256(DATA).hexdigest()}
    assert (ran.returncode, json.loads(ran.stdout)["alerts"]) == (
        0,
        [
            {"alertname": "FreezeframeDegradation", "fingerprint": "f351e8ee4452ee55", **found},
            {
                "alertname": "Other [31m",
                "fingerprint": "00",
                "packet": None,
                "why": "no packet and no failing exchange is known from the hour before it began",
            },
            {"alertname": "FreezeframeContractFailing", "fingerprint": "f351e8ee4452ee55", **found},
        ],
    )


def test_where_there_is_no_packet_it_says_why_with_exit_code_1(store: Path, tmp_path: Path) -> None:
    alerts = file_of(tmp_path, [OTHER, EARLIER, ALERT | {"labels": {"alertname": "FreezeframeDown"}}])
    ran = call("packets", "fetch", "--alert", alerts, "--store", store, "--out", tmp_path / "out")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines() == [
        "Other [31m: no packet: no packet and no failing exchange is known from the hour before it began",
        "FreezeframeDegradation: no packet: no packet and no failing exchange is known from the hour before it began",
        "FreezeframeDown: no packet: it is about freezeframe or its contract, not about an exchange",
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"", "$"),
        (b"[]", "$"),
        (b'"alert"', "$"),
        (b'{"alerts": []}', "$"),
        (b'{"alerts": 5}', "$.alerts"),
        (b'[{"labels": {}}]', "$[0].startsAt"),
        (b'{"labels": {"x": 1}, "startsAt": "2026-11-24T12:00:00Z"}', "$.labels.*"),
        (b" " * (MOST_BYTES + 1), "$"),
    ],
)
def test_what_holds_no_alert_names_the_path(text: bytes, path: str) -> None:
    with pytest.raises(BadAlert) as caught:
        read(text)
    assert caught.value.path == path


def test_wrong_input_is_one_clear_line(store: Path, tmp_path: Path) -> None:
    alerts = file_of(tmp_path, ALERT)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "key").write_text("short")
    refused(
        call("packets", "fetch", PACKET, "--alert", alerts, "--store", store), "a packet's ID, or --alert, found both"
    )
    refused(call("packets", "fetch", "--alert", tmp_path / "broken.json", "--store", store), "$: expected JSON")
    nobody = ("--alert", alerts, "--server", "http://127.0.0.1:9")
    refused(call("packets", "fetch", *nobody), "--server")
    refused(call("packets", "fetch", *nobody, "--token-file", tmp_path / "key"), "--token-file")
    refused(call("packets", "fetch", *nobody, "--ca-file", tmp_path / "absent"), "--ca-file")
    refused(call("packets", "fetch", "../../etc/passwd", "--server", "http://127.0.0.1:9"), "packet ID")


def test_an_altered_packet_is_not_passed_on(tmp_path: Path) -> None:
    files = render.files(draft(CASE))
    altered = DATA.replace(files["summary.md"][:20], b"# Something else now"[:20].ljust(20), 1)
    assert len(altered) == len(DATA) and altered != DATA
    asyncio.run(Vault.open("packets", tmp_path).freeze(PACKET, altered))
    ran = call(
        "packets",
        "fetch",
        "--alert",
        file_of(tmp_path, ALERT),
        "--store",
        tmp_path / "packets",
        "--out",
        tmp_path / "out",
    )
    refused(ran, "altered")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- from a running freezeframe


@contextmanager
def answering(data: bytes = DATA, digest: str | None = None, listed: str = PACKET) -> Iterator[tuple[str, list[str]]]:
    """Its origin, and the paths that it was asked for. (A real one is asked in test_alert_to_packet.)"""
    asked: list[str] = []
    entry = asyncio.run(_entry(data))

    class Answers(Handler):
        def do_GET(self) -> None:  # noqa: N802 - the standard library calls it so
            asked.append(self.path)
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                self.say(401, b"{}")
            elif urlsplit(self.path).path == "/packets":
                self.say(200, json.dumps({"packets": [entry | {"id": listed}], "next": None}).encode())
            else:
                self.send_response(200)
                stated = digest or base64.b64encode(hashlib.sha256(data).digest()).decode()
                self.send_header("repr-digest", f"sha-256=:{stated}:")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

    with served(Answers) as server:
        yield origin(server), asked


async def _entry(data: bytes) -> dict[str, Any]:
    vault = Vault.open("memory://", Path())
    await vault.freeze(PACKET, data)
    return row((await vault.entries())[0])


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


def test_the_named_server_is_asked_and_never_an_address_in_the_alert(token: Path, tmp_path: Path) -> None:
    with answering() as (url, asked):
        arguments = ("--server", url + "/", "--token-file", token, "--out", tmp_path)
        ran = call("packets", "fetch", "--alert", file_of(tmp_path, [ALERT, WHOLE]), *arguments)
    assert (ran.returncode, ran.stdout) == (0, f"{tmp_path / PACKET}.zip\n"), ran.stderr
    assert (tmp_path / f"{PACKET}.zip").read_bytes() == DATA
    assert [dict(parse_qsl(urlsplit(path).query)) for path in asked if path.startswith("/packets?")] == [
        {"target": "small", "limit": "500"},
        {"contract": CASE.target.contract.name, "limit": "500"},
    ]
    assert asked.count(f"/packets/{PACKET}/packet.zip") == 1


def test_by_its_id_a_packet_comes_from_a_server_too(token: Path, tmp_path: Path) -> None:
    with answering() as (url, _):
        ran = call("packets", "fetch", PACKET, "--server", url, "--token-file", token, "--out", tmp_path)
    assert (ran.returncode, ran.stdout) == (0, f"{tmp_path / PACKET}.zip\n"), ran.stderr


def test_another_token_another_digest_and_a_strange_name_are_refused(token: Path, tmp_path: Path) -> None:
    alerts = file_of(tmp_path, ALERT)
    out = tmp_path / "out"
    with answering() as (url, _):
        refused(call("packets", "fetch", "--alert", alerts, "--server", url, "--out", out), "--token-file")
    with answering(digest="AAAA") as (url, _):
        arguments = ("--server", url, "--token-file", token, "--out", out)
        refused(call("packets", "fetch", "--alert", alerts, *arguments), "digest")
    with answering(listed="../../evil") as (url, _):
        arguments = ("--server", url, "--token-file", token, "--out", out)
        assert call("packets", "fetch", "--alert", alerts, *arguments).returncode == 1
    assert not out.exists()
