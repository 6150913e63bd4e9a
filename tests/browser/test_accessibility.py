"""Every page: no fault that keeps somebody from using it, in light and dark, on a wide screen and on a phone."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize

from demo.history import write_history
from demo.pages import find_pages
from rollout import operations
from tests.browser.conftest import OpenPage
from tests.browser.visits import fetcher
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

Scheme = Literal["light", "dark"]

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
GRAVE = frozenset({"serious", "critical"})
OURS = ".rs"
NOT_OURS = (
    # Django's own admin tells its links there from text by their colour alone.
    ".breadcrumbs",
    # Django's own search field, of which only a picture is the label.
    "#searchbar",
)


@pytest.fixture(autouse=True)
def _past(shop: Servers) -> None:
    """A site on which much has happened, with a replica that is drained."""
    write_history(timezone.now(), days=1)
    operations.drain("replica2", "operator", "A new disk", "default")


def every_page(page: Page) -> Iterator[str]:
    """Show each page after the other, and yield their names; the question before a rise last."""
    found = find_pages(fetcher(page))
    assert {"overview", "rules", "rule-add", "rule-form"} <= {one.name for one in found}
    for one in found:
        page.goto(one.path)
        yield one.name
    page.goto(found[0].path)
    page.get_by_role("button", name="Let it serve again… replica2").click()
    page.get_by_role("button", name="Yes, go ahead").wait_for()
    yield "confirmation"


def faults(page: Page, scheme: Scheme) -> list[str]:
    """Return what axe finds: grave faults anywhere, and moderate ones in what is ours.

    In dark, only contrasts are looked at: the rest is the same as in light.
    """
    options = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}
    found = Axe().run(page, {"exclude": [[selector] for selector in NOT_OURS]}, options).response["violations"]
    return [
        f"{fault['impact']}: {fault['help']} ({node['target'][0]}: {node['html'][:120]})"
        for fault in found
        for node in fault["nodes"]
        if fault["impact"] in GRAVE or (fault["impact"] == "moderate" and is_ours(page, node))
    ]


def is_ours(page: Page, node: dict[str, Any]) -> bool:
    return bool(page.locator(node["target"][0]).evaluate("(element, ours) => element.closest(ours) !== null", OURS))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_grave_fault(scheme: Scheme, superuser: User, open_page: OpenPage) -> None:
    # What axe does itself, the policy would refuse. The other test shows that the pages need no such favour.
    page = open_page(user=superuser, bypass_csp=True, color_scheme=scheme)
    found = {}
    for name in every_page(page):
        for screen in (WIDE, PHONE):
            page.set_viewport_size(screen)
            if seen := faults(page, scheme):
                found[f"{name}, {screen['width']} wide"] = seen
    assert found == {}


def test_no_page_is_wider_than_a_phone(superuser: User, open_page: OpenPage) -> None:
    page = open_page(user=superuser, viewport=PHONE)
    widths = {name: page.evaluate("document.documentElement.scrollWidth") for name in every_page(page)}
    assert {name: width for name, width in widths.items() if width > PHONE["width"]} == {}
