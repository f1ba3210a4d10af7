"""A pod of the chart without a cluster: the real process with what the chart renders, in volumes as the kubelet makes.

Keys, token and configuration are renewed by the kubelet's swap of a link, and nobody asks for a reload.
"""

import json
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Process, free_port, get, until
from tests.servers.chart import Json, Programs, documents, only, probing
from tests.servers.chat import GOOD, Asked, ChatServer, Said, chat, error
from tests.servers.freezeframe import command
from tests.servers.kubelet import Cluster, Pod
from tests.servers.scraped import Scraped, scrape
from tests.servers.secrets import leaks

pytestmark = pytest.mark.real

STAYS = "stays"
KEYS = ("first/of+three=0001", "second/of+three=0002", "third/of+three=0003")
TOKENS = ("fake-token-of-pages-1", "fake-token-of-pages-2", "fake-token-of-pages-3")


@dataclass
class Gateway:
    """Knows some keys, and refuses others."""

    known: set[str] = field(default_factory=lambda: {KEYS[0]})

    def answer(self, asked: Asked) -> Said:
        if asked.key in self.known:
            return GOOD
        return error(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key")


@dataclass
class Running:
    """The pod, the process in it, the gateway that it probes, and the release that made it."""

    pod: Pod
    process: Process
    url: str
    gateway: Gateway
    server: ChatServer
    helm: Programs
    documents: list[Json]
    secrets: dict[str, str]

    @property
    def spec(self) -> Json:
        spec: Json = only(self.documents, "StatefulSet")["spec"]["template"]["spec"]
        return spec

    def keys_used(self) -> list[str]:
        """Those of the requests for the target that stays, in order."""
        return [asked.key for asked in tuple(self.server.asked) if asked.model == STAYS]

    def scrape(self) -> Scraped:
        return scrape(self.url)

    def refused(self) -> float:
        """How many probes failed for their key. (On a busy machine one may time out: that says nothing here.)"""
        return self.scrape().total("freezeframe_failures_total", verdict="auth_or_account")

    def upgrade(self, *targets: str) -> None:
        """`helm upgrade` with other targets; the pod must not be replaced for it."""
        before = only(self.documents, "StatefulSet")
        self.documents = documents(self.helm.template(probing(self.server.base_url, *targets)))
        assert only(self.documents, "StatefulSet") == before, "the program takes the new configuration over by itself"
        self.renew()

    def renew(self) -> None:
        self.pod.renew(self.spec, Cluster.of(self.documents, self.secrets))

    def presents(self, token: str) -> int:
        """The status of the list of packets for a token."""
        try:
            get(f"{self.url}/packets", Authorization=f"Bearer {token}", Accept="application/json")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code
        return 200


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, keep: Callable[[Process], Process]) -> Iterator[Running]:
    helm = Programs("newest", tmp_path_factory.mktemp("helm"))
    gateway = Gateway()
    with chat(gateway.answer) as server:
        rendered = documents(helm.template(probing(server.base_url, STAYS)))
        spec: Json = only(rendered, "StatefulSet")["spec"]["template"]["spec"]
        secrets = {"freezeframe-keys/team-a": KEYS[0], "freezeframe-token/token": TOKENS[0]}
        root = tmp_path_factory.mktemp("pod")
        pod = Pod.start(root, spec, Cluster.of(rendered, secrets))
        listen = f"127.0.0.1:{free_port()}"
        arguments = [pod.inside(it) for it in spec["containers"][0]["args"]]
        env = pod.environment(spec, {"metadata.namespace": "probing"})
        process = keep(Process.start("freezeframe-pod", root, command(*arguments, "--listen", listen), env))
        process.wait_until_answering(f"http://{listen}/-/ready", 30)
        yield Running(pod, process, f"http://{listen}", gateway, server, helm, rendered, secrets)
        assert process.terminate(45) == 0


def ask(running: Running, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """What the pod of `helm test` runs, here."""
    [container] = next(it for it in running.documents if it["kind"] == "Pod")["spec"]["containers"]
    assert container["command"][0] == "/opt/freezeframe/bin/python3", "as the image has it"
    whole = {it["name"]: running.pod.inside(it["value"]) for it in container["env"]} | {"URL": running.url} | dict(env)
    return subprocess.run(
        [sys.executable, *container["command"][1:], *container["args"]],
        env=whole,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_pod_s_own_folders_hold_state_and_packets_and_its_labels_come_from_the_pod(running: Running) -> None:
    until("a good probe", lambda: running.scrape().total("freezeframe_probes_total", target=STAYS, verdict="ok"), 20)
    assert (running.pod.root / "var/lib/freezeframe/state/history.sqlite").is_file()
    assert (running.pod.root / "var/lib/freezeframe/packets").is_dir()
    assert running.scrape().of("freezeframe_target_info", target=STAYS, label_namespace="probing") == [1.0]


def test_helm_test_asks_it_and_tells_what_is_not_so(running: Running, tmp_path: Path) -> None:
    token = running.pod.root / "etc/freezeframe/secrets/freezeframe-token/token"
    asked = ask(running, {"TOKEN_FILE": str(token)})
    assert (asked.returncode, asked.stderr) == (0, "")
    assert [line.rpartition(": ")[2] for line in asked.stdout.splitlines()] == ["ok"] * 6
    (tmp_path / "other").write_text("fake-token-of-nobody")
    refused = ask(running, {"TOKEN_FILE": str(tmp_path / "other")})
    assert refused.returncode == 1
    assert "the token of the Secret is the one it knows: NOT SO" in refused.stdout
    assert refused.stdout.count("NOT SO") == 1
    nobody = ask(running, {"TOKEN_FILE": str(token), "URL": f"http://127.0.0.1:{free_port()}"})
    assert nobody.returncode == 1
    assert nobody.stdout.count("NOT SO (") == 6


@pytest.mark.parametrize("turn", [1, 2])
def test_a_key_and_a_token_that_are_swapped_are_used_from_then_on(turn: int, running: Running) -> None:
    """Twice, as the first swap replaces the folder that was there at the start and the second one replaces its own."""
    old, new = KEYS[turn - 1], KEYS[turn]
    running.gateway.known = {old, new}  # as with a provider: both hold for a while
    until("a probe with the old key", lambda: old in running.keys_used(), 10)
    assert running.presents(TOKENS[turn - 1]) == 200
    running.secrets |= {"freezeframe-keys/team-a": new, "freezeframe-token/token": TOKENS[turn]}
    running.renew()
    assert running.presents(TOKENS[turn - 1]) == 401
    assert running.presents(TOKENS[turn]) == 200
    until("a probe with the new key", lambda: new in running.keys_used(), 10)
    running.gateway.known = {new}
    seen = len(running.keys_used())
    until("three more probes", lambda: len(running.keys_used()) >= seen + 3, 15)
    after = running.keys_used()[running.keys_used().index(new) :]
    assert set(after) == {new}
    ok = running.scrape().total("freezeframe_probes_total", target=STAYS, verdict="ok")
    until("a good one", lambda: running.scrape().total("freezeframe_probes_total", target=STAYS, verdict="ok") > ok, 10)
    assert running.refused() == 0


def test_a_configuration_that_is_swapped_is_taken_over_without_a_restart(running: Running) -> None:
    for names in ((STAYS, "comes"), (STAYS, "comes-later")):
        running.upgrade(*names)
        until(f"a probe of {names[1]}", lambda name=names[1]: running.server.count(name), 20)
    seen = running.scrape()
    assert seen.about("comes") == []
    assert seen.total("freezeframe_config_last_reload_successful") == 1
    assert running.refused() == 0
    lines = [json.loads(line) for line in running.process.log.read_text().splitlines()]
    assert {it["cause"] for it in lines if it["event"] == "reloaded"} == {"file"}, "nobody asked for it"


def test_no_key_and_no_token_that_was_ever_mounted_is_left_anywhere(running: Running) -> None:
    kept = {str(it): it.read_bytes() for it in (running.pod.root / "var").rglob("*") if it.is_file()}
    kept |= {"the log": running.process.log.read_bytes(), "the metrics": get(f"{running.url}/metrics")}
    found: list[Any] = [leaks(secret, name, data) for secret in (*KEYS, *TOKENS) for name, data in kept.items()]
    assert [leak for leak in found if leak] == []
