"""What the dashboards are tried on: a gateway that breaks on demand, three probers, and Prometheus, which scrapes them.

The gateway is the demo's: it streams, states its limits in headers and answers controls. One prober watches it; a
second one reaches a chat server over TLS; the third has spent its budget after a few probes.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exporter import gateway_docs
from exporter.gateway import Gateway
from exporter.gateway_script import Behaviour
from tests.servers import Process, prometheus
from tests.servers.certificates import make_certificates
from tests.servers.chat import GOOD, chat
from tests.servers.freezeframe import Freezeframe, command, configure, listens_on

KEY = "sk-fake-stage"
MODELS = {"small": "demo-small", "stream": "demo-stream", "account": "demo-account", "large": "demo-large"}
QUICK: dict[str, Any] = {
    "cadence": "1s",
    "timeout": "900ms",
    "slow": "800ms",
    "freeze": {"failures": 3, "window": 5, "recover": 3, "reopen": "1s", "confirm": {"attempts": 1, "backoff": "50ms"}},
}
SPENT_AFTER = 5


@dataclass
class Stage:
    gateway: Gateway
    prometheus: prometheus.Prometheus
    probers: Mapping[str, Freezeframe]

    def play(self, behaviours: Mapping[str, Behaviour]) -> None:
        """From now on these targets of the gateway behave so, and the others are healthy."""
        self.gateway.behaviours = {MODELS[target]: behaviour for target, behaviour in behaviours.items()}


@contextlib.contextmanager
def gateway_beside() -> Iterator[Gateway]:
    """The demo gateway on a thread and a loop of its own, as the prober is another process."""
    loop = asyncio.new_event_loop()
    server = Gateway(keys={"team": KEY})
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _probers(folder: Path, gateway: Gateway, secure: str, ca_file: str) -> Iterator[tuple[str, Path]]:
    def configured(name: str, base_url: str, targets: list[dict[str, Any]], change: dict[str, Any]) -> tuple[str, Path]:
        def change_it(config: dict[str, Any]) -> None:
            config.update(change)

        (folder / name).mkdir()
        return name, configure(folder / name, base_url, targets, ["team"], defaults=QUICK, change=change_it)

    def target(name: str, model: str) -> dict[str, Any]:
        return {"name": name, "model": model, "stream": name == "stream", "credential": "team"}

    controls = [
        {"name": "provider-edge", "url": f"{gateway.origin}/", "role": "provider"},
        {"name": "outside", "url": f"{gateway.origin}/api/models", "role": "independent"},
    ]
    watching = [target(name, model) for name, model in MODELS.items()]
    watched = configured("watching", gateway.base_url, watching, {"controls": controls})
    # Its documents are there, unlike those of the other contracts: they can be watched.
    (folder / "watching/contract.yaml").write_text(json.dumps(gateway_docs.contract(gateway.origin, datetime.now(UTC))))
    yield watched
    yield configured("secure", secure, [target("secure", "any")], {"network": {"ca_file": ca_file}})
    spent = {"budget": {"probes_per_day": SPENT_AFTER, "tokens_per_day": 20_000_000}}
    yield configured("spent", gateway.base_url, [target("spent", "demo-small")], spent)


@contextlib.contextmanager
def stage(folder: Path, keep: Callable[[Process], Process]) -> Iterator[Stage]:
    """All of it, healthy, until the block ends."""
    (folder / "certificates").mkdir()
    (folder / "prometheus").mkdir()
    certificates = make_certificates(folder / "certificates")
    with gateway_beside() as gateway, chat(lambda _: GOOD, certificates.server_context("good")) as secure:
        scraping = prometheus.start(folder / "prometheus")
        keep(scraping.process)
        running: dict[str, Freezeframe] = {}
        for name, file in _probers(
            folder, gateway, secure.base_url.replace("127.0.0.1", "localhost"), certificates.ca_file
        ):
            started = Process.start(
                f"freezeframe-{name}", file.parent, command("run", "--config", file), {"KEY_OF_TEAM": KEY}
            )
            keep(started)
            address = listens_on(file)
            started.wait_until_answering(f"http://{address}/-/ready", 30)
            running[name] = Freezeframe(started, file.parent, address)
            scraping.scrape(name, address)
        yield Stage(gateway, scraping, running)
        for prober in running.values():
            prober.stop()
        scraping.process.kill()
