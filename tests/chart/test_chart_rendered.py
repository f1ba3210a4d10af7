"""What the chart renders: by both helms the same, valid for the oldest and the newest Kubernetes, and restricted."""

import copy
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pod_security import violations

from tests.servers import ROOT
from tests.servers.chart import CHART, VALUES, Json, Programs, documents, only, pods

Rendered = Mapping[str, list[Json]]
GOLDEN = Path(__file__).parent / "golden" / "default.yaml"
OLDEST, NEWEST = "1.25", "1.37"  # what Chart.yaml says, and the newest whose API is known here
CUSTOM = {"CiliumNetworkPolicy", "HTTPRoute", "PrometheusRule", "ServiceMonitor"}
PROBER = "StatefulSet"


def test_the_default_is_what_was_looked_at(helm: Programs) -> None:
    """After a change: look at it, then `helm template freezeframe helm/freezeframe --namespace probing` into it."""
    assert helm.template() == GOLDEN.read_text()


def test_both_helms_render_the_same(programs: Mapping[str, Programs], rendered: Rendered) -> None:
    for name, file in VALUES.items():
        assert documents(programs["oldest"].template(file)) == rendered[name], name


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_own_strict_schema_accepts_it(version: str, name: str, rendered: Rendered) -> None:
    for it in rendered[name]:
        if it["kind"] not in CUSTOM:
            kubernetes_validate.validate(it, version, strict=True)


def test_the_schema_would_refuse_a_typing_mistake(rendered: Rendered) -> None:
    wrong = copy.deepcopy(only(rendered["default"], PROBER))
    wrong["spec"]["template"]["spec"]["enableServiceLink"] = False
    for version in (OLDEST, NEWEST):
        with pytest.raises(kubernetes_validate.ValidationError, match="enableServiceLink"):
            kubernetes_validate.validate(wrong, version, strict=True)


def test_the_oldest_version_is_the_one_that_the_chart_names(helm: Programs) -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
    assert helm.template(None, "--kube-version", OLDEST)
    refused = helm.run("helm", "template", "freezeframe", CHART, "--kube-version", "1.24")
    assert "incompatible with Kubernetes v1.24" in refused.stderr


# ---------------------------------------------------------------- pods


@pytest.mark.parametrize("name", VALUES)
def test_every_pod_is_restricted(name: str, rendered: Rendered) -> None:
    found = list(pods(rendered[name]))
    assert len(found) == 2
    for what, spec in found:
        assert list(violations(spec)) == [], what


LOOSE: tuple[tuple[str, Any, str], ...] = (
    ("hostNetwork", True, "hostNetwork is forbidden"),
    ("securityContext.runAsNonRoot", False, "the pod may run as root"),
    ("securityContext.runAsUser", 0, "the pod runs as 0"),
    ("securityContext.seccompProfile.type", "Unconfined", "freezeframe has to set a seccompProfile"),
    ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "an unsafe sysctl"),
    ("containers.0.securityContext.allowPrivilegeEscalation", True, "freezeframe has to set allowPrivilegeEscalation"),
    ("containers.0.securityContext.capabilities", {"drop": ["ALL"], "add": ["SYS_TIME"]}, "freezeframe adds"),
    ("containers.0.securityContext.capabilities", {}, "freezeframe has to drop ALL"),
    ("containers.0.securityContext.privileged", True, "freezeframe is privileged"),
    ("containers.0.ports.0.hostPort", 9464, "freezeframe has a port of the host"),
    ("volumes.0", {"name": "host", "hostPath": {"path": "/"}}, "volume host is of a forbidden type"),
)


@pytest.mark.parametrize(("place", "value", "said"), LOOSE, ids=[place for place, _, _ in LOOSE])
def test_what_is_loosened_is_found(place: str, value: Any, said: str, rendered: Rendered) -> None:
    """The check checks."""
    spec = copy.deepcopy(only(rendered["default"], PROBER)["spec"]["template"]["spec"])
    *parents, last = place.split(".")
    part: Any = spec
    for key in parents:
        part = part[int(key)] if key.isdigit() else part.setdefault(key, {})
    part[int(last) if last.isdigit() else last] = value
    assert [it for it in violations(spec) if it.startswith(said)]


@pytest.mark.parametrize("name", VALUES)
def test_a_pod_has_nothing_that_it_does_not_need_and_ends_in_peace(name: str, rendered: Rendered) -> None:
    for what, spec in pods(rendered[name]):
        assert spec["automountServiceAccountToken"] is False, what
        assert spec["enableServiceLinks"] is False, what
        for container in spec["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, what
            assert not [it for it in container["volumeMounts"] if "subPath" in it or "subPathExpr" in it], what
            assert {it["name"] for it in container["volumeMounts"]} <= {it["name"] for it in spec["volumes"]} | {"data"}
    prober = only(rendered[name], PROBER)["spec"]
    assert prober["template"]["spec"]["terminationGracePeriodSeconds"] >= 60
    assert prober["template"]["spec"]["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
    assert not [it for it in prober["template"]["metadata"].get("annotations", {}) if "checksum" in it]
    assert only(rendered[name], "ServiceAccount")["automountServiceAccountToken"] is False


def test_at_most_one_prober_of_each_number(rendered: Rendered) -> None:
    """A StatefulSet replaces a pod only when the old one is gone."""
    for name, count in {"default": 1, "sharded": 4}.items():
        spec = only(rendered[name], PROBER)["spec"]
        assert spec["replicas"] == count
        assert spec["updateStrategy"] == {"type": "RollingUpdate"}
        assert not [it for it in rendered[name] if it["kind"] in ("Deployment", "HorizontalPodAutoscaler")]


@pytest.mark.parametrize("name", VALUES)
def test_every_name_is_one_that_kubernetes_takes(name: str, rendered: Rendered) -> None:
    """A pod's label holds the name of its StatefulSet and a hash of ten characters."""
    for it in rendered[name]:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", it["metadata"]["name"])
        assert it["metadata"]["namespace"] == "probing"
    assert len(only(rendered[name], PROBER)["metadata"]["name"]) <= 52


def test_a_shard_is_told_its_number_by_its_name(rendered: Rendered) -> None:
    environment = only(rendered["sharded"], PROBER)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert environment[:2] == [
        {"name": "FREEZEFRAME_SHARD__COUNT", "value": "4"},
        {"name": "FREEZEFRAME_SHARD__INDEX", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]


def test_the_volume_outlives_the_release_unless_it_is_said_otherwise(rendered: Rendered, helm: Programs) -> None:
    spec = only(rendered["default"], PROBER)["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    loose = documents(helm.template({"persistence": {"enabled": False}}))
    spec = only(loose, PROBER)["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "emptyDir": {}} in spec["template"]["spec"]["volumes"]
    claimed = only(documents(helm.template({"persistence": {"existingClaim": "mine"}})), PROBER)["spec"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}} in claimed["template"]["spec"]["volumes"]


# ---------------------------------------------------------------- who finds whom


def matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("name", VALUES)
def test_what_selects_the_prober_selects_nothing_else(name: str, rendered: Rendered) -> None:
    """Not the pod of `helm test`, which would answer to the Service."""
    prober = only(rendered[name], PROBER)["spec"]
    labels = prober["template"]["metadata"]["labels"]
    test = next(it for it in rendered[name] if it["kind"] == "Pod")["metadata"]["labels"]
    selectors = [prober["selector"]["matchLabels"]]
    selectors += [it["spec"]["selector"] for it in rendered[name] if it["kind"] == "Service"]
    selectors += [it["spec"]["selector"]["matchLabels"] for it in rendered[name] if it["kind"] == "PodDisruptionBudget"]
    selectors += [it["spec"]["podSelector"]["matchLabels"] for it in rendered[name] if it["kind"] == "NetworkPolicy"]
    selectors += [
        it["spec"]["endpointSelector"]["matchLabels"] for it in rendered[name] if it["kind"] == "CiliumNetworkPolicy"
    ]
    for selector in selectors:
        assert matches(selector, labels)
        assert not matches(selector, test)
    assert prober["serviceName"] == only(rendered[name], "Service", prober["serviceName"])["metadata"]["name"]


def test_a_pod_is_scraped_once(rendered: Rendered) -> None:
    monitor = only(rendered["full"], "ServiceMonitor")["spec"]
    chosen = [
        it["spec"]
        for it in rendered["full"]
        if it["kind"] == "Service" and matches(monitor["selector"]["matchLabels"], it["metadata"]["labels"])
    ]
    assert len(chosen) == 1
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in chosen[0]["ports"]}
    assert monitor["endpoints"][0]["scheme"] == "https"
    assert only(rendered["full"], "Service", "freezeframe")["metadata"]["labels"][monitor["jobLabel"]] == "freezeframe"


def test_the_plain_annotations_say_where_to_scrape(rendered: Rendered) -> None:
    annotations = only(rendered["full"], PROBER)["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {
        "example.test/note": "of the pod",
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9464",
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "https",
    }
    assert "annotations" not in only(rendered["default"], PROBER)["spec"]["template"]["metadata"]


def test_what_is_exposed_is_neither_metrics_nor_health(rendered: Rendered) -> None:
    paths = only(rendered["full"], "Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert [(it["path"], it["pathType"]) for it in paths] == [
        ("/", "Exact"),
        ("/login", "Exact"),
        ("/packets", "Prefix"),
    ]
    routes = only(rendered["full"], "HTTPRoute")["spec"]["rules"][0]["matches"]
    assert [(it["path"]["value"], it["path"]["type"]) for it in routes] == [
        ("/", "Exact"),
        ("/login", "Exact"),
        ("/packets", "PathPrefix"),
    ]


# ---------------------------------------------------------------- network


def egress(rendered: list[Json]) -> Iterator[tuple[str, int]]:
    """Address or selector, and port, of each thing that a prober may reach."""
    for rule in only(rendered, "NetworkPolicy")["spec"]["egress"]:
        for peer in rule["to"]:
            for port in rule["ports"]:
                yield peer.get("ipBlock", {}).get("cidr", "a pod"), port["port"]


def test_by_default_a_prober_reaches_names_and_public_addresses_only(rendered: Rendered) -> None:
    assert set(egress(rendered["default"])) == {
        *(("a pod", 53), ("a pod", 5353), ("169.254.20.10/32", 53), ("169.254.20.10/32", 5353)),
        *(("0.0.0.0/0", 443), ("::/0", 443)),
    }
    blocks = [
        peer["ipBlock"]
        for rule in only(rendered["default"], "NetworkPolicy")["spec"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    refused = {cidr for block in blocks for cidr in block.get("except", ())}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"} <= refused


def test_metadata_and_a_store_inside_are_reached_only_when_they_are_named(rendered: Rendered) -> None:
    reached = set(egress(rendered["object-store"])) - set(egress(rendered["default"]))
    assert reached == {("169.254.170.23/32", 80), ("a pod", 9000)}


def test_with_cilium_the_provider_is_reached_by_name_alone(rendered: Rendered) -> None:
    """The two policies add up: the plain one must not let everything through."""
    assert not [port for _, port in egress(rendered["full"]) if port == 443]
    assert ("a pod", 9090) in set(egress(rendered["full"])), "the Prometheus that the scope asks"
    names = only(rendered["full"], "CiliumNetworkPolicy")["spec"]["egress"][1]["toFQDNs"]
    assert names == [{"matchName": "gateway.example.test"}, {"matchPattern": "*.documents.example.test"}]


def test_only_monitoring_and_the_helm_test_may_ask(rendered: Rendered) -> None:
    [rule] = only(rendered["default"], "NetworkPolicy")["spec"]["ingress"]
    assert [sorted(peer) for peer in rule["from"]] == [["namespaceSelector"], ["podSelector"]]
    test = next(it for it in rendered["default"] if it["kind"] == "Pod")["metadata"]["labels"]
    assert matches(rule["from"][1]["podSelector"]["matchLabels"], test)


# ---------------------------------------------------------------- rules and dashboards


def test_the_rules_are_those_of_dashboards_and_promtool_accepts_them(rendered: Rendered, tmp_path: Path) -> None:
    found = {it["metadata"]["name"]: it["spec"] for it in rendered["full"] if it["kind"] == "PrometheusRule"}
    assert set(found) == {f"freezeframe-{file.stem}" for file in (ROOT / "dashboards/rules").glob("*.yaml")}
    for name, spec in found.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(spec))
        if name != "freezeframe-settings":
            assert spec == yaml.safe_load(
                (ROOT / f"dashboards/rules/{name.removeprefix('freezeframe-')}.yaml").read_text()
            )
    checked = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *tmp_path.glob("*.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_values_are_the_settings_of_the_rules(rendered: Rendered, helm: Programs) -> None:
    def settings(documents: list[Json]) -> dict[str, Json]:
        spec = only(documents, "PrometheusRule", "freezeframe-settings")["spec"]
        return {rule["record"]: rule for rule in spec["groups"][0]["rules"]}

    full = settings(rendered["full"])
    assert full["freezeframe:links:info"]["labels"] == {
        "freezeframe_url": "https://freezeframe.example.test",
        "runbooks_url": "https://runbooks.example.test/freezeframe",
    }
    assert full["freezeframe:availability_objective:ratio"]["expr"] == "vector(0.995)"
    assert full["freezeframe:latency_objective:ratio"]["expr"] == "vector(0.95)"
    plain = settings(documents(helm.template({"prometheusRule": {"enabled": True}})))
    inside = plain["freezeframe:links:info"]["labels"]["freezeframe_url"]
    assert inside == "http://freezeframe.probing.svc:9464"


def test_the_dashboards_are_those_of_dashboards(rendered: Rendered) -> None:
    for name in ("overview", "incident"):
        found = only(rendered["full"], "ConfigMap", f"freezeframe-{name}")
        assert found["data"] == {f"freezeframe-{name}.json": (ROOT / f"dashboards/{name}.json").read_text()}
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert found["metadata"]["annotations"] == {"grafana_folder": "LLM"}


# ---------------------------------------------------------------- kubectl, notes


def test_kubectl_takes_the_chart_in_as_a_part_of_a_kustomization(
    programs: Mapping[str, Programs], tmp_path: Path
) -> None:
    """What kubectl can do without a cluster: `create --dry-run=client` asks one for its API as well."""
    for version, known in programs.items():
        folder = tmp_path / version
        folder.mkdir()
        (folder / "all.yaml").write_text(known.template(VALUES["full"]))
        patch = [{"op": "replace", "path": "/spec/template/spec/priorityClassName", "value": "other"}]
        kustomization = {
            "resources": ["all.yaml"],
            "namespace": "elsewhere",
            "patches": [{"target": {"kind": "StatefulSet"}, "patch": yaml.safe_dump(patch)}],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        ended = known.run("kubectl", "kustomize", folder)
        assert ended.returncode == 0, ended.stderr
        made = documents(ended.stdout)
        assert len(made) == len(documents((folder / "all.yaml").read_text()))
        assert {it["metadata"]["namespace"] for it in made} == {"elsewhere"}
        assert only(made, "StatefulSet")["spec"]["template"]["spec"]["priorityClassName"] == "other"


def test_the_notes_say_what_to_do_next_and_what_is_missing(helm: Programs) -> None:
    def notes(*given: str | Path) -> str:
        return helm.helm(
            "install", "freezeframe", CHART, "--namespace", "probing", "--dry-run=client", *given
        ).partition("NOTES:")[2]

    said = notes()
    assert "THERE IS NO TARGET YET" in said
    commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert [command.split()[0] for command in commands] == ["kubectl", "helm", "kubectl"]
    minimal = notes(*helm.given(VALUES["minimal"]))
    assert "THERE IS NO TARGET YET" not in minimal
    assert "persistence.enabled is false" in notes("--set", "persistence.enabled=false")
    assert "has to be in networkPolicy.ingress.from" in notes(*helm.given(VALUES["full"]))
    assert "networkPolicy" not in minimal
