"""Who may ask: decided from a request's headers alone."""

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from exporter.access import Access, refusal

TOKEN = "fake-token-for-tests"


def _request(path: str = "/", method: str = "GET", **headers: str) -> Request:
    pairs = {"host": "127.0.0.1:9464", **{name.replace("_", "-"): text for name, text in headers.items()}}
    raw = [(name.encode(), text.encode("latin-1")) for name, text in pairs.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    return Request({**scope, "server": ("127.0.0.1", 9464), "scheme": "http"})


def _access(token: str | None = None, loopback: bool = True) -> Access:
    return Access(token=lambda: None if token is None else SecretStr(token), loopback=loopback)


def _status(request: Request, access: Access) -> int:
    error = refusal(request, access)
    return 200 if error is None else error.status_code


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/-/ready"])
def test_metrics_and_health_are_open_to_all(path: str) -> None:
    assert _status(_request(path, host="prober.example.test"), _access(TOKEN, loopback=False)) == 200
    assert _status(_request(path, host="prober.example.test"), _access(loopback=True)) == 200


@pytest.mark.parametrize("path", ["/", "/packets", "/packets/x/packet.zip", "/unknown", "/metrics/", "//metrics"])
def test_everything_else_needs_the_token_where_one_is_configured(path: str) -> None:
    for loopback in (True, False):
        assert _status(_request(path), _access(TOKEN, loopback)) == 401
        assert _status(_request(path, authorization=f"Bearer {TOKEN}"), _access(TOKEN, loopback)) == 200


@pytest.mark.parametrize(
    "authorization",
    [f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe4\xff"],
)
def test_what_is_not_the_token_is_refused(authorization: str) -> None:
    assert _status(_request(authorization=authorization), _access(TOKEN)) == 401


def test_the_scheme_is_read_in_any_case() -> None:
    assert _status(_request(authorization=f"bEARER {TOKEN}"), _access(TOKEN)) == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer "])
def test_an_empty_token_file_opens_nothing(authorization: str) -> None:
    assert _status(_request(authorization=authorization), _access("")) == 401


def test_a_rotated_token_counts_from_the_next_request() -> None:
    tokens = iter([SecretStr("old"), SecretStr("new")])
    access = Access(token=lambda: next(tokens), loopback=True)
    assert _status(_request(authorization="Bearer old"), access) == 200
    assert _status(_request(authorization="Bearer old"), access) == 401


def test_a_refusal_says_how_to_authenticate_and_never_the_token() -> None:
    error = refusal(_request(), _access(TOKEN))
    assert error is not None and error.headers is not None
    assert error.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in f"{error!r} {error.detail} {error.headers}"


def test_beyond_this_machine_nothing_is_served_without_a_token() -> None:
    assert _status(_request(), _access(loopback=False)) == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9464", "127.0.0.1", "127.1.2.3:1", "[::1]:9464"])
def test_without_a_token_this_machine_is_served_under_its_own_names(host: str) -> None:
    assert _status(_request(host=host), _access()) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example.test", "127.0.0.1.evil.test:9464", "[", "192.0.2.1", "localhost.evil.test", "0.0.0.0"),
        *("localhost#.evil.test", "localhost/x", "evil.test@localhost", "localhost:x", "localhost.", "[::1", "::1"),
        *("2130706433", "0x7f.1", "localhost,evil.test"),
    ],
)
def test_a_foreign_name_that_resolves_to_this_machine_is_refused(host: str) -> None:
    """DNS rebinding: the browser believes that it is still talking to the attacker's site."""
    assert _status(_request(host=host), _access()) == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:9464"}, 200),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example.test"}, 403),
        ({"origin": "http://127.0.0.1:9464", "sec_fetch_site": "cross-site"}, 403),
    ],
)
def test_another_sites_form_may_not_post(headers: dict[str, str], status: int) -> None:
    assert _status(_request("/packets", "POST", **headers), _access()) == status
    assert _status(_request("/packets", "GET", **headers), _access()) == 200


def test_the_name_that_external_url_gives_is_ours_too() -> None:
    access = Access(token=lambda: None, loopback=True, names=frozenset({"probe.example.test"}))
    assert _status(_request(host="Probe.Example.test:443"), access) == 200
    assert _status(_request(host="other.example.test"), access) == 403
    assert _status(_request("/packets", "POST", host="probe.example.test", origin="https://evil.test"), access) == 403
