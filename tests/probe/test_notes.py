"""What people add: bounded, sealed, and never a key."""

import base64

import pytest
from pydantic import SecretStr

from probe.notes import MOST_CHARS, BadNote, Note, addendum, parse
from probe.redact import Policy, Redactor
from tests.probe.evidence import START

KEY = "sk-fake-noted-0123456789abcdef"
REDACTOR = Redactor([SecretStr(KEY)], [], Policy(), b"k" * 32)


def made(**given: object):
    return addendum("p-1", parse(given), START, REDACTOR, [SecretStr(KEY)])


def test_what_was_stated_is_kept_and_instants_become_utc() -> None:
    document, removals = made(
        escalation_id=" CASE-7 ",
        submitted_at="2026-11-24T04:00:00+01:00",
        next_review="2026-11-25",
        mitigation="routed to the fallback",
        request_ids=["ours-1", "ours-2"],
        text="",
    )
    assert (document["kind"], document["escalation_id"], document["text"]) == ("note", "CASE-7", None)
    assert document["submitted_at"] == "2026-11-24T03:00:00.000Z"
    assert document["next_review"] == "2026-11-25"
    assert document["request_ids"] == ["ours-1", "ours-2"]
    assert "Escalation ID: CASE-7" in document["words"]
    assert removals == ()


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"curl -H 'Authorization: Bearer {KEY}'",
        base64.b64encode(KEY.encode()).decode(),
        KEY[:16],
        "sk-proj-" + "aB3dE5" * 8,
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize("field", ["text", "mitigation", "owner"])
def test_a_pasted_key_is_refused_without_being_told(pasted: str, field: str) -> None:
    with pytest.raises(BadNote) as refused:
        made(**{field: f"see {pasted} there"})
    assert "secret" in str(refused.value)
    assert pasted not in str(refused.value)


def test_personal_data_becomes_a_token_and_the_answer_says_so() -> None:
    document, removals = made(text="jane.doe@example.test saw it")
    assert "jane.doe" not in document["text"]
    assert document["text"].endswith("saw it")
    assert [removal.rule for removal in removals] == ["email"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("see billing.png", "private_file"),
        ("User: where is my order?\nAssistant: on its way", "person"),
    ],
)
def test_what_somebody_said_or_attached_is_no_secret_and_not_refused(text: str, rule: str) -> None:
    document, removals = made(text=text)
    assert [removal.rule for removal in removals] == [rule]
    assert f"<{rule}:" in document["text"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "note"),
        ({"text": "   "}, "note"),
        ({"colour": "red"}, "note"),
        ({"text": 7}, "text"),
        ({"text": "x" * (MOST_CHARS + 1)}, "text"),
        ({"submitted_at": "yesterday"}, "submitted_at"),
        ({"submitted_at": "2026-11-24T03:00:00"}, "submitted_at"),
        ({"next_review": "soon"}, "next_review"),
        ({"request_ids": "one"}, "request_ids"),
        ({"request_ids": ["x"] * 51}, "request_ids"),
        ({"request_ids": ["x" * 201]}, "request_ids"),
    ],
)
def test_a_wrong_field_is_named(given: dict[str, object], field: str) -> None:
    with pytest.raises(BadNote) as refused:
        parse(given)
    assert refused.value.field == field


def test_one_field_is_enough() -> None:
    assert parse({"impact": "checkout was down for 5 min"}) == Note(impact="checkout was down for 5 min")


def test_a_configured_secret_that_redaction_did_not_know_yet_is_refused_by_the_gate() -> None:
    """A credential may be read from its file after the redactor was made."""
    words = "fake-correct-horse-battery"
    with pytest.raises(BadNote, match="a configured secret, in whole or in part") as refused:
        addendum("p-1", parse({"owner": f"ask {words}"}), START, REDACTOR, [SecretStr(words)])
    assert refused.value.field == "owner"
    assert words not in str(refused.value)


def test_the_gate_looks_at_a_note_by_itself_and_names_the_field() -> None:
    """Handed a redactor that lets all of it pass."""
    chance = "Zk7Qw2Lp9Rt4Xv8Nm3Bs6Hd1"
    lenient = Redactor((), (chance, f"client_secret={chance}", f"AKIA{'Z7QW2LP6RT4XV3NM'}"), Policy(), b"k" * 32)
    for field, text in (("text", f"client_secret={chance}"), ("owner", "AKIAZ7QW2LP6RT4XV3NM")):
        with pytest.raises(BadNote, match="no secret") as refused:
            addendum("p-1", parse({field: text, "impact": "none"}), START, lenient, ())
        assert refused.value.field == field
        assert chance[:6] not in str(refused.value)
        assert "Z7QW2L" not in str(refused.value)
    document, _ = addendum("p-1", parse({"text": f"request id {chance}"}), START, lenient, ())
    assert document["text"] == f"request id {chance}"
