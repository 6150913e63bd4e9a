"""What somebody with a smaller permission sees and can do: on the pages, and by requests that no page offers."""

import pytest
from playwright.sync_api import Page, expect
from waffle.models import Flag, Switch

from demo.pages import find_pages
from rollout.models import DrainedReplica, Event, Mode, RoutingRule
from rollout.policy import KILL_SWITCH
from tests.admin_ui.support import flag
from tests.browser.conftest import OpenPage
from tests.browser.visits import Site, fetcher
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

KILL = "readshift_kill_switch"


@pytest.fixture
def rule(shop: Servers) -> RoutingRule:
    return route(mode=Mode.ROUTE, gate=flag("catalogue", percent="10"))


def forge(page: Page, address: str, fields: dict[str, str]) -> int:
    """Send a form that no page has shown, with the token of one that was, and return the status of the answer."""
    (token,) = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    return page.request.post(address, form={**fields, "csrfmiddlewaretoken": token}, max_redirects=0).status


def forgeries(site: Site, rule: RoutingRule) -> list[tuple[str, dict[str, str]]]:
    """Return what would change something, both to take reads back and to send more of them to replicas."""
    return [
        (site.address(KILL), {"state": "off"}),
        (site.address("readshift_set_mode", rule.pk), {"mode": "pin"}),
        (site.address("readshift_set_mode", rule.pk), {"mode": "route", "confirm": "1"}),
        (site.address("readshift_set_share", rule.pk), {"percent": "0"}),
        (site.address("readshift_set_share", rule.pk), {"percent": "90", "confirm": "1"}),
        (site.address("readshift_drain"), {"alias": "replica1"}),
        (site.address("readshift_undrain"), {"alias": "replica1", "confirm": "1"}),
        (site.address("readshift_routingrule_change", rule.pk), {"mode": "pin"}),
    ]


def test_who_may_only_look_sees_no_button_and_can_change_nothing(
    rule: RoutingRule, site: Site, open_page: OpenPage
) -> None:
    page = open_page("view_routingrule", "view_dashboard")
    pages = find_pages(fetcher(page))
    assert {"overview", "rules", "rule-form"} <= {found.name for found in pages}
    for found in pages:
        page.goto(found.path)
        expect(page.locator("#content form[method=post]").locator("button, input[type=submit]")).to_have_count(0)
    before = Event.objects.count()
    for address, fields in forgeries(site, rule):
        assert forge(page, address, fields) == 403, (address, fields)
    assert Event.objects.count() == before


def test_who_may_take_back_can_do_that_and_nothing_more(rule: RoutingRule, site: Site, open_page: OpenPage) -> None:
    page = open_page("rollback_routing")
    page.goto(site.dashboard)
    for name in ("100 %", "Let it serve again… replica1"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.get_by_role("button", name="Drain replica1").click()
    page.get_by_role("button", name="Send all reads to the primary").click()
    expect(page.locator("#rs-status")).to_contain_text("Routing is off")
    expect(page.get_by_role("button", name="Let the rules decide again…")).to_have_count(0)
    assert not Switch.objects.get(name=KILL_SWITCH).active
    raising = (
        (site.address(KILL), {"state": "on", "confirm": "1"}),
        (site.address("readshift_set_share", rule.pk), {"percent": "90", "confirm": "1"}),
        (site.address("readshift_undrain"), {"alias": "replica1", "confirm": "1"}),
    )
    for address, fields in raising:
        assert forge(page, address, fields) == 403, (address, fields)
    assert not Switch.objects.get(name=KILL_SWITCH).active
    assert f"{Flag.objects.get().percent}" == "10.0"
    assert DrainedReplica.objects.count() == 1


def test_who_may_not_see_the_dashboard_is_refused(site: Site, open_page: OpenPage, shop: Servers) -> None:
    page = open_page("view_user")
    assert page.request.get(site.dashboard).status == 403
