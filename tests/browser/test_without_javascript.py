"""Every toggle is a form: it works where JavaScript is switched off."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from waffle.models import Flag, Switch

from rollout.models import DrainedReplica, Mode, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import flag
from tests.browser.conftest import OpenPage
from tests.browser.steps import go_ahead, wait_until_read_from
from tests.browser.visits import Site
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

VISITORS = 10


@pytest.fixture
def rule(shop: Servers) -> RoutingRule:
    return route(mode=Mode.OBSERVE, gate=flag("catalogue", percent="10"))


@pytest.fixture
def page(rule: RoutingRule, site: Site, superuser: User, open_page: OpenPage) -> Page:
    """The dashboard, without JavaScript."""
    page = open_page(user=superuser, java_script_enabled=False)
    page.goto(site.dashboard)
    return page


def modes(page: Page) -> Locator:
    return page.get_by_role("group", name="Mode of endpoint shop:product-list")


def test_mode_and_percentage(page: Page, shop: Servers, site: Site, rule: RoutingRule) -> None:
    modes(page).get_by_role("button", name="route").click()
    go_ahead(page)
    expect(modes(page).locator("[aria-current]")).to_have_text("route")
    rule.refresh_from_db()
    assert rule.mode == Mode.ROUTE

    page.get_by_label("Percent for flag catalogue").fill("60.5")
    page.get_by_role("button", name="Set", exact=True).click()
    go_ahead(page)
    expect(page.get_by_label("Percent for flag catalogue")).to_have_value("60.5")
    assert f"{Flag.objects.get().percent}" == "60.5"

    page.get_by_role("button", name="100 %").click()
    go_ahead(page)
    wait_until_read_from("replicas", shop, site, VISITORS)

    page.get_by_role("button", name="0 %", exact=True).click()
    expect(page.get_by_role("button", name="0 %", exact=True)).to_be_disabled()
    assert Flag.objects.get().everyone is False
    wait_until_read_from("the primary", shop, site, VISITORS)

    modes(page).get_by_role("button", name="pin").click()
    expect(modes(page).locator("[aria-current]")).to_have_text("pin")
    rule.refresh_from_db()
    assert rule.mode == Mode.PIN


def test_the_answer_no_changes_nothing(page: Page, site: Site, rule: RoutingRule) -> None:
    modes(page).get_by_role("button", name="route").click()
    page.get_by_role("link", name="No, change nothing").click()
    expect(page).to_have_url(site.dashboard)
    rule.refresh_from_db()
    assert rule.mode == Mode.OBSERVE


def test_the_kill_switch(page: Page) -> None:
    page.get_by_role("button", name="Send all reads to the primary").click()
    expect(page.locator("#rs-status")).to_contain_text("Routing is off")
    assert not Switch.objects.get(name=KILL_SWITCH).active

    page.get_by_role("button", name="Let the rules decide again…").click()
    page.get_by_role("button", name="Yes, go ahead").click()
    expect(page.get_by_role("button", name="Send all reads to the primary")).to_be_visible()
    assert Switch.objects.get(name=KILL_SWITCH).active


def test_draining_a_replica(page: Page) -> None:
    page.get_by_label("Why replica1 is drained").fill("A new disk")
    page.get_by_role("button", name="Drain replica1").click()
    expect(page.get_by_role("button", name="Let it serve again… replica1")).to_be_visible()
    assert [(drained.alias, drained.reason) for drained in DrainedReplica.objects.all()] == [("replica1", "A new disk")]

    page.get_by_role("button", name="Let it serve again… replica1").click()
    page.get_by_role("button", name="Yes, go ahead").click()
    expect(page.get_by_role("button", name="Drain replica1")).to_be_visible()
    assert not DrainedReplica.objects.exists()
