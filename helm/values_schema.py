"""values.schema.json: what each value may be. `config` is the program's own schema, the parts of pods are Kubernetes'.

A key that nobody knows is refused everywhere but where names are free (labels, annotations, node selectors).
"""

import json
import re
from typing import Any, Final

from helm import kubernetes_types
from probe.settings import schema as settings_schema

Json = dict[str, Any]
# What the chart states itself, or takes from other values.
OWNED: Final = (("state",), ("shard",), ("server", "listen"), ("server", "token"), ("server", "tls"))

TEXT: Final[Json] = {"type": "string"}
SWITCH: Final[Json] = {"type": "boolean"}
DNS_NAME: Final[Json] = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
MAYBE_NAME: Final[Json] = {"anyOf": [{"const": ""}, DNS_NAME]}
SECRET_KEY: Final[Json] = {"type": "string", "pattern": r"^[-._a-zA-Z0-9]+$", "maxLength": 253}
TEXTS: Final[Json] = {"type": "object", "additionalProperties": TEXT}
LABELS: Final[Json] = {
    "type": "object",
    "additionalProperties": {
        "type": "string",
        "pattern": r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        "maxLength": 63,
    },
}
PORT: Final[Json] = {"type": "integer", "minimum": 1, "maximum": 65535}
PROMETHEUS_DURATION: Final[Json] = {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h))+$"}
CIDR: Final[Json] = {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"}
RATIO: Final[Json] = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}


def _closed(properties: Json, required: tuple[str, ...] = ()) -> Json:
    whole: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return whole | ({"required": list(required)} if required else {})


def _list(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def _kubernetes(kind: str) -> Json:
    return {"$ref": f"#/$defs/{kubernetes_types.name(kind)}"}


SECRET_REFERENCE: Final = _closed({"existingSecret": DNS_NAME, "key": SECRET_KEY}, ("existingSecret", "key"))
KEY_OF_AN_OBJECT: Final = _closed({"name": DNS_NAME, "key": SECRET_KEY}, ("name", "key"))
TIMINGS: Final = _closed(
    {
        "initialDelaySeconds": {"type": "integer", "minimum": 0},
        "periodSeconds": {"type": "integer", "minimum": 1},
        "timeoutSeconds": {"type": "integer", "minimum": 1},
        "failureThreshold": {"type": "integer", "minimum": 1},
    }
)
# A mount by subPath is never renewed, so it is not among what may be asked for.
MOUNT: Final = _closed(
    {"name": TEXT, "mountPath": TEXT, "readOnly": SWITCH, "mountPropagation": TEXT, "recursiveReadOnly": TEXT},
    ("name", "mountPath"),
)
_FIELDS: Final = (
    *(r"metadata\.name", r"metadata\.namespace", r"metadata\.uid", r"metadata\.(labels|annotations)\['.+'\]"),
    *(r"spec\.nodeName", r"spec\.serviceAccountName", r"status\.hostIP", r"status\.podIP"),
)
FIELD_PATH: Final[Json] = {"type": "string", "pattern": f"^({'|'.join(_FIELDS)})$"}

VALUES: Final[Json] = {
    "config": {"$ref": "#/$defs/config"},
    "credentials": {
        "type": "object",
        "additionalProperties": _closed(
            {**SECRET_REFERENCE["properties"], "gatewayLog": SECRET_REFERENCE}, ("existingSecret", "key")
        ),
    },
    "contracts": {
        "type": "object",
        "patternProperties": {r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": {"type": ["object", "string"]}},
        "additionalProperties": False,
    },
    "token": _closed({"existingSecret": MAYBE_NAME, "key": SECRET_KEY}, ("existingSecret", "key")),
    "tls": _closed({"existingSecret": MAYBE_NAME}),
    "ca": _closed({"existingConfigMap": MAYBE_NAME, "key": SECRET_KEY}),
    "listenAddress": {"type": "string", "pattern": r"^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\])$"},
    "shards": {"type": "integer", "minimum": 1, "maximum": 1000},
    "targetLabels": {
        "type": "object",
        "patternProperties": {"^[a-z_][a-z0-9_]{0,62}$": FIELD_PATH},
        "additionalProperties": False,
    },
    "image": _closed(
        {
            "repository": {"type": "string", "minLength": 1},
            "tag": TEXT,
            "digest": {"type": "string", "pattern": "^(sha256:[a-f0-9]{64})?$"},
            "pullPolicy": _one_of("Always", "IfNotPresent", "Never"),
        },
        ("repository",),
    ),
    "imagePullSecrets": _list(DNS_NAME),
    "nameOverride": TEXT,
    "fullnameOverride": MAYBE_NAME,
    "commonLabels": LABELS,
    "podLabels": LABELS,
    "podAnnotations": TEXTS,
    "serviceAccount": _closed({"create": SWITCH, "name": MAYBE_NAME, "annotations": TEXTS}),
    "persistence": _closed(
        {
            "enabled": SWITCH,
            "size": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$"},
            "storageClass": TEXT,
            "accessModes": _list(_one_of("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"), minItems=1),
            "existingClaim": MAYBE_NAME,
            "annotations": TEXTS,
            "retention": _closed(
                {"whenDeleted": _one_of("Retain", "Delete"), "whenScaled": _one_of("Retain", "Delete")}
            ),
        }
    ),
    "service": _closed({"type": _one_of("ClusterIP", "NodePort", "LoadBalancer"), "port": PORT, "annotations": TEXTS}),
    "serviceMonitor": _closed(
        {
            "enabled": SWITCH,
            "namespace": MAYBE_NAME,
            "labels": LABELS,
            "interval": PROMETHEUS_DURATION,
            "scrapeTimeout": PROMETHEUS_DURATION,
            "tlsConfig": _closed(
                {
                    "serverName": TEXT,
                    "insecureSkipVerify": SWITCH,
                    "ca": _closed({"secret": KEY_OF_AN_OBJECT, "configMap": KEY_OF_AN_OBJECT}),
                }
            ),
            "relabelings": _list({"$ref": "#/$defs/relabeling"}),
            "metricRelabelings": _list({"$ref": "#/$defs/relabeling"}),
        }
    ),
    "scrapeAnnotations": SWITCH,
    "prometheusRule": _closed(
        {
            "enabled": SWITCH,
            "namespace": MAYBE_NAME,
            "labels": LABELS,
            "freezeframeUrl": TEXT,
            "runbooksUrl": {"type": "string", "minLength": 1},
            "availabilityObjective": RATIO,
            "latencyObjective": RATIO,
        }
    ),
    "dashboards": _closed({"enabled": SWITCH, "namespace": MAYBE_NAME, "labels": LABELS, "annotations": TEXTS}),
    "networkPolicy": _closed(
        {
            "enabled": SWITCH,
            "ingress": _closed({"from": _list(_kubernetes("NetworkPolicyPeer"))}),
            "egress": _closed(
                {
                    "dns": _list(_kubernetes("NetworkPolicyPeer")),
                    "publicHttps": SWITCH,
                    "notPublic": _list(CIDR),
                    "notPublicV6": _list(CIDR),
                    "prometheus": _closed({"to": _list(_kubernetes("NetworkPolicyPeer")), "port": PORT}),
                    "metadata": _closed({"to": _list(CIDR), "ports": _list(PORT, minItems=1)}),
                    "extra": _list(_kubernetes("NetworkPolicyEgressRule")),
                }
            ),
        }
    ),
    "ciliumNetworkPolicy": _closed(
        {"enabled": SWITCH, "fqdns": _list({"type": "string", "pattern": r"^[-a-zA-Z0-9_.*]+$"}, minItems=1)}
    ),
    "podDisruptionBudget": _closed(
        {
            "enabled": SWITCH,
            "maxUnavailable": {
                "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]?%$|^100%$"}]
            },
        }
    ),
    "ingress": _closed(
        {"enabled": SWITCH, "className": TEXT, "host": TEXT, "annotations": TEXTS, "tlsSecret": MAYBE_NAME}
    ),
    "httpRoute": _closed(
        {
            "enabled": SWITCH,
            "parentRefs": _list(
                _closed(
                    {
                        "group": TEXT,
                        "kind": TEXT,
                        "name": DNS_NAME,
                        "namespace": DNS_NAME,
                        "sectionName": TEXT,
                        "port": PORT,
                    },
                    ("name",),
                )
            ),
            "hostnames": _list(TEXT),
            "annotations": TEXTS,
        }
    ),
    "exposedPaths": _list(
        _closed({"path": {"type": "string", "pattern": "^/"}, "type": _one_of("Exact", "Prefix")}, ("path", "type")),
        minItems=1,
    ),
    "resources": _kubernetes("ResourceRequirements"),
    "podSecurityContext": _kubernetes("PodSecurityContext"),
    "securityContext": _kubernetes("SecurityContext"),
    "terminationGracePeriodSeconds": {"type": "integer", "minimum": 60},
    "livenessProbe": TIMINGS,
    "readinessProbe": TIMINGS,
    "startupProbe": TIMINGS,
    "nodeSelector": LABELS,
    "tolerations": _list(_kubernetes("Toleration")),
    "affinity": _kubernetes("Affinity"),
    "topologySpreadConstraints": _list(_kubernetes("TopologySpreadConstraint")),
    "priorityClassName": TEXT,
    "extraEnv": _list(_kubernetes("EnvVar")),
    "extraEnvFrom": _list(_kubernetes("EnvFromSource")),
    "extraVolumes": _list(_kubernetes("Volume")),
    "extraVolumeMounts": _list(MOUNT),
    "dnsConfig": _kubernetes("PodDNSConfig"),
    "helmTest": _closed({"enabled": SWITCH}),
    "global": {"type": "object"},  # helm hands it to every chart that is a part of another
}

RELABELING: Final = _closed(
    {
        "action": TEXT,
        "modulus": {"type": "integer"},
        "regex": TEXT,
        "replacement": TEXT,
        "separator": TEXT,
        "sourceLabels": _list(TEXT),
        "targetLabel": TEXT,
    }
)


def _config() -> tuple[Json, Json]:
    """The program's schema without what is the chart's, and its definitions under names that nothing else has.

    No target is needed here: a chart has to render as it comes, and the program says what is missing.
    """
    whole: Json = json.loads(
        re.sub(r'"#/\$defs/(\w+)"', r'"#/$defs/config.\1"', json.dumps(settings_schema())),
    )
    definitions: Json = {f"config.{name}": part for name, part in whole.pop("$defs").items()}
    for *parents, key in OWNED:
        part = whole
        for parent in parents:
            part = definitions[part["properties"][parent]["$ref"].rpartition("/")[2]]
        del part["properties"][key]
    whole.pop("$schema")
    whole.pop("required")
    del whole["properties"]["targets"]["minItems"]
    return whole, _used(whole, definitions)


def _used(whole: Json, definitions: Json) -> Json:
    """Those that are still referred to."""
    found: dict[str, Json] = {}
    left = [whole]
    while left:
        for name in re.findall(r'"#/\$defs/([\w.]+)"', json.dumps(left.pop())):
            if name not in found:
                found[name] = definitions[name]
                left.append(definitions[name])
    return dict(sorted(found.items()))


def document() -> Json:
    config, parts = _config()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the freezeframe chart",
        **_closed(VALUES),
        "$defs": {
            "config": config,
            "relabeling": RELABELING,
            **parts,
            **kubernetes_types.definitions(),
        },
    }


def text() -> str:
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"
