"""Which pages there are, found by following links."""

import pytest
from django.test import Client
from django.urls import reverse

from demo.pages import PageOfOurs, find_pages
from rollout.models import RoutingRule
from tests.support import route

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def rules() -> list[RoutingRule]:
    return [route("shop:product-list"), route("shop:search")]


def names(pages: tuple[PageOfOurs, ...]) -> list[str]:
    return [page.name for page in pages]


def test_pages_are_found_that_only_links_lead_to(rules: list[RoutingRule], admin_client: Client) -> None:
    def fetch(path: str) -> str:
        answer = admin_client.get(path)
        is_document = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        return answer.content.decode() if is_document else ""

    found = find_pages(fetch)
    assert {"overview", "rules", "rule-add", "rule-form"} <= set(names(found))
    assert len(set(names(found))) == len(found)
    (form,) = (page for page in found if page.name == "rule-form")
    assert form.path in {reverse("admin:readshift_routingrule_change", args=[rule.pk]) for rule in rules}


def test_nothing_else_is_followed() -> None:
    asked = []
    links = (
        "/admin/auth/user/",
        "https://example.org/admin/readshift/routingrule/7/change/",
        "/nowhere/",
        "#top",
        "?minutes=60",
        "/admin/readshift/routingrule/7/change/?a=1&amp;b=2",
        "/admin/readshift/routingrule/8/change/",
    )

    def fetch(path: str) -> str:
        asked.append(path)
        return "".join(f'<a class="x" href="{link}">y</a>' for link in links)

    found = find_pages(fetch)
    assert [page.path for page in found if page.name == "rule-form"] == [
        "/admin/readshift/routingrule/7/change/?a=1&b=2"
    ]
    assert len(asked) == len(found)


def test_what_is_no_document_is_no_page() -> None:
    assert find_pages(lambda _: "") == ()
