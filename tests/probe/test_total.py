"""Laws of the judgement, over any observation: it never raises, gives one label, and quotes what was there."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.body import bounded, error_of, error_text, reply_error_text, take_apart
from probe.classify import Expectation, classify
from probe.corpus import classify_line
from probe.records import REASONS, Connection, Fault, Judgement, Listing, Observation, Phase, Reply, Timings, Verdict
from probe.rules import RULES
from tests.probe.exchanges import READ_AT, RECORDED, contract, request

# Judged beside the table: our own threshold, an observation that holds nothing, and what the model list adds to a row.
BESIDE = {"slow", "nothing observed"}
AFTER_LOOKING = ", no longer listed"
NAMES = {rule.name for rule in RULES} | BESIDE

TEXTS = (
    st.text(max_size=200)
    | st.text(st.characters(categories=["Cs", "Cc", "Zs"]), max_size=50)
    | st.sampled_from([case["body"] for case in RECORDED])
    | st.sampled_from([text for rule in RULES for text in rule.hits])
    | st.binary().map(lambda b: b.decode("utf-8", "surrogateescape"))
)
ERRORS = st.builds(lambda text: json.dumps({"error": {"message": text, "code": text[:20]}}), TEXTS)
STREAMS = st.lists(TEXTS | ERRORS, max_size=4).map(lambda texts: "".join(f"data: {text}\n\n" for text in texts))
NAMED = st.sampled_from(["content-type", "Content-Length", "server", "x-amzn-errortype"])
VALUES = st.sampled_from(["application/json", "text/event-stream", "text/html", "99999999999999999999", "cloudflare"])
HEADERS = st.lists(st.tuples(NAMED | st.text(max_size=9), VALUES | TEXTS), max_size=4).map(tuple)
KINDS = st.sampled_from(["ConnectError", "ReadTimeout", "httpx2.RemoteProtocolError", "\ud800", "\x00"])
REPLIES = st.builds(
    Reply,
    status=st.integers() | st.sampled_from([200, 201, 401, 403, 404, 429, 500, 503]),
    headers=HEADERS,
    body=TEXTS | ERRORS | STREAMS,
    body_bytes=st.integers(0, 10**9),
    complete=st.booleans(),
    truncated=st.booleans(),
    valid_utf8=st.booleans(),
)
OBSERVATIONS = st.builds(
    Observation,
    request=st.builds(request, st.booleans(), st.sampled_from(["", "{}", '{"max_tokens": 1}', "[]", "{"])),
    started_at=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    reply=st.none() | REPLIES,
    fault=st.none() | st.builds(Fault, KINDS | st.text(max_size=20), TEXTS),
    timings=st.builds(Timings, st.floats()),
    connection=st.none() | st.just(Connection("192.0.2.1", 443, False)),
    last_phase=st.sampled_from(Phase),
)
LISTINGS = st.builds(
    Listing, st.just("https://api.example.test/models"), st.just(READ_AT), st.booleans(), st.none() | st.just(READ_AT)
)
EXPECTATIONS = st.builds(
    Expectation,
    contract=st.none() | st.sampled_from([contract(), contract(terminal=None)]),
    slow_s=st.none() | st.floats(),
    outside_reachable=st.none() | st.booleans(),
    listing=st.none() | LISTINGS,
)


def flat(text):
    return " ".join(text.split())


def seen_texts(observation):
    """All that a person could read in it, flattened."""
    fault, reply = observation.fault, observation.reply
    texts = [f"{fault.kind.rpartition('.')[2]}: {fault.message}"] if fault else []
    if reply is not None:
        body = take_apart(reply)
        errors = [reply_error_text(reply, body)]
        errors += [error_text({"error": found}) for found in map(error_of, body.objects) if found is not None]
        errors += [error_text({"error": chunk}) for chunk in body.objects]
        headers = " ".join(value for _, value in reply.headers)
        texts += [reply.body, re.sub(r"<[^>]{0,500}>", " ", reply.body), str(reply.status), body.kind, headers]
        texts += [text for error in errors for text in (error.codes, error.words)]
    return flat(bounded("\n".join(texts)[:60_000]))


@settings(max_examples=200)
@given(OBSERVATIONS, EXPECTATIONS)
def test_any_observation_has_exactly_one_label_and_it_is_on_the_list(seen, expectation):
    found = classify(seen, expectation)
    assert found.reason in REASONS[found.verdict]
    assert found.rule.removesuffix(AFTER_LOOKING) in NAMES
    assert found.certain == (found.runner_up is None)
    assert found.runner_up != found.verdict
    assert classify(seen, expectation) == found


@settings(max_examples=200)
@given(OBSERVATIONS)
def test_the_words_are_at_most_200_characters_of_what_was_seen(seen):
    words = classify(seen, Expectation()).words or ""
    assert len(words) <= 200
    assert words == flat(words)
    told = seen_texts(seen).lower() + " stream json html type: "
    whole = bounded(words).lower().split()[1:-1]  # the first and the last may be cut in the middle
    assert [word for word in whole if word not in told] == []


@settings(max_examples=200)
@given(OBSERVATIONS)
def test_only_a_whole_2xx_answer_is_ok(seen):
    if classify(seen, Expectation()).verdict is Verdict.OK:
        assert seen.fault is None
        assert seen.reply is not None
        assert 200 <= seen.reply.status < 300
        assert seen.reply.complete
        assert not seen.reply.truncated


def test_most_rows_decide_some_recorded_exchange():
    """The others rest on their own examples alone."""
    deciding = {classify_line(case)["rule"] for case in RECORDED}
    assert len(deciding) > 0.7 * len(RULES)


def test_a_reason_of_another_verdict_cannot_be_written():
    with pytest.raises(ValueError, match="reason 'late' does not belong to verdict"):
        Judgement(Verdict.DEGRADATION, "late", "slow")
