"""The chart's README: a few words, and the table of all values, from the comments in values.yaml."""

import json
from typing import Any, Final

from helm.annotated import values

HEAD: Final = """# The freezeframe chart

One prober as a StatefulSet, because each probe is billed: never two at once. How to install, rotate keys, run it
beside a service, upgrade and uninstall is in [docs/kubernetes.md](../../docs/kubernetes.md).

This page is made by `make fix` from the comments in values.yaml. A key that is not listed is refused with its path, by
`helm lint`, `template` and `install` alike; `config` is checked against the program's own schema.

| value | default | |
| --- | --- | --- |
"""


def _default(value: Any) -> str:
    return "" if value in ("", {}, []) else f"`{json.dumps(value)}`"


def text() -> str:
    rows = (f"| `{it.key}` | {_default(it.default)} | {it.description.replace('|', '/')} |\n" for it in values())
    return HEAD + "".join(rows)
