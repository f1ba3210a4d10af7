"""`python -m tests.look FOLDER`: plays two outages for about three minutes, draws both dashboards as PNG into FOLDER.

Only for looking; it needs `chromium`. What it draws is near to Grafana and is not Grafana.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exporter.gateway_script import Behaviour
from tests.look.drawing import page
from tests.servers import ROOT, Process
from tests.servers.board import Board
from tests.servers.stage import stage

SCENES: tuple[tuple[float, dict[str, Behaviour]], ...] = (
    (45.0, {}),
    (35.0, {"small": Behaviour.OVERLOADED}),
    (35.0, {"small": Behaviour.OVERLOADED, "account": Behaviour.REVOKED}),
    (30.0, {"account": Behaviour.REVOKED, "large": Behaviour.SLOW}),
    (25.0, {"account": Behaviour.REVOKED}),
)


def _draw(board: Board, file: Path) -> None:
    html, height = page(board)
    source = file.with_suffix(".html")
    source.write_text(html)
    size = f"--window-size=1600,{height}"
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking")
    subprocess.run(
        ["chromium", *quiet, size, f"--screenshot={file}", source.as_uri()], check=True, capture_output=True, timeout=60
    )


def main(folder: Path) -> None:
    started: list[Process] = []

    def keep(process: Process) -> Process:
        started.append(process)
        return process

    began = time.time()
    try:
        with tempfile.TemporaryDirectory() as room, stage(Path(room), keep) as scene:
            for length_s, behaviours in SCENES:
                scene.play(behaviours)
                time.sleep(length_s)
            url, now = scene.prometheus.url, time.time()
            _draw(Board(ROOT / "dashboards/overview.json", url, began, now), folder / "dash-overview.png")
            one = {"target": "account"}
            _draw(Board(ROOT / "dashboards/incident.json", url, began, now, one), folder / "dash-incident.png")
    finally:
        for process in started:
            process.kill()


main(Path(sys.argv[1]))
