"""What not to send is warned of, what was quoted or hedged is not, and our own message gives no cause for a warning."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from probe import cautions
from probe.cautions import CautionKind, Row, kinds, of_document, of_note
from probe.cautions.row import ANYWHERE
from probe.classify import Expectation, classify
from probe.corpus import observation
from probe.packet import Case, draft, for_support, merged
from probe.reading import read
from probe.records import Json
from tests.probe import exchanges
from tests.probe.afterwards import OUTAGE, REDACTOR, STORY
from tests.probe.evidence import case, good, tick
from tests.probe.faults import FAULTS, REASONED

SENTENCES = [json.loads(line) for line in (Path(__file__).parent / "cautioned.jsonl").read_text("utf-8").splitlines()]


def shown(parameter: Row | str) -> str:
    return parameter.name if isinstance(parameter, Row) else parameter[:40]


def found(row: Row, text: str) -> bool:
    return any(row.found(part) for part in cautions.parts(row, text))


@pytest.mark.parametrize(("row", "text"), [(row, hit) for row in cautions.ROWS for hit in row.hits], ids=shown)
def test_a_hit_is_found(row: Row, text: str) -> None:
    assert found(row, text)


@pytest.mark.parametrize(("row", "text"), [(row, miss) for row in cautions.ROWS for miss in row.misses], ids=shown)
def test_a_near_miss_is_left(row: Row, text: str) -> None:
    assert not found(row, text)


@pytest.mark.parametrize("row", cautions.ROWS, ids=lambda row: row.name)
def test_each_line_of_a_row_is_shown_by_a_hit(row: Row) -> None:
    parts = [part for hit in row.hits for part in cautions.parts(row, hit)]
    assert [line for line in row.lines if not any(row.compiled(line).search(part) for part in parts)] == []


def test_a_row_without_examples_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="examples"):
        Row("x", CautionKind.SCREENSHOT, ANYWHERE, ("x",), (), ("y",))
    with pytest.raises(ValueError, match="examples"):
        Row("x", CautionKind.SCREENSHOT, ANYWHERE, ("x",), ("x",), ())


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda it: it["text"][:40])
def test_sentences_as_people_write_them(sentence: Json) -> None:
    """Each written before the rows that read it. `kinds` is what a person would say of it; `read_as` is what the rows
    say where they are wrong."""
    assert sorted(kinds(sentence["text"])) == sorted(sentence.get("read_as", sentence["kinds"]))


def message(case: Case) -> list[str]:
    return [str(caution) for caution in of_document(draft(case))]


@pytest.mark.parametrize("name", FAULTS)
def test_our_own_message_is_free_of_warnings_for_every_fault(name: str) -> None:
    assert message(FAULTS[name]) == []


@pytest.mark.parametrize("name", REASONED)
def test_our_own_message_is_free_of_warnings_for_every_reason(name: str) -> None:
    assert message(REASONED[name]) == []


def recorded(exchange: Json) -> Case:
    """A packet about a recorded exchange, redacted as the probe does it."""
    seen = REDACTOR.seal(observation(exchange)).value
    judgement = classify(seen, Expectation())
    plain = tick(3, judgement, reply=seen.reply, fault=seen.fault, reading=read(seen, None))
    return case(good(1), plain)


def test_what_providers_wrote_is_not_taken_for_our_claim() -> None:
    """Quota texts with prices and limits, pages of gateways, Chinese errors: all stand between backticks."""
    warned = [(exchange["id"], words) for exchange in exchanges.RECORDED for words in message(recorded(exchange))]
    assert warned == []
    quoted = [draft(recorded(it))["message"] for it in exchanges.RECORDED]
    assert sum("RPM" in line or "per min" in line for lines in quoted for line in lines) >= 1, "some do speak of limits"


def test_a_declared_impact_is_our_own_word_and_is_looked_at() -> None:
    [caution] = of_document(draft(replace(OUTAGE, impact="Orders fail because your load balancer drops them.")))
    assert (caution.kind, caution.where) == ("root_cause", "message, line 6")
    assert '"because your" names a cause' in caution.words and "every export" in caution.words


def test_notes_are_looked_at_field_by_field_and_where_they_are_seen_is_said() -> None:
    noted = {"text": "Screenshot attached. It is caused by your proxy.", "owner": "zoe", "request_ids": ["the.png"]}
    found = of_note(noted | {"next_review": None, "submitted_at": "60 RPM"})
    assert [(it.kind, it.where) for it in found] == [("root_cause", "text"), ("screenshot", "text")]
    assert all("an export for support holds no notes" in it.words for it in found)


def test_a_packet_s_notes_are_warned_of_by_name_and_not_where_there_are_none() -> None:
    later = (*STORY, ("small-p0005.005.json", {"kind": "note", "at": None, "text": "Our limit is 60 RPM."}))
    now = merged(draft(OUTAGE), later)
    assert [(it.kind, it.where) for it in of_document(now)] == [("unsourced_claim", "small-p0005.005.json, text")]
    assert of_document(for_support(now)) == ()
    assert of_document({}) == ()


def test_a_live_secret_is_warned_of_and_never_repeated() -> None:
    key = "sk-fake-cautioned-0123456789abcdef"
    [caution] = of_note({"text": f"we used {key}"}, [SecretStr(key)])
    assert caution.kind is CautionKind.LIVE_TOKEN
    assert key[:12] not in str(caution)


@pytest.mark.parametrize(
    "text",
    [
        "User: Jane Miller needs it\nAssistant: she shall have it",
        "prompt: 'Jane Miller, born 1980'",
        "jane-miller-passport.png",
    ],
)
def test_a_warning_repeats_no_content(text: str) -> None:
    found = of_note({"text": text})
    assert found
    assert not any("jane" in str(caution).lower() for caution in found)


def test_as_json_a_warning_is_kind_where_and_words() -> None:
    [warning] = cautions.as_json(of_note({"text": "See the screenshot."}))
    assert warning.keys() == {"kind", "where", "words"}
    json.dumps(warning)


def test_a_long_text_costs_little_and_gives_each_kind_once() -> None:
    text = "It is caused by your proxy. Our limit is 60 RPM. " * 80
    assert kinds(text) == ("root_cause", "unsourced_claim")
