"""The provider: a chat API on loopback that counts every paid request by its probe's ID, and behaves as it is told."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chaos import corpora
from tests.servers.raw import COMPLETION
from tests.servers.served import Handler, origin, served

_PREFIX = "freezeframe-"
_EVENTS = (
    {"delta": {"role": "assistant", "content": "po"}, "finish_reason": None},
    {"delta": {"content": "ng"}, "finish_reason": None},
    {"delta": {}, "finish_reason": "stop"},
)
STREAM = (
    b"".join(
        b"data: "
        + json.dumps(
            {"id": "c", "object": "chat.completion.chunk", "model": "fake", "choices": [{"index": 0, **it}]}
        ).encode()
        + b"\n\n"
        for it in _EVENTS
    )
    + b"data: [DONE]\n\n"
)


class Mood(StrEnum):
    """How the provider answers a model."""

    GOOD = "good"
    DOWN = "down"  # 503
    AUTH = "auth"  # 401, and it says the key back
    HANG = "hang"  # no answer
    RESET = "reset"  # it hangs up
    FLAP = "flap"  # good or down, by the dice
    FUZZ = "fuzz"  # bytes of the corpora, damaged


@dataclass(frozen=True)
class Arrival:
    """One paid request as it arrived, by the clock of the machine."""

    at: float
    probe: str
    model: str


@dataclass
class Gateway:
    """Runs; `arrivals` holds every paid request, the unanswered ones too. The dice are this thing's own."""

    chance: random.Random
    base_url: str = ""
    moods: dict[str, Mood] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    wrong_keys: int = 0
    key: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    damaged: list[bytes] = field(default_factory=corpora.replies)

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix("/v1")

    def take(self, model: str, probe: str) -> tuple[Mood, float]:
        """Count a request; how it is answered, and a number of the dice for it."""
        with self.lock:
            mood, number = self.moods.get(model, Mood.GOOD), self.chance.random()
            if mood is Mood.FLAP:
                mood = Mood.DOWN if number < 0.5 else Mood.GOOD
            self.arrivals.append(Arrival(time.time(), probe, model))
            return mood, number


class _Handler(Handler):
    gateway: Gateway

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that was killed
            super().handle()

    def do_POST(self) -> None:  # noqa: N802 - the standard library calls it so
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        probe = self.headers.get("x-client-request-id", "").removeprefix(_PREFIX)
        key = self.headers["authorization"].removeprefix("Bearer ")
        self.gateway.wrong_keys += key != self.gateway.key
        mood, number = self.gateway.take(asked["model"], probe)
        match mood:
            case Mood.GOOD if asked.get("stream"):
                self.say(200, STREAM, "text/event-stream")
            case Mood.GOOD:
                self.say(200, COMPLETION)
            case Mood.AUTH:
                self.say(401, _error(f"Incorrect API key provided: {key}", "invalid_request_error"))
            case Mood.HANG:
                with contextlib.suppress(OSError):
                    self.connection.settimeout(10)
                    self.connection.recv(1)  # until the client is gone
                self.close_connection = True
            case Mood.RESET:
                self.close_connection = True
            case Mood.FUZZ:
                raw = corpora.damaged(self.gateway.damaged, random.Random(number))
                with contextlib.suppress(OSError):
                    self.wfile.write(raw)
                self.close_connection = True
            case _:
                self.say(503, _error("The upstream is overloaded", "server_error"))

    def do_GET(self) -> None:  # noqa: N802 - what the controls ask
        self.say(200, b"here\n", "text/plain")


def _error(message: str, kind: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "code": "x"}}).encode()


@contextlib.contextmanager
def gateway(key: str, chance: random.Random, moods: Mapping[str, Mood]) -> Iterator[Gateway]:
    running = Gateway(chance, key=key, moods=dict(moods))
    with served(type("_Answering", (_Handler,), {"gateway": running})) as server:
        running.base_url = f"{origin(server)}/v1"
        yield running
