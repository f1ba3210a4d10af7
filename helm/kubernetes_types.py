"""The schemas of Kubernetes' own parts of a pod, from its published API of the newest version that is known here."""

import json
import re
from importlib import resources
from typing import Any, Final

KINDS: Final = {
    "core.v1": (
        *("Affinity", "EnvFromSource", "EnvVar", "PodDNSConfig", "PodSecurityContext", "ResourceRequirements"),
        *("SecurityContext", "Toleration", "TopologySpreadConstraint", "Volume"),
    ),
    "networking.v1": ("NetworkPolicyEgressRule", "NetworkPolicyPeer"),
}
_FOLDER: Final = "kubernetes-json-schema/v1.37.0-local-strict"
_REFERENCE: Final = re.compile(r"(?:/api/_definitions\.json)?#/\$defs/([\w.]+)")


def name(kind: str) -> str:
    """The name of a kind's definition."""
    group = next(group for group, kinds in KINDS.items() if kind in kinds)
    return f"io.k8s.api.{group}.{kind}"


def definitions() -> dict[str, Any]:
    """The kinds above and what they consist of; without descriptions, which are ten times as long."""
    folder = resources.files("kubernetes_validate").joinpath(_FOLDER)
    known = json.loads(folder.joinpath("_definitions.json").read_text())["$defs"]
    found: dict[str, Any] = {}
    left = [name(kind) for kinds in KINDS.values() for kind in kinds]
    while left:
        if (wanted := left.pop()) not in found:
            whole = json.dumps(_bare(known[wanted]))
            left += _REFERENCE.findall(whole)
            found[wanted] = json.loads(_REFERENCE.sub(r"#/$defs/\1", whole))
    return dict(sorted(found.items()))


def _bare(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: _bare(value)
            for key, value in part.items()
            if not (key == "description" and isinstance(value, str)) and not key.startswith(("x-kubernetes", "$id"))
        }
    return [_bare(value) for value in part] if isinstance(part, list) else part
