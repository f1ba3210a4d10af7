"""What a support desk asks for is on the first screen, of the text and the page, for every fault and every reason."""

import html
import re
from functools import cache

import orjson
import pytest

from probe import render
from probe.packet import draft
from probe.packet.audience import Audience
from probe.render.export import Original, export
from tests.probe.afterwards import AGAIN, STORY, named
from tests.probe.faults import FAULTS, REASONED

ALL = {**FAULTS, **REASONED}
EVERY = pytest.mark.parametrize("name", sorted(ALL))
EACH_FAULT = pytest.mark.parametrize("name", sorted(FAULTS))
# CometAPI's support asks for request ID, endpoint, model, timestamp, request shape, expected and actual result.
ASKED_FOR = (
    *("Request ID", "Endpoint", "Model", "Timestamp (UTC)", "Request shape"),
    *("Expected behavior:", "Observed behavior:", "Impact:", "Retries"),
)
TEMPLATE = (
    *("Incident title", "First observed", "Last reproduced", "example-gateway doc source", "Support source"),
    *("Endpoint path", "Auth format", "Request body", "Expected behavior", "Observed behavior", "Scope", "Mitigation"),
    *("Escalation ID", "Follow-up owner"),
)


@cache
def made(name: str, audience: Audience | None = None) -> dict[str, bytes]:
    """As frozen, or exported with all that was added since."""
    files = render.files(draft(ALL[name]))
    if audience is None:
        return files
    story = (*STORY, *named(AGAIN))
    return export(orjson.loads(files["packet.json"]), story, audience, Original.of(render.pack(files)))


def text(page: bytes) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "\n", page.decode()))


def first_screen_holds_everything(files: dict[str, bytes]) -> None:
    above, found, _ = files["summary.md"].decode().partition("\n## Every failing attempt\n")
    assert found
    assert len(above.splitlines()) < 25
    page = text(files["packet.html"].partition(b"<h2>")[0])
    for wanted in ASKED_FOR:
        assert re.search(rf"^(- )?{re.escape(wanted)}", above, re.MULTILINE), wanted
        assert re.search(rf"^{re.escape(wanted)}", page, re.MULTILINE), wanted


@EVERY
def test_all_of_it_stands_before_the_attempts(name: str) -> None:
    first_screen_holds_everything(made(name))


@EACH_FAULT
@pytest.mark.parametrize("audience", ["support", "internal"])
def test_all_of_it_does_so_after_a_long_story_too(name: str, audience: Audience) -> None:
    first_screen_holds_everything(made(name, audience))


@EACH_FAULT
@pytest.mark.parametrize("audience", [None, "internal"])
def test_what_is_not_known_says_so_and_nothing_stands_empty(name: str, audience: Audience | None) -> None:
    """No row is empty, and no value of the program shows through where words belong."""
    files = made(name, audience)
    rows = orjson.loads(files["packet.json"])["internal"]["template"]
    assert tuple(field for field, _ in rows) == TEMPLATE
    for field, entry in rows:
        assert entry.strip(" ;,."), field
    if name == "hostile":  # it writes whatever it likes between its backticks
        return
    for told in (files["summary.md"].decode(), text(files["packet.html"])):
        ours = re.sub(r"`[^`]*`|\{.*\}", "", told)  # without what a server said
        assert not re.search(r"\bNone\b(?! is recorded)|\b(null|undefined|nan|TODO|TBD)\b|\{\{", ours)


@EACH_FAULT
def test_every_attempt_has_a_row_with_every_column(name: str) -> None:
    files = made(name)
    document = orjson.loads(files["packet.json"])
    attempts = document["happened"]["attempts"] or [document["subject"]]
    _, _, below = files["summary.md"].decode().partition("\n## Every failing attempt\n")
    block = below.split("```text\n")[1].split("\n```")[0]
    first, second = block.split("\n\n")[:2]
    heads = first.splitlines()[0] + " " + second.splitlines()[0]
    for column in (
        *("started (UTC)", "status", "request ID", "cf-ray", "our request ID", "class", "model asked"),
        *("model answered", "connected to", "last phase", "bytes", "total"),
    ):
        assert column in heads
    assert len(first.splitlines()) == len(second.splitlines()) == len(attempts) + 1
    for number, (attempt, line) in enumerate(zip(attempts, first.splitlines()[1:], strict=True), 1):
        assert line.startswith(f"{number} ")
        assert attempt["started_at"] in line
        assert str(attempt["status"] or "no reply") in line
    assert files["packet.html"].count(b"<tr><td>1</td>") == (1 if document["happened"]["attempts"] else 0)


@EACH_FAULT
def test_how_much_could_be_our_own_is_said_and_what_is_not_measured_too(name: str) -> None:
    told = made(name)
    own = orjson.loads(told["packet.json"])["own_share"]
    assert own["words"] in told["summary.md"].decode()
    assert own["words"] in html.unescape(told["packet.html"].decode())
    if ALL[name].subject.sealed is not None:
        assert "TCP retransmits: not measured." in own["words"]
        assert "Date" in own["words"]


@pytest.mark.parametrize("name", ["quota", "auth", "overloaded", "stream cut", "mismatch", "read timeout", "by hand"])
def test_nothing_that_is_ours_reaches_support(name: str) -> None:
    for file, content in made(name, "support").items():
        for ours in (b"llm-platform on-call", b"small-p0000", b"/posts/", b"Should I escalate", b"CASE-4711", b"zoe"):
            assert ours not in content, file


def test_a_clock_that_is_apart_is_said() -> None:
    own = draft(FAULTS["quota"])["own_share"]
    assert own["clock_offset_s"] == -0.4
    assert "The server's Date (whole seconds) was at most 0.4 s behind the probe's clock." in own["words"]
    assert draft(FAULTS["overloaded"])["own_share"]["clock_offset_s"] is None


def test_a_newest_probe_that_is_no_failing_attempt_is_shown_and_classified() -> None:
    files = made("by hand, ours")
    summary = files["summary.md"].decode()
    assert "None is recorded; this is the newest probe." in summary
    assert "1  probe_fault/proxy_error" in summary
    assert "in 0.010 s; classified as: fault on the probe's side (proxy_error)." in summary
    assert "no failing attempt; the newest probe 2026-11-24T03:01:00.127Z" in text(files["packet.html"])


def test_an_answer_without_a_request_id_shows_its_completion_id() -> None:
    files = made("stream cut")
    assert "our own client request ID is `ours-0005`; completion ID `chatcmpl-7`" in files["summary.md"].decode()
    assert "completion ID <code>chatcmpl-7</code>" in files["packet.html"].decode()


def test_a_fault_is_told_once() -> None:
    """The words that a fault was judged by are its own message."""
    case = FAULTS["stream cut"]
    assert draft(case)["happened"]["observed"].count("peer closed connection") == 1
