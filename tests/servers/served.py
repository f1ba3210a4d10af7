"""An HTTP server on loopback, one thread for each request, whose answers its handler decides."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers whole and quietly: what arrived is for the test to remember."""

    protocol_version = "HTTP/1.1"

    def say(self, status: int, body: bytes, media: str = "application/json") -> None:
        with contextlib.suppress(OSError):  # a client that waited no longer, or has read enough
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # fifty targets may knock in one moment


@contextlib.contextmanager
def served(handler: type[Handler], tls: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    """The server, until the block ends; its handler may still be replaced by one that knows the test."""
    server = _Server(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def origin(server: ThreadingHTTPServer) -> str:
    scheme = "https" if isinstance(server.socket, ssl.SSLSocket) else "http"
    return f"{scheme}://127.0.0.1:{server.server_address[1]}"
