"""The shipped rules in a real Prometheus on a real exposition: none fails, and the link leads to the packet."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from exposed import exposition

from exporter import listing
from probe.index import PacketEntry
from tests.servers import ROOT, Process, free_port, get, until

RULES: Final = ROOT / "dashboards" / "rules"
CONFIG: Final = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{folder}/rules/*.yaml"]
scrape_configs: [{{job_name: freezeframe, static_configs: [{{targets: ["{address}"]}}]}}]
"""

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def scraped_at() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def exporter(scraped_at: datetime) -> Iterator[str]:
    """The address of one exposition."""
    body = asyncio.run(exposition(scraped_at)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, exporter: str) -> Iterator[str]:
    """Its rules are the shipped ones without their patience: what takes minutes would keep the test as long."""
    folder, port = tmp_path_factory.mktemp("rules-prometheus"), free_port()
    (folder / "rules").mkdir()
    for file in RULES.glob("*.yaml"):
        hurried = re.sub(r"^ +(for|keep_firing_for|interval): \w+\n", "", file.read_text(), flags=re.MULTILINE)
        (folder / "rules" / file.name).write_text(hurried)
    (folder / "prometheus.yml").write_text(CONFIG.format(folder=folder, address=exporter))
    process = Process.start(
        "prometheus",
        folder,
        [
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
        ],
        {},
    )
    try:
        process.wait_until_answering(f"http://127.0.0.1:{port}/-/ready", 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()


def rules(prometheus: str) -> list[dict[str, Any]]:
    groups = json.loads(get(f"{prometheus}/api/v1/rules"))["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def degradation(prometheus: str) -> list[dict[str, Any]]:
    alerts = json.loads(get(f"{prometheus}/api/v1/alerts"))["data"]["alerts"]
    return [alert for alert in alerts if alert["labels"]["alertname"] == "FreezeframeDegradation"]


def test_no_rule_fails_on_what_is_really_exported(prometheus: str) -> None:
    until("every rule was tried", lambda: all(rule["health"] != "unknown" for rule in rules(prometheus)), 60)
    assert {rule["name"]: rule.get("lastError") for rule in rules(prometheus) if rule["health"] != "ok"} == {}


def test_an_alert_leads_to_the_packet_of_its_target_and_not_to_an_older_one(
    prometheus: str, scraped_at: datetime
) -> None:
    linked = until(
        "the alert with its packet",
        lambda: [it["annotations"]["packet_url"] for it in degradation(prometheus) if "&at=" in str(it["annotations"])],
        60,
    )
    assert len(linked) == 1
    url = urlsplit(linked[0])
    assert (url.netloc, url.path) == ("127.0.0.1:9464", "/packets/latest")
    asked = dict(parse_qsl(url.query, strict_parsing=True))
    frozen_at = datetime.fromtimestamp(scraped_at.timestamp() + 0.001, UTC)
    packet = PacketEntry(
        "packet", "stream", "degradation", "upstream_5xx", "threshold", frozen_at, "packet", "open", "00", 1
    )
    older = replace(packet, id="older", frozen_at=frozen_at - timedelta(days=1))
    assert listing.latest((older, packet), listing.parse_latest(asked)) == packet
