"""A visit to the site: a page, and all that it complained about."""

from dataclasses import dataclass
from typing import Any

import requests
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from admin_ui.frame import CHANGELIST
from demo.pages import Fetch
from tests.browser.middleware import POLICY, POLICY_HEADER

CUT_OFF = "net::ERR_ABORTED"
"""What becomes of a poll when its page is left."""

FAVICON = "/favicon.ico"
"""What browsers ask every site for. The host's root is not ours, and Django's admin has none."""

PATIENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Site:
    """Where the server answers."""

    url: str

    @property
    def dashboard(self) -> str:
        return self.address(CHANGELIST)

    def address(self, name: str, *arguments: Any) -> str:
        """Return the whole address of a page of the admin."""
        return self.url + reverse(f"admin:{name}", args=arguments)

    def shop(self, visitors: int) -> None:
        """Let so many visitors look at the catalogue once, each with a browser of its own."""
        for number in range(visitors):
            answer = requests.get(f"{self.url}/", headers={"User-Agent": f"Visitor {number}"}, timeout=20)
            answer.raise_for_status()


class Visit:
    """A browser with cookies of its own, and one page in it.

    faults: what was logged to the console, thrown, refused by the content policy, not answered or answered with an
    error, and documents that came without the policy.
    """

    def __init__(self, browser: Browser, site: Site, options: dict[str, Any]) -> None:
        self.faults: list[str] = []
        self._site = site
        self._context = browser.new_context(base_url=site.url, **options)
        self._context.set_default_timeout(PATIENCE_MS)
        self.page = self._context.new_page()
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.faults.append(f"Thrown: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def log_in(self, session: str) -> None:
        self._context.add_cookies([{"name": "sessionid", "value": session, "url": self._site.url}])

    def close(self) -> None:
        self._context.close()

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.location["url"].endswith(FAVICON):
            self.faults.append(f"Logged: {message.text} ({message.location['url']})")

    def _failed(self, request: Request) -> None:
        if request.failure != CUT_OFF:
            self.faults.append(f"Failed: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith(FAVICON):
            self.faults.append(f"Answered with {response.status}: {response.url}")
        if response.request.resource_type == "document" and response.headers.get(POLICY_HEADER.lower()) != POLICY:
            self.faults.append(f"Without “{POLICY}”: {response.url}")


def fetcher(page: Page) -> Fetch:
    """Return what gets documents from the server for whoever is logged in on a page."""

    def fetch(path: str) -> str:
        answer = page.request.get(path)
        return answer.text() if answer.ok and answer.headers["content-type"].startswith("text/html") else ""

    return fetch
