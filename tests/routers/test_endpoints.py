"""How endpoints are named."""

from django.urls import resolve

from routers.endpoints import LONGEST, declare, known_endpoints, view_endpoint


def test_a_named_view_is_known_by_its_name_and_another_by_its_route() -> None:
    assert view_endpoint(resolve("/")) == "shop:product-list"
    assert view_endpoint(resolve("/products/mug/")) == "shop:product-detail"
    assert view_endpoint(resolve("/test/unnamed/7/")) == "test/unnamed/<int:number>/"


def test_views_tasks_commands_and_declared_names_are_known(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "ENDPOINTS": ["nightly-report"]}
    declare("by hand")
    known = known_endpoints()
    assert {
        "shop:product-list",
        "names",
        "test/unnamed/<int:number>/",
        "admin:index",
        "shop.refresh_bestsellers",
        "seed_shop",
        "nightly-report",
        "by hand",
    } <= known
    assert not [name for name in known if name.startswith("celery.")]


def test_every_view_that_answers_is_among_the_known_ones() -> None:
    for path in ("/", "/search/", "/admin/", "/admin/auth/user/", "/test/unnamed/7/"):
        assert view_endpoint(resolve(path)) in known_endpoints(), path


def test_no_name_is_longer_than_the_tables_hold() -> None:
    assert max(map(len, known_endpoints())) <= LONGEST
