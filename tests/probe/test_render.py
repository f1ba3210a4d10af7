"""The files of a packet: readable by people and tools alike, safe to open, and checkable without this program."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

from probe import render
from probe.contract import AuthShape, Sourced
from probe.packet import Case, Problem, draft, with_dropped
from probe.records import Fault, Json, Judgement, Phase, Reply, Sealed, Timings, Trigger, Verdict
from probe.records.sealed import _SEAL
from tests.probe.evidence import (
    SOURCE,
    case,
    contract,
    cut_off,
    good,
    missed,
    missing_choices,
    overloaded,
    request,
    target,
    tick,
)

OUTAGE = (good(1), good(2), overloaded(3), missed(4), overloaded(5), overloaded(6))
NAMES = {
    "exchange.har",
    "history.jsonl",
    "manifest.sha256",
    "packet.html",
    "packet.json",
    "redaction.json",
    "repro.sh",
    "summary.md",
}


def made(case: Case) -> dict[str, bytes]:
    return render.files(draft(case))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return made(case(*OUTAGE))


# ---------------------------------------------------------------- the files


def test_a_packet_has_these_files_and_the_manifest_names_all_others(files: dict[str, bytes]) -> None:
    assert files.keys() == NAMES
    lines = files["manifest.sha256"].decode().splitlines()
    assert lines == [
        f"{hashlib.sha256(files[name]).hexdigest()}  {name}" for name in sorted(NAMES - {"manifest.sha256"})
    ]


def test_packet_json_is_the_document_sorted(files: dict[str, bytes]) -> None:
    document = orjson.loads(files["packet.json"])
    assert document == draft(case(*OUTAGE))
    assert files["packet.json"] == render.json_bytes(document)
    assert list(document) == sorted(document)


def test_the_history_is_one_line_a_tick_with_our_own_lateness_beside_it(files: dict[str, bytes]) -> None:
    lines = [orjson.loads(line) for line in files["history.jsonl"].splitlines()]
    assert [line["probe_id"] for line in lines] == ["p0001", "p0002", "p0003", "p0004", "p0005", "p0006"]
    assert lines[2] | {"status": 503, "lateness_s": 0.004, "loop_lag_s": 0.002, "total_s": 0.403} == lines[2]
    assert lines[3]["verdict"] == "missed"
    assert lines[3]["total_s"] is None


def test_the_message_comes_first_and_its_first_screen_holds_what_support_asks_for(files: dict[str, bytes]) -> None:
    """Request ID, endpoint, model, timestamp, request shape, expected and actual, within 25 lines."""
    before, _, after = files["summary.md"].decode().partition("## Every failing attempt")
    lines = before.splitlines()
    assert len(lines) < 25
    assert lines[2].startswith("We observed a reproducible chat API issue at ")
    for wanted in (
        "- Request ID: `20261124030006gJBlzjtp` (header x-example-request-id, error text), the newest; 3 of 3",
        "- Endpoint: POST https://api.example.test/v1/chat/completions",
        "- Model: asked `example-small`, answered not known",
        "- Timestamp (UTC): first 2026-11-24T03:01:30.127Z, last 2026-11-24T03:03:00.127Z",
        '- Request shape: `{"model": "example-small"',
        "Expected behavior: ",
        "Observed behavior: 3 of 3 failing attempts: HTTP 503",
    ):
        assert any(line.startswith(wanted) for line in lines), wanted
    table = after.split("```")[1].splitlines()
    for number in (3, 5, 6):
        ids = (f"20261124030{number:03d}gJBlzjtp", f"8f{number:04d}-FRA", f"ours-{number:04d}", "503")
        assert any(all(wanted in line for wanted in ids) for line in table)
    assert sum("192.0.2.10:443" in line and "transfer" in line for line in table) == 3


def test_an_attempt_without_reply_shows_phase_and_bytes() -> None:
    summary = made(case(cut_off(3), cut_off(4), cut_off(5)))["summary.md"].decode()
    assert re.search(r"1 +2026-11-24T03:01:30.127Z +no reply +- +- +ours-0003", summary)
    assert re.search(
        r"1 +degradation/read_timeout +example-small +- +192.0.2.10:443 +request_sent +0 +25.000 s", summary
    )
    assert (
        "- Request ID: not known, the newest attempt carries none; our own client request ID is `ours-0005`" in summary
    )


def test_the_template_is_internal_and_support_does_not_get_it() -> None:
    document = draft(case(*OUTAGE, owner="zoe on-call", posts="/posts/42", earlier=("small-p0815",)))
    ours, theirs = render.files(document), render.files(document, audience="support")
    assert theirs.keys() == NAMES
    assert b"| Follow-up owner | zoe on-call;" in ours["summary.md"]
    assert ours["summary.md"].count(b"\n| ") == 2 + 14
    for secret in (b"zoe on-call", b"/posts/42", b"small-p0815", b"Follow-up owner"):
        assert secret in ours["packet.html"] + ours["summary.md"]
        assert not any(secret in content for content in theirs.values())


def test_what_is_documented_of_a_seen_status_stands_apart_from_the_disagreements(files: dict[str, bytes]) -> None:
    summary, page = files["summary.md"].decode(), files["packet.html"].decode()
    assert "## Expected and observed" not in summary
    assert "<h2>Expected and observed</h2>" not in page
    told = summary.partition("## What the documents say of the statuses seen\n\n")[2].splitlines()[0]
    assert told == (
        "- Status 503: `overloaded: retry with backoff` "
        "(read from a stored copy of https://docs.example.test/errors at 2026-11-20T09:00:00.000Z)"
    )
    assert "<tr><td>503</td><td>overloaded: retry with backoff</td><td><a href=" in page


def test_the_longest_silence_of_a_stream_is_shown_and_an_older_packet_knows_of_none() -> None:
    took = Timings(12.0, first_event_s=0.4, longest_gap_s=9.1)
    slow = tick(3, Judgement(Verdict.DEGRADATION, "slow", "slow"), reply=Reply(200, (), "", 0), timings=took)
    document = draft(case(slow))
    files = render.files(document)
    assert re.search(rb"total +longest silence\n", files["summary.md"])
    assert re.search(rb"12.000 s +9.100 s\n", files["summary.md"])
    assert b"longest silence between two events 9.100 s" in files["packet.html"]
    del document["expected"]["documented_statuses"]
    for seen in (document["subject"], *document["happened"]["attempts"]):
        del seen["longest_gap_s"]
    older = render.files(document)
    assert b"longest silence" not in older["summary.md"] + older["packet.html"]


def test_what_was_dropped_is_said(files: dict[str, bytes]) -> None:
    told = render.files(with_dropped(draft(case(*OUTAGE)), ("exchanges.p0003.reply.body",)))
    for name in ("summary.md", "packet.html", "redaction.json"):
        assert b"exchanges.p0003.reply.body" in told[name]
        assert b"exchanges.p0003.reply.body" not in files[name]


@pytest.mark.parametrize(
    "frozen",
    [
        case(missed(3), trigger=Trigger.MANUAL),
        case(good(1), good(2, kept=True), trigger=Trigger.MANUAL),
        case(good(1), missing_choices(3), impact=None, owner=None, posts=None, earlier=()),
        replace(case(*OUTAGE), history=()),
        case(*OUTAGE, target=target(contract=contract(routes={}, error_statuses=None, response=None), stream=True)),
    ],
    ids=["nothing recorded", "healthy", "nothing declared", "no history", "nothing documented"],
)
def test_every_kind_of_case_can_be_shown(frozen: Case) -> None:
    files = made(frozen)
    assert files.keys() == (NAMES if draft(frozen)["request"] else NAMES - {"repro.sh"})
    assert b"None" not in files["summary.md"].replace(b"None is recorded", b"")
    assert not re.search(rb"\bNone\b(?! is recorded)", files["packet.html"])
    assert render.verify(render.pack(files)) == ()


# ---------------------------------------------------------------- the page


class _Page(HTMLParser):
    """Collects tags and attributes; fails on what is never closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`}}{{ 7*7 }}\n```\n# heading | cell \u202e <!-- "


def _hostile() -> Case:
    failed = overloaded(3, HOSTILE)
    assert failed.sealed is not None
    reply = Reply(503, (("x-evil", HOSTILE), ("content-type", HOSTILE)), HOSTILE * 200, 9)
    finding = replace(
        missing_choices(3).judgement.findings[0], place=HOSTILE, observed=HOSTILE, source="javascript:alert(1)"
    )
    reading = replace(
        failed.reading,
        model_answered=HOSTILE,
        cf_ray=HOSTILE,
        request_ids=(replace(failed.reading.request_ids[0], value=HOSTILE),),
    )
    seen = replace(failed.sealed.value, reply=reply)
    judgement = replace(failed.judgement, findings=(finding,), words=HOSTILE)
    return case(replace(failed, sealed=Sealed(seen, (), _SEAL), reading=reading, judgement=judgement))


def test_the_page_runs_nothing_loads_nothing_and_escapes_everything() -> None:
    for frozen in (_hostile(), case(*OUTAGE), case(good(1), cut_off(2), cut_off(3), cut_off(4))):
        text = made(frozen)["packet.html"].decode()
        page = _Page()
        page.feed(text)
        assert page.open == []
        policy = {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}
        assert ("meta", policy) in page.tags
        for tag, attributes in page.tags:
            assert tag not in {"script", "img", "link", "iframe", "object", "embed", "form", "base"}
            assert not any(name.startswith("on") or name in {"src", "xlink:href"} for name in attributes)
            assert (attributes.get("href") or "https://").startswith("https://")
        assert "url(" not in text
        assert "@import" not in text


def test_hostile_words_leave_the_summary_s_structure_alone() -> None:
    summary = made(_hostile())["summary.md"].decode()
    assert [line for line in summary.splitlines() if line.startswith("```")] == ["```text", "```"]
    fenced = re.sub(r"```text\n.*?```", "", summary, flags=re.DOTALL)
    assert [line for line in fenced.splitlines() if line.startswith("# ")] == [summary.splitlines()[0]]
    assert "\u202e" not in summary
    rows = [line for line in summary.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)
    ours_alone = fenced.partition("## Internal")[0]
    assert "<script>" in ours_alone
    assert "<script>" not in re.sub(r"`[^`\n]*`", "", ours_alone), "only between backticks"


def test_the_timeline_marks_every_probe_and_rings_the_counted_ones() -> None:
    page = made(case(*OUTAGE))["packet.html"].decode()
    assert page.count('class="mark-ok"') == 2
    assert page.count('class="mark-failing"') == page.count('class="counted"') == 3
    assert page.count('class="mark-missed"') == 1
    assert "slow from" not in page, "the line would be far above every probe"
    assert "slow from 10 s" in made(case(good(1), cut_off(2)))["packet.html"].decode()
    ours = tick(2, Judgement(Verdict.PROBE_FAULT, "dns_failure", "dns"), fault=Fault("ConnectError", "no such name"))
    assert 'class="mark-ours"' in made(case(good(1), ours, overloaded(3)))["packet.html"].decode()


def test_the_waterfall_draws_what_broke_off_to_its_end_and_says_so() -> None:
    page = made(case(good(1), cut_off(2)))["packet.html"].decode()
    assert page.count('<rect class="unfinished"') == 1
    assert '<rect class="processing"' in page, "of the last good exchange"


# ---------------------------------------------------------------- HAR


def _object(required: str, **properties: Any) -> Json:
    return {"type": "object", "required": required.split(), "properties": properties}


_PAIRS = {"type": "array", "items": _object("name value", name={"type": "string"}, value={"type": "string"})}
_WHOLE = {"type": "integer", "minimum": -1}
_SPENT = {"type": "number", "minimum": 0}
_MS = {"anyOf": [{"const": -1}, _SPENT]}  # -1: does not apply to this exchange
_MESSAGE = {
    "httpVersion": {"type": "string"},
    "headers": _PAIRS,
    "cookies": _PAIRS,
    "headersSize": _WHOLE,
    "bodySize": _WHOLE,
}
HAR = _object(
    "log",
    log=_object(
        "version creator entries",
        version={"const": "1.2"},
        creator=_object("name version", name={"type": "string"}, version={"type": "string"}),
        entries={
            "type": "array",
            "items": _object(
                "startedDateTime time request response cache timings",
                startedDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
                time=_SPENT,
                serverIPAddress={"type": "string"},
                connection={"type": "string"},
                request=_object(
                    "method url httpVersion cookies headers queryString headersSize bodySize",
                    method={"type": "string"},
                    url={"type": "string"},
                    queryString=_PAIRS,
                    postData=_object("mimeType text", mimeType={"type": "string"}, text={"type": "string"}),
                    **_MESSAGE,
                ),
                response=_object(
                    "status statusText httpVersion cookies headers content redirectURL headersSize bodySize",
                    status={"type": "integer", "minimum": 0},
                    statusText={"type": "string"},
                    content=_object(
                        "size mimeType text",
                        size={"type": "integer", "minimum": 0},
                        mimeType={"type": "string", "minLength": 1},
                        text={"type": "string"},
                    ),
                    redirectURL={"type": "string"},
                    **_MESSAGE,
                ),
                cache={"type": "object"},
                timings=_object(
                    "send wait receive",
                    **dict.fromkeys(("blocked", "dns", "connect", "ssl"), _MS),
                    **dict.fromkeys(("send", "wait", "receive"), _SPENT),
                ),
            ),
        },
    ),
)


@pytest.mark.parametrize(
    "frozen",
    [case(*OUTAGE), case(good(1), cut_off(2)), case(missed(3), trigger=Trigger.MANUAL), _hostile()],
    ids=["outage", "no reply", "nothing", "hostile"],
)
def test_the_har_is_one(frozen: Case) -> None:
    har = orjson.loads(made(frozen)["exchange.har"])
    jsonschema_rs.validate(HAR, har)
    for entry in har["log"]["entries"]:
        timings = entry["timings"]
        phases = [ms for name, ms in timings.items() if name != "ssl" and ms >= 0]
        assert entry["time"] == pytest.approx(sum(phases), abs=0.0005), "HAR: time is the sum, ssl is in connect"
        assert timings["ssl"] <= timings["connect"]


def test_the_har_schema_of_this_test_refuses_what_is_none(files: dict[str, bytes]) -> None:
    har = orjson.loads(files["exchange.har"])
    del har["log"]["entries"][0]["response"]["content"]["mimeType"]
    assert not jsonschema_rs.is_valid(HAR, har)


def test_the_har_holds_failing_and_last_good_in_milliseconds(files: dict[str, bytes]) -> None:
    entries = orjson.loads(files["exchange.har"])["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [200, 503, 503, 503]
    assert entries[1]["timings"] == {
        "blocked": 10.0,
        "dns": 2.0,
        "connect": 50.0,
        "ssl": 30.0,
        "send": 1.0,
        "wait": 300.0,
        "receive": 40.0,
    }
    assert (entries[1]["time"], entries[1]["serverIPAddress"], entries[1]["connection"]) == (403.0, "192.0.2.10", "443")


@pytest.mark.parametrize(
    ("completed", "url", "took", "spent"),
    [
        (Phase.NONE, "https://api.example.test/v1", Timings(2.0), {"dns": 2000}),
        (Phase.RESOLVE, "https://api.example.test/v1", Timings(2.0, resolve_s=2.0), {"dns": 2000}),
        (Phase.RESOLVE, "https://api.example.test/v1", Timings(2.0, resolve_s=0.5), {"dns": 500, "connect": 1500}),
        (Phase.CONNECT, "https://api.example.test/v1", Timings(2.0, connect_s=0.5), {"connect": 2000, "ssl": 1500}),
        (Phase.CONNECT, "http://api.example.test/v1", Timings(2.0, connect_s=0.5), {"connect": 500, "send": 1500}),
        (Phase.TLS, "https://api.example.test/v1", Timings(2.0, tls_s=0.5), {"connect": 500, "ssl": 500, "send": 1500}),
        (Phase.REQUEST_SENT, "https://api.example.test/v1", Timings(2.0, send_s=0.5), {"send": 500, "wait": 1500}),
        (
            Phase.FIRST_TOKEN,
            "https://api.example.test/v1",
            Timings(2.0, processing_s=0.5),
            {"wait": 500, "receive": 1500},
        ),
    ],
)
def test_the_time_of_what_broke_off_is_in_the_phase_that_had_begun(
    completed: Phase, url: str, took: Timings, spent: dict[str, float]
) -> None:
    failed = tick(
        2,
        Judgement(Verdict.DEGRADATION, "read_timeout", "read_timeout"),
        fault=Fault("ReadTimeout", "timed out"),
        last_phase=completed,
        timings=took,
        sent=request(2, url=url),
    )
    entry = orjson.loads(made(case(failed))["exchange.har"])["log"]["entries"][0]
    assert (
        entry["timings"]
        == dict.fromkeys(("blocked", "dns", "connect", "ssl"), -1)
        | dict.fromkeys(("send", "wait", "receive"), 0)
        | spent
    )
    assert entry["time"] == 2000


def test_what_did_not_happen_is_no_time_in_the_har() -> None:
    sent = request(2, url="https://api.example.test/v1/chat?a=1&b=")
    failed = tick(
        2,
        Judgement(Verdict.DEGRADATION, "connect_refused", "refused"),
        fault=Fault("ConnectError", "refused"),
        last_phase=Phase.RESOLVE,
        timings=Timings(0.01),
        connected=False,
        sent=sent,
    )
    entry = orjson.loads(made(case(failed))["exchange.har"])["log"]["entries"][0]
    assert entry["timings"] == {
        "blocked": -1,
        "dns": -1,
        "connect": 10.0,
        "ssl": -1,
        "send": 0,
        "wait": 0,
        "receive": 0,
    }
    assert entry["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert entry["response"]["_error"] == "ConnectError: refused"
    assert (entry["response"]["status"], entry["response"]["bodySize"]) == (0, -1)
    assert "serverIPAddress" not in entry


# ---------------------------------------------------------------- repro.sh


class _Answers(BaseHTTPRequestHandler):
    """A gateway that is always overloaded and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None, str | None, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], body))
        self.send_response(503)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"busy")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def gateway() -> Iterator[tuple[str, type[_Answers]]]:
    handler = type("Answers", (_Answers,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions", handler
    server.shutdown()
    thread.join()
    server.server_close()


MODELS = ["example-small", 'it\'s; $(touch pwned) `touch pwned` "quoted" \\ %s', "@/etc/passwd", "line\nbreak 😀"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("model", MODELS)
def test_repro_runs_as_it_stands(gateway: tuple[str, type[_Answers]], tmp_path: Path, shell: str, model: str) -> None:
    """With real curl; a hostile model name reaches the server as it is and runs nothing."""
    url, answers = gateway
    sent = request(3, model=model, url=url)
    script = tmp_path / "repro.sh"
    script.write_bytes(
        made(
            case(tick(3, overloaded(3).judgement, reply=Reply(503, (), "busy", 4), sent=sent), packet_id="small-p0003")
        )["repro.sh"]
    )
    environment = {"PATH": os.environ["PATH"], "API_KEY": "fake%s key\\n"}
    ran = subprocess.run([shell, script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^status=503 time_total=\d+\.\d+$", ran.stdout, re.MULTILINE)
    assert (tmp_path / "small-p0003-response.json").read_text() == "busy"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["repro.sh", "small-p0003-response.json"]
    [(path, authorization, content_type, body)] = answers.seen
    assert (path, authorization) == ("/v1/chat/completions", "Bearer fake%s key\\n")
    assert content_type == "application/json"
    assert body.decode() == sent.body
    assert json.loads(body)["model"] == model


def test_repro_keeps_the_key_off_the_command_line(tmp_path: Path) -> None:
    """A curl of our own writes down how it was called."""
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$SEEN/args"\ncat > "$SEEN/stdin"\n')
    fake.chmod(0o700)
    named = target(contract=contract(auth=Sourced(AuthShape("x-api-key", "{key};v=1"), SOURCE)))
    script = made(case(overloaded(3), target=named))["repro.sh"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "API_KEY": "fake-key-1234", "SEEN": str(tmp_path)}
    subprocess.run(["sh"], input=script, cwd=tmp_path, env=environment, check=True, timeout=20, capture_output=True)
    assert "fake-key-1234" not in (tmp_path / "args").read_text()
    assert (tmp_path / "stdin").read_text() == "x-api-key: fake-key-1234;v=1\n"


def test_repro_without_a_key_says_what_is_missing(files: dict[str, bytes], tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh"], input=files["repro.sh"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, timeout=20
    )
    assert ran.returncode != 0
    assert b"put the API key into the environment variable API_KEY" in ran.stderr


# ---------------------------------------------------------------- the zip


def test_the_same_document_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    data = render.pack(files)
    assert data == render.pack(dict(reversed(files.items())))
    assert render.unpack(data) == files
    assert render.verify(data) == ()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_it_checks_without_this_program(files: dict[str, bytes], tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(render.pack(files))).extractall(tmp_path)
    folder = tmp_path / "small-p0006"
    check = ["sha256sum", "--strict", "-c", "manifest.sha256"]
    assert subprocess.run(check, cwd=folder, capture_output=True, timeout=20).returncode == 0
    (folder / "summary.md").write_bytes(b"all is well")
    assert subprocess.run(check, cwd=folder, capture_output=True, timeout=20).returncode == 1


def test_altered_missing_and_extra_are_told_apart(files: dict[str, bytes]) -> None:
    changed = files | {"summary.md": b"all is well", "notes.txt": b"new"}
    del changed["repro.sh"]
    assert render.verify(render.pack(changed)) == (
        Problem("repro.sh", "missing"),
        Problem("summary.md", "altered"),
        Problem("notes.txt", "extra"),
    )


def test_a_manifest_that_is_gone_or_no_manifest_is_a_problem(files: dict[str, bytes]) -> None:
    without = {name: content for name, content in files.items() if name != "manifest.sha256"}
    assert render.verify(render.pack(without)) == (Problem("manifest.sha256", "missing"),)
    for content in (b"", b"\xff\xfe", b"hello\n", files["manifest.sha256"] + b"x\n"):
        broken = render.pack(files | {"manifest.sha256": content})
        assert render.verify(broken) == (Problem("manifest.sha256", "unreadable"),)


def test_a_container_whose_packet_json_is_none_is_not_ours() -> None:
    for content in (b"not JSON", b"[]", b"{}"):
        listing = f"{hashlib.sha256(content).hexdigest()}  packet.json\n".encode()
        data = _zip(("x/packet.json", content), ("x/manifest.sha256", listing))
        assert render.verify(data) == (Problem("packet.zip", "altered"),)


def test_what_is_no_zip_is_unreadable(files: dict[str, bytes]) -> None:
    data = render.pack(files)
    for content in (b"", b"not a zip", data[: len(data) // 2]):
        assert render.verify(content) == (Problem("packet.zip", "unreadable"),)
        with pytest.raises(ValueError, match="zip"):
            render.unpack(content)


def test_every_flipped_byte_is_found() -> None:
    """On a small packet whole, so that headers, names, times and the directory are all covered."""
    small = {"packet.json": b'{"packet_id":"x"}', "summary.md": b"pong"}
    listing = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in small.items())
    data = render.pack(small | {"manifest.sha256": listing.encode()})
    assert render.verify(data) == ()
    for at in range(len(data)):
        for bit in (1, 128):
            assert render.verify(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]), (at, bit)


def test_a_flipped_byte_of_a_file_names_that_file(files: dict[str, bytes]) -> None:
    data = render.pack(files)
    at = data.index(b"We observed a reproducible", data.index(b"small-p0006/summary.md"))
    flipped = data[:at] + b"I" + data[at + 1 :]
    assert render.verify(flipped) == (Problem("summary.md", "altered"),)
    with pytest.raises(ValueError, match=r"summary\.md: altered"):
        render.unpack(flipped)


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        _zip(("x/../../etc/passwd", b"")),
        _zip(("/x", b"")),
        _zip(("x/a", b""), ("y/b", b"")),
        _zip(("x/bomb", b"0" * 10_000_000), method=zipfile.ZIP_DEFLATED),
        _zip(*((f"x/{number}", b"") for number in range(render.archive.MAX_FILES + 1))),
        _zip(),
    ],
    ids=["traversal", "absolute", "two folders", "compressed", "too many", "empty"],
)
def test_a_zip_that_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        render.unpack(data)
    assert render.verify(data) == (Problem("packet.zip", "unreadable"),)


def test_repacked_by_other_tools_the_container_is_not_ours(files: dict[str, bytes]) -> None:
    repacked = _zip(*((f"small-p0006/{name}", content) for name, content in files.items()))
    assert render.verify(repacked) == (Problem("packet.zip", "altered"),)
