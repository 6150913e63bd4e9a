"""The header that tells staff where the queries of a request went: what it says, and who never sees it."""

import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from demo.shop.models import Product
from rollout.models import TallyKind
from routers.explaining.header import HEADER
from routers.meter import meter
from routers.middleware import ReadshiftMiddleware
from routers.recording import recordings
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def told(settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "EXPLAIN_HEADER": True}


def logged_in(*, is_staff: bool) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(f"user-{is_staff}", is_staff=is_staff))
    return client


def entries(value: str) -> dict[tuple[str, str, str], int]:
    """Return the number of queries by database, reason and model."""
    found = {}
    for entry in value.split(", "):
        alias, *parameters = entry.split(";")
        named = dict(parameter.split("=") for parameter in parameters)
        found[alias, named["reason"], named.get("model", "")] = int(named["queries"])
    return found


def test_staff_see_where_each_query_went(shop: Servers, told: None) -> None:
    route("shop:product-list")
    client = logged_in(is_staff=True)
    shop.settle()
    meter.take()
    response = client.get("/")
    counted = {
        (series.alias, series.reason, series.model): count
        for series, count in meter.take().items()
        if series.kind in {TallyKind.READ, TallyKind.WRITE}
    }
    assert entries(response[HEADER]) == counted
    assert {alias for alias, reason, model in counted if model == "shop.Product"} <= {"replica1", "replica2"}
    assert counted["default", "denied", "sessions.Session"] == 1
    assert response["Cache-Control"] == "private"
    assert "Cookie" in response["Vary"]


def test_staff_see_it_in_async_requests_as_well(shop: Servers, told: None) -> None:
    client = AsyncClient()
    client.cookies = logged_in(is_staff=True).cookies
    assert "shop.Product" in async_to_sync(client.get)("/")[HEADER]


def test_nobody_else_does(shop: Servers, told: None) -> None:
    for client in (Client(), logged_in(is_staff=False)):
        response = client.get("/")
        assert HEADER not in response
        assert "Cache-Control" not in response


def test_unless_it_is_switched_on_there_is_none(shop: Servers) -> None:
    assert HEADER not in logged_in(is_staff=True).get("/")


def test_nothing_is_looked_up_for_it(shop: Servers, told: None) -> None:
    client = logged_in(is_staff=True)
    with CaptureQueriesContext(connections["default"]) as captured:
        response = client.get("/test/names/")
    assert HEADER not in response
    assert "Vary" not in response
    assert not [query for query in captured if re.search("auth_user|django_session", query["sql"])]


def test_it_costs_an_anonymous_visitor_no_query(shop: Servers, settings: Any) -> None:
    counts = []
    for is_on in (False, True):
        settings.READSHIFT = {**settings.READSHIFT, "EXPLAIN_HEADER": is_on}
        Client().get("/")
        with CaptureQueriesContext(connections["default"]) as captured:
            Client().get("/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_user_whom_the_view_finds_itself_is_known(shop: Servers, told: None) -> None:
    User.objects.create_user("grace", is_staff=True)
    User.objects.create_user("ada")
    assert "shop.Product" in Client().get("/test/signed-in-late/grace/")[HEADER]
    assert HEADER not in Client().get("/test/signed-in-late/ada/")


def test_a_cache_of_the_site_never_shows_it_to_others(shop: Servers, told: None, settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    assert HEADER in logged_in(is_staff=True).get("/")
    for _ in range(2):
        assert HEADER not in Client().get("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "public, max-age=60"},
        {"Cache-Control": "max-age=0, s-maxage=60"},
        {"Surrogate-Control": "max-age=60"},
        {"Cloudflare-CDN-Cache-Control": "max-age=60"},
        {"X-Accel-Expires": "60", "Cache-Control": "max-age=0"},
        {"Edge-Control": "cache-maxage=60"},
    ],
)
def test_what_is_meant_for_shared_caches_stays_as_it_is(shop: Servers, told: None, headers: dict[str, str]) -> None:
    def view(_: Any) -> HttpResponse:
        return HttpResponse(str(Product.objects.count()), headers=headers)

    def answer() -> Any:
        request = RequestFactory().get("/")
        request.user = User(is_staff=True)
        return ReadshiftMiddleware(view)(request)

    assert dict(answer().items()) == {"Content-Type": "text/html; charset=utf-8", **headers}
    headers.clear()
    assert HEADER in answer()


def test_nothing_is_kept_after_the_request(shop: Servers, told: None) -> None:
    logged_in(is_staff=True).get("/")
    assert recordings() == ()
