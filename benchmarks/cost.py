"""b. What one probe costs in processor time: the whole pipeline beside blackbox_exporter's, turn about.

Ours is everything from the tick to the committed history: request, exchange, redaction, verdict, window, metrics,
log. Theirs is what Prometheus causes by asking for /probe. A bare TLS exchange in blocking Python stands beside both:
what no Python program can do without.
"""

import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from benchmarks.figures import Part, Target, median
from benchmarks.stand import Stand, targets

ROUNDS: Final = 15
PROBES: Final = 120
MOST: Final = {"plain": 1.3, "tls": 1.0}


def _bare(url: str, trust: ssl.SSLContext | None, probes: int) -> float:
    """One connection, one request, one answer, closed: no HTTP library, no loop, nothing looked at."""
    to = urlsplit(url)
    assert to.hostname is not None
    asked = f"POST {to.path}/chat/completions HTTP/1.1\r\nHost: {to.netloc}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    before = time.process_time()
    for _ in range(probes):
        connection = socket.create_connection((to.hostname, to.port or 0))
        if trust is not None:
            connection = trust.wrap_socket(connection, server_hostname=to.hostname)
        connection.sendall(asked)
        connection.recv(65536)
        connection.close()
    return (time.process_time() - before) / probes


def measure(stand: Stand, *, rounds: int = ROUNDS) -> Part:
    blackbox = stand.blackbox()
    probers = {tls: stand.prober(f"cost-{tls}", tls, targets(3), cadence="1h", timeout="5s") for tls in MOST}
    trust = ssl.create_default_context(cafile=stand.certificates.ca_file)
    took: dict[tuple[str, str], list[float]] = {(tls, who): [] for tls in MOST for who in ("ours", "theirs", "bare")}
    for turn in range(rounds + 1):
        for tls in MOST:
            url = stand.upstream.urls[tls]
            ours = probers[tls].sequence(PROBES)
            before = blackbox.cpu_s()
            for number in range(PROBES):
                blackbox.probe(url, f"c{number}")
            theirs = (blackbox.cpu_s() - before) / PROBES
            bare = _bare(url, trust if tls == "tls" else None, PROBES)
            if turn:  # the first warms up
                for who, seconds in (("ours", ours), ("theirs", theirs), ("bare", bare)):
                    took[tls, who].append(seconds * 1e6)
    ratios = {
        tls: median([ours / theirs for ours, theirs in zip(took[tls, "ours"], took[tls, "theirs"], strict=True)])
        for tls in MOST
    }
    return Part(
        name="cost",
        says="Processor time of one probe in microseconds, fresh connections, medians of alternating runs",
        targets=tuple(
            Target(f"whole pipeline beside blackbox_exporter, {_words(tls)}", ratios[tls], most, "x")
            for tls, most in MOST.items()
        ),
        headings=("connection", "freezeframe, whole pipeline", "blackbox_exporter", "ratio", "bare exchange in Python"),
        rows=tuple(
            (
                _words(tls),
                *(median(took[tls, who]) for who in ("ours", "theirs")),
                ratios[tls],
                median(took[tls, "bare"]),
            )
            for tls in MOST
        ),
        notes=(f"{ssl.OPENSSL_VERSION}; {rounds} runs of {PROBES} probes each",),
    )


def _words(tls: str) -> str:
    return "TLS" if tls == "tls" else "plain"
