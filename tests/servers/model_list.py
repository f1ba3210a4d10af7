"""A public list of models on loopback, in CometAPI's documented form; a key that comes along is remembered."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ListServer:
    """Runs. `models` is what is listed now; None: the list is broken."""

    url: str
    models: list[str] | None
    looks: int = 0
    keys: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    list: ListServer

    def do_GET(self) -> None:
        self.list.looks += 1
        self.list.keys += self.headers.get_all("authorization") or []
        models = self.list.models
        rows = [{"id": model, "code": model.replace(".", "-")} for model in models or ()]
        said = {"success": True, "page": 0, "page_size": 0, "total": len(rows), "data": rows}
        body = b"<html>maintenance</html>" if models is None else json.dumps(said).encode()
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what was asked is counted."""


@contextlib.contextmanager
def model_list(models: list[str]) -> Iterator[ListServer]:
    """The server, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running = ListServer(f"http://127.0.0.1:{server.server_address[1]}/api/models", models)
    server.RequestHandlerClass = type("_Answering", (_Handler,), {"list": running})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
