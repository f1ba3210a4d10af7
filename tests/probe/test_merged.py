"""A packet as it stands now: the newest statement wins, what is not known says so, and nothing added can break it."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import render
from probe.advice import DECLARED_IMPACT
from probe.notes import Note
from probe.packet import draft, merged
from probe.packet.later import NOTE_LABELS, read
from probe.records import Json
from tests.probe.afterwards import (
    AGAIN,
    CONFIRMED,
    FINAL,
    FIRST_NOTE,
    OUTAGE,
    RECOVERED,
    SECOND_NOTE,
    STORY,
    named,
    noted,
)
from tests.probe.evidence import case, good, overloaded

FROZEN = draft(OUTAGE)
FIRST_SEEN, LAST_SEEN = "2026-11-24T03:01:30.127Z", "2026-11-24T03:02:30.127Z"
BACK = "2026-11-24T03:20:00.123Z"


def since(*documents: Json) -> Json:
    found: Json = merged(FROZEN, named(*documents))["since_freeze"]
    return found


def template(*documents: Json, frozen: Json = FROZEN) -> dict[str, str]:
    return dict(merged(frozen, named(*documents))["internal"]["template"])


def message(*documents: Json, frozen: Json = FROZEN) -> list[str]:
    said: list[str] = merged(frozen, named(*documents))["message"]
    return said[6:-1]


# ---------------------------------------------------------------- what is known now


def test_without_addenda_nothing_is_known_later_and_nothing_else_changes() -> None:
    now = merged(FROZEN, ())
    assert now["since_freeze"] == {
        "as_of": FROZEN["frozen_at"],
        "state": "open",
        "outcome": None,
        "recovered_at": None,
        "last_reproduced_at": LAST_SEEN,
        "failures": None,
        "probes": None,
        "failure_share": None,
        "reopened": [],
        "scope": None,
        "recommendation": FROZEN["internal"]["recommendation"],
        "gateway_log": None,
        "confirmed_impact": None,
        "addenda": [],
    }
    assert now["message"] == FROZEN["message"]
    assert now["internal"]["template"] == FROZEN["internal"]["template"]
    assert now.keys() == FROZEN.keys() | {"since_freeze"}


def test_the_whole_story_is_told_in_one_document() -> None:
    now = merged(FROZEN, STORY)
    known = now["since_freeze"]
    assert known | {"scope": 0, "recommendation": 0, "addenda": 0} == {
        "as_of": "2026-11-24T03:30:00.123Z",
        "state": "recovered",
        "outcome": "deterministic",
        "recovered_at": "2026-11-24T03:07:30.123Z",
        "last_reproduced_at": "2026-11-24T03:06:00.123Z",
        "failures": 10,
        "probes": 13,
        "failure_share": 10 / 13,
        "reopened": [],
        "scope": 0,
        "recommendation": 0,
        "gateway_log": None,
        "confirmed_impact": {
            "text": "checkout was down for 6 min, 212 orders",
            "at": "2026-11-24T03:30:00.123Z",
            "words": "confirmed in a note at 2026-11-24T03:30:00.123Z: checkout was down for 6 min, 212 orders.",
        },
        "addenda": 0,
    }
    assert (known["scope"]["sentence"], known["scope"]["as_of"]) == (FINAL, "2026-11-24T03:02:50.123Z")
    assert len(known["scope"]["table"]) == 2
    assert known["recommendation"] == now["internal"]["recommendation"]
    confirmed, *reasons, ended = known["recommendation"]["reasons"]
    before = CONFIRMED["recommendation"]
    assert reasons == [reason for reason in before["reasons"] if reason != DECLARED_IMPACT]
    assert known["recommendation"] | {"reasons": 0} == before | {"reasons": 0}
    assert confirmed == "Impact was confirmed in a note at 2026-11-24T03:30:00.123Z."
    assert ended == "It recovered at 2026-11-24T03:07:30.123Z: what is sent now tells of what has ended."
    assert [(row["kind"], row["name"]) for row in known["addenda"]] == [
        ("confirmation", "small-p0005.001.json"),
        ("note", "small-p0005.002.json"),
        ("recovery", "small-p0005.003.json"),
        ("note", "small-p0005.004.json"),
    ]
    assert all(row["at"] and row["words"] for row in known["addenda"])
    assert now["impact"] == FROZEN["impact"] | {"confirmed": known["confirmed_impact"]}


def test_what_was_frozen_stays_as_it_was() -> None:
    now = merged(FROZEN, STORY)
    changed = {key for key in FROZEN if now[key] != FROZEN[key]}
    assert changed == {"message", "impact", "internal"}
    assert now["impact"]["words"] == FROZEN["impact"]["words"]
    ours = {key for key in FROZEN["internal"] if now["internal"][key] != FROZEN["internal"][key]}
    assert ours == {"template", "recommendation", "notes"}


@pytest.mark.parametrize(
    ("documents", "state", "recovered_at", "reopened", "last"),
    [
        ((CONFIRMED,), "open", None, [], "2026-11-24T03:03:30.127Z"),
        ((RECOVERED,), "recovered", RECOVERED["at"], [], "2026-11-24T03:06:00.123Z"),
        ((RECOVERED, AGAIN), "open", None, [BACK], BACK),
        ((RECOVERED, AGAIN, RECOVERED), "recovered", RECOVERED["at"], [BACK], BACK),
        ((FIRST_NOTE,), "open", None, [], LAST_SEEN),
        (({"kind": "recovery", "at": "2026-11-24T04:00:00Z"},), "recovered", "2026-11-24T04:00:00.000Z", [], LAST_SEEN),
        (({"kind": "recovery"},), "recovered", None, [], LAST_SEEN),
    ],
)
def test_the_last_recovery_or_reopening_decides_the_state(
    documents: tuple[Json, ...], state: str, recovered_at: str | None, reopened: list[str], last: str
) -> None:
    known = since(*documents)
    assert (known["state"], known["recovered_at"]) == (state, recovered_at)
    assert (known["reopened"], known["last_reproduced_at"]) == (reopened, last)


def test_failures_of_several_incidents_are_summed_and_said_to_be_several() -> None:
    second = RECOVERED | {"failures": 2, "probes": 7}
    known = since(RECOVERED, AGAIN, second)
    assert (known["failures"], known["probes"], known["failure_share"]) == (12, 20, 0.6)
    assert "12 of 20 probes failed (60.0%)" in message(RECOVERED, AGAIN, second)[0]
    assert "over 2 incidents" in message(RECOVERED, AGAIN, second)[0]
    assert "incidents" not in message(RECOVERED)[0]


def test_one_failure_is_not_a_reproduction_until_it_fails_again() -> None:
    """A recovery names the tick, which was due before the attempt started."""
    single = draft(case(good(1), overloaded(3)))
    alone = RECOVERED | {"last_reproduced_at": "2026-11-24T03:01:30.123Z", "failures": 1, "probes": 4}
    assert merged(single, named(alone))["since_freeze"]["last_reproduced_at"] is None
    assert template(alone, frozen=single)["Last reproduced"] == "not reproduced yet: one attempt failed"
    assert template(CONFIRMED, frozen=single)["Last reproduced"] == "2026-11-24T03:03:30.127Z"


def test_a_confirmation_that_succeeded_reproduces_nothing() -> None:
    rows = [row | {"verdict": "ok"} for row in CONFIRMED["confirmations"]]
    known = CONFIRMED | {"confirmations": rows, "outcome": "isolated"}
    assert since(known)["last_reproduced_at"] == LAST_SEEN
    assert "0 of 2 attempts failed (isolated)." in message(known)[0]


# ---------------------------------------------------------------- the template and the notes


def test_the_rows_that_later_facts_fill_are_refilled_and_no_other() -> None:
    before, after = dict(FROZEN["internal"]["template"]), template(CONFIRMED, FIRST_NOTE, RECOVERED, SECOND_NOTE)
    assert list(after) == list(before)
    assert {field: entry for field, entry in after.items() if entry != before[field]} == {
        "Last reproduced": "2026-11-24T03:06:00.123Z",
        "Scope": f"{FINAL} (as of 2026-11-24T03:02:50.123Z) This packet: target small, model `example-small`, "
        "non-streaming. Impact confirmed in a note at 2026-11-24T03:30:00.123Z: checkout was down for 6 min, "
        "212 orders.",
        "Mitigation": "traffic goes to the fallback model",
        "Escalation ID": "CASE-4711, submitted 2026-11-24T03:04:00.000Z, by route https://example.test/support",
        "Follow-up owner": "zoe of the night shift; next review 2026-11-25",
    }


def test_without_a_note_the_impact_stays_declared_and_without_confirmations_the_scope_stays() -> None:
    assert "(as of 2026-11-24T03:02:50.123Z)" in template(CONFIRMED)["Scope"]
    assert template(CONFIRMED)["Scope"].endswith(FROZEN["impact"]["words"])
    alone = template(SECOND_NOTE)["Scope"]
    assert alone.startswith(FROZEN["scope"]["sentence"])
    assert "Impact confirmed in a note at" in alone and "declared in configuration" not in alone


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ({"escalation_id": "CASE-1"}, ("Escalation ID", "CASE-1")),
        ({"route": "by phone"}, ("Escalation ID", "not known yet, by route by phone")),
        ({"owner": "zoe"}, ("Follow-up owner", "zoe; next review not known yet")),
        ({"next_review": "2026-12-01"}, ("Follow-up owner", "llm-platform on-call; next review 2026-12-01")),
        ({"mitigation": "one `a`\nand | two"}, ("Mitigation", "one 'a' and | two")),
    ],
)
def test_a_note_fills_what_it_states(given: Json, row: tuple[str, str]) -> None:
    assert template(noted(5, **given))[row[0]] == row[1]


def test_of_several_notes_the_newest_stated_value_wins_and_all_are_listed() -> None:
    now = merged(FROZEN, named(FIRST_NOTE, SECOND_NOTE, noted(40, escalation_id="CASE-2")))["internal"]
    assert now["follow_up"] == {
        "escalation_id": "CASE-2",
        "submitted_at": "2026-11-24T03:04:00.000Z",
        "route": "https://example.test/support",
        "owner": "zoe of the night shift",
        "next_review": "2026-11-25",
        "mitigation": "traffic goes to the fallback model",
    }
    assert [note["name"] for note in now["notes"]] == [f"small-p0005.00{number}.json" for number in (1, 2, 3)]
    assert now["notes"][1]["request_ids"] == ["theirs-1", "theirs-2"]
    assert now["notes"][0].keys() == {"name", "at", *NOTE_LABELS}


def test_the_fields_of_a_note_are_the_same_everywhere() -> None:
    assert tuple(NOTE_LABELS) == tuple(Note.__dataclass_fields__)


# ---------------------------------------------------------------- the message


def test_the_message_keeps_its_sentences_and_tells_what_was_measured_before_its_end() -> None:
    now = merged(FROZEN, STORY)["message"]
    assert [*now[:6], now[-1]] == FROZEN["message"]
    assert now[6:-1] == [
        "Since then (as of 2026-11-24T03:07:30.123Z): asked again right after the freeze, 2 of 2 attempts failed "
        f"(deterministic). Scope as of 2026-11-24T03:02:50.123Z: {FINAL}",
        "Recovered at 2026-11-24T03:07:30.123Z, last seen failing at 2026-11-24T03:06:00.123Z; 10 of 13 probes failed "
        "(76.9%) from the first failure to the recovery.",
    ]


SAME_SCOPE = CONFIRMED | {"scope": CONFIRMED["scope"] | {"sentence": FROZEN["scope"]["sentence"]}}
NOT_ASKED = CONFIRMED | {"confirmations": [], "outcome": "not known", "scope": None}


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ((CONFIRMED,), "No recovery is recorded; last seen failing at 2026-11-24T03:03:30.127Z."),
        ((NOT_ASKED,), "Since then (as of 2026-11-24T03:02:50.123Z): it was not asked again right after the freeze."),
        ((SAME_SCOPE,), "(deterministic). Scope as of 2026-11-24T03:02:50.123Z: the same."),
        ((RECOVERED,), "Since then (as of 2026-11-24T03:07:30.123Z): recovered at 2026-11-24T03:07:30.123Z"),
        (
            (RECOVERED, AGAIN),
            f"the same failure was back at {BACK}. No recovery is recorded; last seen failing at {BACK}.",
        ),
        ((CONFIRMED | {"outcome": None},), "2 of 2 attempts failed. Scope as of"),
        ((CONFIRMED | {"confirmations": CONFIRMED["confirmations"][:1]},), "1 of 1 attempt failed"),
        ((CONFIRMED | {"confirmations": []},), f"scope as of 2026-11-24T03:02:50.123Z: {FINAL}"),
        (({"kind": "recovery", "at": "2026-11-24T04:00:00Z"},), "recovered at 2026-11-24T04:00:00.000Z, last seen"),
    ],
)
def test_the_words_follow_what_is_known(documents: tuple[Json, ...], words: str) -> None:
    said = message(*documents)
    assert words in " ".join(said)
    assert 1 <= len(said) <= 2
    assert said[0].startswith("Since then (as of ")


def test_what_people_noted_is_no_part_of_the_message() -> None:
    assert message(FIRST_NOTE, SECOND_NOTE) == []
    assert message(CONFIRMED, FIRST_NOTE, SECOND_NOTE) == message(CONFIRMED)


def test_the_first_screen_still_holds_what_support_asks_for() -> None:
    again = [AGAIN | {"at": f"2026-11-24T{hour:02d}:00:00.000Z"} for hour in range(4, 23)]
    turns = [document for back in again for document in (RECOVERED, back)]
    summary = render.files(merged(FROZEN, named(CONFIRMED, *turns)))["summary.md"].decode()
    before = summary.partition("## Every failing attempt")[0]
    assert len(before.splitlines()) < 25
    assert "- Request ID: `20261124030005gJBlzjtp`" in before
    assert sum("Since then" in line or "The same failure" in line for line in before.splitlines()) == 2
    assert max(len(line) for line in before.splitlines() if "The same failure" in line) < 300, "not a list of hundreds"


def test_a_packet_frozen_by_hand_can_be_noted_and_merged() -> None:
    frozen = draft(case(good(1), good(3, kept=True)))
    now = merged(frozen, named(FIRST_NOTE))
    assert now["since_freeze"]["last_reproduced_at"] is None
    assert now["message"] == frozen["message"]
    recovered = merged(frozen, named({"kind": "recovery", "at": "2026-11-24T04:00:00Z"}))["message"]
    assert recovered[-2].endswith("recovered at 2026-11-24T04:00:00.000Z.")
    open_ = merged(frozen, named(NOT_ASKED))["message"]
    assert open_[-2] == "No recovery is recorded."


# ---------------------------------------------------------------- what anyone could have written


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "weather", "at": "2026-11-24T05:00:00Z", "words": "rain", "outcome": "deterministic"},
        {"kind": 7, "at": 7, "words": []},
        {"kind": ["note"], "owner": "x"},
        {"kind": "note", "owner": 7, "impact": {"a": 1}, "mitigation": "  ", "request_ids": "x", "at": "yesterday"},
        {"kind": "recovery", "at": "2026-11-24T05:00:00", "failures": "many", "probes": -1},
        {"kind": "recovery", "failures": True, "probes": 2},
        {"kind": "recovery", "failures": 9, "probes": 2},
        {"kind": "recovery", "failures": 1, "probes": 10**400},
        {"kind": "confirmation", "outcome": "certain", "confirmations": {"a": 1}, "scope": [], "recommendation": "go"},
        {"kind": "confirmation", "scope": {"sentence": "All", "as_of": "soon"}, "recommendation": {"advice": "go"}},
        {"kind": "confirmation", "confirmations": [None, 7, {"verdict": "bad"}, {"verdict": ["ok"]}]},
        {"kind": "reopening", "at": "0001-01-01T00:00:00+23:00"},
        "text",
        None,
        [1],
    ],
)
def test_what_is_malformed_or_unknown_is_listed_and_says_nothing(document: Any) -> None:
    name = "small-p0005.001.json"
    now = merged(FROZEN, ((name, document),))
    known = now["since_freeze"]
    assert [row["name"] for row in known["addenda"]] == [name]
    for field in ("outcome", "failures", "failure_share", "scope", "confirmed_impact"):
        assert known[field] is None
    assert now["internal"]["template"] == FROZEN["internal"]["template"]
    assert now["internal"]["recommendation"] == FROZEN["internal"]["recommendation"]
    assert render.verify(render.pack(render.files(now))) == ()


def test_a_scope_keeps_the_rows_that_fit_its_columns() -> None:
    odd = CONFIRMED["scope"] | {"columns": ["a", 7, "b"], "table": [["1", "2"], ["1"], "x", ["1", 2, "3"]]}
    assert since(CONFIRMED | {"scope": odd})["scope"]["table"] == [["1", "2"], ["1", "3"]]
    assert since(CONFIRMED | {"scope": odd | {"columns": None, "table": None}})["scope"]["table"] == []


KINDS = st.sampled_from(["confirmation", "recovery", "reopening", "note", "weather", "", None, 7])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["2026-11-24T05:00:00Z", "deterministic", "degradation"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.sampled_from(sorted({*CONFIRMED, *RECOVERED, *AGAIN, *FIRST_NOTE, *CONFIRMED["scope"]}))
DOCUMENTS = st.builds(
    lambda kind, given: given | {"kind": kind},
    KINDS,
    st.dictionaries(FIELDS, VALUES | st.dictionaries(FIELDS, VALUES, max_size=4), max_size=8),
)


@given(st.lists(st.tuples(st.text(max_size=12), DOCUMENTS | VALUES), max_size=5))
def test_no_addendum_raises_or_changes_what_it_is_merged_with(addenda: list[tuple[str, Any]]) -> None:
    frozen, before = deepcopy(FROZEN), deepcopy(addenda)
    now = merged(frozen, addenda)
    assert frozen == FROZEN
    assert repr(addenda) == repr(before), "NaN is not equal to itself"
    assert len(now["since_freeze"]["addenda"]) == len(addenda)
    assert len(now["message"]) <= len(FROZEN["message"]) + 2
    assert [row[0] for row in now["internal"]["template"]] == [row[0] for row in FROZEN["internal"]["template"]]
    files = render.files(now)
    assert files["packet.json"]
    assert len([line for line in files["summary.md"].decode().split("\n") if line.startswith("| ")]) == 16


def test_a_document_without_its_parts_is_merged_too() -> None:
    bare = {"packet_id": "x"}
    now = merged(bare, STORY)
    assert now.keys() == {"packet_id", "since_freeze"}
    assert now["since_freeze"]["state"] == "recovered"
    assert merged(bare, ())["since_freeze"]["as_of"] is None
    assert read(()).confirmed_impact is None
