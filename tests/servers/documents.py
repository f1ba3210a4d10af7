"""Documents on a loopback port that change while others read them. Every value is fake."""

import contextlib
from dataclasses import dataclass, field
from typing import Any, Self

from tests.servers.freezeframe import READ_AT, contract
from tests.servers.served import Handler, origin, served

__all__ = ["CHAT", "READ_AT", "Documents"]

CHAT = """\
# Chat
The base URL is {origin}/v1, and a chat completion is `POST /v1/chat/completions`.
Send `Authorization: Bearer <key>`. Fields: `model`, `messages`.
An answer has `id`, `object` and `choices`, each with a `message`. A stream of `choices` ends with `data: [DONE]`.
"""
ERRORS = """\
# Errors
An error is `{{"error": {{"message": "no (request id: x)", "type": "fake"}}}}`, its ID in `X-Request-Id`.
"""
HELP = "# Help\nWrite to support@example.test.\n"


class _Handler(Handler):
    documents: "Documents"

    def do_GET(self) -> None:  # noqa: N802 - the standard library calls it so
        self.documents.asked.append(self.path)
        status, media, body = self.documents.pages.get(self.path, (404, "text/plain", b"no such page"))
        self.say(status, body, media)


@dataclass
class Documents:
    """`pages` by path: status, content type, body. `asked` are the paths in order."""

    pages: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def write(self, name: str, text: str) -> None:
        self.pages[f"/{name}.md"] = (200, "text/markdown; charset=utf-8", text.encode())

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}.md"

    def contract(self, base_url: str | None = None) -> dict[str, Any]:
        """A contract that states what stands in these documents."""
        return contract(base_url or f"{self.origin}/v1", self.url)

    def __enter__(self) -> Self:
        server = self.running.enter_context(served(_Handler))
        server.RequestHandlerClass = type("_Answering", (_Handler,), {"documents": self})
        self.origin = origin(server)
        for name, text in (("chat", CHAT), ("errors", ERRORS), ("help", HELP)):
            self.write(name, text.format(origin=self.origin))
        return self

    def __exit__(self, *_: object) -> None:
        self.running.close()
