"""The page that explains a read: what it shows, and to whom."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from rollout.models import GateKind, Mode
from routers.subjects import actor_key
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.support import DASHBOARD, queries_of, text
from tests.rollout.support import create_flag
from tests.support import route

pytestmark = pytest.mark.django_db(databases="__all__")

KEY = actor_key("session", "somebody")


def explained(client: Client, **asked: str) -> Any:
    return client.get(reverse("admin:readshift_explain"), asked)


def test_the_navigation_leads_to_it_and_the_form_suggests_names(operator: Client) -> None:
    address = reverse("admin:readshift_explain")
    assert f'<a href="{address}">Explain</a>' in text(operator.get(DASHBOARD))
    page = text(operator.get(address))
    assert '<option value="shop:product-list">' in page
    assert '<option value="shop.Product">' in page
    assert "rs-ladder" not in page


def test_it_shows_every_rung_and_marks_the_one_that_decides_in_words(viewer: Client) -> None:
    route("names", mode=Mode.PIN)
    page = text(explained(viewer, endpoint="names", model="shop.Product", actor=KEY, method="GET"))
    assert len(re.findall(r'<li class="rs-rung', page)) == 14
    (marked,) = re.findall(r'<li class="rs-rung rs-rung--decides" aria-current="step">(.*?)</ul>', page, re.DOTALL)
    assert "<h3>Rules</h3>" in marked
    assert "decides: pinned" in marked
    assert "The rule for endpoint names: mode pin" in marked
    assert "“default”, the primary, serves it. A rule pins it to the primary." in page


def test_a_path_stands_for_its_view(viewer: Client) -> None:
    assert "GET names" in text(explained(viewer, endpoint="/test/names/?page=2", method="GET"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"endpoint": "shop:product-lost"}, "Did you mean “shop:product-list”"),
        ({"endpoint": "names", "model": "shop.Prodct"}, "Did you mean “shop.Product”"),
        ({"endpoint": "names", "actor": "me"}, "“me” is no actor's key."),
        ({"endpoint": "names", "method": "BREW"}, "Select a valid choice."),
        ({"endpoint": "names\0"}, "Null characters are not allowed."),
    ],
)
def test_what_does_not_exist_is_told_at_its_field(viewer: Client, asked: dict[str, str], message: str) -> None:
    page = text(explained(viewer, **{"method": "GET", **asked}))
    assert message in page.replace("&#x27;", "'")
    assert "rs-ladder" not in page


def test_users_are_found_by_those_who_may_know_them(staff: StaffClient) -> None:
    User.objects.create_user("grace")
    create_flag("names", everyone=None, authenticated=True)
    route("names", gate=(GateKind.FLAG, "names"))
    for codenames in (["operate_routing"], ["view_routingrule", "view_user"]):
        client = staff(*codenames)
        asked = {"endpoint": "names", "method": "GET"}
        assert "the user is one of them" in text(explained(client, **asked, user="grace"))
        assert "No user is named “nobody”." in text(explained(client, **asked, user="nobody"))


@pytest.mark.parametrize("codename", ["view_routingrule", "rollback_routing"])
def test_nobody_else_learns_which_users_there_are(staff: StaffClient, codename: str) -> None:
    User.objects.create_user("grace")
    client = staff(codename)
    pages = [
        re.sub(
            r'name="csrfmiddlewaretoken" value="\w+"',
            "",
            text(explained(client, endpoint="names", method="GET", user=name)),
        )
        for name in ("grace", "nobody")
    ]
    pages[1] = pages[1].replace("user=nobody", "user=grace")
    assert pages[0] == pages[1]
    assert "You may not look for users by name" in pages[0]
    assert 'name="user"' not in pages[0]
    assert 'name="user"' in text(explained(staff("operate_routing")))


def test_it_takes_the_right_to_see_rules(staff: StaffClient) -> None:
    client = staff("view_dashboard")
    assert explained(client).status_code == 403
    assert explained(client, endpoint="names", method="GET").status_code == 403
    assert explained(Client()).status_code == 302


def test_it_explains_for_the_browser_that_asks(viewer: Client) -> None:
    key = actor_key("session", viewer.cookies["sessionid"].value)
    page = text(explained(viewer, endpoint="names", method="GET"))
    assert f"?endpoint=names&method=GET&actor={key}" in page


def test_its_queries_do_not_grow_with_the_rules(viewer: Client) -> None:
    address = f"{reverse('admin:readshift_explain')}?endpoint=names&model=shop.Product&method=GET&actor={KEY}"
    route("names")
    before = queries_of(viewer, address)
    for number in range(20):
        route(f"nightly-{number}")
    assert queries_of(viewer, address) == before <= 12


def test_what_fails_while_it_is_decided_is_told(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("no such tenant")

    monkeypatch.setattr("routers.freshness.is_connected", broken)
    route("names")
    response = explained(operator, endpoint="names", method="GET", actor=KEY)
    assert response.status_code == 200
    assert "Deciding about this read failed: ValueError: no such tenant." in text(response)
