"""How far a prober's clock is from the server's own: ours beside blackbox_exporter and naive timing, in one run.

A server in a process of its own stamps when it accepts, when it sends its first byte and when it sends its last. All
processes read the same monotonic clock, so the *bias* of a prober is what it reports minus what the server saw: network
and own time. The probers take turns against the same server, each on a fresh connection.
"""

import asyncio
import contextlib
import http.client
import json
import math
import multiprocessing
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import uvloop
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.records import ProbeRequest, RequestKind

BLACKBOX = "prometheus-blackbox-exporter"
THINK_S = 0.020  # before the first byte
PAUSE_S = 0.004  # before each of the chunks that follow
WARM_UP = 3
PATH = "/v1/chat/completions"
BODY = '{"model":"truth","messages":[{"role":"user","content":"pong"}]}'


class MissingError(Exception):
    """What the benchmark compares with is not installed."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of one exchange, in seconds: from its beginning to the first byte and to the end."""

    first_byte_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Bias:
    """Of one prober, over all its exchanges, in milliseconds: reported minus true. NaN where it does not report it."""

    prober: str
    first_byte_p50_ms: float
    first_byte_p99_ms: float
    total_p50_ms: float
    total_p99_ms: float


# ---------------------------------------------------------------- the server, which knows


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _serve(tell: Connection) -> None:
    """Answers for ever, one connection at a time; tells its port, then the true times of each exchange."""
    head = (
        "HTTP/1.1 200 OK",
        "Content-Type: text/event-stream",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "",
        "",
    )
    delta = _chunk(b'data: {"choices": [{"index": 0, "delta": {"content": "pong"}}]}\n\n')
    opening = "\r\n".join(head).encode() + delta
    following = (delta, delta, _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        tell.send(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            accepted = time.perf_counter()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                request = b""
                while not request.endswith(BODY.encode()):
                    request += connection.recv(65536)
                time.sleep(THINK_S)
                first = last = time.perf_counter()
                connection.sendall(opening)
                for chunk in following:
                    time.sleep(PAUSE_S)
                    last = time.perf_counter()
                    connection.sendall(chunk)
            tell.send(Times(first - accepted, last - accepted))


@contextlib.contextmanager
def _server() -> Iterator[tuple[str, Connection]]:
    spawn = multiprocessing.get_context("spawn")
    listen, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_serve, args=(tell,), daemon=True)
    process.start()
    tell.close()  # the other end is the server's alone: when it dies, `recv` says so instead of waiting
    try:
        yield f"http://127.0.0.1:{listen.recv()}{PATH}", listen
    finally:
        process.terminate()
        process.join()


# ---------------------------------------------------------------- the probers

Prober = Callable[[], dict[str, Times]]  # one exchange, under each name that its figures are listed


@contextlib.contextmanager
def _ours(name: str, loop_factory: Callable[[], asyncio.AbstractEventLoop], url: str) -> Iterator[Prober]:
    client = Client(Network())
    auth = Auth("Authorization", SecretStr("Bearer sk-fake-truth"))
    headers = (("Content-Type", "application/json"), ("Authorization", "Bearer <REDACTED>"))
    request = ProbeRequest("p", "truth", RequestKind.SCHEDULED, "POST", url, headers, BODY, "truth", True, "c")

    async def send() -> dict[str, Times]:
        seen = await client.send(request, auth, timeout_s=5, reuse=False)
        if seen.fault is not None or seen.timings.first_byte_s is None:
            raise RuntimeError(f"{name}: {seen.fault}")
        return {name: Times(seen.timings.first_byte_s, seen.timings.total_s)}

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        yield lambda: runner.run(send())


@contextlib.contextmanager
def _naive(url: str) -> Iterator[Prober]:
    """What a first version of a prober does: a stopwatch around the client's calls, connections not kept."""

    async def send(client: httpx2.AsyncClient) -> dict[str, Times]:
        began = time.perf_counter()
        async with client.stream("POST", url, content=BODY, headers={"Content-Type": "application/json"}) as reply:
            first = time.perf_counter()
            await reply.aread()
        return {"naive: httpx2 and a stopwatch": Times(first - began, time.perf_counter() - began)}

    with asyncio.Runner() as runner:
        client = httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        yield lambda: runner.run(send(client))
        runner.run(client.aclose())


@contextlib.contextmanager
def _blackbox(url: str) -> Iterator[Prober]:
    """Debian's blackbox_exporter, asked for one probe at a time; its phases, and the duration that dashboards show."""
    program = shutil.which(BLACKBOX)
    if program is None:
        raise MissingError(f"{BLACKBOX} is not installed (Debian: apt-get install {BLACKBOX})")
    module = {
        "prober": "http",
        "timeout": "5s",
        "http": {
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": BODY,
            "preferred_ip_protocol": "ip4",
        },
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "blackbox.yml"
        config.write_text(json.dumps({"modules": {"truth": module}}))  # JSON is YAML
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            yield lambda: _ask_blackbox(port, url)
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _ask_blackbox(port: int, url: str) -> dict[str, Times]:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(asking):
        asking.request("GET", f"/probe?{urlencode({'module': 'truth', 'target': url})}")
        text = asking.getresponse().read().decode()
    phases = {name: float(value) for name, value in _PHASE.findall(text)}
    duration = _DURATION.search(text)
    if "probe_success 1" not in text or duration is None:
        raise RuntimeError("blackbox_exporter's probe failed")
    first_byte_s = sum(seconds for name, seconds in phases.items() if name != "transfer")
    return {
        "blackbox_exporter: sum of phases": Times(first_byte_s, first_byte_s + phases["transfer"]),
        "blackbox_exporter: probe_duration": Times(math.nan, float(duration[1])),
    }


_PHASE = re.compile(r'^probe_http_duration_seconds\{phase="(\w+)"\} (\S+)', re.M)
_DURATION = re.compile(r"^probe_duration_seconds (\S+)", re.M)


# ---------------------------------------------------------------- the comparison


def run(rounds: int) -> list[Bias]:
    """Let the probers take turns; the order turns too, so that none always comes after the same other."""
    found: dict[str, list[Times]] = {}
    with contextlib.ExitStack() as stack:
        url, truth = stack.enter_context(_server())
        probers = [
            stack.enter_context(_ours("freezeframe: asyncio", asyncio.new_event_loop, url)),
            stack.enter_context(_ours("freezeframe: uvloop", uvloop.new_event_loop, url)),
            stack.enter_context(_blackbox(url)),
            stack.enter_context(_naive(url)),
        ]
        for turn in range(WARM_UP + rounds):
            for place in range(len(probers)):
                reported = probers[(turn + place) % len(probers)]()
                if not truth.poll(5):
                    raise RuntimeError("the server did not see the exchange")
                true = truth.recv()
                for name, times in reported.items():
                    bias = Times(times.first_byte_s - true.first_byte_s, times.total_s - true.total_s)
                    if turn >= WARM_UP:
                        found.setdefault(name, []).append(bias)
    return [_bias(name, found[name]) for name in sorted(found)]


def _bias(prober: str, biases: Sequence[Times]) -> Bias:
    first, total = [[getattr(bias, name) * 1000 for bias in biases] for name in ("first_byte_s", "total_s")]
    return Bias(prober, _quantile(first, 0.5), _quantile(first, 0.99), _quantile(total, 0.5), _quantile(total, 0.99))


def _quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]
