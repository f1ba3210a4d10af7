"""The demo's Prometheus, where one is installed: the shipped rules without their patience, ended with the demo."""

import asyncio
import contextlib
import re
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import httpx2
import orjson

RULES: Final = Path(__file__).parents[1] / "dashboards" / "rules"
PROGRAM: Final = "prometheus"
NOT_INSTALLED: Final = (
    "No `prometheus` is on PATH: the demo goes on without it. Debian and Ubuntu have\n"
    "it (`apt-get install prometheus`); any other from 2.42 on will do as well."
)
NO_RULES: Final = "The alert rules come with the source tree only: the demo goes on without Prometheus."
NOT_READY: Final = "Prometheus did not start: the demo goes on without it."
_READY_S: Final = 15.0
_LOOK_S: Final = 0.5
_ENDS_S: Final = 5.0


class Absent(Exception):
    """There is no Prometheus here; the text says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that was seen firing."""

    name: str
    about: str
    packet_url: str


@dataclass(slots=True)
class Prometheus:
    """Running. `fired` are the alerts about an exchange that were seen so far, in that order; `firing` those of the
    last look."""

    url: str
    process: asyncio.subprocess.Process
    client: httpx2.AsyncClient
    fired: dict[tuple[str, str], Fired] = field(default_factory=dict)
    firing: tuple[Fired, ...] = ()

    @classmethod
    async def start(cls, folder: Path, scrape: str) -> Self:
        """On a free port of this machine, for an exporter at ``host:port``. Absent where that cannot be."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise Absent(NOT_INSTALLED)
        if not RULES.is_dir():
            raise Absent(NO_RULES)
        _configure(folder, scrape)
        address = f"127.0.0.1:{_free_port()}"
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--enable-feature=exemplar-storage",
                "--log.level=warn",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        started = cls(f"http://{address}", process, httpx2.AsyncClient(trust_env=False, timeout=2))
        if not await started._is_ready():
            await started.stop()
            raise Absent(f"{NOT_READY} Its log: {folder / 'log'}")
        return started

    async def watch(self) -> None:
        """Look for alerts; runs until cancelled."""
        while True:
            with contextlib.suppress(httpx2.HTTPError, ValueError, KeyError, TypeError):
                answer = await self.client.get(f"{self.url}/api/v1/alerts")
                alerts = orjson.loads(answer.content)["data"]["alerts"]
                firing = [it for it in alerts if it["state"] == "firing" and it["labels"].get("scope")]
                self.firing = tuple(_fired(alert) for alert in firing)
                for alert in self.firing:
                    self.fired[alert.name, alert.about] = alert
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        await self.client.aclose()
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_ENDS_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    async def _is_ready(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                while self.process.returncode is None:
                    with contextlib.suppress(httpx2.HTTPError):
                        if (await self.client.get(f"{self.url}/-/ready")).status_code == 200:
                            return True
                    await asyncio.sleep(0.1)
        return False


def _configure(folder: Path, scrape: str) -> None:
    (folder / "rules").mkdir(parents=True)
    for file in RULES.glob("*.yaml"):
        (folder / "rules" / file.name).write_text(_hurried(file.read_text(), f"http://{scrape}"))
    (folder / "prometheus.yml").write_bytes(orjson.dumps(_config(folder, scrape)))  # YAML reads JSON


def _hurried(rules: str, url: str) -> str:
    """In a story of a minute nothing may wait for minutes; the links lead to the demo."""
    waits = re.sub(r"^ +(for|keep_firing_for|interval): \w+\n", "", rules, flags=re.MULTILINE)
    return waits.replace("http://127.0.0.1:9464", url)


def _config(folder: Path, scrape: str) -> Mapping[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules" / "*.yaml")],
        "scrape_configs": [{"job_name": "freezeframe", "static_configs": [{"targets": [scrape]}]}],
    }


def _fired(alert: Mapping[str, Any]) -> Fired:
    labels = alert["labels"]
    about = labels.get("target") or labels.get("contract", "")
    return Fired(labels["alertname"], about, alert["annotations"].get("packet_url", ""))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
