"""`classify` and `redact` read a browser's HAR as they read lines; told apart by content, from a file or a pipe."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import call, refused

KEY = "sk-fake-Zx81kQ0mPl27vR9tB4nE6yUw"
EMAIL = "jane.doe@customer.example"
ASKED = json.dumps({"model": "example-small", "messages": [{"role": "user", "content": f"write to {EMAIL}"}]})
LINE = {"id": "x-1", "provider": "p", "kind": "http", "status": 503, "headers": {}, "body": "", "exception": None}


def entry(status: int, body: str, method: str = "POST", **response: Any) -> dict[str, Any]:
    content = {"size": len(body), "mimeType": "application/json", "text": body}
    return {
        "startedDateTime": "2026-11-24T03:00:00.123Z",
        "time": 480.5,
        "request": {
            "method": method,
            "url": f"https://api.example.test/v1/chat/completions?key={KEY}",
            "headers": [{"name": "authorization", "value": f"Bearer {KEY}"}],
            "cookies": [{"name": "session", "value": KEY}],
            **({"postData": {"mimeType": "application/json", "text": ASKED}} if method == "POST" else {}),
        },
        "response": {"status": status, "headers": [{"name": "set-cookie", "value": KEY}], "content": content}
        | response,
        "timings": {"send": 1, "wait": 400, "receive": 5},
    }


ENTRIES = [
    entry(503, json.dumps({"error": {"message": f"overloaded, {EMAIL}", "type": "server_error"}})),
    entry(200, "GIF", method="GET"),
    entry(0, "", _error="net::ERR_CONNECTION_REFUSED"),
]
HAR = {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": ENTRIES}}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(HAR).encode(),
        json.dumps(HAR, indent=2).encode(),
        b"\xef\xbb\xbf\r\n" + json.dumps(HAR, indent=2).encode() + b"\n\n",
        json.dumps({"comment": "kept", **HAR}, indent=2).encode(),
    ],
    ids=["one line", "many lines", "byte order mark", "a field before log"],
)
def test_a_har_is_read_however_it_is_written(written: bytes) -> None:
    ran = call("classify", "-", stdin=written)
    assert ran.returncode == 0, ran.stderr
    assert [(line["id"], line["label"], line["reason"]) for line in lines(ran.stdout)] == [
        ("1:api.example.test/v1/chat/completions", "degradation", "upstream_overloaded"),
        ("3:api.example.test/v1/chat/completions", "degradation", "connect_refused"),
    ]
    assert ran.stderr == (
        "freezeframe: -: entries read: 2; passed over: 1 (neither failed nor are they calls to a chat API; --all takes "
        "them)\n"
    )
    assert EMAIL not in ran.stdout


def test_all_entries_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "saved.txt").write_text(json.dumps(HAR))
    ran = call("classify", tmp_path / "saved.txt", "--all")
    assert ([line["id"][:2] for line in lines(ran.stdout)], ran.stderr) == (["1:", "2:", "3:"], "")


def test_a_redacted_har_holds_none_of_its_secrets_in_any_output(tmp_path: Path) -> None:
    (tmp_path / "call.har").write_text(json.dumps(HAR))
    ran = call("redact", tmp_path / "call.har")
    assert ran.returncode == 0, ran.stderr
    first, second = lines(ran.stdout)
    assert first.keys() == {"id", "output", "report"}
    assert "overloaded" in first["output"]["response"]["body"]
    assert second["output"]["error"] == "net::ERR_CONNECTION_REFUSED"
    for secret in (KEY, EMAIL):
        assert secret not in ran.stdout + ran.stderr


@pytest.mark.parametrize("command", ["classify", "redact"])
@pytest.mark.parametrize(
    ("written", "named"),
    [
        (json.dumps(HAR)[:-40], "har: line 1, column "),
        (json.dumps(HAR, indent=2)[:-40], "har: line "),
        (json.dumps({"log": {"entries": KEY}}), "har: log.entries: expected a list, found str"),
        (json.dumps({"log": {"entries": [{"request": KEY}]}}), "har: log.entries[0].request: expected an object"),
        ("{\n}", "har: log.entries: expected a list, found nothing"),
        (f'{{"log": {KEY}', "har: line 1, column "),
        (f'{{"id": {KEY}', "line 1: expected one JSON object a line"),
    ],
)
def test_a_broken_har_is_one_clear_line_without_its_content(command: str, written: str, named: str) -> None:
    ran = call(command, "-", stdin=written.encode())
    refused(ran, named)
    assert KEY not in ran.stderr


def test_a_har_is_bounded(tmp_path: Path) -> None:
    with (tmp_path / "big.har").open("wb") as file:
        file.write(b'{"log": {\n')
        file.truncate(65 << 20)
    refused(call("classify", tmp_path / "big.har"), "har: expected at most 64 MiB, found more")


def test_lines_are_read_as_lines_also_after_blank_ones() -> None:
    written = b"\n \n" + b"\n".join(json.dumps(LINE | {"id": name}).encode() for name in ("a", "b"))
    ran = call("classify", "-", stdin=written)
    assert ([line["id"] for line in lines(ran.stdout)], ran.stderr) == (["a", "b"], "")
    ran = call("classify", "-", stdin=written + b"\nbroken")
    assert ran.returncode == 2
    assert "line 5" in ran.stderr
    assert call("classify", "-", stdin=b"\n").stdout == ""


def test_the_words_that_decided_a_line_are_quoted_without_its_secrets() -> None:
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY} of {EMAIL}.", "type": "auth_error"}})
    ran = call("classify", "-", stdin=json.dumps(LINE | {"status": 401, "body": body}).encode())
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert told["label"] == "auth_or_account"
    assert "Incorrect API key provided" in told["words"]
    assert KEY[-16:] not in ran.stdout
    assert EMAIL not in ran.stdout
