"""`python -m tests.look.pages FOLDER [--readme]`: plays an outage for about a minute and photographs every page into
FOLDER: light and dark, desktop, phone and paper. With `--readme` also the pictures of docs/images.

Only for looking. Debian's Chromium does the drawing; the prober is the real one, the gateway is the demo's.
"""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from exporter import gateway_docs
from exporter.gateway_script import Behaviour
from tests.servers import ROOT, Process
from tests.servers.browser import browser
from tests.servers.freezeframe import command, configure, listens_on
from tests.servers.stage import KEY, MODELS, QUICK, gateway_beside

TOKEN = "fake-token-for-the-pictures"
IMAGES = ROOT / "docs/images"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAPER: ViewportSize = {"width": 718, "height": 1047}  # A4 less its margins
SCENES: tuple[tuple[float, dict[str, Behaviour]], ...] = (
    (14.0, {}),
    (7.0, {"small": Behaviour.OVERLOADED}),
    (8.0, {}),
    (10.0, {"stream": Behaviour.CUT}),
)


@dataclass(frozen=True)
class Site:
    url: str
    packet: str


@contextlib.contextmanager
def played() -> Iterator[Site]:
    """A prober that has seen two outages, one of them over."""
    with tempfile.TemporaryDirectory() as room, gateway_beside() as gateway:
        folder = Path(room)
        (folder / "token").write_text(TOKEN)

        def change(config: dict[str, Any]) -> None:
            config["server"] |= {"token": {"file": "token"}}
            config["controls"] = [
                {"name": "provider-edge", "url": f"{gateway.origin}/", "role": "provider"},
                {"name": "outside", "url": f"{gateway.origin}/api/models", "role": "independent"},
            ]
            config["escalation"] |= {"impact": "Checkout uses this model."}

        targets = [
            {
                "name": name,
                "model": model,
                "stream": name == "stream",
                "credential": "team",
                "labels": {"region": "eu", "service": "checkout" if name == "small" else "search"},
            }
            for name, model in MODELS.items()
        ]
        file = configure(folder, gateway.base_url, targets, ["team"], defaults=QUICK, change=change)
        (folder / "contract.yaml").write_text(json.dumps(gateway_docs.contract(gateway.origin, datetime.now(UTC))))
        prober = Process.start("freezeframe", folder, command("run", "--config", file), {"KEY_OF_TEAM": KEY})
        try:
            url = f"http://{listens_on(file)}"
            prober.wait_until_answering(f"{url}/-/ready", 30)
            for length_s, behaviours in SCENES:
                gateway.behaviours = {MODELS[target]: behaviour for target, behaviour in behaviours.items()}
                time.sleep(length_s)
            yield Site(url, "/packets/latest?target=small")
        finally:
            prober.terminate(45)


def signed_in(chromium: Browser, site: Site, **context: Any) -> Page:
    """Somebody who has followed the pager's link."""
    page = chromium.new_context(base_url=site.url, **context).new_page()
    page.goto(site.packet)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def photograph(chromium: Browser, site: Site, folder: Path) -> None:
    looks: dict[str, dict[str, Any]] = {
        "light": {"viewport": DESKTOP},
        "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
        "phone": {"viewport": PHONE, "is_mobile": True, "device_scale_factor": 2},
        "phone-dark": {"viewport": PHONE, "is_mobile": True, "device_scale_factor": 2, "color_scheme": "dark"},
    }
    for name, look in looks.items():
        strangers = chromium.new_context(base_url=site.url, **look).new_page()
        strangers.goto("/")
        strangers.screenshot(path=folder / f"login-{name}.png")
        page = signed_in(chromium, site, **look)
        if name == "light":
            page.get_by_label("Escalation ID").fill("CASE-4711")
            page.get_by_label("Mitigation").fill("traffic goes to the fallback model")
            page.get_by_role("button", name="Add the note").click()
        for what, path in (("packet", site.packet), ("packets", "/packets"), ("status", "/")):
            page.goto(path)
            page.screenshot(path=folder / f"{what}-{name}.png", full_page=True)
            if name == "light":
                page.emulate_media(media="print")
                page.set_viewport_size(PAPER)
                page.screenshot(path=folder / f"{what}-print.png", full_page=True)
                page.emulate_media(media="screen")
                page.set_viewport_size(DESKTOP)
        page.goto("/packets?target=nowhere")
        page.screenshot(path=folder / f"none-{name}.png")
        page.goto("/packets?since=yesterday")
        page.screenshot(path=folder / f"wrong-{name}.png")
        page.context.close()


def for_the_readme(chromium: Browser, site: Site) -> None:
    heights = {"status": 945, "packet": 1120, "packets": 470}
    for what, path in (("status", "/"), ("packet", site.packet), ("packets", "/packets")):
        page = signed_in(chromium, site, viewport={"width": 1280, "height": heights[what]})
        page.goto(path)
        page.screenshot(path=IMAGES / f"{what}.png")
        page.context.close()


def main(folder: Path, *, readme: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with played() as site, browser() as chromium:
        if readme:
            for_the_readme(chromium, site)
        photograph(chromium, site, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), readme="--readme" in sys.argv[2:])
