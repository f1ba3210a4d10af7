"""Custom resources held to their own definitions: types by the TypeScript compiler, values by generated validators.

Both are made from the published definitions (npm: @kubernetes-models). The types know every field, so an unknown one is
an error; the validators know patterns, ranges and what is required.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.servers import CACHE

Json = dict[str, Any]
MODULES: Final = {
    "monitoring.coreos.com/v1": "prometheus-operator/monitoring.coreos.com/v1",
    "gateway.networking.k8s.io/v1": "gateway-api/gateway.networking.k8s.io/v1",
    "external-secrets.io/v1": "external-secrets/external-secrets.io/v1",
}
_VALIDATE: Final = """
import {readFileSync} from 'node:fs';
for (const [module, it] of JSON.parse(readFileSync('all.json', 'utf8'))) {
  const kind = (await import(module))[it.kind];
  try { new kind(it).validate(); }
  catch (error) { console.log(`${it.kind} ${it.metadata.name}: ${error.message}`); }
}
"""


def is_known(document: Json) -> bool:
    return document["apiVersion"] in MODULES


def complaints(folder: Path, documents: Sequence[Json]) -> str:
    """What compiler and validators say; nothing when they have no objection."""
    (folder / "node_modules").symlink_to(CACHE / "resources" / "node_modules")
    modules = [f"@kubernetes-models/{MODULES[it['apiVersion']]}/{it['kind']}" for it in documents]
    lines = []
    for n, (module, it) in enumerate(zip(modules, documents, strict=True)):
        lines.append(f"import type {{I{it['kind']} as Kind{n}}} from '{module}';")
        lines.append(f"export const it{n}: Kind{n} = {json.dumps(it)};")  # unknown fields are errors of a literal only
    (folder / "check.mts").write_text("\n".join(lines))
    (folder / "all.json").write_text(json.dumps(list(zip(modules, documents, strict=True))))
    (folder / "validate.mjs").write_text(_VALIDATE)
    strict = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    commands = (["node_modules/.bin/tsc", *strict, "check.mts"], ["node", "validate.mjs"])
    said = [subprocess.run(it, cwd=folder, capture_output=True, text=True, timeout=120) for it in commands]
    return "".join(it.stdout + it.stderr for it in said)
