"""The page of figures says what was measured, and nothing else. Nothing is measured here."""

import json
import math
import xml.etree.ElementTree as ET

import pytest

from benchmarks import report
from benchmarks.drawing import shown
from benchmarks.figures import Target, doubt, quantile

FIGURES = json.loads(report.KEPT.read_text("utf-8"))
CAMPAIGN = json.loads(report.CAMPAIGN.read_text("utf-8"))


def test_the_page_is_what_its_figures_make() -> None:
    assert report.PAGE.read_text("utf-8") == report.page(FIGURES, CAMPAIGN)


def test_the_pictures_are_what_the_figures_make() -> None:
    made = report.pictures(FIGURES)
    assert made, "there are pictures"
    for name, drawn in made.items():
        assert (report.KEPT.parent / name).read_text("utf-8") == drawn
        assert ET.fromstring(drawn).tag.endswith("svg")


def test_every_part_of_the_bench_is_there_and_each_promise_says_whether_it_holds() -> None:
    assert [part["name"] for part in FIGURES["parts"]] == ["truth", "cost", "scale", "scrape", "freeze", "sealing"]
    for part in FIGURES["parts"]:
        for promise in part["targets"]:
            assert promise["holds"] is (promise["measured"] is not None and promise["measured"] <= promise["most"])


def test_a_figure_that_changes_changes_the_page() -> None:
    other = json.loads(json.dumps(FIGURES))
    promise = other["parts"][1]["targets"][0]
    promise["measured"], promise["holds"] = 77.7, False
    assert "77.7 x" in report.page(other, CAMPAIGN)
    assert report.page(other, CAMPAIGN) != report.page(FIGURES, CAMPAIGN)


def test_the_page_adds_the_ledger_up_and_does_not_hide_that_it_fails() -> None:
    other = json.loads(json.dumps(CAMPAIGN))
    other["balances"], other["ledger"][0]["lost"] = False, 4321
    text = report.page(FIGURES, other)
    assert "**does not balance**" in text
    total = next(line for line in text.splitlines() if line.startswith("| in all |"))
    assert total.split(" | ")[-2] == str(4321 + sum(row["lost"] for row in CAMPAIGN["ledger"][1:]))


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([3, 1, 2], 0.5, 2), ([1], 0.99, 1), (list(range(1, 101)), 0.99, 99)]
)
def test_a_quantile_is_one_of_the_values(values: list[float], share: float, expected: float) -> None:
    assert quantile(values, share) == expected


def test_few_samples_tell_less_than_many() -> None:
    few, many = [1.0, 2.0, 3.0] * 5, [1.0, 2.0, 3.0] * 500
    assert doubt(few, few) > 3 * doubt(many, many)
    assert doubt([1.0] * 9, [1.0] * 9) == 0


def test_what_was_not_measured_holds_no_promise() -> None:
    assert math.isnan(quantile([], 0.5))
    assert not Target("nothing", quantile([], 0.5), 1, "ms").holds
    assert Target("just so", 1.0, 1, "ms").holds


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (12.34, "12.3"), (1234.5, "1234"), (300, "300"), (0, "0")]
)
def test_numbers_are_shown_with_the_digits_that_say_something(value: float, text: str) -> None:
    assert shown(value) == text
