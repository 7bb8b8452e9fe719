"""Debian's Chromium, driven by Playwright; nothing is downloaded."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)
PATIENCE_MS = 20_000

_STATUS = "Failed to load resource: the server responded with a status of"

# Debian's wrapper asks df for the size of /dev/shm and complains where there is none.
_BINARY = Path("/usr/lib/chromium/chromium")


def chromium() -> str | None:
    """The browser's path; None where there is none."""
    return str(_BINARY) if _BINARY.exists() else shutil.which("chromium")


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window while the block runs; skips the test where there is none, unless in CI."""
    path = chromium()
    if path is None:
        assert not os.environ.get("CI"), "Chromium is missing: apt-get install chromium"
        pytest.skip("Chromium is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, and what its browser complained about.

    Attributes:
        page: to be driven.
        complaints: errors on the console and scripts that failed, oldest first; a breach of the page's policy is one,
            a status of 400 and more is none.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STATUS):
            self.complaints.append(message.text)


@contextlib.contextmanager
def context(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """A browser's profile of its own: no cookies, no history."""
    made = browser.new_context(**options)  # type: ignore[arg-type]
    made.set_default_timeout(PATIENCE_MS)
    try:
        yield made
    finally:
        made.close()
