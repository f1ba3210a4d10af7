"""aimock from npm: a mock of the OpenAI API that breaks on demand, with API keys, metrics and a count of its own."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers import CACHE, Process, free_port, get

KEY = "sk-fake-aimock-good"
QUOTA_MESSAGE = "You exceeded your current quota, please check your plan and billing details."
OVERLOADED_MESSAGE = "The engine is currently overloaded, please try again later"


def _error(status: int, message: str, type_: str, code: str | None = None) -> dict[str, object]:
    error = {"message": message, "type": type_} | ({} if code is None else {"code": code})
    return {"response": {"error": error, "status": status}}


_LONG = {"content": "one two three four five six seven eight nine ten"}
_MODELS: dict[str, dict[str, object]] = {
    "pong": {"response": {"content": "pong"}},
    "limited": _error(429, "Rate limit reached", "rate_limit_error", "rate_limit_exceeded"),
    "quota": _error(429, QUOTA_MESSAGE, "insufficient_quota", "insufficient_quota"),
    "overloaded": _error(503, OVERLOADED_MESSAGE, "server_error"),
    # Without a latency the socket dies before its first byte; with one the cut comes in the middle of the stream.
    "cut": {"response": _LONG, "chunkSize": 4, "truncateAfterChunks": 3, "latency": 30},
    "slow-first-token": {"response": {"content": "pong"}, "streamingProfile": {"ttft": 600, "tps": 100, "jitter": 0}},
    "malformed": {"response": {"content": "x"}, "chaos": {"malformedRate": 1.0}},
    "hang-up": {"response": {"content": "x"}, "chaos": {"disconnectRate": 1.0}},
}


def start(
    folder: Path,
    *,
    port: int | None = None,
    models: Mapping[str, Mapping[str, object]] = _MODELS,
    keys: Sequence[str] = (KEY,),
) -> tuple[Process, str]:
    """The running server and its origin; the API is under /v1. It knows these models and keys and no others."""
    fixtures = folder / "fixtures"
    fixtures.mkdir(exist_ok=True)
    rows = [{"match": {"model": name}, **behaviour} for name, behaviour in models.items()]
    (fixtures / "models.json").write_text(json.dumps({"fixtures": rows}))
    port = port or free_port()
    process = Process.start(
        "aimock",
        folder,
        [
            *(CACHE / "aimock/node_modules/.bin/llmock", "-h", "127.0.0.1", "-p", str(port)),
            *("-f", fixtures, "--metrics", "--strict", "--log-level", "warn"),
        ],
        {"AIMOCK_API_KEYS": ",".join(keys)},
    )
    process.wait_until_answering(f"http://127.0.0.1:{port}/health", 30)
    return process, f"http://127.0.0.1:{port}"


def chat_requests(origin: str) -> int:
    """How many chat requests it received by its own count, refused and broken ones included."""
    text = get(f"{origin}/metrics").decode()
    counts = re.findall(r'^aimock_requests_total\{[^}]*path="/v1/chat/completions"[^}]*\} (\d+)$', text, re.MULTILINE)
    return sum(int(count) for count in counts)
