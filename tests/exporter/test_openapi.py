"""The OpenAPI document names every route that is served, each with its methods, and no other."""

import re
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from starlette.routing import Route

from exporter import openapi
from exporter.inbox import Inbox
from exporter.metrics import Metrics
from exporter.status import Board
from exporter.web import Access, create
from probe.vault import Vault

DOCUMENT: dict[str, Any] = orjson.loads(openapi.document())
METHODS = ("get", "post", "put", "delete", "patch", "options")


def _served() -> set[tuple[str, str]]:
    app = create(
        cast("Board", None),
        Vault.open("memory://", Path()),
        Metrics((), contracts={}, version="0"),
        Access(token=lambda: None, loopback=True),
        inbox=cast("Inbox", object()),
    )
    routes = [it for it in app.routes if isinstance(it, Route)]
    return {
        (re.sub(":path}", "}", it.path), method) for it in routes for method in it.methods or () if method != "HEAD"
    }


def test_every_route_is_described_and_no_other() -> None:
    described = {(path, it.upper()) for path, item in DOCUMENT["paths"].items() for it in item if it in METHODS}
    assert described == _served()


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_what_is_described_has_a_name_a_summary_and_its_parameters(path: str) -> None:
    item = DOCUMENT["paths"][path]
    for operation in (item[it] for it in METHODS if it in item):
        assert operation["operationId"] and operation["summary"]
        assert "{id}" not in path or item["parameters"]
        assert {"200", "201", "202", "302", "303"} & operation["responses"].keys()


def test_each_reference_leads_somewhere() -> None:
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', openapi.document().decode()):
        found: Any = DOCUMENT
        for step in reference.split("/"):
            found = found[step]
        assert found
