"""The page of the settings says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

from demo.reference import CHECKS, FILE, meanings, reference
from rollout.options import Settings

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("rollout", "routers", "tasks", "admin_ui")


def test_the_page_is_what_the_code_generates() -> None:
    assert FILE.read_text() == reference(), "Run manage.py demo_reference and commit docs/settings.md."


def test_every_option_is_on_the_page_once_with_its_meaning() -> None:
    options = [option.name.upper() for option in fields(Settings)]
    assert sorted(meanings()) == sorted(options)
    assert sorted(re.findall(r"^\| `([A-Z_]+)` \| .+ \| [^|]+ \| [^|]+ \|", sections(), re.MULTILINE)) == sorted(
        options
    )


def test_the_page_names_exactly_the_checks_that_the_code_reports() -> None:
    sources = (file.read_text() for package in PACKAGES for file in (CHECKOUT / package).rglob("*.py"))
    reported = {code for source in sources for code in re.findall(r"readshift\.[EW]\d{3}", source)}
    assert set(CHECKS) == reported


def sections() -> str:
    """Return the page without what is inside of `CLUSTERS`."""
    return re.sub(r"### A cluster.*?(?=## )", "", reference(), flags=re.DOTALL)
