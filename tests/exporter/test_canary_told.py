"""Whether planted secrets survived is told at start and reload: to the freezer, in the metric, and in the log."""

import logging
from types import SimpleNamespace

import pytest

from exporter.metrics import Metrics
from exporter.program import _try_canary


@pytest.mark.parametrize("told", [None, "gate: a key that is not configured was not found in JSON"])
async def test_the_program_freezes_nothing_while_it_fails_and_says_why(told: str | None, caplog) -> None:
    redactor = SimpleNamespace(canary_failure=lambda inspect: told)
    freezer = SimpleNamespace(canary_failure="before")
    metrics = Metrics((), contracts={}, version="0", budget={})
    with caplog.at_level(logging.INFO, logger="freezeframe"):
        _try_canary(SimpleNamespace(redactor=lambda: redactor), freezer, metrics)
    assert freezer.canary_failure == told
    said = [record.facts for record in caplog.records]
    assert said == ([] if told is None else [{"failed": told}])
    assert metrics._latest.canary_holds is (told is None)
