"""Clients of our own listener that mean no good, or are only careless: the slow, the many, and those who try paths."""

import contextlib
import json
import random
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

WEBHOOK_S = 180.0
AT_ONCE = 6


# ---------------------------------------------------------------- slow


@dataclass(frozen=True)
class Slow:
    """What each kind of slow client sends, and what it goes on sending."""

    name: str
    first: bytes
    then: bytes = b""
    window: int | None = None  # of a receiver that never reads


def slow_kinds(packet: str | None) -> tuple[Slow, ...]:
    host = b"Host: localhost\r\n"
    large = f"/packets/{packet}/packet.zip" if packet else "/metrics"
    post = b"POST /alerts HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: 999999\r\n\r\n"
    return (
        Slow("idle", b""),
        Slow("dribbled head", b"GET /metrics HTTP/1.1\r\n" + host, b"X-A: b\r\n"),
        Slow("half a line", b"GET /met", b"r"),
        Slow("dribbled body", post, b" "),
        Slow("never reads /metrics", b"GET /metrics HTTP/1.1\r\n" + host + b"\r\n" * 1, window=1024),
        Slow("never reads a packet", f"GET {large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), window=1024),
    )


@contextlib.contextmanager
def crowd(address: str, kinds: Sequence[Slow], each: int) -> Iterator[Callable[[], int]]:
    """So many of each, all connected; calling what it gives lets each say a little more, and counts those left."""
    host, _, port = address.rpartition(":")
    clients: list[tuple[Slow, socket.socket]] = []
    for _ in range(each):
        for kind in kinds:
            client = socket.socket()
            if kind.window:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kind.window)
            client.settimeout(5)
            with contextlib.suppress(OSError):
                client.connect((host, int(port)))
                client.sendall(kind.first)
            client.setblocking(False)
            clients.append((kind, client))

    def more() -> int:
        return sum(_says(client, kind.then) for kind, client in clients)

    try:
        yield more
    finally:
        for _, client in clients:
            client.close()


def _says(client: socket.socket, data: bytes) -> bool:
    try:
        if data:
            client.send(data)
        return client.getpeername() is not None
    except BlockingIOError:
        return True
    except OSError:
        return False


# ---------------------------------------------------------------- webhooks


def alert(number: int, targets: Sequence[str], now: float) -> dict[str, object]:
    """One of Alertmanager's; every fourth names a target, one in ten was there before."""
    labels = {"alertname": f"Chaos{number % 7}", "severity": "page", "number": str(number)}
    if number % 4 == 0:
        labels["target"] = targets[number % len(targets)]
    starts = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "made up", "runbook_url": "http://127.0.0.1:1/never-followed"},
        "startsAt": starts,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:1/never-followed",
        "fingerprint": f"{number:016x}",
    }


def post_webhooks(address: str, alerts: Sequence[dict[str, object]], *, twice: int = 0) -> Counter[str]:
    """Each in a webhook of its own, as Alertmanager does it: again after a 5xx, never after a 4xx. Every `twice`-th is
    posted once more at once."""
    told: Counter[str] = Counter()
    deadline = time.monotonic() + WEBHOOK_S

    def some(mine: Sequence[dict[str, object]]) -> Counter[str]:
        counted: Counter[str] = Counter()
        connection = HTTPConnection(address, timeout=15)
        posts = [range(2 if twice and number % twice == 0 else 1) for number in range(len(mine))]
        for one in (it for it, times in zip(mine, posts, strict=True) for _ in times):
            body = json.dumps({"version": "4", "alerts": [one], "truncatedAlerts": 0})
            while True:
                status, answer = _posted(connection, body)
                counted[f"HTTP {status}"] += 1
                if status == 202:
                    counted["accepted"] += answer["accepted"]
                    counted["repeated"] += answer["repeated"]
                    break
                if 400 <= status < 500 or time.monotonic() > deadline:
                    counted["given up"] += 1
                    break
                time.sleep(0.1)
        connection.close()
        return counted

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for counted in pool.map(some, [alerts[n::AT_ONCE] for n in range(AT_ONCE)]):
            told += counted
    return told


def _posted(connection: HTTPConnection, body: str) -> tuple[int, dict[str, int]]:
    try:
        connection.request("POST", "/alerts", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, HTTPException):  # the connection ended: it is opened again with the next request
        connection.close()
        return 599, {}
    return reply.status, json.loads(content) if reply.status == 202 else {}


# ---------------------------------------------------------------- paths

_IDS = (
    b"..",
    b".",
    b"%2e%2e",
    b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    b"..%2f..%2fetc%2fpasswd",
    b"..%5c..%5c",
    b"%00",
    b"a%00b",
    b"%0d%0aX-Injected:%20yes",
    b"a%20b",
    b"A" * 8000,
    b"%c3%a4",
    b"%ff%fe",
    b"%e2%80%ae",
    b"%25%32%65",
    b"a;b=c",
    b"*",
    b"~root",
    b"latest%2f..",
    b"-",
    b"--",
    b"{id}",
    b"%7bid%7d",
    b"a.zip",
    b"a.001.json",
    b"spool",
)
_PLACES = (
    b"/packets/%b",
    b"/packets/%b/",
    b"/packets/%b/packet.zip",
    b"/packets/%b/files/packet.json",
    b"/packets/ID/files/%b",
    b"/packets/ID/files/../%b",
    b"/packets/ID/files//%b",
    b"/packets//%b",
    b"//packets/%b",
    b"/%b",
    b"/packets/ID/%b/packet.zip",
    b"/packets/latest?target=%b",
    b"/packets?before=%b",
    b"/packets?since=%b&limit=%b",
)
_METHODS = (b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"TRACE", b"PUT", b"BREW")


def try_paths(address: str, packet: str, chance: random.Random, count: int) -> tuple[Counter[str], list[str]]:
    """Raw request lines that no client library would send. What may not happen: a 5xx, a header of theirs, a file."""
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    tries = [(b"GET", place.replace(b"%b", name)) for place in _PLACES for name in _IDS]
    chance.shuffle(tries)
    tries = (tries + [(chance.choice(_METHODS), path) for _, path in tries])[:count]
    for method, path in tries:
        path = path.replace(b"ID", packet.encode())
        answer = _raw(address, method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = answer.split(b" ")[1].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "none"
        counted[f"HTTP {status}"] += 1
        head = answer.partition(b"\r\n\r\n")[0].lower()
        if status.startswith("5") or status == "none" or b"x-injected:" in head or b"root:x:" in answer:
            wrong.append(f"{method.decode()} {path[:80]!r} -> {status}")
    return counted, wrong


def _raw(address: str, request: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    found = bytearray()
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 15) as connection:
        connection.sendall(request)
        while data := connection.recv(65536):
            found += data
    return bytes(found)


def answer_s(url: str) -> float:
    """How long /-/healthy and a scrape take together; infinity where one is refused."""
    began = time.monotonic()
    for path in ("/-/healthy", "/metrics"):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url + path, timeout=15) as reply:
                reply.read()
        except (OSError, urllib.error.URLError):
            return float("inf")
    return time.monotonic() - began
