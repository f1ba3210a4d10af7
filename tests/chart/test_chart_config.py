"""The rendered configuration is one that the program accepts, in a pod's own folders; and says what it was given."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.servers.certificates import make_certificates
from tests.servers.chart import VALUES, Json, only
from tests.servers.freezeframe import command
from tests.servers.kubelet import Cluster, Pod

Rendered = Mapping[str, list[Json]]
SECRETS = {
    "freezeframe-token/token": "fake-token-of-pages",
    "freezeframe-keys/team-a": "fake-key-of-team-a",
    "keys-of-team-b/api-key": "fake-key-of-team-b",
    "pages-token/value": "fake-token-of-pages",
    "keys.of-1/_a.B-c": "fake-key-of-the-hostile",
    "0/1.0": "fake-token-of-the-hostile",
}
OF_THE_POD = {
    "metadata.name": "freezeframe-3",
    "metadata.namespace": "probing",
    "metadata.labels['topology.kubernetes.io/region']": "eu-1",
}


def ask(documents: list[Json], root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the program where the pod's container would run it."""
    spec = only(documents, "StatefulSet")["spec"]["template"]["spec"]
    (folder := root / "certificates").mkdir(parents=True)
    made = make_certificates(folder).folder
    listener = {"tls.crt": "good.pem", "tls.key": "good.key"}
    secrets = SECRETS | {f"freezeframe-tls/{key}": (made / file).read_text() for key, file in listener.items()}
    pod = Pod.start(root, spec, Cluster.of(documents, secrets, {"company-ca/root.pem": (made / "ca.pem").read_text()}))
    given = [*arguments, *(pod.inside(it) for it in spec["containers"][0]["args"][1:])]
    env = pod.environment(spec, OF_THE_POD)
    return subprocess.run(command(*given), env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", [name for name in VALUES if name != "default"])
def test_the_program_accepts_what_is_rendered(name: str, rendered: Rendered, tmp_path: Path) -> None:
    ended = ask(rendered[name], tmp_path, "config", "check")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_of_the_default_it_says_that_a_target_is_missing_and_nothing_else(rendered: Rendered, tmp_path: Path) -> None:
    ended = ask(rendered["default"], tmp_path, "config", "check")
    assert (ended.returncode, ended.stderr) == (2, "freezeframe: targets: expected at least one, found none\n")


def test_every_awkward_text_and_number_arrives_as_it_was_written(rendered: Rendered, tmp_path: Path) -> None:
    file = VALUES["hostile"]
    assert file is not None
    given = yaml.safe_load(file.read_text())["config"]
    shown = json.loads(ask(rendered["hostile"], tmp_path, "config", "show", "--json").stdout)
    told = {key: it["value"] for key, it in shown.items()}
    for label, text in given["targets"][0]["labels"].items():
        assert told[f"targets[0].labels.{label}"] == text
    for key in ("name", "model", "credential"):
        assert told[f"targets[0].{key}"] == given["targets"][0][key]
    assert told["escalation.owner"] == given["escalation"]["owner"]
    assert told["escalation.impact"] == given["escalation"]["impact"]
    assert told["budget.probes_per_day"] == str(given["budget"]["probes_per_day"])
    assert told["budget.tokens_per_day"] == str(given["budget"]["tokens_per_day"])


def test_a_shard_knows_its_number_and_a_target_the_labels_of_its_pod(rendered: Rendered, tmp_path: Path) -> None:
    sharded = json.loads(ask(rendered["sharded"], tmp_path / "sharded", "config", "show", "--json").stdout)
    assert (sharded["shard.count"]["value"], sharded["shard.index"]["value"]) == ("4", "3")
    assert sharded["store"]["value"] == "s3://example-packets/freezeframe"
    full = json.loads(ask(rendered["full"], tmp_path / "full", "config", "show", "--json").stdout)
    labels = {key: full[f"targets[0].labels.{key}"]["value"] for key in ("tier", "service", "namespace", "region")}
    assert labels == {"tier": "1", "service": "checkout", "namespace": "probing", "region": "eu-1"}
    assert full["server.listen"]["value"] == "[::]:9464"


def test_no_secret_is_in_anything_that_is_rendered(rendered: Rendered) -> None:
    """The chart has references only, and makes no Secret."""
    for name, documents in rendered.items():
        assert not [it for it in documents if it["kind"] == "Secret"], name
        whole = json.dumps(documents)
        assert not [text for text in SECRETS.values() if text.startswith("fake-") and text in whole], name
