"""How far a prober's clock is from the server's own: ours beside blackbox_exporter and naive timing, in one run.

A server in a process of its own stamps when it accepts, when it sends its first byte and when it sends its last. All
processes read the same monotonic clock, so a prober's *bias* is what it reports minus what the server saw: the network's
and the prober's own time. The probers take turns against the same server, each on a fresh connection.
"""

import asyncio
import contextlib
import http.client
import math
import multiprocessing
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import httpx2
import uvloop
from pydantic import SecretStr

from probe.client import Auth, Client, Network
from probe.records import ProbeRequest, RequestKind

BLACKBOX = "prometheus-blackbox-exporter"
THINK_S = 0.020  # before the first byte
CHUNK_S = (0.004, 0.004, 0.004)  # between the chunks that follow
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
    """Of one prober, over all its exchanges, in milliseconds: reported minus true."""

    prober: str
    first_byte_p50_ms: float
    first_byte_p99_ms: float
    total_p50_ms: float
    total_p99_ms: float


# ---------------------------------------------------------------- the server, which knows


def _serve(tell: Connection) -> None:
    """Answers for ever, one connection at a time; tells its port, then the true times of each exchange."""
    chunk = b'12\r\ndata: {"x": "yyy"}\n\r\n'
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunk
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        tell.send(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            accepted = time.perf_counter()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                request = b""
                while BODY.encode() not in request:
                    request += connection.recv(65536)
                time.sleep(THINK_S)
                first = time.perf_counter()
                connection.sendall(reply)
                for pause_s in CHUNK_S:
                    time.sleep(pause_s)
                    last = time.perf_counter()
                    connection.sendall(chunk if pause_s is not CHUNK_S[-1] else chunk + b"0\r\n\r\n")
            tell.send(Times(first - accepted, last - accepted))


@contextlib.contextmanager
def _server() -> Iterator[tuple[str, Connection]]:
    spawn = multiprocessing.get_context("spawn")
    listen, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_serve, args=(tell,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{listen.recv()}{PATH}", listen
    finally:
        process.terminate()
        process.join()
