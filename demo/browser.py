"""The browser that looks at the pages for tests and pictures: the machine's own Chromium, never a downloaded one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    # It shows our own pages alone, and whoever runs a container is often root, whom Chromium's sandbox refuses.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = f"No browser is on the PATH ({', '.join(NAMES)}). Debian's package is called chromium."


def find_browser() -> Path | None:
    """Return the browser's program, or None where there is none."""
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path), None)


@contextmanager
def running_browser(program: Path) -> Iterator[Browser]:
    """Run a browser with a profile of its own.

    Playwright runs an event loop in the calling thread for as long. Django's ORM refuses to work beside one unless the
    environment has DJANGO_ALLOW_ASYNC_UNSAFE.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()
