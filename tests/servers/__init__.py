"""Real servers that nobody here wrote, as processes of the test run: on free ports, ended by their id."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

_DIRECT = urllib.request.build_opener(
    urllib.request.ProxyHandler({})
)  # a proxy of the machine is not asked for loopback

T = TypeVar("T")


def free_port() -> int:
    """A port nobody listens on now. Another process may take it before we do; then the start fails and says so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(what: str, look: Callable[[], T], timeout_s: float, pause_s: float = 0.2) -> T:
    """The first truthy thing that `look` sees. What another process does has no event to wait for."""
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen within {timeout_s:g} s: {what} (last seen: {seen!r})")
        time.sleep(pause_s)
    return seen


def get(url: str, **headers: str) -> bytes:
    """The body of a 200 answer. OSError (URLError, HTTPError) for anything else."""
    asked = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with _DIRECT.open(asked, timeout=10) as reply:
        body: bytes = reply.read()
        return body


def answers(url: str) -> bool:
    try:
        get(url)
    except OSError:
        return False
    return True


@dataclass
class Process:
    """One process in its own session; what it writes goes to one log file, kept for the report of a failure."""

    name: str
    log: Path
    child: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, name: str, folder: Path, command: Sequence[str | Path], env: Mapping[str, str]) -> "Process":
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        log = folder / f"{name}.log"
        with log.open("ab") as out:
            child = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env=inherited | dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, log, child)

    def wait_until_answering(self, url: str, timeout_s: float) -> None:
        def look() -> bool:
            if self.child.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.child.returncode}:\n{self.log_tail()}")
            return answers(url)

        try:
            until(f"{self.name} answers {url}", look, timeout_s)
        except AssertionError:
            self.kill()
            raise

    def log_tail(self, characters: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-characters:]

    def kill(self) -> None:
        """End it and whatever it started, at once: they share a session that is this child's own."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def terminate(self, timeout_s: float, signum: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.child.send_signal(signum)
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout_s:g} s of {signum.name}") from None
