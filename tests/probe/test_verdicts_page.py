"""docs/verdicts.md is what the table, the meanings and the recorded exchanges make of it."""

import pytest

from docs.verdicts import PAGE, page, recorded
from probe.records import REASONS
from probe.records.meanings import MEANINGS
from probe.rules import RULES

SHOWN = page(recorded())
EVERY = [reason for reasons in REASONS.values() for reason in reasons]


def test_the_page_on_disk_is_the_generated_one():
    assert PAGE.read_text(encoding="utf-8") == SHOWN, "run: python -m docs.verdicts"


def test_every_reason_has_a_meaning_and_none_is_left_over():
    assert list(MEANINGS) == EVERY


@pytest.mark.parametrize("reason", EVERY)
def test_a_meaning_and_a_first_action_are_short_sentences(reason):
    for text in MEANINGS[reason]:
        assert text[0].isupper() or text[0] == "`"
        assert text[-1] in ".?"
        assert len(text) <= 100


def test_a_reason_belongs_to_one_verdict_only():
    assert len(set(EVERY)) == len(EVERY)


def section(reason):
    return SHOWN.split(f"\n### {reason}\n")[1].split("\n### ")[0]


@pytest.mark.parametrize("reason", EVERY)
def test_every_reason_is_shown_with_an_example_and_the_rules_that_lead_there(reason):
    lines = dict(line[2:].split(": ", 1) for line in section(reason).splitlines() if line.startswith("- "))
    assert len(lines["Seen"]) > 2
    decided = lines["Decided by"].removesuffix(".").split("; ")
    assert {rule.name for rule in RULES if rule.reason == reason} <= set(decided)
    assert decided != [""]
