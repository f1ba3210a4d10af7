"""Two different faults give two different packets, and what they say traces to what was on the wire."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.servers.freezeframe import OWNER, Start

pytestmark = pytest.mark.real

KEY = "sk-fake-two-faults"
FAULTS = {
    "overloaded": (503, "The upstream for this model is saturated", "server_error", "upstream_overloaded"),
    "broke": (429, "Your account balance is exhausted", "insufficient_quota", "insufficient_quota"),
}
FROM_THE_WIRE = ("Incident title", "First observed", "Last reproduced", "Request body", "Observed behavior", "Scope")
FROM_CONFIGURATION = ("doc source", "Support source", "Endpoint path", "Auth format", "Follow-up owner")


class _Faulty(BaseHTTPRequestHandler):
    """Fails by model, and keeps what it received and sent: the truth that the packets are held to."""

    protocol_version = "HTTP/1.1"
    exchanges: dict[str, list[dict[str, Any]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        model = json.loads(body)["model"]
        status, message, type_, code = FAULTS[model]
        known = self.exchanges[model]
        request_id = f"req-{model}-{len(known):04d}"
        known.append({"id": request_id, "body": body})
        reply = json.dumps({"error": {"message": message, "type": type_, "code": code}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.send_header("x-request-id", request_id)
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what it did is in `exchanges`."""


@pytest.fixture
def faulty() -> Iterator[tuple[str, dict[str, list[dict[str, Any]]]]]:
    exchanges: dict[str, list[dict[str, Any]]] = {model: [] for model in FAULTS}
    handler = type("_Handler", (_Faulty,), {"exchanges": exchanges})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", exchanges
        server.shutdown()
        thread.join()


def template(folder: Path) -> dict[str, str]:
    """The rows of the template in summary.md: field and operator entry."""
    lines = (folder / "summary.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ", 1)] for line in lines if line.startswith("| ")]
    fields = {row[0]: row[1] for row in rows if len(row) == 2}
    begin = list(fields).index("Incident title")
    return dict(list(fields.items())[begin : begin + 14])


def test_every_row_that_is_not_configured_differs_and_traces_to_the_wire(
    faulty: tuple[str, dict[str, list[dict[str, Any]]]], freezeframe: Start
) -> None:
    base_url, exchanges = faulty
    targets = [{"name": model, "model": model, "credential": "team"} for model in FAULTS]
    probe = freezeframe("two-faults", base_url, targets, {"team": KEY})
    packets = {model: probe.first_packet(model) for model in FAULTS}
    probe.stop()
    rows = {model: template(packet.folder) for model, packet in packets.items()}
    first, second = (rows[model] for model in FAULTS)

    assert len(first) == len(second) == 14
    assert [field for field in FROM_THE_WIRE if first[field] == second[field]] == []
    stated = {field for field in first if field.endswith(FROM_CONFIGURATION)}
    assert len(stated) == len(FROM_CONFIGURATION)
    assert all(first[field] == second[field] for field in stated)
    assert OWNER in first["Follow-up owner"]

    for model, (status, message, type_, code) in FAULTS.items():
        observed, sent = rows[model]["Observed behavior"], exchanges[model]
        assert str(status) in observed
        assert message in observed
        assert code in observed or type_ in observed
        assert sent[0]["body"].replace("|", "\\|") in rows[model]["Request body"]
        attempts = packets[model].document["happened"]["attempts"]
        claimed = [found["value"] for attempt in attempts for found in attempt["request_ids"]]
        assert claimed
        # In the order of the wire; what a sibling's trip asked in between is no attempt of this packet.
        assert claimed == [entry["id"] for entry in sent if entry["id"] in claimed]
        summary = (packets[model].folder / "summary.md").read_text()
        assert all(found in summary for found in claimed)
        assert rows[model]["First observed"] == attempts[0]["started_at"]
        assert rows[model]["Last reproduced"] == attempts[-1]["started_at"]
