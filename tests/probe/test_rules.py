"""The table checks itself: every row hits its own examples, misses its near misses, and cannot be written without."""

import pytest

from probe.body import document, error_text
from probe.records import REASONS, Verdict
from probe.rules import ANSWERS, ERRORS, FAULTS, RULES, Place, Rule
from tests.probe.exchanges import RECORDED

NAMES = [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_hits_its_hits_and_not_its_near_misses(rule):
    assert [text for text in rule.hits if rule.excerpt(text) is None] == []
    assert [text for text in rule.misses if rule.excerpt(text) is not None] == []


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_line_of_a_pattern_is_shown_by_a_hit(rule):
    """A line that no example needs is dead, or its example is missing."""
    alone = [(line, rule.compiled(line)) for line in rule.lines]
    assert [line for line, pattern in alone if not any(pattern.search(text) for text in rule.hits)] == []


@pytest.mark.parametrize("rules", [FAULTS, ANSWERS], ids=["faults", "answers"])
def test_no_fault_or_answer_stands_in_the_shadow_of_the_rules_before_it(rules):
    def first(text):
        return next(row for row in rules if row.excerpt(text) is not None)

    assert [rule.name for rule in rules if rule not in [first(text) for text in rule.hits]] == []


def first_of_errors(rule, text):
    """The row that decides an error of which the rule's own example is all that is known."""
    status, _, words = text.partition("\n") if rule.where is Place.SHEET else ("500 json", "", text)
    if rule.where is Place.STATUS:
        status, words = text, ""
    if rule.where is Place.PAGE:
        status = "500 html"
    texts = dict.fromkeys(Place, words) | {Place.STATUS: status, Place.SHEET: f"{status}\n{words}"}
    return next(row for row in ERRORS if row.excerpt(texts[row.where]) is not None)


@pytest.mark.parametrize("rule", ERRORS, ids=lambda rule: rule.name)
def test_no_rule_stands_in_the_shadow_of_the_rules_before_it(rule):
    assert rule in [first_of_errors(rule, text) for text in rule.hits]


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
        for text in (case["body"] for case in RECORDED)
        for words in error_text(document(text).value).words.splitlines()
        for line in rule.lines
        if len(words) > 40 and words.lower() in line.lower()
    ]
    assert longest == []


def test_an_excerpt_shows_the_words_that_hit_in_200_characters():
    rule = Rule("x", Verdict.OK, "ok", Place.TEXT, "needle", hits=("needle",), misses=("hay",))
    excerpt = rule.excerpt("hay " * 1000 + "needle\n\n in" + " hay" * 1000)
    assert excerpt is not None
    assert "needle in hay" in excerpt
    assert len(excerpt) <= 200


def test_an_excerpt_starts_at_the_words_and_not_at_what_must_stand_before_them():
    rule = Rule("x", Verdict.OK, "ok", Place.SHEET, "needle", hits=("5 needle",), misses=("x",), after=r"\A5")
    excerpt = rule.excerpt("5" + " hay" * 1000 + " needle here")
    assert excerpt is not None
    assert excerpt.endswith("needle here")


def test_what_was_blanked_out_for_the_pattern_is_quoted_whole():
    rule = Rule("x", Verdict.OK, "ok", Place.TEXT, "needle", hits=("needle",), misses=("hay",))
    assert rule.excerpt("··· needle", "hay needle") == "hay needle"


def test_an_excerpt_of_a_long_hit_is_cut():
    rule = Rule("x", Verdict.OK, "ok", Place.TEXT, "a+", hits=("a",), misses=("b",))
    assert rule.excerpt("a" * 1000) == "a" * 200


def test_a_rule_for_reasons_that_only_an_http_exchange_can_have_exists_for_each():
    """The closed list has no reason that nothing can reach, except those decided beside the table."""
    beside = {"slow", "late", "overrun"}
    reachable = {rule.reason for rule in RULES}
    every = {reason for reasons in REASONS.values() for reason in reasons}
    assert every - reachable - beside == set()
