"""A recorded line becomes what the probe would have observed; a malformed one is refused with the field's name."""

from dataclasses import replace
from pathlib import Path

import pytest

import probe
from probe.classify import Expectation
from probe.contract import parse
from probe.corpus import CorpusError, classify_line, observation
from probe.records import Fault, Observation, Sealed
from probe.records.sealed import _SEAL
from probe.redact import Policy, Redactor
from tests.probe.exchanges import CORPUS

LINE = {
    "id": "x-1",
    "provider": "p",
    "kind": "http",
    "status": 200,
    "headers": {"A": "b"},
    "body": "hi",
    "exception": None,
}


def test_a_line_is_a_reply_and_nothing_is_known_of_its_request():
    seen = observation(LINE)
    assert seen.reply is not None
    assert (seen.reply.status, seen.reply.headers, seen.reply.body, seen.reply.body_bytes) == (
        200,
        (("A", "b"),),
        "hi",
        2,
    )
    assert (seen.fault, seen.request.stream, seen.request.body) == (None, False, "")


def test_a_stream_line_was_asked_as_a_stream():
    assert observation(LINE | {"kind": "stream"}).request.stream


def test_of_an_exception_the_body_is_its_message():
    seen = observation(LINE | {"kind": "exception", "status": None, "exception": "ReadTimeout", "body": "timed out"})
    assert seen.reply is None
    assert seen.fault == Fault("ReadTimeout", "timed out")


def test_an_exception_after_a_status_keeps_what_had_arrived():
    sse = {"content-type": "text/event-stream"}
    seen = observation(LINE | {"kind": "exception", "exception": "ReadError", "headers": sse, "body": "reset"})
    assert seen.reply is not None
    assert (seen.reply.body, seen.reply.complete, seen.request.stream) == ("", False, True)


@pytest.mark.parametrize(
    ("case", "line", "expected", "found"),
    [
        ([], "line", "a JSON object", "list"),
        ({"kind": 1}, "line: kind", "a str", "int"),
        ({"id": "a", "kind": "page"}, "case a: kind", "one of http, stream, exception", "another word"),
        (LINE | {"status": None}, "case x-1: status", "an HTTP status", "nothing"),
        (LINE | {"status": True}, "case x-1: status", "a int", "bool"),
        (LINE | {"body": {}}, "case x-1: body", "a str", "dict"),
        (LINE | {"kind": "exception"}, "case x-1: exception", "the client exception's name", "nothing"),
        (LINE | {"headers": ["a"]}, "case x-1: headers", "an object of strings", "list"),
        (LINE | {"headers": {"a": 1}}, "case x-1: headers.a", "a str", "int"),
    ],
)
def test_a_malformed_line_is_refused_with_what_was_expected(case, line, expected, found):
    with pytest.raises(CorpusError) as refused:
        observation(case)
    assert (refused.value.line, refused.value.expected, refused.value.found) == (line, expected, found)


def test_a_refusal_does_not_quote_the_line():
    with pytest.raises(CorpusError) as refused:
        observation(LINE | {"headers": {"authorization": ["Bearer sk-fake"]}})
    assert "sk-fake" not in str(refused.value)


def test_a_label_is_written_as_plain_json():
    found = classify_line(LINE | {"body": "null", "headers": {"content-type": "application/json"}})
    assert (found["id"], found["verdict"], found["label"], found["reason"]) == (
        "x-1",
        *["contract_mismatch"] * 2,
        "wrong_shape",
    )
    assert found["certain"] is True
    assert found["findings"][0]["place"] == "response body"


@pytest.mark.parametrize("name", ["cometapi", "openai-compatible"])
def test_the_labels_are_the_same_where_a_shipped_contract_is_expected(name):
    """Its shapes make findings, no other label: but where it documents no terminal frame, none is missed."""
    known = parse((Path(probe.__file__).parent / "contracts" / f"{name}.yaml").read_text(), name)
    is_terminal_due = known.stream_chunk.terminal is not None
    without_it = {
        "missing_done": ("ok", "ok_stream"),
        "truncated_stream": ("contract_mismatch", "missing_finish_reason"),
    }
    for case in CORPUS:
        alone, held = classify_line(case), classify_line(case, Expectation(known))
        expected = (alone["verdict"], alone["reason"])
        if not is_terminal_due:
            expected = without_it.get(alone["reason"], expected)
        assert (held["verdict"], held["reason"]) == expected, case["id"]
        assert all(found["source"] or "convention" in found["expected"] for found in held["findings"])


def test_what_is_judged_otherwise_once_it_is_sealed_is_labelled_as_recorded_and_not_quoted() -> None:
    class Blind(Redactor):
        """Takes out all that was said."""

        def seal(self, observation: Observation) -> Sealed[Observation]:
            sealed = super().seal(observation)
            assert sealed.value.reply is not None
            return Sealed(replace(sealed.value, reply=replace(sealed.value.reply, body="{}")), (), _SEAL)

    case = LINE | {"status": 401, "body": '{"error": {"message": "Your credit balance is too low"}}'}
    told = classify_line(case, redactor=Blind((), (), Policy(), b"k" * 32))
    assert (told["label"], told["words"], told["findings"]) == ("quota_or_billing", None, [])
    assert classify_line(case, redactor=Redactor((), (), Policy(), b"k" * 32))["words"] == (
        "Your credit balance is too low"
    )
