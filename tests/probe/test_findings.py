"""Findings beside the verdict that no rule of classification makes."""

import pytest

from probe.findings import clock_drift
from probe.records import Reading, Timings


@pytest.mark.parametrize(
    ("offset_s", "total_s", "observed"),
    [
        (None, 1.0, None),
        (0.0, 1.0, None),
        (4.9, 0.1, None),
        (5.6, 0.1, "the provider's clock is 6 s ahead of ours"),
        (3600.2, 9.0, "the provider's clock is 3600 s ahead of ours"),
        (-4.9, 0.1, None),
        (-7.0, 0.1, "the provider's clock is 7 s behind ours"),
        (-24.0, 20.0, None),  # it wrote the date when it took the request
        (-90.0, 20.0, "the provider's clock is 70 s behind ours"),
    ],
)
def test_clocks_that_are_apart_are_a_finding(offset_s: float | None, total_s: float, observed: str | None) -> None:
    found = clock_drift(Reading(clock_offset_s=offset_s), Timings(total_s))
    assert (found and found.observed) == observed
    if found:
        assert (found.source, found.accessed) == (None, None), "no document is disagreed with"
