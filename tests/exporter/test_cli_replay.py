"""The installed command `packets replay`: judged again, and sent again by whoever may. All values are fake."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from probe import render, settings
from probe.classify import Expectation, classify
from probe.packet import draft
from probe.pong import build
from probe.reading import read
from probe.records import Json, Reply, RequestKind, Timings
from probe.redact import Policy, Redactor
from probe.state import hold
from probe.vault import Vault
from tests.exporter import commands
from tests.probe import evidence
from tests.servers import free_port
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.chat import GOOD, ChatServer, Said, chat, error
from tests.servers.freezeframe import configure
from tests.servers.raw import RawServer, Script, answer, head

KEY = "sk-fake-replay-0123456789abcdef"
TOKEN = "fake-token-of-the-listener-01234567"
BUSY = error(503, "The engine is overloaded", "server_error", "overloaded")
PACKET = "20261124T030000Z-small-0a1b2c3d"
Change = Callable[[dict[str, Any]], object]

call = partial(commands.call, KEY_OF_A=KEY, TOKEN=TOKEN)


def configured(folder: Path, base_url: str = "http://127.0.0.1:9/v1", change: Change | None = None) -> Path:
    targets = [{"name": "small", "model": "example-small", "credential": "a"}]
    return configure(folder, base_url, targets, ("a",), change=change)


def frozen(file: Path, change: Callable[[Json], object] = lambda _: None) -> Json:
    """A packet of the configured target, in its store: one attempt that met an overloaded upstream."""
    loaded = settings.load(file, {"KEY_OF_A": KEY, "TOKEN": TOKEN})
    [target] = loaded.targets
    redactor = Redactor(loaded.secrets(), (), Policy(), b"k" * 32)
    failed = evidence.overloaded(3)
    assert failed.sealed is not None
    sent = build(target, probe_id="p0003", kind=RequestKind.SCHEDULED, client_request_id="ours-3", version="0")
    body = BUSY.body.decode()
    reply = Reply(503, (("content-type", "application/json"),), body, len(body))
    sealed = redactor.seal(replace(failed.sealed.value, request=sent, reply=reply, timings=Timings(0.4)))
    judgement = classify(sealed.value, Expectation(target.contract, target.slow_s))
    result = replace(failed, sealed=sealed, judgement=judgement, reading=read(sealed.value, target.contract))
    document: Json = json.loads(
        render.json_bytes(draft(evidence.case(result, target=target, packet_id=PACKET, incident=PACKET)))
    )
    change(document)
    asyncio.run(Vault.open("packets", file.parent).freeze(PACKET, render.pack(render.files(document))))
    return document


def old_label(document: Json) -> None:
    """As another version might have judged."""
    document["subject"] |= {"verdict": "auth_or_account", "reason": "invalid_key", "rule": "of long ago"}
    for attempt in document["happened"]["attempts"]:
        attempt |= document["subject"]


# ---------------------------------------------------------------- judged again


def test_a_packet_that_is_judged_as_it_was_is_exit_code_0(tmp_path: Path) -> None:
    frozen(configured(tmp_path))
    for_people = call("packets", "replay", PACKET, cwd=tmp_path)
    assert for_people.returncode == 0, for_people.stderr
    assert "degradation/upstream_overloaded" in for_people.stdout
    assert "same" in for_people.stdout
    assert "contract contract of target small. Everything" not in for_people.stdout
    assert "Judged by the rules and contract contract of target small." in for_people.stdout
    assert "Everything is judged as it was." in for_people.stdout
    ran = call("packets", "replay", PACKET, "--json", cwd=tmp_path)
    shown = json.loads(ran.stdout)
    assert (ran.returncode, shown["changed"], shown["live"]) == (0, False, None)
    [exchange] = shown["exchanges"]
    assert (exchange["probe"], exchange["part"], exchange["status"]) == ("p0003", "failing", 503)
    assert exchange["today"]["verdict"] == exchange["frozen"]["verdict"] == "degradation"
    assert (exchange["changed"], shown["findings"]["compared"]) == ([], True)


def test_a_packet_that_is_judged_otherwise_is_exit_code_1_and_says_what_changed(tmp_path: Path) -> None:
    frozen(configured(tmp_path), old_label)
    ran = call("packets", "replay", PACKET, cwd=tmp_path)
    assert ran.returncode == 1
    assert "auth_or_account/invalid_key (of long ago)" in ran.stdout
    assert "CHANGED: verdict, reason, rule" in ran.stdout
    assert "Something is judged differently today." in ran.stdout


def test_findings_that_came_and_went_are_shown(tmp_path: Path) -> None:
    def other_finding(document: Json) -> None:
        finding = {"rule": "an old one", "place": "choices", "expected": "[x]", "observed": "none", "source": None}
        document["expected"]["findings"] = [finding | {"accessed": None, "verified_live": None}]

    frozen(configured(tmp_path), other_finding)
    ran = call("packets", "replay", PACKET, cwd=tmp_path)
    assert ran.returncode == 1
    assert "- finding an old one at choices: expected [x], observed none" in ran.stdout


def test_a_store_by_itself_is_judged_without_a_contract(tmp_path: Path) -> None:
    frozen(configured(tmp_path))
    ran = call("packets", "replay", PACKET, "--store", tmp_path / "packets", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "no contract of this target is configured. Findings were not compared." in ran.stdout
    with_config = call("packets", "replay", PACKET, "--store", "packets", "-c", "./freezeframe.yaml", cwd=tmp_path)
    assert with_config.returncode == 0


def test_a_configuration_without_the_target_says_so(tmp_path: Path) -> None:
    file = configured(tmp_path)
    frozen(file)
    file.write_text(file.read_text().replace('"name": "small"', '"name": "other"'))
    ran = call("packets", "replay", PACKET, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "no contract of this target is configured" in ran.stdout


def test_a_packet_whose_exchanges_cannot_be_read_is_refused(tmp_path: Path) -> None:
    frozen(configured(tmp_path), lambda document: document["subject"].update(status=KEY))
    frozen_broken = call("packets", "replay", PACKET, cwd=tmp_path)
    assert frozen_broken.returncode == 0, "the status of the attempt is only shown"
    other = tmp_path / "other"
    other.mkdir()
    frozen(configured(other), lambda document: document["exchanges"]["p0003"].pop("started_at"))
    commands.refused(call("packets", "replay", PACKET, cwd=other), "exchanges that can be judged again")


def test_an_altered_packet_is_refused(tmp_path: Path) -> None:
    frozen(configured(tmp_path))
    stored = tmp_path / "packets" / f"{PACKET}.zip"
    stored.write_bytes(stored.read_bytes().replace(b"overloaded", b"underloads"))
    commands.refused(call("packets", "replay", PACKET, cwd=tmp_path), "a whole one")


# ---------------------------------------------------------------- sent again, where no prober runs


@contextlib.contextmanager
def gateway(said: Said = BUSY) -> Iterator[ChatServer]:
    with chat(lambda _: said) as server:
        yield server


def test_where_no_prober_runs_the_command_sends_one_request_itself(tmp_path: Path) -> None:
    with gateway() as server:
        frozen(configured(tmp_path, server.base_url))
        ran = call("packets", "replay", PACKET, "--live", "--json", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        live = json.loads(ran.stdout)["live"]
        assert (live["target"], live["verdict"], live["reason"], live["status"], live["same"]) == (
            "small",
            "degradation",
            "upstream_overloaded",
            503,
            True,
        )
        assert live.keys() == {
            *("target", "probe_id", "verdict", "reason", "words", "status", "total_s", "frozen", "same", "at")
        }
        assert [(asked.model, asked.key) for asked in server.asked] == [("example-small", KEY)]


def test_a_live_answer_that_differs_is_told_and_is_no_change_of_judgement(tmp_path: Path) -> None:
    with gateway(GOOD) as server:
        frozen(configured(tmp_path, server.base_url))
        ran = call("packets", "replay", PACKET, "--live", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "ok/ok (HTTP 200 in " in ran.stdout
    assert "frozen was degradation/upstream_overloaded" in ran.stdout


def test_requests_that_the_command_sends_are_counted_in_the_budget_of_the_day(tmp_path: Path) -> None:
    """Of ten a day the last one is kept for the schedule, so nine may be replays; the count outlives the process."""
    with gateway() as server:
        file = configured(tmp_path, server.base_url, lambda config: config["budget"].update(probes_per_day=2))
        frozen(file)
        first = call("packets", "replay", PACKET, "--live", cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        second = call("packets", "replay", PACKET, "--live", cwd=tmp_path)
        commands.refused(second, "kept for the schedule")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda config: config["targets"][0].update(name="other"), "no target small is configured"),
        (lambda config: config["targets"][0].update(model="other"), "configured with another model"),
        (lambda config: config["targets"][0].update(stream=True), "configured with another stream, request fields"),
    ],
)
def test_a_request_that_no_target_sends_is_refused_before_anything_is_sent(
    tmp_path: Path, change: Change, named: str
) -> None:
    with gateway() as server:
        frozen(configured(tmp_path, server.base_url))
        configured(tmp_path, server.base_url, change)
        commands.refused(call("packets", "replay", PACKET, "--live", cwd=tmp_path), named)
        assert server.asked == []


def test_live_needs_the_configuration_that_probes_the_target(tmp_path: Path) -> None:
    frozen(configured(tmp_path))
    ran = call("packets", "replay", PACKET, "--live", "--store", "packets", cwd=tmp_path)
    commands.refused(ran, "and no --store")


# ---------------------------------------------------------------- sent again, by the prober that runs

ANSWER = {
    "target": "small",
    "probe_id": "20261124T030500000Z-0a1b2c3d-r",
    "verdict": "ok",
    "reason": "ok",
    "words": None,
    "status": 200,
    "total_s": 0.25,
    "frozen": {"verdict": "degradation", "reason": "upstream_overloaded"},
    "same": False,
    "at": "2026-11-24T03:05:00.000Z",
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def listening(port: int, **server: Any) -> Change:
    return lambda config: config["server"].update(listen=f"127.0.0.1:{port}", **server)


def asked_of(tmp_path: Path, *arguments: str) -> Any:
    """The command while another process holds `state`."""
    with hold(tmp_path / "state"):
        return call("packets", "replay", PACKET, "--live", *arguments, cwd=tmp_path)


def test_a_running_prober_is_asked_once_with_the_token(tmp_path: Path) -> None:
    with gateway() as server, RawServer(Script("prober", (answer(json.dumps(ANSWER).encode()),))) as prober:
        frozen(configured(tmp_path, server.base_url, listening(prober.port, token={"env": "TOKEN"})))
        ran = asked_of(tmp_path, "--json")
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["live"] == ANSWER
        [request] = prober.requests
        assert request.startswith(f"POST /packets/{PACKET}/replay HTTP/1.1\r\n".encode())
        assert f"authorization: bearer {TOKEN}".encode() in request.lower()
        assert server.asked == [], "the prober sends it, not the command"


@pytest.mark.parametrize("tls", ["good", "untrusted", "wrong-host", "expired"])
def test_the_listeners_own_certificate_is_trusted_by_its_bytes_and_no_other(
    tmp_path: Path, certificates: Certificates, tls: Any
) -> None:
    """Its names do not matter, since it is reached by its address; a certificate that is over still is."""
    stated = {"cert_file": str(certificates.folder / f"{tls}.pem"), "key_file": str(certificates.folder / f"{tls}.key")}
    script = Script("prober", (answer(json.dumps(ANSWER).encode()),), scheme="https", tls=tls)
    with RawServer(script, certificates) as prober:
        frozen(configured(tmp_path, change=listening(prober.port, tls=stated)))
        ran = asked_of(tmp_path)
        if tls == "expired":
            commands.refused(ran, "to answer at 127.0.0.1")
        else:
            assert ran.returncode == 0, ran.stderr


def test_another_certificate_at_the_address_gets_neither_token_nor_request(
    tmp_path: Path, certificates: Certificates
) -> None:
    stated = {"cert_file": str(certificates.folder / "good.pem"), "key_file": str(certificates.folder / "good.key")}
    script = Script("other", (answer(json.dumps(ANSWER).encode()),), scheme="https", tls="wrong-host")
    with RawServer(script, certificates) as other:
        frozen(configured(tmp_path, change=listening(other.port, tls=stated, token={"env": "TOKEN"})))
        commands.refused(asked_of(tmp_path), "to answer at 127.0.0.1")
        assert other.requests == []


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (
            answer(b'{"detail":"Not sent: no target small is configured."}', status="409 Conflict"),
            "no target small is configured (status 409)",
        ),
        (answer(b'{"detail":"Not sent: it is spent."}', status="429 Too Many Requests"), "it is spent (status 429)"),
        (answer(b"{}", status="500 Internal Server Error"), "another answer (status 500)"),
        (
            head("Location: http://127.0.0.1:9/packets", "Content-Length: 2", status="307 Temporary Redirect") + b"{}",
            "(status 307)",
        ),
        (answer(b"[]"), "another answer (status 200)"),
        (answer(b"<html>"), "another answer (status 200)"),
        (answer(b'{"a":"' + b"x" * (64 << 10) + b'"}'), "to answer at 127.0.0.1"),
        (b"", "to answer at 127.0.0.1"),
    ],
    ids=["conflict", "budget", "error", "redirect", "list", "page", "endless", "hangs up"],
)
def test_a_prober_that_does_not_send_it_is_told_in_one_line(tmp_path: Path, said: bytes, named: str) -> None:
    with RawServer(Script("prober", (said,))) as prober:
        frozen(configured(tmp_path, change=listening(prober.port)))
        commands.refused(asked_of(tmp_path), named)
        assert len(prober.requests) == 1, "asked once, never again elsewhere"


def test_a_prober_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    frozen(configured(tmp_path, change=listening(free_port())))
    commands.refused(asked_of(tmp_path), "the prober that holds `state` to answer at 127.0.0.1")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    frozen(configured(tmp_path))
    if content is not None:
        (tmp_path / "server.pem").write_text(content)
    tls = {"cert_file": "./server.pem", "key_file": "./server.pem"}
    configured(tmp_path, change=listening(free_port(), tls=tls))
    ran = asked_of(tmp_path)
    assert ran.returncode == 2
    assert "cert_file" in ran.stderr
