"""The table checks itself: every row hits its own examples, misses its near misses, and cannot be written without."""

import pytest

from probe.body import document, error_text
from probe.records import REASONS, Verdict
from probe.rules import ANSWERS, ERRORS, FAULTS, RULES, Place, Rule
from tests.probe.exchanges import CORPUS

NAMES = [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_hits_its_hits_and_not_its_near_misses(rule):
    assert [text for text in rule.hits if rule.excerpt(text) is None] == []
    assert [text for text in rule.misses if rule.excerpt(text) is not None] == []


def test_every_rule_has_a_name_of_its_own():
    assert len(set(NAMES)) == len(NAMES)


def test_a_rule_without_examples_cannot_be_written():
    row = ("x", Verdict.OK, "ok", Place.ANSWER, "x")
    for hits, misses in (((), ("y",)), (("x",), ())):
        with pytest.raises(ValueError, match="needs examples"):
            Rule(*row, hits=hits, misses=misses)


def test_a_rule_with_a_reason_of_another_verdict_cannot_be_written():
    with pytest.raises(ValueError, match="is not one of"):
        Rule("x", Verdict.OK, "no_channel", Place.TEXT, "x", hits=("x",), misses=("y",))


def test_a_rule_is_not_its_own_runner_up():
    with pytest.raises(ValueError, match="runner-up"):
        Rule("x", Verdict.OK, "ok", Place.TEXT, "x", hits=("x",), misses=("y",), runner_up=Verdict.OK)


def test_a_rule_is_certain_unless_it_has_a_runner_up():
    assert all(rule.certain == (rule.runner_up is None) for rule in RULES)


@pytest.mark.parametrize(
    ("rules", "texts"),
    [
        (FAULTS, ["Unheard: of"]),
        (ANSWERS, ["http json", "stream sse"]),
        (ERRORS, ["100 empty", "777 json", "stream sse"]),
    ],
    ids=["faults", "answers", "errors"],
)
def test_each_group_ends_with_a_row_that_takes_everything(rules, texts):
    assert all(rules[-1].excerpt(text) for text in texts)


def test_no_pattern_quotes_a_whole_case():
    """A row that names one provider's sentence would not help with the next provider."""
    longest = [
        (rule.name, words)
        for rule in RULES
        for text in (case["body"] for case in CORPUS)
        for words in error_text(document(text).value).words.splitlines()
        if len(words) > 40 and words.lower() in rule.pattern.lower()
    ]
    assert longest == []


def test_an_excerpt_shows_the_words_that_hit_in_200_characters():
    rule = Rule("x", Verdict.OK, "ok", Place.TEXT, "needle", hits=("needle",), misses=("hay",))
    excerpt = rule.excerpt("hay " * 1000 + "needle\n\n in" + " hay" * 1000)
    assert excerpt is not None
    assert "needle in hay" in excerpt
    assert len(excerpt) <= 200


def test_an_excerpt_of_a_long_hit_is_cut():
    rule = Rule("x", Verdict.OK, "ok", Place.TEXT, "a+", hits=("a",), misses=("b",))
    assert rule.excerpt("a" * 1000) == "a" * 200


def test_a_rule_for_reasons_that_only_an_http_exchange_can_have_exists_for_each():
    """The closed list has no reason that nothing can reach, except those decided beside the table."""
    beside = {"slow", "late", "overrun"}
    reachable = {rule.reason for rule in RULES}
    every = {reason for reasons in REASONS.values() for reason in reasons}
    assert every - reachable - beside == set()
