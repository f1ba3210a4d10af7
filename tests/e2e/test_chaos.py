"""The short form of the fault campaign (`make chaos`): it balances, and a ledger that does not balance says so."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import plan
from chaos.faults import FAULTS, SHORT
from tests.servers import ROOT

pytestmark = pytest.mark.real


def test_the_short_campaign_balances(tmp_path: Path) -> None:
    """A real process killed, with a full disk, without its store, asked for strange paths and flooded with alerts."""
    ran = subprocess.run(
        [sys.executable, "-m", "chaos", "--short", "--seed", "8", "--json", tmp_path / "chaos.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads((tmp_path / "chaos.json").read_text())
    assert report["balances"] and not report["problems"]
    assert {it["kind"] for it in report["ledger"]} == SHORT.keys()
    for entry in report["ledger"]:
        assert entry["due"] and entry["sent"] and entry["recorded"]
        assert (entry["lost"], entry["doubled"]) == (0, 0)
        assert entry["found"] == entry["owed"] - entry["vetoed"]
    assert sum(it["owed"] for it in report["ledger"]) >= 4
    assert "seed 8" in ran.stderr


def test_a_ledger_from_which_something_was_taken_does_not_balance(tmp_path: Path) -> None:
    """A row and a packet that are gone and a request that nobody owed: each is named, and the exit code is 1."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "chaos", "--only", "disk full", "--minutes", "0.05", "--seed", "8"),
            *("--sabotage", "--json", str(tmp_path / "chaos.json")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    told = json.loads((tmp_path / "chaos.json").read_text())["problems"]
    for words in (
        "paid and not recorded: nobodys",
        "paid and not recorded: 2",
        "trips without a packet",
        "by our metrics",
    ):
        assert any(words in it for it in told), (words, told)


def test_a_seed_gives_one_plan_and_every_fault_has_its_turn() -> None:
    def rounds(seed: int) -> list[str]:
        order = plan.rounds(tuple(FAULTS), random.Random(seed), kills=2)
        return [next(order) for _ in range(2 * len(FAULTS) + 2)]

    assert rounds(1) == rounds(1) != rounds(2)
    assert set(rounds(3)) == set(FAULTS)
