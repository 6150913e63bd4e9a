"""Steps that several tests take."""

from typing import Literal

from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from demo.waiting import wait_until
from rollout.models import RolloutPlan, RoutingRule
from rollout.naming import full_name
from tests.browser.visits import Site
from tests.support import Servers

SECONDS = 20.0


def start_plan(page: Page, rule: RoutingRule, template: str = "standard") -> None:
    """Start a plan for a rule on its page."""
    page.goto(reverse("admin:readshift_rule", args=[rule.pk]))
    page.get_by_role("radio", name=template).check()
    page.get_by_role("button", name="Start…", exact=True).click()
    page.get_by_role("button", name="Yes, go ahead").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def advance_to_the_end(rule: RoutingRule) -> None:
    """Take the plan of a rule to its last stage, as an operator who is in a hurry would."""
    for _ in RolloutPlan.objects.get(rule=rule).stages[1:]:
        call_command("readshift", "advance", full_name(rule))


def go_ahead(page: Page) -> None:
    """Answer the question that a button asks which sends more reads to replicas."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Send more reads to replicas?")
    page.get_by_role("button", name="Yes, go ahead").click()


def wait_until_read_from(where: Literal["the primary", "replicas"], shop: Servers, site: Site, visitors: int) -> None:
    """Wait until all reads of so many visitors run there, by what the servers count themselves."""

    def are_read_there() -> bool:
        with shop.watch() as reads:
            site.shop(visitors)
        there, elsewhere = reads.primary, reads.replicas
        if where == "replicas":
            there, elsewhere = elsewhere, there
        return there > 0 and elsewhere == 0

    wait_until(are_read_there, SECONDS, f"all reads of the catalogue to run on {where}")
