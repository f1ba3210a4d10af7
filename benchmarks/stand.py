"""What the parts are measured on: certificates, the server that knows, freezeframe and blackbox_exporter beside it."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.prober import Prober
from benchmarks.upstream import Upstream
from probe.pong import PROMPT
from tests.servers import until
from tests.servers.certificates import make_certificates
from tests.servers.freezeframe import configure, listens_on

BLACKBOX: Final = "prometheus-blackbox-exporter"
_PHASE: Final = re.compile(r'^probe_http_duration_seconds\{phase="(\w+)"\} (\S+)', re.M)
_DURATION: Final = re.compile(r"^probe_duration_seconds (\S+)", re.M)


class MissingError(Exception):
    """What a part compares with is not installed."""


@dataclass(frozen=True, slots=True)
class Phases:
    """What blackbox_exporter reports of one probe, in seconds."""

    first_byte_s: float
    total_s: float
    duration_s: float


class Blackbox:
    """Debian's blackbox_exporter, driven through its /probe as Prometheus drives it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.port = port

    def cpu_s(self) -> float:
        """Of all its threads, to the nanosecond."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def path(self, url: str, name: str) -> str:
        return f"/probe?{urlencode({'module': 'bench', 'target': f'{url}/chat/completions?name={name}'})}"

    def probe(self, url: str, name: str) -> Phases:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(asking):
            asking.request("GET", self.path(url, name))
            return phases(asking.getresponse().read().decode())


def phases(text: str) -> Phases:
    """What its answer to /probe says. RuntimeError where the probe failed."""
    found = {name: float(value) for name, value in _PHASE.findall(text)}
    duration = _DURATION.search(text)
    if "probe_success 1" not in text or duration is None:
        raise RuntimeError("blackbox_exporter's probe failed")
    first_byte_s = sum(seconds for name, seconds in found.items() if name != "transfer")
    return Phases(first_byte_s, first_byte_s + found["transfer"], float(duration[1]))


class Stand:
    """Everything that runs, in one folder, until the block ends."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        (folder / "certificates").mkdir()
        self.certificates = make_certificates(folder / "certificates")
        self.upstream = Upstream(str(folder / "certificates" / "good"))
        stack.callback(self.upstream.close)

    def prober(self, name: str, tls: str, targets: list[dict[str, Any]], **defaults: Any) -> Prober:
        """A freezeframe of its own that probes the server, plain or over TLS."""
        folder = self.folder / name
        folder.mkdir()
        rows = [{"model": "truth", "credential": "team", "stream": False} | target for target in targets]

        def change(config: dict[str, Any]) -> None:
            config["network"] = {"ca_file": self.certificates.ca_file}
            config["budget"] = {"probes_per_day": 100_000_000, "tokens_per_day": 10_000_000_000}

        file = configure(folder, self.upstream.urls[tls], rows, ["team"], defaults=defaults, change=change)
        prober = Prober(file, listens_on(file))
        self._stack.callback(prober.close)
        return prober

    def blackbox(self) -> Blackbox:
        """MissingError where it is not installed: a comparison with nothing would prove nothing."""
        program = shutil.which(BLACKBOX)
        if program is None:
            raise MissingError(f"{BLACKBOX} is not installed (Debian: apt-get install {BLACKBOX})")
        body = {"model": "truth", "messages": [{"role": "user", "content": PROMPT}]}
        asked = {
            "method": "POST",
            "headers": {"Content-Type": "application/json", "Authorization": "Bearer sk-fake-benchmark"},
            "body": json.dumps(body),
            "preferred_ip_protocol": "ip4",
            "fail_if_body_not_matches_regexp": ["pong"],
            "tls_config": {"ca_file": self.certificates.ca_file},
        }
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        config = self.folder / "blackbox.yml"
        config.write_text(json.dumps({"modules": {"bench": {"prober": "http", "timeout": "5s", "http": asked}}}))
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        until("blackbox_exporter listens", lambda: _listens(port), 10, pause_s=0.05)
        return Blackbox(process, port)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def stand() -> Iterator[Stand]:
    with tempfile.TemporaryDirectory(prefix="freezeframe-bench-") as folder, contextlib.ExitStack() as stack:
        yield Stand(Path(folder), stack)


def targets(count: int, **change: Any) -> list[dict[str, Any]]:
    return [{"name": f"t{number:04d}", **change} for number in range(count)]


def settle(seconds: float) -> None:
    """What runs in other processes has no event to wait for."""
    time.sleep(seconds)


def processors() -> int:
    return os.cpu_count() or 1
