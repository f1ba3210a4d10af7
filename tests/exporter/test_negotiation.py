"""The quality values of Accept and Accept-Encoding."""

import pytest

from exporter.negotiation import accepts_gzip, media_quality, prefers_openmetrics, prefers_page

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "media", "quality"),
    [
        ("", "text/html", 1.0),
        ("  ", "text/html", 1.0),
        ("text/html", "application/json", 0.0),
        ("text/*;q=0.4, */*;q=0.1", "text/html", 0.4),
        ("text/html;q=0.2, text/*;q=0.9", "text/html", 0.2),
        ("TEXT/HTML ; Q=0.3", "text/html", 0.3),
        ("text/html;q=nonsense", "text/html", 0.0),
        ("text/html;q=7", "text/html", 1.0),
        ("*/*;q=0", "text/html", 0.0),
    ],
)
def test_the_most_specific_entry_counts(accept: str, media: str, quality: float) -> None:
    assert media_quality(accept, media) == quality


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (CHROMIUM, True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html", True),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0", False),
    ],
)
def test_a_page_goes_to_those_who_name_it(accept: str, page: bool) -> None:
    assert prefers_page(accept) is page


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;version=2.0.0", False),
        ("application/openmetrics-text;version=1.0.0;q=0", False),
        ("text/plain, application/openmetrics-text;version=1.0.0;q=0.5", False),
        ("*/*", False),
        ("", False),
        (CHROMIUM, False),
    ],
)
def test_openmetrics_goes_to_those_who_name_its_version(accept: str, openmetrics: bool) -> None:
    assert prefers_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("encoding", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
    ],
)
def test_gzip_goes_to_those_who_take_it(encoding: str, accepted: bool) -> None:
    assert accepts_gzip(encoding) is accepted
