"""`freezeframe run` as a process: its configuration for a gateway, what it serves, the packets it froze."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import Process, free_port, get, until

READ_AT = "2026-11-20T09:00:00Z"
OWNER = "llm-platform on-call"
DEFAULTS: dict[str, Any] = {
    "cadence": "2s",
    "timeout": "1500ms",
    "slow": "1200ms",
    "freeze": {
        "failures": 2,
        "window": 3,
        "recover": 2,
        "reopen": "1s",
        "confirm": {"attempts": 0, "backoff": "1s"},
    },
}


def nowhere(page: str) -> str:
    """Where a document would be if there was one."""
    return f"https://docs.example.test/{page}"


def contract(base_url: str, document: Callable[[str], str] = nowhere) -> dict[str, Any]:
    """A contract for a gateway at a base URL, in the form of the example file; `document` gives a page's URL."""

    def stated(value: object, page: str = "chat") -> dict[str, Any]:
        return {"value": value, "source": document(page), "accessed": READ_AT}

    def shape(page: str = "chat", **more: object) -> dict[str, Any]:
        return {"source": document(page), "accessed": READ_AT, **more}

    message_list = {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["message"]}}
    error = {"type": "object", "required": ["message", "type"]}
    return {
        "provider": "example-gateway",
        "values": {
            "base_url": stated(base_url),
            "chat_path": stated("/chat/completions"),
            "auth": stated({"header": "Authorization", "format": "Bearer {key}"}),
            "request_id": stated({"headers": ["x-request-id"], "text": "request id: {id}"}, "errors"),
        },
        "request": shape(schema={"type": "object", "required": ["model", "messages"]}),
        "response": shape(
            schema={
                "type": "object",
                "required": ["id", "object", "choices"],
                "properties": {"choices": message_list},
            }
        ),
        "stream_chunk": shape(schema={"type": "object", "required": ["choices"]}, terminal="[DONE]"),
        "error": shape("errors", schema={"type": "object", "required": ["error"], "properties": {"error": error}}),
        "limits": [],
        "routes": {
            "help_center": stated(document("help"), "help"),
            "support": stated("mailto:support@example.test", "help"),
        },
    }


def configure(
    folder: Path,
    base_url: str,
    targets: Sequence[Mapping[str, Any]],
    accounts: Iterable[str],
    *,
    defaults: Mapping[str, Any] | None = None,
    change: Callable[[dict[str, Any]], object] | None = None,
) -> Path:
    """A configuration that loads once `KEY_OF_<ACCOUNT>` is set for each account, then one change to it.

    JSON is YAML too, and needs no word about quoting.
    """
    config: dict[str, Any] = {
        "contract": "./contract.yaml",
        "credentials": {account: {"env": f"KEY_OF_{account.upper()}"} for account in accounts},
        "defaults": DEFAULTS | dict(defaults or {}),
        "targets": [dict(target) for target in targets],
        "budget": {"probes_per_day": 200_000, "tokens_per_day": 20_000_000},
        "state": "./state",
        "store": "./packets",
        "server": {"listen": f"127.0.0.1:{free_port()}"},
        "escalation": {"impact": "The test cannot answer.", "owner": OWNER, "posts": "./posts"},
    }
    if change is not None:
        change(config)
    (folder / "contract.yaml").write_text(json.dumps(contract(base_url)))
    (folder / "freezeframe.yaml").write_text(json.dumps(config))
    return folder / "freezeframe.yaml"


def listens_on(file: Path) -> str:
    """The address that a configuration of ours states."""
    address: str = json.loads(file.read_text())["server"]["listen"]
    return address


@dataclass(frozen=True)
class Packet:
    """A packet as downloaded, unzipped; `listed` is its entry in GET /packets."""

    listed: dict[str, Any]
    zip_file: Path
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "packet.json").read_bytes())
        return document


@dataclass
class Freezeframe:
    """One running `freezeframe run`."""

    process: Process
    folder: Path
    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def get(self, path: str, accept: str = "application/json") -> bytes:
        return get(self.url + path, Accept=accept)

    def packets(self, target: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.get(f"/packets?target={target}"))["packets"]
        return listed

    def first_packet(self, target: str, timeout_s: float = 40, reason: str | None = None) -> Packet:
        """The first packet that was frozen for a target (for that reason, where one is named), fetched over HTTP."""

        def look() -> list[dict[str, Any]]:
            return [listed for listed in self.packets(target) if reason in (None, listed["reason"])]

        listed = until(f"a packet of {target}", look, timeout_s)[-1]
        zip_file = self.folder / f"{listed['id']}.zip"
        data = self.get(f"/packets/{listed['id']}/packet.zip", "*/*")
        zip_file.write_bytes(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(self.folder / "unzipped")
        return Packet(listed, zip_file, self.folder / "unzipped" / listed["id"])

    def total(self, metric: str) -> int:
        """The sum of every series of a metric, read from /metrics."""
        lines = self.get("/metrics", "text/plain").decode().splitlines()
        return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric + "{")))

    def stop(self) -> None:
        """A clean stop: SIGTERM, exit code 0."""
        code = self.process.terminate(45)
        assert code == 0, f"exit code {code}:\n{self.process.log_tail()}"


Start = Callable[..., Freezeframe]


def command(*arguments: str | Path) -> list[str]:
    """The installed command of this environment."""
    return [str(Path(sys.executable).with_name("freezeframe")), *map(str, arguments)]


def verify(packet: Packet) -> None:
    """A packet verifies by this program, and without it."""
    by_us = subprocess.run(command("packets", "verify", packet.zip_file), capture_output=True, text=True, timeout=60)
    assert by_us.returncode == 0, by_us.stdout + by_us.stderr
    without = subprocess.run(
        ["sha256sum", "--check", "--strict", "manifest.sha256"],
        cwd=packet.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert without.returncode == 0, without.stdout + without.stderr
