"""docs/security.md: each threat names what covers it, and that is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NODE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
REPORT = "Report a vulnerability"


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def _tests_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(it.name for it in tree.body if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("section", [name for name in SECTIONS if name != REPORT])
def test_every_threat_has_what_stops_it_and_a_test_that_is_there(section: str) -> None:
    rows = _rows(SECTIONS[section])
    assert rows
    for row in rows:
        assert len(row) == 4, row
        threat, stops, _, tests = row
        assert threat and stops
        named = NODE.findall(tests)
        assert named, f"no test covers: {threat}"
        assert NODE.sub("", tests).replace(",", "").strip() == "", "only node IDs stand there"
        for file, name in named:
            assert (ROOT / file).is_file(), file
            assert name in _tests_of(file), f"{file} has no {name}"


def test_the_threats_that_were_asked_for_are_all_there() -> None:
    wanted = ("provider", "reader", "poster", "packet", "contract or configuration", "state", "path", "supply chain")
    assert [it for it in wanted if not any(it in name for name in SECTIONS)] == []


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert "test_that_is_not_there" not in _tests_of("tests/exporter/test_security_page.py")
    assert NODE.findall("`tests/a.py::test_x`, `tests/b/c.py::test_y`") == [
        ("tests/a.py", "test_x"),
        ("tests/b/c.py", "test_y"),
    ]


def test_how_to_report_names_no_address() -> None:
    assert REPORT in SECTIONS
    assert not re.search(r"\S+@\S+\.\w|https?://", SECTIONS[REPORT])
