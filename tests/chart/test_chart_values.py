"""What the chart accepts as values, and what it refuses by name; what of it is made from elsewhere is up to date."""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import yaml
from pod_security import violations

from helm.__main__ import files
from helm.annotated import undescribed, values
from helm.values_schema import OWNED, document
from probe import __version__
from probe.contract.document import urls
from probe.settings import Contracts, schema
from tests.servers import ROOT
from tests.servers.chart import CHART, VALUES, VERSIONS, Programs, documents, only

DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VALUES)
def test_lint_has_no_objection(name: str, version: str, programs: Mapping[str, Programs]) -> None:
    said = programs[version].helm("lint", "--strict", CHART, *programs[version].given(VALUES[name]))
    assert "0 chart(s) failed" in said


# ---------------------------------------------------------------- wrong values

# What is set, and what the refusal names.
WRONG: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("replicaCount=2", ("replicaCount",)),
    ("shards=0", ("shards",)),
    ("shards=two", ("shards",)),
    ("config.targetz=x", ("config", "targetz")),
    ("config.defaults.cadense=30s", ("defaults", "cadense")),
    ("config.defaults.cadence=30", ("defaults", "cadence")),
    ("config.defaults.cadence=30 parsecs", ("defaults", "cadence")),
    ("config.targets[0].nam=x", ("targets", "0", "nam")),
    ("config.controls[0].role=friend", ("controls", "0", "role")),
    ("config.budget.probes_per_day=many", ("budget", "probes_per_day")),
    ("config.server.listen=0.0.0.0:1", ("server", "listen")),
    ("config.server.token.env=TOKEN", ("server", "token")),
    ("config.state=/elsewhere", ("config", "state")),
    ("config.shard.count=2", ("config", "shard")),
    ("config.prometheus.ulr=x", ("prometheus", "ulr")),
    ("credentials.a.key=x", ("credentials", "existingSecret")),
    ("credentials.a.value=sk-x", ("credentials", "value")),
    ("credentials.a=sk-x", ("credentials", "a")),
    ("token.value=secret", ("token", "value")),
    ("token.key=a/b", ("token", "key")),
    ("contracts.Upper=x", ("contracts", "Upper")),
    ("contracts.a=7", ("contracts", "a")),
    ("listenAddress=everywhere", ("listenAddress",)),
    ("image.tags=x", ("image", "tags")),
    ("image.digest=sha256:short", ("image", "digest")),
    ("image.pullPolicy=Sometimes", ("pullPolicy",)),
    ("persistence.accessModes={ReadOnlyMany}", ("accessModes",)),
    ("persistence.size=two", ("persistence", "size")),
    ("persistence.retention.whenDeleted=Maybe", ("whenDeleted",)),
    ("service.port=0", ("service", "port")),
    ("service.type=ExternalName", ("service", "type")),
    ("serviceMonitor.enabled=x", ("serviceMonitor", "enabled")),
    ("serviceMonitor.interval=30", ("serviceMonitor", "interval")),
    ("serviceMonitor.relabelings[0].sourcelabels={a}", ("relabelings", "sourcelabels")),
    ("prometheusRule.availabilityObjective=99", ("availabilityObjective",)),
    ("networkPolicy.egress.notPublic={10.0.0.0}", ("notPublic",)),
    ("networkPolicy.ingress.from[0].namespaceSelektor.x=y", ("from", "namespaceSelektor")),
    ("networkPolicy.egress.extra[0].ports[0].prot=TCP", ("extra", "prot")),
    ("podDisruptionBudget.minAvailable=1", ("minAvailable",)),
    ("podDisruptionBudget.maxUnavailable=0", ("maxUnavailable",)),
    ("ingress.hosts={a}", ("ingress", "hosts")),
    ("httpRoute.parentRefs[0].nam=a", ("parentRefs", "nam")),
    ("exposedPaths[0].path=packets", ("exposedPaths", "path")),
    ("resources.limits.memory=true", ("resources", "memory")),
    ("resources.limit.cpu=1", ("resources", "limit")),
    ("podSecurityContext.runAsUsr=1", ("podSecurityContext", "runAsUsr")),
    ("securityContext.readOnlyRootFs=true", ("securityContext", "readOnlyRootFs")),
    ("terminationGracePeriodSeconds=30", ("terminationGracePeriodSeconds",)),
    ("livenessProbe.path=/", ("livenessProbe", "path")),
    ("tolerations[0].effects=NoSchedule", ("tolerations", "effects")),
    ("affinity.nodeAfinity.x=y", ("affinity", "nodeAfinity")),
    ("extraEnv[0].nam=A", ("extraEnv", "nam")),
    ("extraVolumes[0].hostpath.path=/", ("extraVolumes", "hostpath")),
    ("extraVolumeMounts[0].subPath=a", ("extraVolumeMounts", "subPath")),
    ("targetLabels.Region=metadata.name", ("targetLabels", "Region")),
    ("targetLabels.region=metadata.nam", ("targetLabels", "region")),
    ("commonLabels.a=with space", ("commonLabels", "a")),
    # What contradicts something else: the chart's own words.
    ("token.existingSecret=", ("token.existingSecret: name the Secret", "listens on 0.0.0.0")),
    ("shards=2", ("config.store: an object store",)),
    ("shards=2,config.store=s3://b,persistence.existingClaim=c", ("persistence.existingClaim",)),
    ("credentials.a.existingSecret=s,credentials.a.key=k,config.credentials.a.env=A", ("credentials.a: also in",)),
    ("ca.existingConfigMap=c,config.network.ca_file=/x", ("ca.existingConfigMap",)),
    ("contracts.freezeframe=x", ("contracts.freezeframe",)),
    ("ingress.enabled=true", ("ingress.host",)),
    ("httpRoute.enabled=true", ("httpRoute.parentRefs",)),
)


def _is_refused(setting: str, named: tuple[str, ...], by: Programs) -> None:
    ended = by.run("helm", "template", "freezeframe", CHART, "--set", setting)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert [name for name in named if name not in ended.stderr] == []


@pytest.mark.parametrize(("setting", "named"), WRONG, ids=[setting for setting, _ in WRONG])
def test_a_wrong_value_is_refused_and_named(setting: str, named: tuple[str, ...], helm: Programs) -> None:
    _is_refused(setting, named, helm)


@pytest.mark.parametrize(("setting", "named"), WRONG[::6], ids=[setting for setting, _ in WRONG[::6]])
def test_helm_3_refuses_them_as_well(setting: str, named: tuple[str, ...], programs: Mapping[str, Programs]) -> None:
    """Its schema library is another one, and so are its words; the names are the same."""
    _is_refused(setting, named, programs["oldest"])


def test_a_proxy_s_password_is_refused_and_not_repeated(helm: Programs) -> None:
    proxy = "http://user:fake-proxy-password@proxy.example.test:3128"
    ended = helm.run("helm", "template", "freezeframe", CHART, "--set", f"config.network.proxy={proxy}")
    assert ended.returncode == 1
    assert "config.network.proxy: holds a password" in ended.stderr
    assert "fake-proxy-password" not in ended.stdout + ended.stderr
    assert helm.template({"config": {"network": {"proxy": "http://proxy.example.test:3128"}}})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cluster_that_hands_out_user_ids_is_let_do_so(version: str, programs: Mapping[str, Programs]) -> None:
    """null takes a default away: what is left is restricted all the same."""
    unset = ",".join(f"podSecurityContext.{key}=null" for key in ("runAsUser", "runAsGroup", "fsGroup"))
    spec = only(documents(programs[version].template(None, "--set", unset)), "StatefulSet")["spec"]["template"]["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert list(violations(spec)) == []


def test_packed_it_renders_the_same_and_the_examples_stay_at_home(helm: Programs, tmp_path: Path) -> None:
    helm.helm("package", CHART, "--destination", tmp_path)
    [packed] = tmp_path.glob("freezeframe-*.tgz")
    with tarfile.open(packed) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in files() if name.startswith("files/")} <= names
    assert not [name for name in names if name.startswith("ci/")]
    given = helm.given(VALUES["full"])
    rendered = helm.helm("template", "freezeframe", packed, "--namespace", "probing", *given)
    assert documents(rendered) == documents(helm.template(VALUES["full"]))


# ---------------------------------------------------------------- made from elsewhere


@pytest.mark.parametrize("place", files())
def test_what_is_made_from_elsewhere_is_up_to_date(place: str) -> None:
    """After a change: `make fix`."""
    assert (CHART / place).read_text() == files()[place]


def test_nothing_lies_beside_the_copies() -> None:
    kept = {
        str(it.relative_to(CHART)) for folder in ("rules", "dashboards") for it in (CHART / "files" / folder).iterdir()
    }
    assert kept == {place for place in files() if place.startswith("files/")}


def test_every_value_is_described_and_known_to_the_schema() -> None:
    assert list(undescribed(DEFAULTS, {it.key for it in values()})) == []
    assert set(DEFAULTS) | {"global"} == set(document()["properties"])
    jsonschema_rs.Draft7Validator(document()).validate(DEFAULTS)
    assert all(it.description.endswith((".", ")", ">")) for it in values())


def test_the_schema_refuses_unknown_keys_in_every_part_of_its_own() -> None:
    """Where keys are free (labels, annotations, contracts) it says of which kind the values are."""
    open_parts = []

    def look(part: Any, at: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object" and "additionalProperties" not in part:
                open_parts.append(at)
            for key, value in part.items():
                look(value, f"{at}/{key}")
        elif isinstance(part, list):
            for n, value in enumerate(part):
                look(value, f"{at}/{n}")

    look(document()["properties"], "")
    assert open_parts == ["/global"]


def test_config_is_the_program_s_own_schema_without_what_the_chart_states() -> None:
    ours, theirs = document()["$defs"]["config"]["properties"], schema()["properties"]
    assert set(theirs) - set(ours) == {path[0] for path in OWNED if len(path) == 1}
    assert set(schema()["$defs"]["ServerSettings"]["properties"]) - set(
        document()["$defs"]["config.ServerSettings"]["properties"]
    ) == {path[1] for path in OWNED if path[0] == "server"}


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == __version__


def test_the_names_that_cilium_lets_through_are_those_that_the_shipped_contract_is_probed_and_read_at() -> None:
    contract = Contracts(ROOT).find("contract", "cometapi")
    asked = [contract.base_url.value, *urls([contract])]
    asked += [it.value.url for it in (contract.catalogue, contract.gateway_log) if it is not None]
    assert {urlsplit(url).hostname for url in asked} == set(DEFAULTS["ciliumNetworkPolicy"]["fqdns"])
