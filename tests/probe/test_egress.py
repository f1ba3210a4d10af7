"""Our own egress address: a probe cannot see it, a server may tell it. The policy holds in every file of a packet."""

import json
import re
from dataclasses import replace

import pytest

from probe import render
from probe.notes import Note, addendum
from probe.packet import draft
from probe.reading import read
from probe.records import Fault, Judgement, Observation, Reply, Verdict
from probe.redact import Policy, Redactor
from probe.redact.redactor import Handling
from probe.render.export import Original, export
from tests.probe.evidence import START, case, contract, good, tick

OURS = "203.0.113.77"
THEIRS = "198.51.100.20"
WORDS = f"Your IP address is {OURS}, which is not on the allowlist (dial tcp {THEIRS}:443: i/o timeout)"
JUDGED = Judgement(Verdict.AUTH_OR_ACCOUNT, "ip_not_allowed", "ip_not_allowed", words="not on the allowlist")


def seen(error: str = WORDS) -> Observation:
    """An answer that tells the caller's address in its words, a field, a header and a page inside a string."""
    body = json.dumps({"error": {"message": error, "type": "forbidden", "client_ip": OURS, "page": f"<p>{OURS}</p>"}})
    headers = (("content-type", "application/json"), ("x-client-ip", OURS), ("server", f"edge from {OURS}"))
    sealed = tick(3, JUDGED, reply=Reply(403, headers, body, len(body))).sealed
    assert sealed is not None
    return replace(sealed.value, fault=Fault("RemoteProtocolError", f"reset by proxy, client ip: {OURS}"))


def files(policy: Handling, *, exported: bool = False) -> dict[str, bytes]:
    sealed = Redactor((), (), Policy(egress_ip=policy), b"k" * 32).seal(seen())
    failing = replace(tick(3, JUDGED), sealed=sealed, reading=read(sealed.value, contract()))
    document = draft(case(good(1), failing, egress_ip_policy=policy))
    if not exported:
        return render.files(document)
    return export(document, (), "support", Original.of(render.pack(render.files(document))))


@pytest.mark.parametrize("exported", [False, True], ids=["frozen", "exported"])
@pytest.mark.parametrize("policy", ["drop", "hash"])
def test_no_file_of_a_packet_holds_the_address(policy: Handling, exported: bool) -> None:
    for name, content in files(policy, exported=exported).items():
        assert OURS.encode() not in content, name
        assert THEIRS.encode() not in content, "another address that a server names is nobody's to show either"
        assert b"192.0.2.10" in content or name not in ("summary.md", "packet.html", "packet.json", "exchange.har")


def test_dropped_it_leaves_no_token_that_could_be_matched() -> None:
    made = files("drop")
    assert not any(re.search(rb"<ip:|&lt;ip:", content) for content in made.values())
    assert b"Your IP address is <redacted>, which is not on the allowlist" in made["packet.json"]
    assert {row["rule"] for row in json.loads(made["redaction.json"])["removals"]} == {
        "egress_ip_by_policy",
        "header_not_known_safe",
    }


def test_hashed_it_is_one_token_wherever_it_stood() -> None:
    made = files("hash")
    body = json.loads(made["packet.json"])["exchanges"]["p0003"]["reply"]["body"]
    ours = re.search(r"Your IP address is (<ip:[0-9a-f]{6}>)", body)
    assert ours is not None
    assert body.count(ours[1]) == 3, "in the words, under client_ip, and in the page"
    assert b"egress_ip_by_policy" not in made["redaction.json"]


def test_kept_it_stays_where_the_server_calls_it_the_callers_and_no_other_address_does() -> None:
    made = files("keep")
    exchange = json.loads(made["packet.json"])["exchanges"]["p0003"]["reply"]
    error = json.loads(exchange["body"])["error"]
    assert f"Your IP address is {OURS}, which" in error["message"]
    assert error["client_ip"] == OURS
    assert error["page"].startswith("<p><ip:"), "nothing says there whose it is"
    assert f"client ip: {OURS}".encode() in made["packet.html"]
    assert dict(map(tuple, exchange["headers"]))["x-client-ip"] == "<redacted>", "a header that is not known to be safe"
    for name, content in made.items():
        assert THEIRS.encode() not in content, name


@pytest.mark.parametrize("policy", ["keep", "hash", "drop"])
def test_sealing_twice_is_sealing_once(policy: Handling) -> None:
    redactor = Redactor((), (), Policy(egress_ip=policy), b"k" * 32)
    once = redactor.seal(seen()).value
    assert redactor.seal(once).value == once


@pytest.mark.parametrize(
    "words",
    [
        f"Access denied from {OURS}",
        f"client_ip={OURS} blocked",
        f"(IP: {OURS})",
        f"remote addr: {OURS}",
        f"ip {OURS} is not authorized",
    ],
)
def test_words_that_call_an_address_the_callers(words: str) -> None:
    for policy, stays in (("keep", True), ("hash", False), ("drop", False)):
        redactor = Redactor((), (), Policy(egress_ip=policy), b"k" * 32)  # type: ignore[arg-type]
        assert (OURS in redactor.seal_text(words, "response.body").value) is stays


def test_words_that_do_not() -> None:
    redactor = Redactor((), (), Policy(egress_ip="keep"), b"k" * 32)
    for words in (f"dial tcp {OURS}:443", f"upstream {OURS} is down", f"peer {OURS} closed"):
        assert OURS not in redactor.seal_text(words, "response.body").value


@pytest.mark.parametrize("policy", ["keep", "hash", "drop"])
def test_a_note_that_names_an_address_is_no_secret_and_follows_the_policy(policy: Handling) -> None:
    redactor = Redactor((), (), Policy(egress_ip=policy), b"k" * 32)
    document, _ = addendum("small-p0003", Note(text=f"we come from {OURS}"), START, redactor, ())
    assert (OURS in document["text"]) is (policy == "keep")
