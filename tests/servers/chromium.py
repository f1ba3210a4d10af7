"""Chromium without a window, spoken to over two pipes: its own developer tools, as a person would open them."""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Self

DEVTOOLS = "devtools://devtools/bundled"
_TO, _FROM = 3, 4  # where Chromium listens and answers when it is started with --remote-debugging-pipe


class Chromium:
    """One browser with a profile of its own, ended with its session."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "chromium.log"
        theirs_in, self._to, self._from, theirs_out = (
            fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (*os.pipe(), *os.pipe())
        )
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")
        # A shell puts the pipes where Chromium looks for them; a hook in the forked child could deadlock.
        redirected = f'exec "$@" {_TO}<&{theirs_in} {_FROM}>&{theirs_out}'
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    redirected,
                    "bash",
                    "chromium",
                    *flags,
                    f"--user-data-dir={folder}/profile",
                    "about:blank",
                ],
                pass_fds=(theirs_in, theirs_out),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        os.close(theirs_in)
        os.close(theirs_out)
        self._number = 0
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        os.close(self._from)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def call(self, method: str, session: str | None = None, timeout_s: float = 60, **params: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        os.write(self._to, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        deadline = time.monotonic() + timeout_s
        while True:
            while b"\0" not in self._unread:
                ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
                data = os.read(self._from, 1 << 20) if ready else b""
                assert data, f"no answer to {method}; Chromium says:\n{self._log.read_text(errors='replace')[-2000:]}"
                self._unread += data
            one, _, self._unread = self._unread.partition(b"\0")
            answer = json.loads(one)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str) -> str:
        """A new page; its session."""
        page = self.call("Target.createTarget", url=url)["targetId"]
        session: str = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        return session

    def evaluate(self, session: str, script: str) -> Any:
        """The value of an async function's body."""
        answer = self.call(
            "Runtime.evaluate",
            session,
            expression=f"(async () => {{{script}}})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")
