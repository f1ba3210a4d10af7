"""The shipped rules: promtool's verdict, what they ask for exists, and each alert has its tests and its page."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import promql_parser as promql
import pytest
import typer.main
import yaml
from exposed import exposition
from prometheus_client.parser import text_string_to_metric_families

from exporter.commands import app
from tests.servers import ROOT

RULES: Final = ROOT / "dashboards" / "rules"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
FILES: Final = sorted(RULES.glob("*.yaml"))
TESTS: Final = sorted((RULES / "tests").glob("*.yaml"))

# Metrics that the design names and this version may not export yet: with their labels.
NAMED_BY_THE_DESIGN: Final = {
    "freezeframe_contract_source_changed": {"contract", "area"},
    "freezeframe_model_listed": {"contract", "model"},
}
ADDED_BY_THE_SCRAPE: Final = {"job", "instance"}
OF_PROMETHEUS: Final[dict[str, set[str]]] = {"up": set(), "ALERTS": {"alertname", "alertstate"}}


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def all_rules() -> list[dict[str, Any]]:
    return [rule for file in FILES for group in load(file)["groups"] for rule in group["rules"]]


ALERTS: Final = {rule["alert"]: rule for rule in all_rules() if "alert" in rule}
RECORDED: Final = {rule["record"] for rule in all_rules() if "record" in rule}


def promtool(*arguments: str | Path) -> str:
    """What it says; a complaint fails the test with it."""
    ended = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# ---------------------------------------------------------------- promtool


def test_promtool_finds_nothing_to_say() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *FILES)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(file: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", file)


def test_every_test_file_loads_every_rule_file() -> None:
    for file in TESTS:
        assert {(file.parent / name).resolve() for name in load(file)["rule_files"]} == set(FILES), file.name


def tried(fires: bool) -> set[str]:
    """The alerts that some test sees firing, or sees silent."""
    return {
        check["alertname"]
        for file in TESTS
        for test in load(file)["tests"]
        for check in test.get("alert_rule_test", ())
        if bool(check["exp_alerts"]) is fires
    }


def test_every_alert_is_seen_firing_and_is_seen_silent_at_a_near_miss() -> None:
    assert tried(fires=True) == tried(fires=False) == ALERTS.keys()


# ---------------------------------------------------------------- names


async def exported() -> dict[str, set[str]]:
    """The label names of each sample of a real exposition, and of what the design still owes."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(await exposition()):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    for name, stated in NAMED_BY_THE_DESIGN.items():
        assert labels.setdefault(name, stated) == stated, f"{name} is exported with other labels than designed"
    return labels | OF_PROMETHEUS


def queries_of(rule: dict[str, Any]) -> Iterator[str]:
    """The expression of a rule and the queries in its annotations."""
    yield rule["expr"]
    for text in rule.get("annotations", {}).values():
        for query in re.findall(r'(?:printf|query) "([^"]*[{(:][^"]*)"', text):
            if not query.startswith(("job=", "{job=")):
                yield query.replace("%s", 'job="freezeframe"')


def parts(expression: promql.Expr) -> Iterator[promql.Expr]:
    seen: list[promql.Expr] = []
    promql.walk(expression, lambda part: seen.append(part))
    yield from seen


def label_names(part: promql.Expr) -> set[str]:
    """Of `by`, `without`, `on`, `ignoring`, `group_left`."""
    named: set[str] = set()
    if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
        named.update(part.modifier.labels)
    if isinstance(part, promql.BinaryExpr) and part.modifier is not None:
        if part.modifier.matching is not None:
            named.update(part.modifier.matching.labels)
        named.update(part.modifier.group_labels or ())
    return named


def every_part() -> Iterator[tuple[str, promql.Expr]]:
    for rule in all_rules():
        for query in queries_of(rule):
            for part in parts(promql.parse(query)):
                yield rule.get("alert") or rule["record"], part


async def test_rules_ask_only_for_metrics_and_labels_that_exist() -> None:
    known = await exported()
    anywhere = set().union(*known.values()) | ADDED_BY_THE_SCRAPE
    asked = 0
    for name, part in every_part():
        assert label_names(part) <= anywhere, name
        selector = part.vector_selector if isinstance(part, promql.MatrixSelector) else part
        if not isinstance(selector, promql.VectorSelector):
            continue
        asked += 1
        matched = {matcher.name for matcher in selector.matchers.matchers}
        if selector.name in RECORDED:
            assert matched <= anywhere, name
        else:
            assert selector.name in known, f"{name} asks for {selector.name}, which nothing exports"
            assert matched <= known[selector.name] | ADDED_BY_THE_SCRAPE, f"{name}: {selector.name}"
    assert asked > 150, "the parser sees the selectors"


async def test_tests_feed_only_series_that_exist() -> None:
    known = await exported()
    for file in TESTS:
        for test in load(file)["tests"]:
            for series in test["input_series"]:
                selector = promql.parse(series["series"])
                assert isinstance(selector, promql.VectorSelector)
                labels = {matcher.name for matcher in selector.matchers.matchers}
                assert selector.name in known, f"{file.name}: {selector.name}"
                assert labels <= known[selector.name] | ADDED_BY_THE_SCRAPE, f"{file.name}: {series['series']}"


async def test_runbooks_name_only_metrics_that_exist() -> None:
    known = await exported()
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known} | known.keys()
    for page in RUNBOOKS.glob("*.md"):
        for name in re.findall(r"\b(?:freezeframe|probe)_[a-z_]+", page.read_text()):
            said = name.rstrip("_")
            if said != "probe_fault":  # a verdict
                assert any(family == said or family.startswith(f"{said}_") for family in families), (
                    f"{page.name}: {name}"
                )


# ---------------------------------------------------------------- alerts


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_who_is_told_what_to_read_and_where_the_evidence_is(name: str) -> None:
    rule = ALERTS[name]
    labels, annotations = rule["labels"], rule["annotations"]
    assert name.startswith("Freezeframe")
    assert labels["severity"] in ("page", "ticket")
    assert labels["team"] in ("llm-platform", "freezeframe", "{{ $labels.credential }}")
    assert labels.get("scope") in (None, "target", "contract")
    assert list(annotations) == ["summary", "description", "runbook_url", "packet_url"]
    assert annotations["runbook_url"].endswith(f"{{{{ end }}}}/{name}.md")
    assert "packet" not in " ".join(labels), "a packet's ID would make every packet another alert"


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == ALERTS.keys()
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert dict(listed) == {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_is_short_and_answers_what_is_asked_at_three_in_the_morning(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert headings == [name, "What it means", "Us or them", "First", "Escalate", "Back to bed"]
    assert len(text.splitlines()) < 70
    assert len(re.findall(r"^\d\. ", text, re.MULTILINE)) == 3
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (RUNBOOKS / link).exists(), link


def commands(text: str) -> Iterator[list[str]]:
    """The calls of this program in the blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.strip().startswith("freezeframe "):
                yield line.partition("&&")[0].split()[1:]


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_commands_on_a_page_exist(page: Path) -> None:
    for words in commands(page.read_text()):
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert not hasattr(command, "commands"), f"not a command: {' '.join(words)}"
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("-")} <= options, " ".join(words)
