"""repro.sh of a real packet, run as it stands with real curl: it sees the status that the packet recorded, and the key
is in no process list while it runs."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from exporter.gateway import Gateway
from exporter.gateway_docs import contract as documented
from exporter.gateway_script import Behaviour
from probe import render
from probe.classify import Expectation, classify
from probe.client import Auth, Client, Network
from probe.contract import parse
from probe.packet import draft
from probe.pong import Target, build
from probe.reading import read
from probe.records import RequestKind, Result, Trigger
from probe.redact import Policy, Redactor
from tests.probe.evidence import case, target
from tests.probe.faults import FAULTS
from tests.servers.secrets import command_lines, encodings

KEY = "fake-repro-key-0123456789abcdef"
MODEL = "demo-small"


@dataclass(frozen=True)
class Made:
    """A probe that was really sent, its packet's script and status."""

    script: bytes
    status: int | None


@asynccontextmanager
async def gateway(behaviour: Behaviour, slow_s: float = 2.0) -> AsyncIterator[Gateway]:
    served = Gateway(keys={"demo": KEY}, slow_s=slow_s)
    await served.start()
    served.behaviours[MODEL] = behaviour
    try:
        yield served
    finally:
        await served.stop()


def asked(served: Gateway, *, stream: bool = False, timeout_s: float = 10) -> Target:
    contract = parse(orjson.dumps(documented(served.origin, datetime.now(UTC))).decode(), "demo")
    return target(contract=contract, model=MODEL, stream=stream, timeout_s=timeout_s)


async def made(to: Target, key: str = KEY) -> Made:
    """The packet of one probe."""
    request = build(
        to, probe_id="p0003", kind=RequestKind.SCHEDULED, client_request_id="freezeframe-p0003", version="0.1.0"
    )
    client = Client(Network())
    seen = await client.send(
        request, Auth("Authorization", SecretStr(f"Bearer {key}")), timeout_s=to.timeout_s, reuse=False
    )
    await client.aclose()
    sealed = Redactor([SecretStr(key)], (), Policy(), b"k" * 32).seal(seen)
    judgement = classify(sealed.value, Expectation(to.contract))
    now = datetime.now(UTC)
    reading = read(sealed.value, to.contract)
    result = Result("p0003", to.name, RequestKind.SCHEDULED, now, now, judgement, 0.0, 0.0, sealed, reading)
    document = draft(case(result, target=to, trigger=Trigger.MANUAL))
    return Made(render.files(document)["repro.sh"], document["subject"]["status"])


async def ran(script: bytes, folder: Path, key: str = KEY) -> tuple[int, str, str]:
    """As somebody runs it who unpacked the zip: sh, and the key in the environment."""
    (folder / "repro.sh").write_bytes(script)
    environment = {"PATH": os.environ["PATH"], "API_KEY": key}
    running = await asyncio.create_subprocess_exec(
        "sh", "repro.sh", cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    printed, complained = await asyncio.wait_for(running.communicate(), 20)
    assert running.returncode is not None
    return running.returncode, printed.decode(), complained.decode()


@pytest.mark.parametrize(
    ("behaviour", "stream", "key", "status"),
    [
        (Behaviour.HEALTHY, False, KEY, 200),
        (Behaviour.HEALTHY, True, KEY, 200),
        (Behaviour.REVOKED, False, KEY, 401),
        (Behaviour.HEALTHY, False, "fake-wrong-key-0123456789", 401),
        (Behaviour.EXHAUSTED, False, KEY, 429),
        (Behaviour.OVERLOADED, False, KEY, 503),
    ],
    ids=["ok", "a stream", "401 revoked", "401 wrong key", "429", "503"],
)
async def test_it_sees_the_status_that_the_packet_recorded(
    behaviour: Behaviour, stream: bool, key: str, status: int, tmp_path: Path
) -> None:
    async with gateway(behaviour) as served:
        packet = await made(asked(served, stream=stream), key)
        code, printed, complained = await ran(packet.script, tmp_path, key)
        assert served.chat_requests == 2, "the probe's and the script's: one request each, no retries"
    assert packet.status == status
    assert (code, complained) == (0, "")
    assert re.search(rf"^status={status} time_total=\d+\.\d+$", printed, re.MULTILINE), printed
    saved = tmp_path / "small-p0003-response.json"
    assert f"response in {saved.name} (not redacted" in printed
    assert (b"data: [DONE]" in saved.read_bytes()) is stream
    assert (b'"error"' in saved.read_bytes()) is (status != 200)


async def test_a_stream_that_is_cut_is_seen_cut_and_told(tmp_path: Path) -> None:
    """curl itself fails there: its status, the response and its exit code are said all the same."""
    async with gateway(Behaviour.CUT) as served:
        packet = await made(asked(served, stream=True))
        code, printed, _ = await ran(packet.script, tmp_path)
    assert packet.status == 200
    assert code == 18
    assert "status=200 time_total=" in printed
    assert "curl ended with 18\nresponse in " in printed


async def test_without_a_reply_there_is_no_response_that_could_be_mistaken_for_one(tmp_path: Path) -> None:
    async with gateway(Behaviour.SLOW, slow_s=30) as served:
        packet = await made(asked(served, timeout_s=0.4))
        name = "small-p0003-response.json"
        (tmp_path / name).write_text("from an earlier run")
        code, printed, _ = await ran(packet.script, tmp_path)
    assert packet.status is None
    assert code == 28
    assert "status=000 time_total=0." in printed
    assert "response in" not in printed
    assert not (tmp_path / name).exists()


async def test_the_key_is_in_no_process_list_while_it_runs(tmp_path: Path) -> None:
    """Read from /proc as anybody on the machine can, while curl waits for the answer."""
    async with gateway(Behaviour.SLOW, slow_s=1.0) as served:
        packet = await made(asked(served))
        running = asyncio.create_task(ran(packet.script, tmp_path))
        looks = []
        while not running.done():
            looks.append(await asyncio.to_thread(command_lines))
            await asyncio.sleep(0.05)
        code, printed, _ = await running
    assert (code, "status=200" in printed) == (0, True)
    assert any(b"curl\0-q\0" in look for look in looks), "it was seen running"
    for how, encoded in encodings(KEY).items():
        assert not any(encoded in look for look in looks), how


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_it_is_posix_shell_for_every_fault(name: str) -> None:
    """Parsed by dash, and no construct of another shell."""
    files = render.files(draft(FAULTS[name]))
    if "repro.sh" not in files:
        assert FAULTS[name].subject.sealed is None
        return
    script = files["repro.sh"].decode()
    assert script.startswith("#!/bin/sh\n")
    checked = subprocess.run(["dash", "-n"], input=script.encode(), capture_output=True, timeout=10)
    assert (checked.returncode, checked.stderr) == (0, b"")
    commands = re.sub(r"'[^']*'|^#.*$", "", script, flags=re.MULTILINE)
    assert not re.search(r"\[\[|\bfunction\b|\blocal\b|<<<|<\(|\$'|&>|\becho\b|\bsource\b|pipefail|==|`", commands)


def test_shellcheck_has_nothing_to_say() -> None:
    script = render.files(draft(FAULTS["overloaded"]))["repro.sh"]
    checked = subprocess.run(["shellcheck", "-s", "sh", "-"], input=script, capture_output=True, timeout=30)
    assert checked.returncode == 0, checked.stdout.decode()
