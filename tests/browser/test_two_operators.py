"""Two operators edit one rule at the same time: the second is told, and nothing is lost."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.visits import Site
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_the_second_is_told_and_nothing_is_lost(
    shop: Servers, site: Site, superuser: User, open_page: OpenPage
) -> None:
    rule = route(contract="session")
    form = site.address("readshift_routingrule_change", rule.pk)
    first, second = (open_page(user=user) for user in (User.objects.create_superuser("ann"), superuser))
    for page in (first, second):
        page.goto(form)

    first.locator("#id_note").fill("Ann's note")
    first.get_by_role("button", name="Save", exact=True).click()
    expect(first.get_by_text("was changed successfully")).to_be_visible()

    second.locator("#id_note").fill("Another note")
    second.locator("#id_contract").fill("strict")
    second.get_by_role("button", name="Save", exact=True).click()
    # The first one's values stay stored and are told; the second one's are still in the form.
    expect(second.locator(".errornote, .errorlist").first).to_be_visible()
    expect(second.locator("#content")).to_contain_text("Ann's note")
    expect(second.locator("#id_note")).to_have_value("Another note")
    expect(second.locator("#id_contract")).to_have_value("strict")
    rule.refresh_from_db()
    assert (rule.note, rule.contract) == ("Ann's note", "session")

    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_text("was changed successfully")).to_be_visible()
    rule.refresh_from_db()
    assert (rule.note, rule.contract) == ("Another note", "strict")
