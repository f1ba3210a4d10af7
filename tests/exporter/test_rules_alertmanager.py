"""The example configuration of Alertmanager: who is told, together with what, and what is not told twice."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.servers import ROOT, Process, free_port, get, until

EXAMPLE: Final = ROOT / "dashboards" / "alertmanager.yml"
RULES: Final = ROOT / "dashboards" / "rules"
ALERTS: Final = {
    rule["alert"]: rule
    for file in RULES.glob("*.yaml")
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}

pytestmark = pytest.mark.real


def amtool(*arguments: str | Path) -> str:
    ended = subprocess.run(["amtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def labels_of(name: str, credential: str = "team-a") -> dict[str, str]:
    """What an alert carries when it arrives, as far as routes and inhibition look."""
    rule = ALERTS[name]
    labels = {"alertname": name, "job": "freezeframe", "instance": "ff:9464", **rule["labels"]}
    if "scope" in labels:
        labels["contract"] = "example"
    if labels.get("scope") == "target":
        labels |= {"target": "small", "credential": credential, "model": "example-small"}
    if verdict := re.search(r'verdict="(\w+)"} == 1', rule["expr"]):
        labels["verdict"] = verdict[1]
    labels["team"] = labels["team"].replace("{{ $labels.credential }}", credential)
    return labels


def receivers(labels: dict[str, str]) -> set[str]:
    matched = amtool("config", "routes", "test", f"--config.file={EXAMPLE}", *[f"{k}={v}" for k, v in labels.items()])
    return set(matched.strip().split(","))


def test_amtool_finds_nothing_wrong() -> None:
    amtool("check-config", EXAMPLE)


def test_the_receivers_in_its_comments_hold_too(tmp_path: Path) -> None:
    """What people copy first must be right."""
    lines = EXAMPLE.read_text().splitlines()
    commented = [line.removeprefix("  # ") for line in lines if re.match(r"  #   ( |\w+_configs)", line)]
    whole = EXAMPLE.read_text().replace("        # http_config", "        http_config")
    whole = whole.replace("  - name: tickets", "\n".join(["  - name: tickets", *[f"  {line}" for line in commented]]))
    file = tmp_path / "alertmanager.yml"
    file.write_text(whole)
    amtool("check-config", file)
    loaded = yaml.safe_load(whole)["receivers"][-1]
    assert {"pagerduty_configs", "slack_configs"} <= loaded.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_reaches_those_whom_its_labels_name(name: str) -> None:
    labels = labels_of(name)
    pages = labels["severity"] == "page"
    told = f"page-{labels['team']}" if pages else "tickets"
    evidence = {"freezeframe"} if "scope" in labels else set()
    assert receivers(labels) == {told} | evidence


def test_a_key_that_nobody_gave_a_route_is_not_lost() -> None:
    assert receivers(labels_of("FreezeframeAuthOrAccount", "a-new-key")) == {"freezeframe", "page-llm-platform"}


# ---------------------------------------------------------------- inhibition, by a real Alertmanager


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """It runs the example; its webhook has nobody at the other end, which it may log."""
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    process = Process.start(
        "alertmanager",
        folder,
        [
            *("prometheus-alertmanager", f"--config.file={EXAMPLE}", f"--storage.path={folder}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"),
        ],
        {},
    )
    try:
        process.wait_until_answering(f"http://127.0.0.1:{port}/-/ready", 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()


def fire(url: str, alerts: list[dict[str, str]], annotations: dict[str, str] | None = None) -> None:
    body = json.dumps([{"labels": labels, "annotations": annotations or {}} for labels in alerts]).encode()
    asked = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10).close()


def heard(url: str, instance: str, count: int) -> set[tuple[str, str]]:
    """Name and target of the alerts of an instance that nothing mutes."""

    def look() -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = json.loads(get(f"{url}/api/v2/alerts"))
        known = [alert for alert in alerts if alert["labels"]["instance"] == instance]
        judged = [alert for alert in known if alert["status"]["state"] != "unprocessed"]
        return judged if len(judged) == count else []

    return {
        (alert["labels"]["alertname"], alert["labels"].get("target", ""))
        for alert in until(f"{count} alerts of {instance}", look, 60)
        if not alert["status"]["inhibitedBy"]
    }


def test_the_whole_contract_mutes_its_targets_and_not_the_owner_of_a_key(alertmanager: str) -> None:
    here = {"instance": "contract:1"}
    elsewhere = labels_of("FreezeframeDegradation") | here | {"contract": "another", "target": "other"}
    alerts = [
        labels_of("FreezeframeContractFailing") | here,
        labels_of("FreezeframeDegradation") | here,
        labels_of("FreezeframeQuotaOrBilling") | here | {"target": "large"},
        labels_of("FreezeframeAuthOrAccount") | here | {"target": "keyed"},
        labels_of("FreezeframeErrorBudgetBurnFast") | here | {"target": "large"},
        labels_of("FreezeframeCertificateExpiring") | here | {"contract": "example"},
        elsewhere,
    ]
    fire(alertmanager, alerts)
    assert heard(alertmanager, "contract:1", len(alerts)) == {
        ("FreezeframeContractFailing", ""),
        ("FreezeframeAuthOrAccount", "keyed"),
        ("FreezeframeCertificateExpiring", ""),
        ("FreezeframeDegradation", "other"),
    }


def test_an_open_incident_mutes_the_burn_of_the_same_target_only(alertmanager: str) -> None:
    here = {"instance": "burn:1"}
    alerts = [
        labels_of("FreezeframeQuotaOrBilling") | here,
        labels_of("FreezeframeErrorBudgetAtRisk") | here,
        labels_of("FreezeframeLatencyBudgetBurn") | here,
        labels_of("FreezeframeErrorBudgetBurnFast") | here | {"target": "large"},
        labels_of("FreezeframeErrorBudgetBurnSlow") | here | {"target": "large"},
        labels_of("FreezeframeErrorBudgetAtRisk") | here | {"target": "large"},
    ]
    fire(alertmanager, alerts)
    assert heard(alertmanager, "burn:1", len(alerts)) == {
        ("FreezeframeQuotaOrBilling", "small"),
        ("FreezeframeErrorBudgetBurnFast", "large"),
    }


def test_a_blind_prober_mutes_what_its_blindness_explains(alertmanager: str) -> None:
    here = {"instance": "blind:1"}
    alerts = [
        labels_of("FreezeframeBlind") | here,
        labels_of("FreezeframeProbeFault") | here | {"target": "small"},
        labels_of("FreezeframeProbesStale") | here | {"target": "large"},
        labels_of("FreezeframeStoreErrors") | here | {"operation": "freeze"},
    ]
    fire(alertmanager, alerts)
    assert heard(alertmanager, "blind:1", len(alerts)) == {("FreezeframeBlind", ""), ("FreezeframeStoreErrors", "")}
