"""What providers really said, as bytes on the wire, and the same damaged. Pure, but for reading the corpora."""

import json
import random
from pathlib import Path

from tests.servers.raw import COMPLETION, answer

CORPUS = Path(__file__).parent.parent / "tests/corpus"
MOST_BYTES = 256 * 1024


def replies() -> list[bytes]:
    """Every recorded reply of the corpora, whole, as a server sends it; and a good one."""
    found = [answer(COMPLETION)]
    for name in ("exchanges.jsonl", "elsewhere.jsonl"):
        for line in (CORPUS / name).read_text().splitlines():
            exchange = json.loads(line)
            if exchange.get("status") and isinstance(exchange.get("body"), str):
                found.append(_wire(exchange))
    return found


def _wire(exchange: dict[str, object]) -> bytes:
    body = str(exchange["body"]).encode("utf-8", "replace")
    headers = exchange.get("headers")
    assert isinstance(headers, dict)
    kept = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "connection")}
    lines = [f"HTTP/1.1 {exchange['status']} X", *(f"{name}: {value}" for name, value in kept.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("utf-8", "replace") + body


def damaged(known: list[bytes], chance: random.Random) -> bytes:
    """One of them after one to four kinds of damage."""
    raw = chance.choice(known)
    for _ in range(chance.randint(1, 4)):
        raw = chance.choice(_DAMAGE)(raw, chance, known)[:MOST_BYTES]
    return raw


def _flipped(raw: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    changed = bytearray(raw)
    for _number in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(raw: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _without(raw: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at + chance.randint(1, 40) :]


def _repeated(raw: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at : at + 200] * chance.randint(2, 50) + raw[at:]


def _grafted(raw: bytes, chance: random.Random, known: list[bytes]) -> bytes:
    """The head of one before the body of another."""
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + chance.choice(known).partition(b"\r\n\r\n")[2]


def _planted(raw: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(_NASTY) + raw[at:]


_NASTY = (
    b"\0",
    b"\r\n\r\n",
    b"\r\nTransfer-Encoding: chunked\r\n",
    b"\r\nContent-Encoding: gzip\r\n",
    b"\r\nContent-Length: 99999999999999999999\r\n",
    b"\xff\xfe\xed\xa0\x80",
    b"[" * 5000,
    b'{"a":' * 2000,
    b"1e999999",
    b"data: [DONE]\n\n",
    "\u2028\u202e\ufeff".encode(),
    b"-" * 20_000,
)
_DAMAGE = (_flipped, _cut, _without, _repeated, _grafted, _planted)
