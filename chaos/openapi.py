"""schemathesis against a running process: what our own OpenAPI document says is tried, and what it does not say."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers import CACHE

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


def tried(address: str, folder: Path, *, seed: int, examples: int, most_s: int) -> tuple[int, Sequence[str]]:
    """How many requests it made, and what was wrong, in its own words."""
    ran = subprocess.run(
        [
            *(CACHE / "schemathesis/bin/schemathesis", "run", f"http://{address}/openapi.json", "--no-color"),
            *("--max-examples", str(examples), "--seed", str(seed), "--max-time", str(most_s)),
            *("--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS), "--continue-on-failure"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=most_s * 3 + 60,
    )
    made = re.search(r"(\d+) generated", ran.stdout)
    count = int(made[1]) if made else 0
    if ran.returncode == 0:
        return count, []
    _, _, failures = ran.stdout.partition("FAILURES")
    return count, (failures or ran.stdout + ran.stderr)[:1500].splitlines()
