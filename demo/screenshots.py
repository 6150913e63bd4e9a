"""Pictures of every page of Readshift, on a wide screen and on a phone, in light and dark.

They are of a made-up week, with the clock stopped and without what differs from one machine to another, so that they
change when a page does.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from django.urls import reverse
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize
from psycopg.rows import TupleRow

from demo.browser import running_browser
from demo.operator import DASHBOARD
from demo.pages import find_pages
from demo.png import compress
from demo.rules import CATALOGUE_FLAG
from demo.stack import DATABASE, START_SECONDS, Seed, Stack, running_stack
from demo.waiting import wait_until

Scheme = Literal["light", "dark"]

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
SEED = Seed(products=300, reviews=400, users=40, orders=100)
CLOCK_SAYS = datetime(2026, 3, 2, 10, 24, tzinfo=UTC)
"""The time on the pictures."""

SCREENS = (ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844))
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
HIGHEST = 3_000
"""A picture ends there. Pages go on for as long as they like."""

EXAMPLES = {
    **dict.fromkeys(
        ("readshift_rule", "readshift_routingrule_change"),
        "SELECT id FROM readshift_routingrule WHERE target = 'shop:product-list'",
    ),
    "readshift_shadow_read": "SELECT min(id) FROM readshift_shadowread WHERE outcome = 'divergent'",
}
"""By the name of the address: which of many pages tells most."""

QUESTIONS = {"readshift_explain": "?endpoint=shop:product-list&model=shop.Product&user=admin&method=GET"}
"""By the name of the address: what a page is asked that answers questions."""

REWRITE = r"""
([words, shift]) => {
  const shifted = (date, time) => new Date(Date.parse(`${date}T${time}Z`) + shift).toISOString();
  const moments = /(\d{4}-\d\d-\d\d)(?:([ T])(\d\d:\d\d)(:\d\d)?)?|\b(\d\d:\d\d)(:\d\d)?\b/g;
  const others = [
    [/· for (?:\d+|less than 1) s\b/g, "· for 40 s"],
    [/\b(?:\d+|less than 1) s ago\b/g, "1 s ago"],
    [/\b\d{19}\b/g, "7512345678901234567"],
    [/\b[0-9A-F]+\/[0-9A-F]{6,8}\b/g, "3/1A9F04C8"],
    [/127\.0\.0\.1:\d+/g, "10.0.0.4:5432"],
  ];
  const move = (_, date, between, time, seconds, alone, itsSeconds) => {
    if (alone) return shifted("2000-01-01", alone + (itsSeconds ?? ":00")).slice(11, itsSeconds ? 19 : 16);
    const moved = shifted(date, (time ?? "12:00") + (seconds ?? ":00"));
    return moved.slice(0, 10) + (time ? between + moved.slice(11, seconds ? 19 : 16) : "");
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const [word, other] of words) texts.currentNode.data = texts.currentNode.data.replaceAll(word, other);
    for (const [some, other] of others) texts.currentNode.data = texts.currentNode.data.replace(some, other);
    texts.currentNode.data = texts.currentNode.data.replace(moments, move);
  }
}
"""
"""Puts other words into a page, and moves the times in it. The processes that serve it have just been started."""


@dataclass(frozen=True, slots=True)
class Album:
    """Where the pictures are taken. now: when the clock of the pages stands still."""

    stack: Stack
    now: datetime

    def take(self, browser: Browser, scheme: Scheme) -> Iterator[Path]:
        """Take the pictures of all pages in light or dark."""
        context = browser.new_context(base_url=self.stack.url, color_scheme=scheme)
        page = context.new_page()
        _sign_in(page)
        rewriting = [self._words(), (CLOCK_SAYS - self.now).total_seconds() * 1000]
        for name, show in self._views(page):
            for screen in SCREENS:
                # What the demo has counted of its own start and of these visits.
                self._query("DELETE FROM readshift_tally WHERE starts_at >= %s", self.now)
                page.set_viewport_size(screen)
                show()
                page.evaluate(REWRITE, rewriting)
                height = min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST)
                clip = FloatRect(x=0, y=0, width=screen["width"], height=height)
                file = FOLDER / f"{name}-{screen['width']}-{scheme}.png"
                file.write_bytes(compress(page.screenshot(full_page=True, clip=clip, animations="disabled")))
                yield file
        context.close()

    def _views(self, page: Page) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield the name of each page, and what shows it."""
        for found in find_pages(lambda path: _document(page, path)):
            path = found.path
            if statement := EXAMPLES.get(found.address):
                path = reverse(f"admin:{found.address}", args=self._query(statement)[0])
            yield found.name, partial(_show, page, path + QUESTIONS.get(found.address, ""))
        yield "confirmation", partial(_ask, page)

    def _words(self) -> list[tuple[str, str]]:
        """Return names and numbers of the processes that serve, and what pictures call them."""
        host = socket.gethostname()
        statement = "SELECT pid FROM readshift_process WHERE host = %s ORDER BY started_at, pid"
        pids = wait_until(lambda: self._query(statement, host), START_SECONDS, "the web server to tell that it lives")
        return [(host, "web1"), *((str(pid), str(4_101 + 13 * number)) for number, (pid,) in enumerate(pids))]

    def _query(self, statement: str, *values: object) -> list[TupleRow]:
        return self.stack.cluster.primary.query(statement, values, dbname=DATABASE)


def take_screenshots(program: Path, say: Callable[[str], None]) -> list[Path]:
    """Start a demo, take all pictures with this browser, and return their files.

    Pictures of pages that are gone go too.
    """
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with running_stack(SEED, say, quiet=True, still_at=now) as stack, running_browser(program) as browser:
        say("Taking the pictures")
        FOLDER.mkdir(parents=True, exist_ok=True)
        album = Album(stack, now)
        taken = [file for scheme in SCHEMES for file in album.take(browser, scheme)]
    for file in set(FOLDER.glob("*.png")) - set(taken):
        file.unlink()
    return taken


def _sign_in(page: Page) -> None:
    page.goto(f"{reverse('admin:login')}?next={DASHBOARD}")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill("admin")
    page.locator("[type=submit]").click()
    page.wait_for_url(f"**{DASHBOARD}")


def _show(page: Page, path: str) -> None:
    """Show a page with what it loads afterwards."""
    page.goto(path)
    page.wait_for_load_state("networkidle")


def _document(page: Page, path: str) -> str:
    answer = page.request.get(path)
    return answer.text() if answer.ok and answer.headers["content-type"].startswith("text/html") else ""


def _ask(page: Page) -> None:
    """Press a button that sends more reads to replicas, up to its question."""
    page.goto(DASHBOARD)
    page.get_by_role("group", name=CATALOGUE_FLAG).get_by_role("button", name="100 %").first.click()
    page.get_by_role("button", name="Yes, go ahead").wait_for()
