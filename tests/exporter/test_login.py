"""Sign-in and sign-out, as a browser and as a program see them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.access import Access, Guard
from exporter.login import LoginRoutes, local
from exporter.sessions import MOST_FAILURES, Sessions
from probe.state import session_key

TOKEN = "fake-token-for-tests"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


class Door:
    """An application that tells who came in, what they sent, and with which form token."""

    def __init__(self, *, secure: bool = False, loopback: bool = False) -> None:
        self.token: str | None = TOKEN
        self.now_s = 0.0
        self.saved: list[bytes] = []
        sessions = Sessions(b"k" * 32, secure)
        access = Access(lambda: None if self.token is None else SecretStr(self.token), loopback, sessions)
        login = LoginRoutes(access, clock_s=lambda: self.now_s)
        app = Starlette(
            routes=[*login.routes(), Route("/{path:path}", self._page, methods=["GET", "POST"])],
            middleware=[Middleware(Guard, access=access)],
        )
        scheme = "https" if secure else "http"
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url=f"{scheme}://localhost", headers=HTML
        )

    async def _page(self, request: Request) -> Response:
        if request.method == "POST":
            self.saved.append(await request.body())
        return PlainTextResponse(request.scope.get("state", {}).get("form_token") or "no session")

    async def sign_in(self, token: str = TOKEN, following: str = "/packets/x") -> httpx2.Response:
        return await self.client.post("/login", data={"token": token, "next": following})


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    opened = Door()
    async with opened.client:
        yield opened


async def test_a_person_is_led_to_the_form_and_back(door: Door) -> None:
    led = await door.client.get("/packets/latest?target=small&at=1764000000")
    assert led.status_code == 303
    asked = urlsplit(led.headers["location"])
    assert asked.path == "/login"
    form = await door.client.get(led.headers["location"])
    assert 'value="/packets/latest?target=small&amp;at=1764000000"' in form.text
    done = await door.sign_in(following=parse_qs(asked.query)["next"][0])
    assert (done.status_code, done.headers["location"]) == (303, "/packets/latest?target=small&at=1764000000")
    assert (await door.client.get("/packets/x")).status_code == 200
    again = await door.client.get("/login?next=/packets/x")
    assert (again.status_code, again.headers["location"]) == (303, "/packets/x"), "who is signed in needs no form"


async def test_a_program_is_told_how_to_authenticate(door: Door) -> None:
    refused = await door.client.get("/packets", headers={"Accept": "application/json"})
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert "location" not in refused.headers


@pytest.mark.parametrize(("secure", "name"), [(False, "freezeframe"), (True, "__Host-freezeframe")])
async def test_the_cookie_is_for_our_pages_alone(secure: bool, name: str) -> None:
    door = Door(secure=secure)
    async with door.client:
        cookie = (await door.sign_in()).headers["set-cookie"]
        assert cookie.startswith(f"{name}=") and TOKEN not in cookie
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert ("Secure" in cookie.split("; ")) is secure and "Domain" not in cookie
        assert (await door.client.get("/packets")).status_code == 200


@pytest.mark.parametrize("token", ["", "guess", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\u00e4\u20ac"])
async def test_what_is_not_the_token_opens_nothing(door: Door, token: str) -> None:
    refused = await door.sign_in(token)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert 'role="alert"' in refused.text and (not token or token not in refused.text), "it is not repeated"


async def test_an_empty_token_file_opens_nothing(door: Door) -> None:
    door.token = ""
    assert (await door.sign_in("")).status_code == 403


async def test_many_wrong_tokens_close_the_form_for_a_minute_and_no_bearer_header(door: Door) -> None:
    for _ in range(MOST_FAILURES):
        assert (await door.sign_in("wrong")).status_code == 403
    closed = await door.sign_in()
    assert (closed.status_code, closed.headers["retry-after"]) == (429, "61")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert (await door.client.get("/packets", headers=bearer)).status_code == 200
    door.now_s = 60
    assert (await door.sign_in()).status_code == 303


async def test_a_changed_token_ends_sessions_and_so_does_the_sign_out(door: Door) -> None:
    await door.sign_in()
    form_token = (await door.client.get("/x")).text
    door.token = "another"
    assert (await door.client.get("/x")).status_code == 303
    door.token = TOKEN
    assert (await door.client.get("/x")).text == form_token
    copied = dict(door.client.cookies)
    left = await door.client.post("/logout", data={"form_token": form_token})
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert dict(door.client.cookies) == {}
    with_copy = await door.client.get("/x", headers={"Cookie": f"freezeframe={copied['freezeframe']}"})
    assert with_copy.status_code == 303, "a copy of the cookie opens nothing"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert (await door.client.post("/logout", headers=bearer)).status_code == 303, "nothing to end"


async def test_what_is_sent_under_a_session_must_come_from_a_form_of_ours(door: Door) -> None:
    await door.sign_in()
    form_token = (await door.client.get("/x")).text
    forged = (
        {"data": {"text": "x"}},
        {"data": {"text": "x", "form_token": form_token[:-1] + "g"}},
        {"json": {"text": "x", "form_token": form_token}},
        {"content": f"form_token={form_token}", "headers": {"Content-Type": "text/plain"}},
        {"content": b"x" * 70_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    )
    for request in forged:
        assert (await door.client.post("/x", **request)).status_code in (403, 413)
    foreign = {"Sec-Fetch-Site": "same-site"}
    ours = {"text": "x", "form_token": form_token}
    assert (await door.client.post("/x", data=ours, headers=foreign)).status_code == 403
    assert door.saved == []
    assert (await door.client.post("/x", data=ours)).status_code == 200
    assert door.saved == [f"text=x&form_token={form_token}".encode()]


async def test_a_bearer_header_needs_no_form(door: Door) -> None:
    await door.sign_in()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert (await door.client.post("/x", json={"a": 1}, headers=bearer)).status_code == 200
    assert door.saved == [b'{"a":1}']


async def test_a_form_that_comes_after_the_session_is_told_that_nothing_was_saved(door: Door) -> None:
    late = await door.client.post("/packets/x/notes", data={"text": "x"})
    assert (late.status_code, door.saved) == (401, [])
    assert "Nothing was saved" in late.text and 'href="/login"' in late.text


async def test_without_a_token_there_is_nothing_to_sign_in_to() -> None:
    door = Door(loopback=True)
    door.token = None
    async with door.client:
        for answer in (await door.client.get("/login?next=/packets"), await door.sign_in(following="/packets")):
            assert (answer.status_code, answer.headers["location"]) == (303, "/packets")
            assert "set-cookie" not in answer.headers
        assert (await door.client.post("/logout")).status_code == 303


async def test_another_sites_page_may_not_sign_somebody_in(door: Door) -> None:
    foreign = {"Origin": "https://evil.example.test"}
    refused = await door.client.post("/login", data={"token": TOKEN}, headers=foreign)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)


@pytest.mark.parametrize("path", ["/", "/packets", "/packets/latest?target=a%20b&at=1", "/packets/x#files"])
def test_a_path_of_ours_is_where_one_goes_next(path: str) -> None:
    assert local(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "packets", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test"),
        *("/\t/evil.test", "/\n/evil.test", " /x", "/x\r\nSet-Cookie: a=b", "javascript:alert(1)", "/a\\b", "/\u2028x"),
        *("/login", "/login?next=/x", "/logout", "/" + "x" * 3000, "http:/x", "/\u00e4"),
    ],
)
def test_no_link_leads_away_from_here(path: str | None) -> None:
    assert local(path) == "/"


def test_the_key_of_sessions_is_kept_beside_the_state_and_is_no_other_key(tmp_path: Path) -> None:
    key = session_key(tmp_path / "state")
    assert session_key(tmp_path / "state") == key != session_key(tmp_path / "other")
    assert (tmp_path / "state/session.key").stat().st_mode & 0o777 == 0o600
