"""From the pager to the packet: a gateway breaks, an alert fires, its webhook finds the packet, its link opens it, and
all is over when the gateway is healthy again. Every process is real; of ours is only freezeframe."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.servers import ROOT, Process, aimock, alertmanager, until
from tests.servers import chat as chat_server
from tests.servers.alertmanager import Alerting
from tests.servers.freezeframe import Freezeframe, Start, command, configure, verify
from tests.servers.prometheus import exemplars
from tests.servers.secrets import leaks

pytestmark = pytest.mark.real

TOKEN: Final = "fake-token-of-the-pager"
WITHIN_S: Final = 40.0
WHOLE_S: Final = 120.0
INCIDENT: Final = {"FreezeframeDegradation", "FreezeframeContractFailing"}
MODELS: Final[dict[str, dict[str, Any]]] = {name: {"response": {"content": "pong"}} for name in ("pong", "other")}
OVERLOADED: Final[dict[str, Any]] = {
    "response": {"error": {"message": aimock.OVERLOADED_MESSAGE, "type": "server_error"}, "status": 503}
}
DEFAULTS: Final[dict[str, Any]] = {
    "cadence": "1s",
    "timeout": "900ms",
    "slow": "890ms",
    "freeze": {"failures": 2, "window": 3, "recover": 2, "reopen": "1s", "confirm": {"attempts": 0, "backoff": "1s"}},
}
TARGETS: Final = [
    {"name": "small", "model": "pong", "credential": "good"},
    {"name": "large", "model": "other", "credential": "good"},
]


@dataclass
class Scene:
    folder: Path
    freezeframe: Freezeframe
    alerting: Alerting
    gateway: Process
    port: int
    keep: Callable[[Process], Process]
    run: Callable[[], Freezeframe]

    def play(self, **broken: dict[str, Any]) -> None:
        """The gateway begins anew, at the same address, with these models broken."""
        self.gateway.kill()
        self.gateway = self.keep(aimock.start(self.folder, port=self.port, models=MODELS | broken)[0])

    def ask(self, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
        with httpx2.Client(base_url=self.freezeframe.url, headers=headers, trust_env=False) as client:
            answer = client.get(path, params=query, follow_redirects=True)
            assert answer.status_code == 200, answer.text
            return answer.json()

    def told(self, packet: str) -> list[tuple[str, str]]:
        """The alerts in the addenda of a packet as it stands now: name and status, oldest first."""
        files = sorted((self.folder / "packets").glob(f"{packet}.*.json"))
        documents = [json.loads(file.read_bytes())["document"] for file in files]
        return [(it["alertname"], it["status"]) for it in documents if it["kind"] == "alert"]

    def noticed(self, packet: str, name: str, status: str) -> None:
        until(f"{name} {status} in {packet}", lambda: (name, status) in self.told(packet), WITHIN_S)

    def exemplars(self, series: str) -> set[str]:
        """The packets that a real Prometheus holds beside the ticks of `small`."""
        now_s = time.time()
        return {
            labels["packet"]
            for labels in exemplars(self.alerting.prometheus_url, f'{series}{{target="small"}}', now_s - 120, now_s + 1)
            if "packet" in labels and "probe" in labels
        }

    def repeated(self, times: int) -> None:
        """Alertmanager has posted so many more webhooks."""
        before = self.alerting.posts()
        until("Alertmanager repeats itself", lambda: self.alerting.posts() >= before + times, WITHIN_S)

    def fires(self, name: str, target: str | None = None) -> dict[str, Any]:
        found = until(f"{name} of {target}", lambda: self.alerting.firing(name, target), WITHIN_S)
        assert found is not None
        return found


@pytest.fixture
def scene(tmp_path: Path, run: Start, keep: Callable[[Process], Process]) -> Iterator[Scene]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    gateway, origin = aimock.start(tmp_path, models=MODELS)
    keep(gateway)

    def guarded(config: dict[str, Any]) -> None:
        config["server"]["token"] = {"file": str(token)}
        config["controls"] = [{"name": "provider-edge", "url": f"{origin}/health", "role": "provider"}]

    file = configure(tmp_path, f"{origin}/v1", TARGETS, ["good"], defaults=DEFAULTS, change=guarded)

    def start() -> Freezeframe:
        return run("alerted", file, {"KEY_OF_GOOD": aimock.KEY})

    freezeframe = start()
    alerting = alertmanager.start(tmp_path, freezeframe.address, token)
    keep(alerting.prometheus)
    keep(alerting.alertmanager)
    port = int(origin.rpartition(":")[2])
    scene = Scene(tmp_path, freezeframe, alerting, gateway, port, keep, start)
    yield scene
    for process in (alerting.prometheus, alerting.alertmanager, scene.gateway):
        process.kill()


def through_login(url: str) -> str:
    """What a person sees who follows the link of a pager in a browser that is not signed in."""
    with httpx2.Client(headers={"Accept": "text/html"}, trust_env=False, follow_redirects=True) as browser:
        form = browser.get(url)
        assert (form.status_code, form.url.path) == (200, "/login")
        page = browser.post(form.url, data={"token": TOKEN, "next": form.url.params["next"]})
        assert page.status_code == 200, page.text
        return page.text


def workflow(scene: Scene, folder: Path) -> subprocess.CompletedProcess[str]:
    """What docs/responders.md gives to automation, as it stands there."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/responders.md").read_text(), re.DOTALL)
    (script,) = [block for block in blocks if "packets fetch" in block]
    named = {
        "ALERTMANAGER": scene.alerting.alertmanager_url,
        "FF": scene.freezeframe.url,
        "TOKEN_FILE": str(scene.folder / "token"),
        "PATH": f"{Path(command()[0]).parent}:{os.environ['PATH']}",
    }
    folder.mkdir()
    return subprocess.run(
        ["sh", "-eu", "-c", script], cwd=folder, env=named, capture_output=True, text=True, timeout=60
    )


def test_an_alert_leads_to_its_packet_once_and_says_when_it_is_over(scene: Scene, tmp_path: Path) -> None:
    began = time.monotonic()

    # One target breaks.
    scene.play(pong=OVERLOADED)
    alert = scene.fires("FreezeframeDegradation", "small")
    (packet,) = scene.ask("/packets", target="small")["packets"]
    assert (packet["verdict"], packet["trigger"], packet["state"]) == ("degradation", "threshold", "open")
    scene.noticed(packet["id"], "FreezeframeDegradation", "firing")

    # Its link leads to that packet: for a program with the token, and for a person who signs in on the way.
    url = httpx2.URL(alert["annotations"]["packet_url"])
    assert scene.ask(url.path, **url.params)["id"] == packet["id"]
    shown = through_login(str(url))
    assert packet["id"] in shown
    assert "alert FreezeframeDegradation fires since" in shown

    # From a graph as well: the failing ticks carry the packet, in Prometheus' own storage of exemplars.
    for series in ("freezeframe_probes_total", "freezeframe_probe_latency_seconds_bucket"):
        until(f"an exemplar of {series}", lambda name=series: packet["id"] in scene.exemplars(name), WITHIN_S)

    # Alertmanager repeats itself, and freezeframe begins anew: nothing is added.
    scene.repeated(2)
    scene.freezeframe.stop()
    scene.freezeframe = scene.run()
    scene.repeated(2)
    assert scene.told(packet["id"]) == [("FreezeframeDegradation", "firing")]
    assert len(scene.ask("/packets", target="small")["packets"]) == 1

    # The other one fails as well: the whole contract does, and its alert leads to the packet that came first.
    scene.play(pong=OVERLOADED, other=OVERLOADED)
    whole = scene.fires("FreezeframeContractFailing")
    scene.noticed(packet["id"], "FreezeframeContractFailing", "firing")
    url = httpx2.URL(whole["annotations"]["packet_url"])
    assert scene.ask(url.path, **url.params)["id"] == packet["id"]
    (joined,) = scene.ask("/packets", target="large")["packets"]
    assert joined["incident"] == packet["id"]

    # Automation that holds the alerts (what is inhibited is not listed) gets the zip.
    ran = workflow(scene, tmp_path / "job")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [f"evidence/{packet['id']}.zip", f"evidence/{packet['id']}.zip: whole"]
    stored = (scene.folder / f"packets/{packet['id']}.zip").read_bytes()
    assert (tmp_path / f"job/evidence/{packet['id']}.zip").read_bytes() == stored

    # Healthy again.
    scene.play()
    scene.noticed(packet["id"], "FreezeframeContractFailing", "resolved")
    scene.noticed(packet["id"], "FreezeframeDegradation", "resolved")
    until("no alert of the incident", lambda: not INCIDENT & scene.alerting.names(), WITHIN_S)
    scene.repeated(2)
    assert {(it["id"], it["state"]) for it in scene.ask("/packets")["packets"]} == {
        (packet["id"], "recovered"),
        (joined["id"], "recovered"),
    }
    told = scene.told(packet["id"])  # what burned the error budget goes on to be told of for its hour
    assert len(told) == len(set(told))
    assert {it for it in told if it[0] in INCIDENT} == {
        (name, how) for name in INCIDENT for how in ("firing", "resolved")
    }

    assert time.monotonic() - began < WHOLE_S
    scene.freezeframe.stop()
    for secret in (TOKEN, aimock.KEY):
        for file in (scene.freezeframe.process.log, *(scene.folder / "packets").iterdir()):
            assert leaks(secret, file.name, file.read_bytes()) == []


def test_an_alert_of_another_rule_freezes_what_no_threshold_saw_and_a_kill_makes_no_second_one(
    tmp_path: Path, run: Start
) -> None:
    """One failure trips nothing; somebody's own rule fires all the same, and is posted again after a kill."""
    fires = {
        "status": "firing",
        "labels": {"alertname": "CheckoutIsSlow", "target": "small"},
        "annotations": {"packet_url": "http://127.0.0.1:9/never-asked"},
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "00000000c0ffee00",
    }
    down = chat_server.error(503, "The upstream is overloaded", "server_error", "x")
    with chat_server.chat(lambda asked: down if asked.number == 2 else chat_server.GOOD) as server:
        file = configure(tmp_path, server.base_url, TARGETS[:1], ["good"], defaults=DEFAULTS)

        def post(freezeframe: Freezeframe) -> dict[str, int]:
            with httpx2.Client(trust_env=False) as client:
                answer = client.post(f"{freezeframe.url}/alerts", json={"version": "4", "alerts": [fires]})
            assert answer.status_code == 202
            told: dict[str, int] = answer.json()
            return told

        first = run("posted", file, {"KEY_OF_GOOD": "sk-fake-posted-0123456789"})
        until("a failure", lambda: first.total("freezeframe_failures_total"), WITHIN_S)
        assert post(first) == {"accepted": 1, "repeated": 0, "left_out": 0}
        packet = first.first_packet("small")
        verify(packet)
        assert (packet.listed["trigger"], packet.listed["reason"]) == ("alert", "upstream_overloaded")
        until("its addendum", lambda: list((tmp_path / "packets").glob("*.001.json")), WITHIN_S)
        time.sleep(1)  # what is remembered is written twice a second; before that a kill may have it looked up again
        first.process.kill()
        second = run("posted", file, {"KEY_OF_GOOD": "sk-fake-posted-0123456789"})
        assert post(second) == {"accepted": 0, "repeated": 1, "left_out": 0}
        second.stop()
    assert sorted(it.name for it in (tmp_path / "packets").iterdir()) == [
        f"{packet.listed['id']}.001.json",
        f"{packet.listed['id']}.zip",
    ]
