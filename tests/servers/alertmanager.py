"""Debian's Prometheus with the shipped rules, and its Alertmanager with the shipped routes, both in a hurry."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import ROOT, Process, free_port, get

_PROMETHEUS = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: ["{folder}/rules/*.yaml"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs: [{{job_name: freezeframe, static_configs: [{{targets: ["{address}"]}}]}}]
"""


def hurried_rules(folder: Path, freezeframe_url: str) -> None:
    """The shipped rules, whose alerts fire after a second, with the one setting that everybody edits."""
    folder.mkdir()
    for file in (ROOT / "dashboards/rules").glob("*.yaml"):
        text = re.sub(r"^( +)for: \w+$", r"\1for: 1s", file.read_text(), flags=re.MULTILINE)
        text = re.sub(r"^ +(keep_firing_for|interval): \w+\n", "", text, flags=re.MULTILINE)
        (folder / file.name).write_text(text.replace("http://127.0.0.1:9464", freezeframe_url))


@dataclass
class Alerting:
    """The two processes."""

    prometheus: Process
    alertmanager: Process
    prometheus_url: str
    alertmanager_url: str
    config: Path

    def alerts(self) -> list[dict[str, Any]]:
        """What Alertmanager holds, as `amtool alert query -o json` prints it too."""
        alerts: list[dict[str, Any]] = json.loads(get(f"{self.alertmanager_url}/api/v2/alerts"))
        return alerts

    def names(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.alerts()}

    def firing(self, name: str, target: str | None = None) -> dict[str, Any] | None:
        """An alert that Alertmanager holds and mutes not, with its packet in its link."""
        return next(
            (
                alert
                for alert in self.alerts()
                if (alert["labels"]["alertname"], alert["labels"].get("target")) == (name, target)
                and "at=" in alert["annotations"]["packet_url"]
            ),
            None,
        )

    def posts(self) -> int:
        """How many webhooks it has posted by its own count."""
        text = get(f"{self.alertmanager_url}/metrics").decode()
        found = re.search(r'^alertmanager_notifications_total\{integration="webhook"\} (\d+)', text, re.MULTILINE)
        return int(found[1]) if found else 0


def start(folder: Path, address: str, token_file: Path) -> Alerting:
    """Running, for a freezeframe at an address that wants a token."""
    prometheus, alertmanager = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    hurried_rules(folder / "rules", f"http://{address}")
    text = (ROOT / "dashboards/alertmanager.yml").read_text()
    for patient, hasty in (("group_wait: 5s", "group_wait: 1s"), ("group_interval: 1m", "group_interval: 1s")):
        assert patient in text
        text = text.replace(patient, hasty)
    text = re.sub(r"repeat_interval: \w+", "repeat_interval: 2s", text)
    text = text.replace("http://127.0.0.1:9464", f"http://{address}")
    text = text.replace("# http_config", "http_config").replace("/etc/alertmanager/freezeframe-token", str(token_file))
    (folder / "alertmanager.yml").write_text(text)
    (folder / "prometheus.yml").write_text(
        _PROMETHEUS.format(folder=folder, alertmanager=alertmanager, address=address)
    )
    am = Process.start(
        "alertmanager",
        folder,
        [
            *("prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/held"),
            *(f"--web.listen-address={alertmanager}", "--cluster.listen-address=", "--log.level=warn"),
            "--web.external-url=http://alertmanager.example.test:9093",
            "--web.route-prefix=/",
        ],
        {},
    )
    prom = Process.start(
        "prometheus",
        folder,
        [
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address={prometheus}", "--enable-feature=exemplar-storage", "--log.level=warn"),
            "--web.external-url=http://prometheus.example.test:9090",
            "--web.route-prefix=/",
        ],
        {},
    )
    alerting = Alerting(prom, am, f"http://{prometheus}", f"http://{alertmanager}", folder / "alertmanager.yml")
    am.wait_until_answering(f"{alerting.alertmanager_url}/-/ready", 30)
    prom.wait_until_answering(f"{alerting.prometheus_url}/-/ready", 30)
    return alerting
