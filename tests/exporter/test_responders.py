"""docs/responders.md: its receivers, rendered by a real Alertmanager, and its commands. (The workflow is run in
test_alert_to_packet, on a real alert.)"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml

from exporter.commands import app
from tests.exporter.test_rules_alertmanager import EXAMPLE, amtool, fire, labels_of
from tests.servers import ROOT, Process, free_port, until
from tests.servers.served import Handler, origin, served

PAGE: Final = (ROOT / "docs/responders.md").read_text()
RECEIVERS: Final = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("receivers:")]
PACKET_URL: Final = "https://freezeframe.example.test/packets/latest?target=small&verdict=degradation&at=1795600001"
NOTES: Final = {
    "summary": "small: valid requests fail",
    "description": "1 of 2 targets fail.",
    "runbook_url": "https://runbooks.example.test/FreezeframeDegradation.md",
    "packet_url": PACKET_URL,
}

pytestmark = pytest.mark.real


def configured(folder: Path, receiver: str, sink: str) -> Path:
    """The shipped example with a receiver of the page, as it stands but for where its files and its service are."""
    (folder / "slack-url").write_text(f"{sink}/slack\n")
    (folder / "pagerduty-key").write_text("fake-routing-key-0123456789abcdef\n")
    whole: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    (told,) = yaml.safe_load(receiver.replace("/etc/alertmanager", str(folder)))["receivers"]
    for pager in told.get("pagerduty_configs", ()):
        pager["url"] = f"{sink}/pagerduty"
    whole["receivers"] = [told, *(it for it in whole["receivers"] if it["name"] != told["name"])]
    whole["route"]["group_wait"] = "0s"
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(whole, allow_unicode=True))
    return file


@dataclass
class Sink:
    url: str
    got: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What a pager's service would have received."""

    class Service(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the standard library calls it so
            running.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.say(202 if self.path == "/pagerduty" else 200, b"ok", "text/plain")

    with served(Service) as server:
        running = Sink(origin(server))
        yield running


@pytest.mark.parametrize("receiver", RECEIVERS, ids=["slack", "pagerduty"])
def test_a_pager_gets_the_link_to_the_packet(receiver: str, tmp_path: Path, sink: Sink) -> None:
    file, port = configured(tmp_path, receiver, sink.url), free_port()
    amtool("check-config", file)
    process = Process.start(
        "alertmanager",
        tmp_path,
        [
            *("prometheus-alertmanager", f"--config.file={file}", f"--storage.path={tmp_path}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"),
        ],
        {},
    )
    try:
        process.wait_until_answering(f"http://127.0.0.1:{port}/-/ready", 30)
        fire(f"http://127.0.0.1:{port}", [labels_of("FreezeframeDegradation")], NOTES)
        (got,) = until("a page", lambda: sink.got, 30)
    finally:
        process.kill()
    if "payload" in got:
        assert got["payload"]["summary"] == NOTES["summary"]
        assert (got["payload"]["severity"], got["payload"]["custom_details"]["packet"]) == ("critical", PACKET_URL)
        assert [link["href"] for link in got["links"]] == [PACKET_URL, NOTES["runbook_url"]]
    else:
        (attachment,) = got["attachments"]
        assert (attachment["title"], attachment["title_link"]) == (f"FIRING {NOTES['summary']}", PACKET_URL)
        # Slack wants & written so in a text; the link of the title is an address.
        assert f"<{PACKET_URL}|packet>" in attachment["text"].replace("&amp;", "&")


def test_every_command_of_the_page_exists_with_its_options() -> None:
    known = typer.main.get_command(app)
    lines = [line for text in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in text.splitlines()]
    called = [line.split() for line in lines if line.strip().startswith("freezeframe ")]
    assert len(called) == 4
    for _, *words in called:
        command: Any = known
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_every_link_of_the_page_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links and [link for link in links if not (ROOT / "docs" / link).exists()] == []
