"""ServiceMonitor, PrometheusRule and HTTPRoute held to their published definitions, unknown fields included.

CiliumNetworkPolicy is not: its definition is in no package that could be installed.
"""

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.chart import Json
from tests.servers.resources import complaints, is_known

pytestmark = pytest.mark.real

Rendered = Mapping[str, list[Json]]


def test_the_published_definitions_accept_them(rendered: Rendered, tmp_path: Path) -> None:
    found = [it for it in rendered["full"] if is_known(it)]
    assert {it["kind"] for it in found} == {"HTTPRoute", "PrometheusRule", "ServiceMonitor"}
    assert complaints(tmp_path, found) == ""


def test_they_would_refuse_mistakes(rendered: Rendered, tmp_path: Path) -> None:
    """The check checks: an unknown field, a wrong type, a word outside an enum, a duration that is none."""
    found = copy.deepcopy([it for it in rendered["full"] if is_known(it)])
    by_kind = {it["kind"]: it["spec"] for it in found}
    by_kind["ServiceMonitor"]["endpoints"][0]["pathh"] = "/metrics"
    by_kind["ServiceMonitor"]["endpoints"][0]["interval"] = "30 parsecs"
    by_kind["PrometheusRule"]["groups"][0]["rules"][0]["expr"] = True
    by_kind["HTTPRoute"]["rules"][0]["matches"][0]["path"]["type"] = "Fuzzy"
    said = complaints(tmp_path, found)
    assert "'\"pathh\"' does not exist" in said
    assert "ServiceMonitor freezeframe:" in said
    assert "'boolean' is not assignable to type" in said
    assert "Fuzzy" in said
