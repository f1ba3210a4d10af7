"""The installed command, called as people and machines call it."""

import os
import subprocess
from pathlib import Path

from tests.servers.freezeframe import command

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("FREEZEFRAME_")}


def call(
    *arguments: str | Path, cwd: Path | None = None, stdin: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[str]:
    """One call to its end, in a terminal so wide that no cell of a table is folded."""
    ran = subprocess.run(
        command(*arguments),
        cwd=cwd,
        input=stdin,
        env=ENVIRON | {"COLUMNS": "250"} | environ,
        capture_output=True,
        timeout=90,
    )
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def refused(ran: subprocess.CompletedProcess[str], named: str) -> None:
    """One clear line on standard error that names the culprit, nothing on standard output, exit code 2."""
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1), ran.stderr
    assert ran.stderr.startswith("freezeframe: ")
    assert named in ran.stderr
