"""What was taken out stands in groups that a reader understands: every rule in exactly one, the doubtful ones apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

import probe.redact
from probe import render
from probe.packet import draft, removed, with_dropped
from probe.patterns import PATTERNS
from probe.records import Json, Removal
from probe.redact import Policy, Redactor, vocabulary
from probe.redact.events import SPLIT
from probe.redact.groups import ROWS, WORDS, Group, group
from tests.probe.evidence import case, good, overloaded, tick

KEY = "sk-fake-removed-0123456789abcdef"
SOURCES = sorted(Path(probe.redact.__file__).parent.glob("*.py"))


def _first_arguments(*names: str) -> Iterator[ast.expr]:
    """What the code of redaction passes first to these functions."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in names:
                    yield node.args[0]


def _texts(expression: ast.expr) -> set[str]:
    if isinstance(expression, ast.IfExp):
        return _texts(expression.body) | _texts(expression.orelse)
    return {node.value for node in ast.walk(expression) if isinstance(node, ast.Constant) and type(node.value) is str}


def _kinds() -> set[str]:
    """Every kind of value that is found by its form, by chance or by a name."""
    meanings = {
        text
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Meaning" and len(node.args) == 2
        for text in _texts(node.args[1])
    }
    named = set(vocabulary.PERSONAL.values()) | set(vocabulary.WEAK.values()) | set(vocabulary.ALWAYS.values())
    return (meanings | named | {pattern.name for pattern in PATTERNS} | {"configured", "credential"}) - {""}


# Kinds that stand below a field only, or that are a matter of policy: no text is searched for them.
_BELOW_A_FIELD = {"message", "metadata", "request_id"}


def _rules() -> set[str]:
    """Every name that a report can hold."""
    passed = list(_first_arguments("note", "whole", "taken", "InDoubtError"))
    fixed = {text for it in passed if isinstance(it, ast.Constant) for text in _texts(it)}
    endings = {text for it in passed if isinstance(it, ast.JoinedStr) for text in _texts(it)}
    assert endings == {"_field"}, "a new composed name: say here what it is made of"
    kinds = _kinds()
    found = kinds - _BELOW_A_FIELD
    return fixed | found | {f"{kind}{SPLIT}" for kind in found} | {f"{kind}_field" for kind in kinds}


@pytest.mark.parametrize("rule", sorted(_rules()))
def test_every_rule_that_exists_is_in_exactly_one_group(rule: str) -> None:
    assert [one for one, holds in ROWS if holds(rule.removesuffix(SPLIT))] == [group(rule)]


def test_the_rules_are_read_from_the_code_and_none_is_missed() -> None:
    """So that the test above cannot pass by looking at nothing."""
    assert {"configured_secret", "header_not_known_safe", "dropped_too_deep", "request_id_by_policy"} <= _rules()
    assert {"openai_key", f"jwt{SPLIT}", "email_field", "query_value_not_known_safe", "file_data"} <= _rules()
    assert {group(rule) for rule in _rules()} == set(Group) == WORDS.keys()


def test_a_rule_of_another_version_is_in_doubt_and_breaks_nothing() -> None:
    assert group("a_rule_of_tomorrow") is Group.DOUBT
    older = {"removals": [{"rule": "openai_key", "place": "response.body", "count": 2}], "dropped": ["title"]}
    counted = {total["group"]: total["count"] for total in removed.grouped(older)}
    assert {name: count for name, count in counted.items() if count} == {Group.FORM: 2, Group.DOUBT: 1}


def _sealed() -> Json:
    """The redaction of a packet whose answer held one of each: what a real sealing reports."""
    redactor = Redactor([SecretStr(KEY)], (), Policy(request_ids="hash"), b"k" * 32)
    body = (
        '{"error":{"message":"' + KEY + ' is wrong (request id: 20261124030006gJBlzjtp)","owner_email":"a@b.example"}}'
    )
    result = overloaded(3)
    assert result.sealed is not None
    reply = result.sealed.value.reply
    assert reply is not None
    headers = (("x-spend", "12.5"), ("content-type", "application/json"))
    seen = tick(3, result.judgement, reply=type(reply)(503, headers, body, len(body))).sealed
    assert seen is not None
    sealed = redactor.seal(seen.value)
    failing = tick(3, result.judgement, reply=sealed.value.reply, removals=sealed.removals)
    return draft(case(good(1), failing))


def test_a_report_counts_each_group_and_says_no_value() -> None:
    document = _sealed()
    totals = {total["group"]: total["count"] for total in document["redaction"]["totals"]}
    assert list(totals) == [one.value for one in Group]
    assert totals[Group.CONFIGURED] == 1
    assert totals[Group.POLICY] == 1
    assert totals[Group.PLACE] >= 2, "a header and a field by its name"
    assert sum(totals.values()) == sum(row["count"] for row in document["redaction"]["removals"])
    for name in ("redaction.json", "packet.html", "summary.md"):
        told = render.files(document)[name].decode()
        assert KEY not in told
        assert "a@b.example" not in told
        assert "12.5" not in told


def test_the_page_groups_the_rows_and_sets_doubt_apart() -> None:
    page = render.files(_sealed())["packet.html"].decode()
    table, _, doubt = page.partition("<h2>Redaction</h2>")[2].partition("<h3>Dropped because in doubt</h3>")
    assert table.index(Group.CONFIGURED) < table.index(Group.POLICY) < table.index(Group.PLACE)
    assert "<td>header_not_known_safe</td><td>response.headers x-spend</td><td>1</td>" in table
    assert doubt.lstrip().startswith("<p>Nothing.</p>")


def test_what_was_dropped_in_doubt_is_counted_and_listed_apart() -> None:
    failing = tick(3, overloaded(3).judgement, removals=(Removal("dropped_too_deep", "response.body", 2),))
    document = with_dropped(draft(case(good(1), failing)), ("exchanges.p0003.reply.body",))
    assert document["redaction"]["totals"][-1]["count"] == 3
    files = render.files(document)
    table, _, doubt = files["packet.html"].decode().partition("<h3>Dropped because in doubt</h3>")
    assert "<li>response.body: dropped_too_deep, 2 times</li>" in doubt
    assert "<li>exchanges.p0003.reply.body: it looked like a live secret</li>" in doubt
    assert "dropped_too_deep" not in table
    assert "3 dropped because in doubt. redaction.json says" in files["summary.md"].decode()


def test_where_nothing_was_taken_out_all_three_say_so() -> None:
    files = render.files(draft(case(good(1, kept=True))))
    assert "never shown: nothing. redaction.json" in files["summary.md"].decode()
    assert "No value had to be taken out." in files["packet.html"].decode()
    assert b'"dropped": []' in files["redaction.json"]
