"""moto's S3, a real server of the protocol as a process of its own. It keeps everything in memory; what was asked of it
is recorded by its own recorder, so that one that was killed can be started again with all that it had."""

import os
import re
import signal
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import CACHE, Process, free_port, get

BUCKET = "evidence"
ACCESS_KEY = "AKIAFAKEFAKEFAKE0001"
SECRET_KEY = "fake/secret+key/of/the/object/store/0001"
_ASKED = re.compile(r'"(GET|HEAD|PUT|POST|DELETE) /(\S*) HTTP/1\.\d" (\d{3})')


@dataclass
class S3:
    """One server. `env` is what a process needs to use its bucket."""

    folder: Path
    port: int
    process: Process

    @property
    def env(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_TIMEOUT": "1s",  # obstore's own is 30 s
        }

    def stored(self) -> list[str]:
        """The full keys of the bucket's first page."""
        listed = get(f"http://127.0.0.1:{self.port}/{BUCKET}?list-type=2").decode()
        return re.findall(r"<Key>([^<]+)</Key>", listed)

    def asked(self) -> Counter[str]:
        """What was asked of it so far: PUT, GET (an object), LIST, DELETE."""
        counted: Counter[str] = Counter()
        for method, path, _ in _ASKED.findall(self.process.log.read_text(errors="replace")):
            if path.startswith(BUCKET):
                counted["LIST" if "list-type=2" in path else method] += 1
        return counted

    def kill(self) -> None:
        self.process.kill()

    def start_again(self) -> None:
        """On the same port, with everything that was there."""
        self.process = _process(self.folder, self.port, {})
        replay = f"http://127.0.0.1:{self.port}/moto-api/recorder/replay-recording"
        urllib.request.urlopen(urllib.request.Request(replay, data=b"", method="POST"), timeout=60).close()

    def hang(self) -> None:
        """It goes on to accept connections, and answers nothing."""
        os.kill(self.process.child.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.child.pid, signal.SIGCONT)


def start(folder: Path, keep: Callable[[Process], Process], *, page: int = 1000, refuses_everybody: bool = False) -> S3:
    """With an empty bucket that lists `page` objects at once. One that refuses everybody does so from then on: it knows
    no key."""
    port = free_port()
    env = {"MOTO_S3_DEFAULT_MAX_KEYS": str(page)}
    if refuses_everybody:
        env["INITIAL_NO_AUTH_ACTION_COUNT"] = "1"
    server = S3(folder, port, keep(_process(folder, port, env)))
    urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT"), timeout=10
    ).close()
    return server


def _process(folder: Path, port: int, env: Mapping[str, str]) -> Process:
    process = Process.start(
        "moto",
        folder,
        [CACHE / "moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        {"MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": str(folder / "recording")} | dict(env),
    )
    process.wait_until_answering(f"http://127.0.0.1:{port}/moto-api/data.json", 30)
    return process
