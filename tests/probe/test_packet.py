"""The document of a packet: words follow facts, what is not known says so, and no two faults look alike."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from probe.contract import Sourced
from probe.packet import Case, Scope, draft, for_support, recovery, reopening, summary_line, with_dropped
from probe.packet import addendum as chain
from probe.packet.confirmation import Confirmed, confirmation
from probe.packet.wording import TEXT_LIMIT, quoted
from probe.records import (
    Connection,
    ErrorBody,
    Fault,
    Finding,
    Judgement,
    Observation,
    Phase,
    Reading,
    Recovered,
    Removal,
    Reopened,
    Reply,
    Result,
    Sealed,
    Timings,
    Trigger,
    Verdict,
)
from probe.records.sealed import _SEAL
from tests.probe.evidence import (
    DOCS,
    ERRORS,
    READ_AT,
    SOURCE,
    START,
    case,
    contract,
    cut_off,
    good,
    missed,
    missing_choices,
    overloaded,
    target,
    tick,
)

LIVE = replace(SOURCE, verified_live=True)
OUTAGE = (good(1), good(2), overloaded(3), overloaded(4), overloaded(5))


def text(case: Case) -> str:
    return "\n".join(draft(case)["message"])


@pytest.mark.parametrize(
    ("history", "kind", "words"),
    [
        (OUTAGE, "reproducible", "all 3 attempts since the first failure failed the same way"),
        ((overloaded(3), good(4), overloaded(5), overloaded(6)), "intermittent", "3 of 4 attempts"),
        ((good(1), overloaded(3)), "isolated", "one attempt failed"),
        ((overloaded(3), overloaded(4)), "repeated", "too few to call it reproducible"),
        ((overloaded(3), cut_off(4), overloaded(5)), "repeated", "in 2 different ways"),
        ((overloaded(3), missed(4), overloaded(5), overloaded(6)), "reproducible", "all 3 attempts"),
    ],
)
def test_how_often_is_said_as_counted_since_the_first_failure(
    history: tuple[Result, ...], kind: str, words: str
) -> None:
    counted = draft(case(*history))["happened"]["repetition"]
    assert counted["kind"] == kind
    assert words in counted["words"]
    article = "an" if kind in ("intermittent", "isolated") else "a"
    assert f"We observed {article} {kind} chat API issue at " in text(case(*history))


def test_the_message_is_the_seed_article_s_in_its_order() -> None:
    sentences = draft(case(*OUTAGE))["message"]
    assert [sentence.split()[0] for sentence in sentences] == [
        "We",
        "The",
        "A",
        "Expected",
        "Observed",
        "Impact:",
        "Secrets",
    ]
    assert "2026-11-24T03:01:30.127Z to 2026-11-24T03:02:30.127Z (UTC)" in sentences[0]
    assert sentences[2] == "A sanitized repro is attached (repro.sh)."
    assert "declared in configuration, not observed: Checkout assistant cannot answer." in sentences[5]
    assert sentences[6].startswith("Secrets and customer content have been redacted")


def test_only_a_source_that_was_fetched_live_was_verified() -> None:
    """The cited page and everything else that the request is made of decide together."""
    stored = text(case(*OUTAGE))
    assert (
        f"was read from a stored copy of {DOCS} at 2026-11-20T09:00:00.000Z (UTC); it was not verified live" in stored
    )
    assert "verified against" not in stored
    plain = contract()
    cited = replace(plain, chat_path=Sourced("/chat/completions", LIVE))
    assert "parts of it were read from stored copies" in text(case(*OUTAGE, target=target(contract=cited)))
    live = replace(
        cited,
        base_url=Sourced(plain.base_url.value, LIVE),
        auth=Sourced(plain.auth.value, LIVE),
        request=replace(plain.request, source=LIVE),
    )
    document = draft(case(*OUTAGE, target=target(contract=live)))
    at = "2026-11-20T09:00:00.000Z"
    assert document["message"][1] == (
        f"The request contract was read live from {DOCS} at {at}, as the contract file states (UTC)."
    )
    assert document["documented"]["verified_live"] is True


def test_a_mismatch_is_a_possible_one_everywhere() -> None:
    document = draft(case(good(1), missing_choices(3), missing_choices(4), missing_choices(5)))
    assert document["verdict_words"] == "possible contract mismatch"
    said = orjson.dumps([document["message"], document["title"], document["internal"]["template"]]).decode()
    assert said.count("contract mismatch") == said.count("possible contract mismatch") > 0
    assert "At `$.choices`: `a non-empty array` (read from a stored copy of https://docs.example.test/chat" in said
    assert "at `$.choices`: `missing`" in said


def test_every_failing_attempt_is_told_whole() -> None:
    attempts = draft(case(*OUTAGE))["happened"]["attempts"]
    assert [attempt["client_request_id"] for attempt in attempts] == ["ours-0003", "ours-0004", "ours-0005"]
    assert attempts[0] | {"phases": 0, "quota": 0} == attempts[0] | {
        "phases": 0,
        "quota": 0,
        "started_at": "2026-11-24T03:01:30.127Z",
        "due_at": "2026-11-24T03:01:30.123Z",
        "status": 503,
        "request_ids": [
            {"place": "header x-example-request-id", "value": "20261124030003gJBlzjtp"},
            {"place": "error text", "value": "20261124030003gJBlzjtp"},
        ],
        "cf_ray": "8f0003-FRA",
        "peer": "192.0.2.10:443",
        "model_asked": "example-small",
        "model_answered": None,
        "last_phase": "transfer",
        "retry_after": "7",
        "words": "no capacity left",
        "body_shape": "application/json, JSON {error{message, type, code}}",
        "lateness_s": 0.004,
        "loop_lag_s": 0.002,
        "fault": None,
    }


def test_no_reply_says_how_far_it_came_and_how_much_arrived() -> None:
    history = (good(1), cut_off(3), cut_off(4), cut_off(5))
    attempt = draft(case(*history))["happened"]["attempts"][0]
    assert (attempt["status"], attempt["received_bytes"], attempt["last_phase"]) == (None, 0, "request_sent")
    assert attempt["phases"]["processing_s"] is None
    assert (
        "no reply, ReadTimeout `no byte for 25 s`, last completed phase request_sent, bytes of body received: 0"
        in text(case(*history))
    )
    assert "Within 25 s, which is our own configured limit and not a documented one." in text(case(*history))


def test_bytes_of_a_head_that_broke_off_are_not_known() -> None:
    broken = tick(
        3,
        Judgement(Verdict.DEGRADATION, "connection_reset", "reset"),
        fault=Fault("RemoteProtocolError", "peer reset"),
        last_phase=Phase.FIRST_BYTE,
        connected=False,
    )
    document = draft(case(broken))
    assert document["happened"]["attempts"][0]["received_bytes"] is None
    assert document["happened"]["attempts"][0]["peer"] is None
    assert "bytes of body received: not known" in document["happened"]["observed"]


def test_a_slow_answer_is_measured_against_our_own_limit() -> None:
    took = Timings(12.0, processing_s=11.0, transfer_s=0.1)
    slow = [
        tick(n, Judgement(Verdict.DEGRADATION, "slow", "slow"), reply=Reply(200, (), "", 0), timings=took)
        for n in (3, 4, 5)
    ]
    assert "Within 10 s, which is our own configured limit" in text(case(*slow))
    assert "body: `empty`" in text(case(*slow))
    assert "Latency 12.000 s." in text(case(*slow))


@pytest.mark.parametrize(
    ("reply", "shape"),
    [
        (Reply(502, (("Content-Type", "text/html"),), "<html>", 6), "text/html, not JSON"),
        (Reply(200, (), "[1]", 3), "no content type, JSON list"),
        (Reply(200, (), '{"id":1,"error":{"a":1}}', 3), "no content type, JSON {id, error{a}}"),
        (Reply(200, (), "[" * 10_000, 3), "no content type, not JSON"),
    ],
)
def test_the_shape_of_a_body_is_named_without_its_content(reply: Reply, shape: str) -> None:
    failed = tick(3, Judgement(Verdict.CONTRACT_MISMATCH, "wrong_shape", "shape"), reply=reply)
    assert draft(case(failed))["happened"]["attempts"][0]["body_shape"] == shape


def test_a_body_that_we_stopped_reading_says_so() -> None:
    reply = Reply(200, (), "x", 1_048_576, truncated=True)
    failed = tick(3, Judgement(Verdict.CONTRACT_MISMATCH, "invalid_json", "json", words="x"), reply=reply)
    assert "1048576 bytes of body read, then stopped at our own limit, words `x`" in text(case(failed))


def test_attempts_that_failed_differently_are_told_apart() -> None:
    said = draft(case(overloaded(3), cut_off(4), overloaded(5)))["happened"]["observed"]
    assert said.startswith("2 of 3 failing attempts: HTTP 503, error code `overloaded`")
    assert "message `no capacity left (request id: 20261124030005gJBlzjtp)`" in said, "the newest text of its kind"
    assert "; 1 of 3 failing attempts: no reply, ReadTimeout" in said
    assert said.endswith("Latency 0.403 to 25.000 s.")


def test_what_is_documented_of_a_seen_status_is_quoted_with_its_source() -> None:
    document = draft(case(*OUTAGE))
    assert "The documents say of status 503: `overloaded: retry with backoff`" in document["expected"]["words"]
    how = f"read from a stored copy of {ERRORS.url} at 2026-11-20T09:00:00.000Z"
    (said,) = document["expected"]["documented_statuses"]
    assert (said["status"], said["words"]) == ("503", "overloaded: retry with backoff")
    assert (said["source"], said["accessed"], said["verified_live"], said["how"]) == (
        ERRORS.url,
        "2026-11-20T09:00:00.000Z",
        False,
        how,
    )
    assert document["expected"]["findings"] == [], "what is said of a status disagrees with nothing"
    assert "inconsistent" not in str(document["internal"]["recommendation"])
    assert for_support(document)["expected"] == document["expected"]
    silent = draft(case(*OUTAGE, target=target(contract=contract(error_statuses=None))))
    assert silent["expected"]["documented_statuses"] == []


def test_an_error_that_is_not_as_documented_leaves_the_documented_answer_expected() -> None:
    found = Finding("error_schema", "error.type", "a string", "null", ERRORS.url, READ_AT)
    failed = replace(overloaded(3), judgement=replace(overloaded(3).judgement, findings=(found,)))
    words = draft(case(failed))["expected"]["words"]
    assert words.startswith("At `error.type`: `a string` (read from a stored copy of ")
    assert "An answer of the documented shape (required: id, choices; " in words


def test_the_longest_silence_of_a_stream_is_among_the_facts_of_an_attempt() -> None:
    took = Timings(12.0, first_event_s=0.4, longest_gap_s=9.1)
    slow = tick(3, Judgement(Verdict.DEGRADATION, "slow", "slow"), reply=Reply(200, (), "", 0), timings=took)
    document = draft(case(slow))
    attempt = document["happened"]["attempts"][0]
    assert (attempt["longest_gap_s"], attempt["phases"]["longest_gap_s"]) == (9.1, 9.1)
    assert document["history"][-1]["longest_gap_s"] == 9.1


def test_undocumented_areas_say_so_and_nothing_is_assumed_of_limits() -> None:
    bare = contract(
        response=None, stream_chunk=None, error=None, error_statuses=None, request_id=None, routes={}, limits=()
    )
    document = draft(case(*OUTAGE, target=target(contract=bare)))
    unknown = {(row["area"], row["item"]) for row in document["documented"]["areas"] if row["value"] is None}
    assert ("Rate-limit or billing assumptions", "limit") in unknown
    assert ("Response fields", "body") in unknown
    assert {row["how"] for row in document["documented"]["areas"] if row["value"] is None} == {
        "not documented in the contract"
    }
    assert "The contract documents no shape of the answer." in document["expected"]["words"]
    assert dict(document["internal"]["template"])["Support source"] == "not known yet"


def test_documented_limits_and_shapes_without_names_keep_their_source() -> None:
    full = contract(
        limits=(Sourced("60 requests a minute", SOURCE),),
        response=replace(contract().request, schema=None),
        stream_chunk=replace(contract().request, schema={}),
        request_id=replace(contract().request_id, value=replace(contract().request_id.value, text=None)),  # type: ignore[union-attr, type-var]
    )
    rows = {
        (row["area"], row["item"]): row
        for row in draft(case(*OUTAGE, target=target(contract=full)))["documented"]["areas"]
    }
    assert rows["Rate-limit or billing assumptions", "limit"]["value"] == "60 requests a minute"
    assert rows["Response fields", "body"]["value"] is None
    assert rows["Response fields", "stream chunk"]["value"] == "a JSON value"
    assert rows["Response fields", "request ID"]["value"] == "header x-example-request-id"


def test_a_stream_is_expected_as_documented_chunks() -> None:
    assert "A stream of chunks of the documented shape (required: choices; ends with [DONE]" in text(
        case(*OUTAGE, target=target(stream=True))
    )


def test_what_is_not_known_says_so() -> None:
    document = draft(case(overloaded(3), impact=None, owner=None, posts=None, earlier=()))
    template = dict(document["internal"]["template"])
    assert document["impact"] == {"declared": None, "words": "not known; none is declared."}
    assert "No earlier good exchange is recorded." in document["expected"]["words"]
    assert template["Last reproduced"] == "not reproduced yet: one attempt failed"
    assert [template["Mitigation"], template["Escalation ID"]] == ["not known yet", "not known yet"]
    assert template["Follow-up owner"] == "not known yet; next review not known yet"


def test_the_template_has_the_seed_article_s_fields_in_its_order() -> None:
    named = target(contract=contract(provider="cometapi"))
    assert [name for name, _ in draft(case(*OUTAGE, target=named))["internal"]["template"]] == [
        "Incident title",
        "First observed",
        "Last reproduced",
        "CometAPI doc source",
        "Support source",
        "Endpoint path",
        "Auth format",
        "Request body",
        "Expected behavior",
        "Observed behavior",
        "Scope",
        "Mitigation",
        "Escalation ID",
        "Follow-up owner",
    ]


def test_two_faults_differ_in_every_row_that_is_not_configured() -> None:
    first = dict(draft(case(*OUTAGE))["internal"]["template"])
    second = dict(draft(case(good(21), good(22), cut_off(23), cut_off(24), cut_off(25)))["internal"]["template"])
    configured = {
        "example-gateway doc source",
        "Support source",
        "Endpoint path",
        "Auth format",
        "Request body",
        "Mitigation",  # these three are told by people, later
        "Escalation ID",
        "Follow-up owner",
    }
    assert {name for name in first if first[name] == second[name]} == configured


def test_an_uncertain_class_names_the_other_one() -> None:
    judgement = Judgement(Verdict.DEGRADATION, "upstream_quota", "r", certain=False, runner_up=Verdict.QUOTA_OR_BILLING)
    failed = tick(3, judgement, reply=Reply(429, (), "busy", 4))
    assert "The class is not certain; it could also be: quota, limit, or billing uncertainty." in text(case(failed))
    assert draft(case(failed))["judgement"]["runner_up"] == "quota_or_billing"


def test_our_own_share_of_a_latency_is_the_worst_seen() -> None:
    laggy = replace(overloaded(4), loop_lag_s=0.25, lateness_s=1.5)
    own = draft(case(good(1), overloaded(3), laggy, overloaded(5)))["own_share"]
    assert (own["loop_lag_max_s"], own["lateness_max_s"], own["tcp_retransmits"]) == (0.25, 1.5, None)
    assert "At most 0.250 s" in own["words"]
    assert "TCP retransmits: not measured." in own["words"]


def test_segments_sent_again_are_summed_over_the_attempts_and_say_where_they_are_known() -> None:
    def lossy(number: int, again: int | None) -> Result:
        failed = overloaded(number)
        assert failed.sealed is not None
        seen = failed.sealed.value
        way = Connection("192.0.2.7", 443, reused=False, tcp_rtt_s=0.0123, tcp_retransmits=again)
        return replace(failed, sealed=Sealed(replace(seen, connection=way), (), _SEAL))

    packet = draft(case(good(1), lossy(3, 2), lossy(4, None), lossy(5, 1)))
    assert packet["own_share"]["tcp_retransmits"] == 3
    assert "our side had to send again: 3; longest round trip of a connection 12.3 ms" in packet["own_share"]["words"]
    assert [attempt["tcp_retransmits"] for attempt in packet["happened"]["attempts"]] == [2, None, 1]


def test_removals_are_summed_and_a_shared_exchange_counts_once() -> None:
    redaction = draft(case(*OUTAGE))["redaction"]
    assert redaction["removals"] == [
        {
            "rule": "header_not_known_safe",
            "place": "response.headers x-spend",
            "count": 6,
            "group": "by their place",
        },
        {"rule": "openai_key", "place": "response.body", "count": 3, "group": "by their form"},
    ]
    assert (redaction["request_ids"], redaction["egress_ip"], redaction["dropped"]) == ("keep", "drop", [])
    assert Removal("openai_key", "response.body", 1) in OUTAGE[2].sealed.removals  # type: ignore[union-attr]


def test_a_packet_frozen_by_hand_claims_no_failure() -> None:
    healthy = good(3, kept=True)
    document = draft(case(good(1), healthy, trigger=Trigger.MANUAL))
    assert document["message"][0] == (
        f"No failing attempt is recorded; frozen at {document['frozen_at']} (UTC), trigger manual."
    )
    assert document["happened"]["repetition"]["kind"] == "none"
    assert document["happened"]["first_failed_at"] is None
    assert document["happened"]["observed"].startswith("No failing attempt; the newest probe: HTTP 200")
    assert "first not known" in summary_line(document)
    assert dict(document["internal"]["template"])["First observed"] == "not known yet"
    assert "no failing attempt" in document["title"]


def test_a_case_without_any_exchange_is_still_a_packet() -> None:
    document = draft(case(missed(3), trigger=Trigger.MANUAL))
    assert document["request"] is None
    assert document["exchanges"] == {}
    assert "No request is recorded, so no repro is attached." in document["message"]
    assert document["own_share"]["words"].startswith("Not measured")
    assert dict(document["internal"]["template"])["Request body"] == "not known"
    assert document["subject"]["total_s"] is None


def test_support_gets_nothing_that_is_ours_alone() -> None:
    document = draft(case(*OUTAGE, owner="zoe on-call", posts="/posts/42", earlier=("small-p0815",)))
    told = orjson.dumps(for_support(document)).decode()
    assert not any(ours in told for ours in ("zoe on-call", "/posts/42", "small-p0815", "internal"))
    assert for_support(document)["happened"] == document["happened"]
    assert for_support(for_support(document)) == for_support(document)


def test_dropped_fields_are_named_and_the_first_document_stays_as_it_is() -> None:
    document = draft(case(*OUTAGE))
    assert with_dropped(document, ("exchanges.p0003.reply.body",))["redaction"]["dropped"] == [
        "exchanges.p0003.reply.body"
    ]
    assert document["redaction"]["dropped"] == []


@pytest.mark.parametrize(
    "hostile", ["a\nb\r\n# c", "`code` `", "\u202eevil\u2066", "\x1b[31mred\x00", "x" * 5000, "\ud800"]
)
def test_a_server_s_words_stay_on_one_line_between_their_backticks(hostile: str) -> None:
    shown = quoted(hostile)
    assert shown[0] == shown[-1] == "`"
    assert "`" not in shown[1:-1]
    assert shown.isprintable()
    assert len(shown) <= TEXT_LIMIT + 8


def test_hostile_values_do_not_stop_a_packet() -> None:
    """Half a surrogate and a number beyond 64 bits are valid JSON; neither fits a UTF-8 file or every reader."""
    reading = Reading(error=ErrorBody("\ud800 broken", "t", None, None), completion_id="\udfff")
    seen = tick(
        3, Judgement(Verdict.DEGRADATION, "upstream_5xx", "r"), reply=Reply(500, (), "x", 10**30), reading=reading
    )
    document = draft(case(seen))
    assert orjson.loads(orjson.dumps(document)) == document
    assert document["happened"]["attempts"][0]["received_bytes"] == str(10**30)


def test_the_summary_line_is_one_line() -> None:
    assert summary_line(draft(case(*OUTAGE))) == (
        "packet small-p0005: target small, degradation/upstream_overloaded, reproducible, 3 of 3 failed, "
        "first 2026-11-24T03:01:30.127Z, trigger threshold, incident small-p0005"
    )


def test_an_ipv6_peer_keeps_its_port_apart() -> None:
    failed = overloaded(3)
    assert failed.sealed is not None
    seen: Observation = failed.sealed.value
    assert seen.connection is not None
    moved = replace(seen, connection=replace(seen.connection, peer_ip="2001:db8::1"))
    document = draft(case(replace(failed, sealed=Sealed(moved, (), _SEAL))))
    assert document["happened"]["attempts"][0]["peer"] == "[2001:db8::1]:443"


def test_recovery_and_reopening_say_when_and_how_often() -> None:
    end = START + timedelta(minutes=10)
    told = recovery(Recovered("small", ("small-p0005",), START, START + timedelta(minutes=5), end, 7, 20))
    assert (told["kind"], told["failure_share"], told["at"]) == ("recovery", 0.35, "2026-11-24T03:10:00.123Z")
    assert "7 of 20 probes failed (35.0%)." in told["words"]
    assert recovery(Recovered("small", (), START, START, end, 0, 0))["failure_share"] is None
    again = reopening(Reopened("small", Verdict.DEGRADATION, "slow", "small-p0005", "p0099", end))
    assert (again["kind"], again["packet_id"], again["at"]) == ("reopening", "small-p0005", "2026-11-24T03:10:00.123Z")
    assert "slow" in again["words"]


@pytest.mark.parametrize(
    ("attempts", "siblings", "window", "outcome"),
    [
        ((), (), (5, 5), "not known"),
        ((overloaded(6), overloaded(7)), (), (5, 5), "deterministic"),
        ((overloaded(6), overloaded(7)), (), (3, 5), "intermittent"),
        ((overloaded(6), good(7)), (), (5, 5), "intermittent"),
        ((good(6), good(7)), (overloaded(6),), (1, 5), "intermittent"),
        ((good(6), good(7)), (good(6),), (1, 5), "isolated"),
    ],
)
def test_how_reproducible_it_is_follows_from_what_was_asked_again(
    attempts: tuple[Result, ...], siblings: tuple[Result, ...], window: tuple[int, int], outcome: str
) -> None:
    stopped = None if attempts else "the next tick was due"
    scope = Scope("Not known.", (), START)
    tried = Confirmed("small-p0005", "small", START, attempts, stopped, siblings, window, scope, {})
    told = confirmation(tried, case(*OUTAGE))
    assert (told["outcome"], len(told["confirmations"]), told["stopped"]) == (outcome, len(attempts), stopped)
    assert (f"so it is {outcome}." if attempts else f"It was not asked again: {stopped}.") in told["words"]


# ---------------------------------------------------------------- addenda


ZIP = b"the zip"
FIRST = chain.encode({"kind": "recovery"}, ZIP)
SECOND = chain.encode({"kind": "reopening"}, FIRST)


def test_a_chain_of_addenda_as_written_has_no_problem() -> None:
    assert chain.problems("x", ZIP, [(1, FIRST), (2, SECOND)]) == ()
    assert chain.decode(SECOND) == {"kind": "reopening"}


def test_every_flipped_byte_of_an_addendum_is_found() -> None:
    for at in range(len(FIRST)):
        flipped = FIRST[:at] + bytes([FIRST[at] ^ 1]) + FIRST[at + 1 :]
        assert [it.file for it in chain.problems("x", ZIP, [(1, flipped)])] in (["x.001.json"], ["x.zip"]), at


def test_altered_missing_and_unreadable_addenda_are_told_apart() -> None:
    def told(zipped: bytes, *addenda: tuple[int, bytes]) -> list[tuple[str, str]]:
        return [(it.file, it.kind) for it in chain.problems("x", zipped, addenda)]

    assert told(ZIP, (1, FIRST.replace(b"recovery", b"recovers"))) == [("x.001.json", "altered")]
    assert told(ZIP, (2, SECOND)) == [("x.001.json", "missing")]
    for broken in (b"{", b"[]", b'{"document":1,"previous":"","sha256":""}'):
        assert told(ZIP, (1, broken)) == [("x.001.json", "unreadable")]
    assert told(b"another zip", (1, FIRST), (2, SECOND)) == [("x.zip", "altered")], "an addendum is witness to its zip"
    forged = chain.encode({"kind": "nothing happened"}, ZIP)
    assert told(ZIP, (1, forged), (2, SECOND)) == [("x.001.json", "altered")]
