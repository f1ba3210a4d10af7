"""The pages in a real Chromium, of a real prober whose provider answers with script, broken HTML and a mebibyte."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.servers import CACHE, get, until
from tests.servers.browser import browser
from tests.servers.chat import GOOD, Asked, Said, chat, error
from tests.servers.freezeframe import Start, configure

pytestmark = pytest.mark.real

TOKEN: Final = "fake-token-of-the-pages-0123456789"
ELSEWHERE: Final = "http://elsewhere.example.test"
SCRIPT: Final = (
    f"<script>alert(1)</script><img src={ELSEWHERE}/pixel onerror=alert(2)><svg onload=alert(3)>"
    f"</pre></main></style><a href='javascript:alert(4)'>x</a><meta http-equiv=refresh content='0;url={ELSEWHERE}'>"
)
BROKEN: Final = (
    f"<html><body onload=alert(5)><table><tr><!-- <form action={ELSEWHERE}><input name=token autofocus " + SCRIPT
)
UNBROKEN: Final = "x" * 100_000 + " and " * 190_000
NAMES: Final = ("fine", "script", "broken", "huge")
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
WATCH: Final = """
window.broken = [];
addEventListener('securitypolicyviolation', event => broken.push(event.violatedDirective + ' ' + event.blockedURI));
"""


def _answer(asked: Asked) -> Said:
    """`script` fails from its third request on; the others recover once a packet is due, which spares the machine."""
    if asked.number < 3 or asked.model == "fine":
        return GOOD
    if asked.model == "script":
        return error(503, SCRIPT, SCRIPT, "overloaded")
    if asked.number > 6:
        return GOOD
    if asked.model == "broken":
        return Said(502, BROKEN.encode())
    return Said(500, json.dumps({"error": {"message": SCRIPT + UNBROKEN, "type": "server_error"}}).encode())


@dataclass(frozen=True)
class Site:
    """The prober: its address and the packet of each target that fails."""

    url: str
    packets: dict[str, str]
    chromium: Browser

    @property
    def pages(self) -> list[str]:
        shown = [f"/packets/{packet}" for packet in self.packets.values()]
        return ["/", "/packets", "/packets?target=nobody", "/packets?since=yesterday", "/packets/unknown", *shown]

    def person(self, **context: Any) -> BrowserContext:
        return self.chromium.new_context(base_url=self.url, **context)

    def signed_in(self, **context: Any) -> Page:
        page = self.person(**context).new_page()
        page.goto("/login")
        _sign_in(page)
        return page


@dataclass
class Seen:
    """What a page did that it should not have."""

    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.add_init_script(WATCH)
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda request: self.asked.append(request.url))


def _sign_in(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, run: Start) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "token").write_text(TOKEN)
    with chat(_answer) as provider:
        quick = {
            "cadence": "800ms",
            "timeout": "750ms",
            "slow": "700ms",
            "freeze": {"failures": 2, "window": 3, "recover": 2, "reopen": "1s", "confirm": {"attempts": 0}},
        }
        targets = [{"name": name, "model": name, "credential": "team"} for name in NAMES]

        def change(config: dict[str, Any]) -> None:
            config["server"] |= {"token": {"file": "token"}}
            config["controls"] = [{"name": "outside", "url": provider.base_url, "role": "independent"}]

        file = configure(folder, provider.base_url, targets, ["team"], defaults=quick, change=change)
        prober = run("pages", file, {"KEY_OF_TEAM": "sk-fake-pages-key"})

        def frozen() -> dict[str, str]:
            listed = json.loads(_listed(prober.url))["packets"]
            found = {packet["target"]: packet["id"] for packet in listed}
            return found if len(found) == len(NAMES) - 1 else {}

        packets = until("a packet of each target that fails", frozen, 30)
        with browser() as chromium:
            yield Site(prober.url, packets, chromium)


def _listed(url: str) -> bytes:
    return get(f"{url}/packets", Authorization=f"Bearer {TOKEN}", Accept="application/json")


# ---------------------------------------------------------------- what a provider wrote


def test_what_a_provider_wrote_neither_runs_nor_loads_anything(site: Site) -> None:
    page = site.signed_in()
    seen = Seen()
    seen.watch(page)
    for name, packet in site.packets.items():
        for path in ("/", f"/packets?target={name}", f"/packets/{packet}"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.evaluate("broken") == [], path
            assert page.locator("main img, main iframe, main svg[onload], main a[href^='javascript']").count() == 0
    assert (seen.dialogs, seen.errors) == ([], [])
    assert [url for url in seen.asked if not url.startswith(site.url)] == []
    page.goto(f"/packets/{site.packets['script']}")
    assert "<script>alert(1)</script>" in page.locator("main").inner_text(), "it is shown as the text that it is"


def test_the_frozen_page_runs_nothing_in_its_sandbox(site: Site) -> None:
    page = site.signed_in()
    seen = Seen()
    seen.watch(page)
    for packet in site.packets.values():
        page.goto(f"/packets/{packet}/files/packet.html")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert (seen.dialogs, [url for url in seen.asked if not url.startswith(site.url)]) == ([], [])


def test_a_mebibyte_of_text_makes_a_page_of_a_few_kilobytes_that_a_phone_holds(site: Site) -> None:
    page = site.signed_in(**PHONE)
    for path in site.pages:
        page.goto(path)
        assert len(page.content()) < 150_000, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, f"{path} scrolls to the side"


# ---------------------------------------------------------------- people


def test_a_pagers_link_ends_at_the_packet_after_the_sign_in(site: Site) -> None:
    context = site.person()
    page = context.new_page()
    page.goto("/packets/latest?target=script")
    _sign_in(page, "not-the-token")
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    _sign_in(page)
    assert page.url.startswith(f"{site.url}/packets/2") and "-script-" in page.url
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert TOKEN not in cookie["value"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert context.cookies() == []
    context.add_cookies([cookie])
    page.goto("/packets")
    assert "/login" in page.url, "a copy of the cookie opens nothing after the sign-out"


def test_a_link_out_of_a_chat_finds_the_session(site: Site) -> None:
    page = site.signed_in()
    packet = f"{site.url}/packets/{site.packets['script']}"

    def chatted(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f"<a href='{packet}'>the packet</a>")

    page.route(f"{ELSEWHERE}/**", chatted)
    page.goto(f"{ELSEWHERE}/chat")
    page.get_by_role("link").click()
    assert page.url == packet


def test_another_sites_form_adds_no_note(site: Site) -> None:
    page = site.signed_in()
    action = f"{site.url}/packets/{site.packets['script']}/notes"
    form = f"<form method=post action={action}><input name=text value=forged><button>go</button></form>"
    page.route(f"{ELSEWHERE}/**", lambda route: route.fulfill(content_type="text/html", body=form))
    page.goto(f"{ELSEWHERE}/trap")
    page.get_by_role("button").click()
    page.wait_for_url(action)
    page.goto(f"/packets/{site.packets['script']}")
    expect(page.get_by_text("forged")).to_have_count(0)


def test_the_message_is_copied_as_it_stands(site: Site) -> None:
    page = site.signed_in(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/packets/{site.packets['script']}")
    page.get_by_role("button", name="Copy the message").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#letter").text_content()
    assert copied.startswith("We observed a ") and copied.endswith("the prompt is synthetic.")


def test_all_of_it_goes_with_the_keyboard_alone(site: Site) -> None:
    page = site.person(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(f"/packets/{site.packets['script']}")
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.keyboard.press("Tab")
    assert _focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    _tab_to(page, "Copy the message")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    _tab_to(page, "note-escalation_id")
    page.keyboard.type("CASE-by-keys")
    page.keyboard.press("Enter")
    expect(page.locator("article.note").get_by_text("CASE-by-keys")).to_be_visible()


def _focused(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
    return name


def _tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if _focused(page) == name:
            return
    raise AssertionError(f"{name} is not reached")


def test_without_scripts_everything_works(site: Site) -> None:
    page = site.person(java_script_enabled=False).new_page()
    page.goto("/packets/latest?target=broken")
    _sign_in(page)
    expect(page.get_by_role("button", name="Copy the message")).to_be_hidden()
    expect(page.locator("#letter")).to_contain_text("We observed a ")
    page.get_by_label("Mitigation").fill(f"two lines of\n{SCRIPT}")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("article.note").first).to_contain_text("<script>alert(1)</script>")
    page.get_by_role("link", name="Packets", exact=True).first.click()
    page.get_by_label("State").select_option("open")
    page.get_by_label("Target").fill("script")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Status").click()
    page.get_by_role("button", name="Freeze script now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("script: availability or latency degradation")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()


# ---------------------------------------------------------------- for everyone


@pytest.mark.parametrize(("scheme", "rules"), [("light", None), ("dark", ["color-contrast"])])
def test_no_page_breaks_a_rule_of_accessibility(site: Site, scheme: Any, rules: list[str] | None) -> None:
    """The rules are put in past the policy, in this test alone. What the dark scheme changes is colours."""
    axe = (CACHE / "axe/node_modules/axe-core/axe.min.js").read_text()
    strangers = site.person(color_scheme=scheme, bypass_csp=True).new_page()
    page = site.signed_in(color_scheme=scheme, bypass_csp=True)
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": rules}} if rules else {})
    paths = ["/", "/packets", "/packets?since=yesterday", f"/packets/{site.packets['script']}"]
    if rules is None:
        paths += ["/packets?target=nobody", "/packets/unknown", f"/packets/{site.packets['broken']}"]
    for visitor, path in [(strangers, "/login"), *((page, path) for path in paths)]:
        visitor.goto(path)
        visitor.evaluate(axe)
        found = visitor.evaluate("options => axe.run(options)", options)
        told = [(it["id"], it["help"], [node["html"][:200] for node in it["nodes"][:3]]) for it in found["violations"]]
        assert told == [], f"{path} in {scheme}"
        assert found["passes"], "nothing was looked at"
