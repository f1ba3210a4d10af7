"""The chart through the real helm, version 3 and 4, and what came out of it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers import CACHE, ROOT
from tests.servers.freezeframe import contract

Json = dict[str, Any]
CHART: Final = ROOT / "helm" / "freezeframe"
VERSIONS: Final = ("oldest", "newest")  # Helm 3.17 with kubectl 1.32, Helm 4.3 with kubectl 1.37
# Values files by name; the default has none.
VALUES: Final[Mapping[str, Path | None]] = {
    "default": None,
    **{name: CHART / "ci" / f"{name}-values.yaml" for name in ("minimal", "full", "sharded", "object-store")},
    "hostile": ROOT / "tests" / "chart" / "hostile.yaml",
}


@dataclass(frozen=True)
class Programs:
    """helm and kubectl of one version, with a home of their own."""

    version: str
    home: Path

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        homes = {f"HELM_{kind}_HOME": str(self.home) for kind in ("CACHE", "CONFIG", "DATA")}
        return subprocess.run(
            [str(CACHE / "kubernetes" / self.version / program), *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **homes},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def helm(self, *arguments: str | Path) -> str:
        ended = self.run("helm", *arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def template(self, values: Path | Json | None = None, *more: str | Path) -> str:
        """What `helm template` renders, as text."""
        return self.helm("template", "freezeframe", CHART, "--namespace", "probing", *self.given(values), *more)

    def given(self, values: Path | Json | None) -> Sequence[str | Path]:
        if values is None:
            return ()
        if isinstance(values, dict):
            file = self.home / "values.json"
            file.write_text(json.dumps(values))
            return ("--values", file)
        return ("--values", values)


def probing(base_url: str, *targets: str) -> Json:
    """Values that probe a gateway every second: each target asks for a model of its own name."""
    return {
        "config": {
            "contract": "my-gateway.yaml",
            "defaults": {"cadence": "1s", "timeout": "900ms", "slow": "850ms"},
            "sources": {"recheck": None},
            "targets": [{"name": name, "model": name, "credential": "team-a"} for name in targets],
        },
        "contracts": {"my-gateway": contract(base_url)},
        "credentials": {"team-a": {"existingSecret": "freezeframe-keys", "key": "team-a"}},
        "targetLabels": {"namespace": "metadata.namespace"},
    }


class _Yaml(yaml.CSafeLoader):
    """As Kubernetes reads it: a key that stands twice is a mistake."""


def _without_twins(loader: _Yaml, node: yaml.MappingNode, deep: bool = False) -> Json:
    names = [loader.construct_object(key, deep=True) for key, _ in node.value]
    assert len(names) == len(set(names)), f"twice the same key in {names}"
    return yaml.CSafeLoader.construct_mapping(loader, node, deep)


_Yaml.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, lambda loader, node: _without_twins(loader, node, True)
)


def documents(rendered: str) -> list[Json]:
    """In an order that does not depend on helm's version."""
    found: list[Json] = [it for it in yaml.load_all(rendered, _Yaml) if it]
    return sorted(found, key=lambda it: (it["kind"], it["metadata"]["name"]))


def only(documents: Sequence[Json], kind: str, name: str | None = None) -> Json:
    """The one document of a kind (with that name)."""
    [found] = [it for it in documents if it["kind"] == kind and name in (None, it["metadata"]["name"])]
    return found


def pods(documents: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """The specs of all pods, with what makes them."""
    for it in documents:
        if it["kind"] == "Pod":
            yield "the test", it["spec"]
        elif "template" in it.get("spec", {}):
            yield it["kind"], it["spec"]["template"]["spec"]
