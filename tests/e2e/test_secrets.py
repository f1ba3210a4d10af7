"""No configured secret is left anywhere, in any encoding, even when the server echoes it in all of them."""

import base64
import html
import io
import json
import threading
import urllib.parse
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers.freezeframe import Freezeframe, Start
from tests.servers.secrets import command_lines, encodings, leaks

pytestmark = pytest.mark.real

KEY = 'sk-fake-Qz7/w+echo"=&9Lm'  # has what JSON, URLs and HTML each write in their own way
MARK = "the-echo-begins-here"


class _Echo(BaseHTTPRequestHandler):
    """Says the key that it was given, in a header and a body, in the encoding that the model asks for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers["authorization"].removeprefix("Bearer ")
        forms = {
            "plain": key,
            "percent": urllib.parse.quote(key, safe=""),
            "base64": base64.b64encode(key.encode()).decode(),
            "bearer-base64": base64.b64encode(f"Bearer {key}".encode()).decode(),
        }
        model = asked["model"]
        if model == "page":
            body = f"<html><body>{MARK} {html.escape(key)}</body></html>".encode()
            kind = "text/html"
        else:
            said = {"message": f"{MARK}: Incorrect API key provided: {forms[model]}", "type": "invalid_request_error"}
            body, kind = (
                json.dumps({"error": said, "echo": {forms[model]: [forms[model]]}}).encode(),
                "application/json",
            )
        self.send_response(401 if model == "plain" else 500)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", f"req-{forms.get(model, key)}")
        self.send_header("x-echo", forms.get(model, key))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log of the test is not under test."""


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


MODELS = ("plain", "percent", "base64", "bearer-base64", "page")


def test_the_search_itself_finds_each_encoding() -> None:
    """A check that cannot fail proves nothing."""
    for how, encoded in encodings(KEY).items():
        assert leaks(KEY, "x", b"before " + encoded + b" after"), how
    for text in (f"Bearer {KEY}", f"x{KEY}", f"xy{KEY}!"):
        assert leaks(KEY, "x", base64.b64encode(text.encode())), text
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", KEY)
    assert "x/inner: plain" in leaks(KEY, "x", zipped.getvalue())
    assert not leaks(KEY, "x", b"nothing of it")


def test_no_secret_is_left_where_a_server_echoes_it_everywhere(echo: str, freezeframe: Start) -> None:
    """Files, log, metrics, pages and the process list of a run in which every target trips."""
    targets = [{"name": model, "model": model, "credential": "team"} for model in MODELS]
    probe = freezeframe("echo", echo, targets, {"team": KEY})
    packets = {model: probe.first_packet(model) for model in MODELS}
    assert not leaks(KEY, "process list", command_lines())

    seen = {
        path: probe.get(path, accept) for path, accept in everywhere(probe, [p.listed["id"] for p in packets.values()])
    }
    probe.stop()
    files = {
        str(file.relative_to(probe.folder)): file.read_bytes()
        for file in probe.folder.rglob("*")
        if file.is_file() and file != probe.process.log
    }
    files["stdout and stderr"] = probe.process.log.read_bytes()
    found = [leak for name, data in (seen | files).items() for leak in leaks(KEY, name, data)]
    assert not found

    # What stood around the secret is still there, so the echo did reach the packets and was cut out of them.
    for model, packet in packets.items():
        assert MARK in (packet.folder / "exchange.har").read_text(), model
    assert any(name.startswith("packets/") for name in files)


def everywhere(probe: Freezeframe, packet_ids: list[str]) -> list[tuple[str, str]]:
    """Every page and file that the exporter serves, by path and Accept."""
    paths = ["/", "/metrics", "/packets", *(f"/packets/{packet}" for packet in packet_ids)]
    files = ("summary.md", "packet.html", "packet.json", "exchange.har", "repro.sh", "history.jsonl", "redaction.json")
    both = [(path, accept) for path in paths for accept in ("text/html", "application/json")]
    return both + [(f"/packets/{packet}/files/{name}", "*/*") for packet in packet_ids for name in files]
