"""Debian's Prometheus, scraping every second; what it scrapes can be added while it runs."""

import json
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from tests.servers import Process, free_port, get, until

_CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
scrape_configs:
  - job_name: freezeframe
    file_sd_configs: [{{files: ["{folder}/targets/*.json"], refresh_interval: 1s}}]
"""


def exemplars(url: str, expression: str, start_s: float, end_s: float) -> list[dict[str, str]]:
    """The labels of the exemplars that the Prometheus at a URL keeps for a series."""
    asked = urllib.parse.urlencode({"query": expression, "start": start_s, "end": end_s})
    data = json.loads(get(f"{url}/api/v1/query_exemplars?{asked}"))["data"]
    return [exemplar["labels"] for series in data for exemplar in series["exemplars"]]


@dataclass
class Prometheus:
    process: Process
    url: str
    _targets: Path

    def scrape(self, run: str, address: str) -> None:
        """Begin to scrape an exporter; its series carry the label `run`."""
        whole = json.dumps([{"targets": [address], "labels": {"run": run}}])
        draft = self._targets / f".{run}.part"  # a rename is whole: it never reads half a file
        draft.write_text(whole)
        draft.rename(self._targets / f"{run}.json")

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The instant vector of a PromQL expression: labels and value of each series."""
        asked = urllib.parse.urlencode({"query": expression})
        data = json.loads(get(f"{self.url}/api/v1/query?{asked}"))["data"]
        return [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def exemplars(self, expression: str, start_s: float, end_s: float) -> list[dict[str, str]]:
        """The labels of the exemplars kept for a series."""
        return exemplars(self.url, expression, start_s, end_s)

    def until(self, expression: str, timeout_s: float) -> list[tuple[dict[str, str], float]]:
        return until(f"in Prometheus: {expression}", lambda: self.query(expression), timeout_s)


def start(folder: Path) -> Prometheus:
    port = free_port()
    (folder / "targets").mkdir()
    (folder / "prometheus.yml").write_text(_CONFIG.format(folder=folder))
    process = Process.start(
        "prometheus",
        folder,
        [
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage", "--log.level=warn"),
        ],
        {},
    )
    process.wait_until_answering(f"http://127.0.0.1:{port}/-/ready", 30)
    return Prometheus(process, f"http://127.0.0.1:{port}", folder / "targets")
