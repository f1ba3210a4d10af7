"""Short errors as other APIs word them (`wordings.jsonl`), written down from memory, and what only looks like them.

A line is `status`, then `message` (of an error object) or `body` with its `media`, then the label that is due;
`near_miss` marks a word in another sense than its usual one.
"""

import json
from pathlib import Path

import pytest

from probe.classify import Expectation, classify
from tests.probe.exchanges import HTML, JSON, completion, error, observed, reply

WORDINGS = [
    json.loads(line) for line in (Path(__file__).parent / "wordings.jsonl").read_text(encoding="utf-8").splitlines()
]
MESSAGES = [row["message"] for row in WORDINGS if "message" in row and "near_miss" not in row]


def told(row):
    if "message" in row:
        return reply(row["status"], error(row["message"]))
    return reply(row["status"], row["body"], (("content-type", row["media"]),))


@pytest.mark.parametrize("row", WORDINGS, ids=[row.get("message", row.get("body"))[:50] for row in WORDINGS])
def test_an_error_is_told_by_its_words(row):
    found = classify(observed(told(row)), Expectation())
    assert (str(found.verdict), found.reason) == (row["verdict"], row["reason"])


@pytest.mark.parametrize("message", MESSAGES[::3])
def test_the_words_of_an_error_inside_the_answer_are_the_models(message):
    seen = observed(reply(200, json.dumps(completion(f"pong. {message}"))))
    assert classify(seen, Expectation()).reason == "ok"


@pytest.mark.parametrize("message", MESSAGES[::3])
def test_the_words_in_a_page_are_no_words_of_the_api(message):
    page = observed(reply(500, f"<html><body><h1>500</h1><p>{message}</p></body></html>", HTML))
    assert str(classify(page, Expectation()).verdict) == "degradation"


@pytest.mark.parametrize("field", ["doc_url", "help", "model", "user_id", "instance"])
def test_links_names_and_echoes_do_not_decide(field):
    body = json.dumps({"error": {"message": "It broke", field: "https://example.test/insufficient_quota"}})
    assert classify(observed(reply(500, body, JSON)), Expectation()).reason == "upstream_5xx"


def test_a_link_does_not_decide_and_is_quoted_all_the_same():
    message = "It broke. You can check your quota at https://example.test/insufficient_quota"
    found = classify(observed(reply(500, error(message))), Expectation())
    assert (found.reason, found.words) == ("upstream_5xx", message)
    message = "Insufficient balance: https://example.test/rate-limit"
    found = classify(observed(reply(500, error(message))), Expectation())
    assert found.reason == "insufficient_quota"
    assert message in found.words
