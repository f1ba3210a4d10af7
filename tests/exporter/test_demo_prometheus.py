"""The demo with a real Prometheus beside it, and without one."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.exporter.commands import call
from tests.servers import ROOT, answers
from tests.servers.secrets import command_lines


@pytest.mark.real
def test_the_alerts_of_the_story_are_seen_and_prometheus_ends_with_it(tmp_path: Path) -> None:
    ran = call("demo", "--seconds", "9", "--prometheus", "--json", TMPDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    seen = {it["alertname"]: it for it in told["prometheus"]["alerts"]}
    assert {"FreezeframeAuthOrAccount", "FreezeframeQuotaOrBilling"} <= seen.keys()
    account = seen["FreezeframeAuthOrAccount"]
    origin = told["packets"][0]["url"].partition("/packets/")[0]
    assert account["packet_url"].startswith(f"{origin}/packets/latest?")
    assert parse_qs(urlsplit(account["packet_url"]).query)["target"] == [account["about"]] == ["account"]
    assert ran.stderr == f"Prometheus and its alerts, until the demo ends: {told['prometheus']['url']}/alerts\n"
    assert len(ran.stderr) <= 80
    assert not answers(f"{told['prometheus']['url']}/-/ready")
    assert str(tmp_path).encode() not in command_lines()


def test_without_one_a_sentence_says_how_to_get_it_and_the_demo_goes_on(tmp_path: Path) -> None:
    ran = call("demo", "--seconds", "5", "--prometheus", TMPDIR=str(tmp_path), PATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    first, second, *rest = ran.stdout.splitlines()
    assert "No `prometheus` is on PATH" in first and "apt-get install prometheus" in second
    assert max(len(first), len(second)) <= 80
    assert any("evidence packets were frozen" in line for line in rest)


def test_make_demo_starts_it_where_that_is_wished() -> None:
    def made(*wish: str) -> str:
        """Also where make runs the tests: what it hands on to a make below it is not asked for here."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        asked = ["make", "--no-print-directory", "--dry-run", "demo", *wish]
        return subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True).stdout

    assert made("PROMETHEUS=1").rstrip().endswith("freezeframe demo --prometheus")
    assert "--prometheus" not in made() + made("PROMETHEUS=0")
