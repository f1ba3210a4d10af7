"""A chat API on loopback, one thread for each request, whose answers a function of the test decides."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.servers.raw import COMPLETION
from tests.servers.served import Handler, origin, served


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `number` counts those for its model, from 1."""

    model: str
    key: str
    number: int


@dataclass(frozen=True)
class Said:
    status: int
    body: bytes


GOOD = Said(200, COMPLETION)
Answer = Callable[[Asked], Said]


def error(status: int, message: str, type_: str, code: str) -> Said:
    return Said(status, json.dumps({"error": {"message": message, "type": type_, "code": code}}).encode())


@dataclass
class ChatServer:
    """Runs; `asked` holds every request in the order of arrival, the unanswered ones too."""

    base_url: str
    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    arriving: threading.Lock = field(default_factory=threading.Lock)

    def count(self, model: str) -> int:
        return sum(asked.model == model for asked in tuple(self.asked))

    def arrived(self, model: str, key: str) -> Asked:
        with self.arriving:
            asked = Asked(model, key, self.count(model) + 1)
            self.asked.append(asked)
            return asked


class _Handler(Handler):
    chat: ChatServer

    def do_POST(self) -> None:  # noqa: N802 - the standard library calls it so
        model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
        said = self.chat.answer(self.chat.arrived(model, self.headers["authorization"].removeprefix("Bearer ")))
        self.say(said.status, said.body)


@contextlib.contextmanager
def chat(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[ChatServer]:
    """The server, until the block ends. `answer` runs on the request's own thread and may take its time."""
    with served(_Handler, tls) as server:
        running = ChatServer(f"{origin(server)}/v1", answer)
        server.RequestHandlerClass = type("_Answering", (_Handler,), {"chat": running})
        yield running
