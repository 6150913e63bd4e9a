"""What an operator does on the pages, from the first rule to the kill switch. The servers say where reads went."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from waffle.models import Switch

from rollout.models import Mode, RolloutPlan, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.browser.conftest import OpenPage
from tests.browser.steps import advance_to_the_end, start_plan, wait_until_read_from
from tests.browser.visits import Site
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

VISITORS = 10


def bars(page: Page, kind: str) -> Locator:
    """Return the chart's bars of the primary or of replicas."""
    return page.locator(f"#rs-distribution svg[role=img] path[class^=rs-{kind}-]")


def test_from_the_first_rule_to_the_kill_switch(
    shop: Servers, site: Site, superuser: User, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(site.dashboard)
    page.get_by_label("Username").fill(superuser.username)
    page.get_by_label("Password").fill("superuser")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Where reads run")).to_be_visible()

    page.get_by_role("link", name="Add a rule").click()
    page.locator("#id_target").fill("shop:product-list")
    page.locator("#id_mode").select_option(Mode.OBSERVE)
    page.locator("#id_gate_kind").select_option("flag")
    page.locator("#id_gate_name").fill("catalogue")
    page.locator("#id_create_flag").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    rule = RoutingRule.objects.get()
    assert (rule.target, rule.mode, rule.gate_name) == ("shop:product-list", Mode.OBSERVE, "catalogue")

    page.goto(site.dashboard)
    page.evaluate("window.isStillThere = true")
    figure = page.locator(".rs-headline__figure")
    with shop.watch() as reads:
        site.shop(VISITORS)
    assert (reads.primary > 0, reads.replicas) == (True, 0)
    expect(figure).to_have_text("0.0\N{NARROW NO-BREAK SPACE}%")
    expect(bars(page, "primary")).not_to_have_count(0)
    expect(bars(page, "replica")).to_have_count(0)
    assert page.evaluate("window.isStillThere"), "the page was loaded again, instead of being brought up to date"

    start_plan(page, rule)
    assert RolloutPlan.objects.get().is_live
    advance_to_the_end(rule)
    page.goto(site.dashboard)
    page.evaluate("window.isStillThere = true")
    wait_until_read_from("replicas", shop, site, VISITORS)
    expect(figure).not_to_have_text("0.0\N{NARROW NO-BREAK SPACE}%")
    expect(bars(page, "replica")).not_to_have_count(0)
    assert page.evaluate("window.isStillThere")

    page.get_by_role("button", name="Send all reads to the primary").click()
    expect(page.get_by_role("button", name="Let the rules decide again…")).to_be_visible()
    assert not Switch.objects.get(name=KILL_SWITCH).active
    wait_until_read_from("the primary", shop, site, VISITORS)
