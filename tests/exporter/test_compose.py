"""deploy/compose without a Docker engine: each file by its own program, and that mounts, names and ports fit."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.exporter.commands import call, refused
from tests.exporter.test_rules_alertmanager import EXAMPLE, amtool
from tests.servers import ROOT

HERE: Final = ROOT / "deploy" / "compose"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
README: Final = (HERE / "README.md").read_text()
MADE_BY_HAND: Final = {
    "./data/freezeframe",
    "./data/alertmanager",
    "./secrets/freezeframe-token",
    "./secrets/cometapi-key",
}
MODEL: Final = '"<model ID from the documents>"'


def mounts(service: str) -> dict[str, str]:
    """What a container sees where, by its own paths; named volumes by their name."""
    bound = dict(reversed(entry.removesuffix(":ro").split(":")) for entry in SERVICES[service].get("volumes", ()))
    held = {f"/run/secrets/{name}": COMPOSE["secrets"][name]["file"] for name in SERVICES[service].get("secrets", ())}
    return bound | held


def inside(service: str, path: str) -> Path:
    """The file of this repository that a container sees at a path of its own."""
    for mounted, source in mounts(service).items():
        if path == mounted or path.startswith(f"{mounted}/"):
            return (HERE / source).resolve() / path[len(mounted) :].lstrip("/")
    raise AssertionError(f"{service} sees nothing at {path}")


def flag(service: str, name: str) -> str:
    (value,) = [word.partition("=")[2] for word in SERVICES[service]["command"] if word.startswith(f"--{name}=")]
    return str(value)


# ---------------------------------------------------------------- mounts, names, ports


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_there_or_is_made_by_hand_or_is_a_named_volume(service: str) -> None:
    sources = set(mounts(service).values())
    named = {source for source in sources if "/" not in source}
    assert named <= COMPOSE["volumes"].keys()
    assert {source for source in sources - named - MADE_BY_HAND if not (HERE / source).exists()} == set()


def test_everything_named_is_used_and_the_other_way_round() -> None:
    used = {source for service in SERVICES for source in mounts(service).values()}
    assert COMPOSE["volumes"].keys() <= used
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} <= used
    assert used >= MADE_BY_HAND


def test_nothing_is_reached_from_elsewhere_and_every_address_has_its_port() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items()}
    assert published == {
        "freezeframe": ["127.0.0.1:9464:9464"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "alertmanager": ["127.0.0.1:9093:9093"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    files = [file for file in HERE.rglob("*") if file.suffix in (".yml", ".yaml") and file.name != "compose.yaml"]
    text = "".join(re.sub(r"#.*", "", file.read_text()) for file in files)
    peers = re.findall(r"\b(freezeframe|prometheus|alertmanager|grafana):(\d+)", text)
    assert {name for name, _ in peers} == {"freezeframe", "prometheus", "alertmanager"}
    assert all(published[name][0].endswith(f":{port}") for name, port in peers)
    assert {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text + README)} == {9464, 9090, 9093, 3000}


def test_images_of_others_are_variables_with_a_default_and_that_it_was_not_run_is_said() -> None:
    for name, service in SERVICES.items():
        if "build" in service:
            context = (HERE / service["build"]["context"]).resolve()
            assert (context, service["build"]["dockerfile"]) == (ROOT, "Containerfile")
        else:
            assert re.fullmatch(rf"\${{{name.upper()}_IMAGE:-[\w/]+:v?[\d.]+}}", service["image"])
    assert "no Docker engine was at hand" in README
    assert "no Docker engine was at hand" in (HERE / "compose.yaml").read_text()


# ---------------------------------------------------------------- freezeframe


def test_its_configuration_holds_once_the_model_is_named(tmp_path: Path) -> None:
    """As the container sees it: the paths of secrets and data are where they are mounted."""
    by_hand(tmp_path)
    text = inside("freezeframe", "/etc/freezeframe/config/freezeframe.yaml").read_text()
    file = tmp_path / "freezeframe.yaml"
    for mounted, source in mounts("freezeframe").items():
        text = text.replace(mounted, str(tmp_path / source))
    file.write_text(text)
    as_it_stands = call("config", "check", "--config", file)
    assert as_it_stands.returncode == 2
    assert "targets[0].model" in as_it_stands.stderr and "placeholder" in as_it_stands.stderr
    file.write_text(text.replace(MODEL, "example-model"))
    assert call("config", "check", "--config", file).stdout == f"{file}: fine, 2 targets\n"


def test_without_its_token_it_does_not_start(tmp_path: Path) -> None:
    """It listens on all of its container's addresses, so that the token is no choice."""
    stated = yaml.safe_load((HERE / "freezeframe.yaml").read_text().replace(MODEL, "example-model"))
    stated["credentials"]["team-a"] = {"env": "SOME_KEY"}
    stated["state"] = stated["store"] = str(tmp_path)
    del stated["server"]["token"]
    (tmp_path / "x.yaml").write_text(json.dumps(stated))
    refused(call("config", "check", "--config", tmp_path / "x.yaml", SOME_KEY="sk-fake-compose"), "server.token")


def by_hand(folder: Path) -> None:
    """What README.md says to do first, as it stands there."""
    script = next(block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "mkdir" in block)
    environ = {"PATH": os.environ["PATH"], "COMETAPI_KEY": "sk-fake-compose-0123456789"}
    subprocess.run(["sh", "-eu", "-c", script], cwd=folder, env=environ, check=True, timeout=30)


def test_the_readme_makes_what_is_missing_for_its_owner_alone(tmp_path: Path) -> None:
    by_hand(tmp_path)
    assert {source for source in MADE_BY_HAND if not (tmp_path / source).exists()} == set()
    token = (tmp_path / "secrets/freezeframe-token").read_text()
    assert re.fullmatch(r"[0-9a-f]{48}", token)
    for name in ("secrets/freezeframe-token", "secrets/cometapi-key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / ".env").read_text() == f"AS_USER={os.getuid()}:{os.getgid()}\n"
    ignored = (HERE / ".gitignore").read_text().split()
    assert ignored == ["secrets/", "data/", ".env"]


# ---------------------------------------------------------------- the other three


@pytest.mark.real
def test_promtool_takes_the_configuration_with_all_rules(tmp_path: Path) -> None:
    config = flag("prometheus", "config.file")
    shutil.copy(inside("prometheus", config), tmp_path / "prometheus.yml")
    (rules,) = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["rule_files"]
    shutil.copytree(inside("prometheus", str(Path(config).parent / "rules")), tmp_path / "rules")
    ended = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert rules == "rules/*.yaml"
    assert f"{len(list(tmp_path.glob(rules)))} rule files found" in ended.stdout
    assert inside("prometheus", flag("prometheus", "storage.tsdb.path")) is not None


@pytest.mark.real
def test_alertmanager_routes_as_the_shipped_example_and_shows_the_token() -> None:
    file = inside("alertmanager", flag("alertmanager", "config.file"))
    amtool("check-config", file)
    here, shipped = yaml.safe_load(file.read_text()), yaml.safe_load(EXAMPLE.read_text())
    (webhook,) = here["receivers"][0]["webhook_configs"]
    credentials = webhook.pop("http_config")["authorization"]["credentials_file"]
    assert credentials in mounts("alertmanager")
    assert webhook.pop("url") == "http://freezeframe:9464/alerts"
    assert shipped["receivers"][0]["webhook_configs"][0].pop("url").endswith(":9464/alerts")
    assert here == shipped


def test_grafana_finds_the_data_source_the_dashboards_and_the_way_to_the_packet() -> None:
    provisioning = Path("/etc/grafana/provisioning")
    sources = yaml.safe_load(inside("grafana", str(provisioning / "datasources/prometheus.yaml")).read_text())
    (source,) = sources["datasources"]
    assert (sources["apiVersion"], source["type"], source["url"]) == (1, "prometheus", "http://prometheus:9090")
    scraped = yaml.safe_load((HERE / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped
    (destination,) = source["jsonData"]["exemplarTraceIdDestinations"]
    stated = yaml.safe_load((HERE / "freezeframe.yaml").read_text())["server"]["external_url"]
    assert destination["url"] == f"{stated}/packets/$${{__value.raw}}"
    assert destination["name"] == "packet"  # the label of an exemplar that names it: see test_alert_to_packet
    providers = yaml.safe_load(inside("grafana", str(provisioning / "dashboards/freezeframe.yaml")).read_text())
    (provider,) = providers["providers"]
    folder = provider["options"]["path"]
    shown = [path for path in mounts("grafana") if path.startswith(f"{folder}/")]
    boards = [json.loads(inside("grafana", path).read_text()) for path in shown]
    assert {board["uid"] for board in boards} == {"freezeframe-overview", "freezeframe-incident"}
    assert "/d/freezeframe-overview" in README


def test_addresses_for_people_are_those_of_the_rules_and_dashboards() -> None:
    stated = yaml.safe_load((HERE / "freezeframe.yaml").read_text())["server"]["external_url"]
    assert f"freezeframe_url: {stated}\n" in (ROOT / "dashboards/rules/settings.yaml").read_text()
    assert f'"query": "{stated}"' in (ROOT / "dashboards/overview.json").read_text()
