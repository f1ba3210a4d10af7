"""What providers really said, damaged by the dice, over a real socket: always a verdict, soon, in little memory."""

import asyncio
import random
import time
import tracemalloc
from collections import Counter

from pydantic import SecretStr

from chaos.corpora import damaged, replies
from probe.classify import Expectation, classify
from probe.client import Auth, Client, Network
from probe.records import REASONS, ProbeRequest, RequestKind
from probe.redact import Policy, Redactor

KEY = "sk-fake-fuzzed-0123456789"
ANSWERS = 400
AT_ONCE = 8
TIMEOUT_S = 1.0
MOST_S = TIMEOUT_S + 2.0
MOST_BYTES = 64 << 20


def _ask(port: int, number: int) -> ProbeRequest:
    return ProbeRequest(
        probe_id=f"p-{number}",
        target="fuzzed",
        kind=RequestKind.SCHEDULED,
        method="POST",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        headers=(("Content-Type", "application/json"), ("Authorization", "Bearer <REDACTED>")),
        body='{"model":"fake"}',
        model="fake",
        stream=number % 3 == 0,
        client_request_id=f"c-{number}",
    )


async def _all(known: list[bytes], chance: random.Random) -> Counter[str]:
    answers = iter([damaged(known, chance) for _ in range(ANSWERS)])

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client, redactor = Client(Network()), Redactor([SecretStr(KEY)], (), Policy(), b"k" * 32)
    found: Counter[str] = Counter()

    async def probe(number: int) -> None:
        began_s = time.monotonic()
        auth = Auth("Authorization", SecretStr(f"Bearer {KEY}"))
        seen = await client.send(_ask(port, number), auth, timeout_s=TIMEOUT_S, reuse=False)
        sealed = redactor.seal(seen)
        judged = classify(sealed.value, Expectation())
        assert judged.reason in REASONS[judged.verdict]
        assert KEY not in repr(sealed)
        assert time.monotonic() - began_s < MOST_S
        found[judged.verdict] += 1

    for first in range(0, ANSWERS, AT_ONCE):
        await asyncio.gather(*(probe(number) for number in range(first, first + AT_ONCE)))
    await client.aclose()
    server.close()
    await server.wait_closed()
    return found


def test_every_damaged_answer_becomes_one_verdict_soon_and_in_little_memory() -> None:
    known = replies()
    tracemalloc.start()
    try:
        found = asyncio.run(_all(known, random.Random(8)))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.total() == ANSWERS
    assert len(found) >= 4, "damage leads to more than one verdict"
    assert most < MOST_BYTES
