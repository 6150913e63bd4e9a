"""What is done to a page before its picture is taken."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from demo.screenshots import REWRITE

WORDS = [("build-7", "web1"), ("31052", "4101")]


@pytest.mark.parametrize(
    ("shown", "pictured"),
    [
        ("As process 31052 on build-7 sees them", "As process 4101 on web1 sees them"),
        ("as of 14:01:30", "as of 10:01:30"),
        ("03:59", "23:59"),
        ("since 2026-11-25 03:30", "since 2026-11-24 23:30"),
        ("2026-11-25T14:01:30", "2026-11-25T10:01:30"),
        ("serves reads · for 7 s", "serves reads · for 40 s"),
        ("the last commit that it shows was made 3 s ago", "the last commit that it shows was made 1 s ago"),
        ("streaming from 127.0.0.1:36679 up to 0/187E888", "streaming from 10.0.0.4:5432 up to 3/1A9F04C8"),
        ("system 7712120836126321130", "system 7512345678901234567"),
        ("keeps connections for 60 s", "keeps connections for 60 s"),
        ("contract bounded:30, 10.0.0.4:5432, 12 s", "contract bounded:30, 10.0.0.4:5432, 12 s"),
    ],
)
def test_what_differs_from_run_to_run_is_put_into_other_words(browser: Browser, shown: str, pictured: str) -> None:
    page = browser.new_page()
    page.set_content(f"<p id=text>{shown}</p>")
    page.evaluate(REWRITE, [WORDS, timedelta(hours=-4).total_seconds() * 1000])
    assert page.locator("#text").inner_text() == pictured
    page.close()
