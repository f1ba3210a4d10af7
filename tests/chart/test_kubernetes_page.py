"""docs/kubernetes.md: its manifests are valid and restricted, its values render, its commands are known."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import kubernetes_validate
import pytest
import yaml
from pod_security import violations

from exporter.reload import NEEDS_RESTART
from tests.servers import ROOT
from tests.servers.chart import Programs, documents, only, pods
from tests.servers.freezeframe import command
from tests.servers.kubelet import Cluster, Pod
from tests.servers.resources import complaints, is_known

PAGE: Final = (ROOT / "docs" / "kubernetes.md").read_text()
BLOCKS: Final = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
VALUES: Final = [text for kind, text in BLOCKS if kind == "yaml" and text.startswith("# values.yaml\n")]
MANIFESTS: Final = [it for kind, text in BLOCKS if kind == "yaml" and text not in VALUES for it in documents(text)]
LINES: Final = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
# A placeholder is refused by the program, and rightly: here stands what a reader puts in its place.
PLACEHOLDER: Final = "MODEL-ID-FROM-THE-DOCUMENTS"


@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_every_manifest_is_valid(version: str) -> None:
    for it in MANIFESTS:
        if not is_known(it):
            kubernetes_validate.validate(it, version, strict=True)


def test_the_external_secret_is_as_its_definition_wants_it(tmp_path: Path) -> None:
    known = [it for it in MANIFESTS if is_known(it)]
    assert [it["kind"] for it in known] == ["ExternalSecret"]
    assert complaints(tmp_path, known) == ""


def test_the_sidecar_s_pod_is_restricted_and_rotates() -> None:
    [(what, spec)] = list(pods(MANIFESTS))
    assert what == "Deployment"
    assert list(violations(spec)) == []
    assert spec["enableServiceLinks"] is False
    assert not [mount for it in spec["containers"] for mount in it.get("volumeMounts", ()) if "subPath" in mount]


def test_the_sidecar_s_configuration_is_accepted_with_labels_of_its_pod(tmp_path: Path) -> None:
    spec = only(MANIFESTS, "Deployment")["spec"]["template"]["spec"]
    config_map = only(MANIFESTS, "ConfigMap")
    ready = json.loads(json.dumps(config_map).replace(PLACEHOLDER, "example-small"))
    secrets = {"checkout-probe/api-key": "fake-key-of-checkout", "checkout-probe/token": "fake-token-of-checkout"}
    pod = Pod.start(tmp_path, spec, Cluster.of([ready], secrets))
    of_the_pod = {
        "metadata.name": "checkout-1",
        "metadata.labels['app.kubernetes.io/name']": "checkout",
        "metadata.labels['topology.kubernetes.io/region']": "eu-central-1",
    }
    given = command("config", "show", "--json", *(pod.inside(it) for it in spec["containers"][0]["args"][1:]))
    ended = subprocess.run(given, env=pod.environment(spec, of_the_pod), capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    shown = json.loads(ended.stdout)
    labels = {name: shown[f"targets[0].labels.{name}"]["value"] for name in ("service", "region", "pod")}
    assert labels == {"service": "checkout", "region": "eu-central-1", "pod": "checkout-1"}


@pytest.mark.parametrize("text", VALUES, ids=range(len(VALUES)))
def test_the_values_render(text: str, helm: Programs) -> None:
    rendered = documents(helm.template(yaml.safe_load(text)))
    assert only(rendered, "StatefulSet")["spec"]["replicas"] == 1


def test_the_secrets_that_are_made_are_those_that_the_pod_waits_for(helm: Programs, tmp_path: Path) -> None:
    """By the real kubectl, which makes a Secret's manifest without a cluster."""
    made = set()
    for line in LINES:
        if " create secret " not in line:
            continue
        words = line.replace('"$(openssl rand -hex 32)"', "fake-token").replace("./team-a.key", str(tmp_path / "key"))
        (tmp_path / "key").write_text("fake-key-of-team-a")
        ended = helm.run("kubectl", *words.split()[1:], "--dry-run=client", "--output=yaml")
        assert ended.returncode == 0, ended.stderr
        [secret] = documents(ended.stdout)
        made |= {(secret["metadata"]["name"], key) for key in secret["data"]}
    spec = only(documents(helm.template(yaml.safe_load(VALUES[0]))), "StatefulSet")["spec"]["template"]["spec"]
    [projected] = [it["projected"] for it in spec["volumes"] if "projected" in it]
    wanted = {(it["secret"]["name"], item["key"]) for it in projected["sources"] for item in it["secret"]["items"]}
    assert made == wanted == {("freezeframe-token", "token"), ("freezeframe-keys", "team-a")}


def test_helm_and_kubectl_know_the_commands(helm: Programs, tmp_path: Path) -> None:
    """The installation is run as far as that goes without a cluster; of the others the flags are looked up."""
    (tmp_path / "values.yaml").write_text(VALUES[0])
    install = next(line for line in LINES if line.startswith("helm install"))
    words = install.replace("helm/freezeframe", str(ROOT / "helm/freezeframe")).replace(
        "values.yaml", str(tmp_path / "values.yaml")
    )
    assert "freezeframe 0.1.0 is installed" in helm.helm(*words.split()[1:], "--dry-run=client")
    inline = re.findall(r"`((?:helm|kubectl) [^`]+)`", PAGE)
    for line in (*LINES, *inline):
        program, *words = line.partition(" -- ")[0].split()
        named = [word for word in words if not word.startswith("--") and word != "probing"]
        verbs = named[: 2 if named[0] in ("create", "rollout") else 1]
        if verbs == ["create", "secret"]:
            continue  # run by the test above
        said = helm.run(program, *verbs, "--help")
        assert said.returncode == 0, line
        known = said.stdout + helm.run("kubectl", "options").stdout
        flags = [word.partition("=")[0] for word in words if word.startswith("--")]
        assert [flag for flag in flags if flag not in known] == [], line


def test_the_settings_that_wait_for_a_restart_are_the_program_s() -> None:
    row = next(line for line in PAGE.splitlines() if "rollout restart" in line and line.startswith("| "))
    stated = set(re.findall(r"`(\w+)`", row.split("|")[1]))
    assert stated == set(NEEDS_RESTART) - {"shard"}, "which is no setting of the chart's configuration"
