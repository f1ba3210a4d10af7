"""Debian's Chromium driven by Playwright: as many people at it as a test needs, each with cookies of their own."""

import contextlib
from collections.abc import Iterator
from typing import Final

from playwright.sync_api import Browser, sync_playwright

EXECUTABLE: Final = "/usr/bin/chromium"
_FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic", "--hide-scrollbars"),
)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=EXECUTABLE, headless=True, args=list(_FLAGS))
        try:
            yield running
        finally:
            running.close()
