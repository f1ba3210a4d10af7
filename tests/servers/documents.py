"""Documents on a loopback port that change while others read them. Every value is fake."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

READ_AT = "2026-11-20T09:00:00Z"
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


@dataclass
class Documents:
    """`pages` by path: status, content type, body. `asked` are the paths in order."""

    pages: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        documents = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents.asked.append(self.path)
                status, kind, body = documents.pages.get(self.path, (404, "text/plain", b"no such page"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        for name, text in (("chat", CHAT), ("errors", ERRORS), ("help", HELP)):
            self.write(name, text.format(origin=self.origin))

    def write(self, name: str, text: str) -> None:
        self.pages[f"/{name}.md"] = (200, "text/markdown; charset=utf-8", text.encode())

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}.md"

    def contract(self, base_url: str | None = None) -> dict[str, Any]:
        """A contract that states what stands in these documents."""

        def stated(value: object, page: str = "chat") -> dict[str, Any]:
            return {"value": value, "source": self.url(page), "accessed": READ_AT}

        def shape(page: str = "chat", **more: object) -> dict[str, Any]:
            return {"source": self.url(page), "accessed": READ_AT, **more}

        choices = {"type": "array", "items": {"type": "object", "required": ["message"]}}
        error = {"type": "object", "required": ["message", "type"]}
        return {
            "provider": "example-gateway",
            "values": {
                "base_url": stated(base_url or f"{self.origin}/v1"),
                "chat_path": stated("/chat/completions"),
                "auth": stated({"header": "Authorization", "format": "Bearer {key}"}),
                "request_id": stated({"headers": ["x-request-id"], "text": "request id: {id}"}, "errors"),
            },
            "request": shape(schema={"type": "object", "required": ["model", "messages"]}),
            "response": shape(
                schema={
                    "type": "object",
                    "required": ["id", "object", "choices"],
                    "properties": {"choices": choices},
                }
            ),
            "stream_chunk": shape(schema={"type": "object", "required": ["choices"]}, terminal="[DONE]"),
            "error": shape("errors", schema={"type": "object", "required": ["error"], "properties": {"error": error}}),
            "routes": {
                "help_center": stated(self.url("help"), "help"),
                "support": stated("mailto:support@example.test", "help"),
            },
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
