"""What Readshift is held against in the benchmark of a read's cost: it does what a team would have it do."""

from collections.abc import Callable
from contextlib import closing

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from waffle.testutils import override_flag

from benchmarks.overhead.blocks import Block, What
from benchmarks.overhead.content import FLAG, REPLICA
from benchmarks.overhead.installing import COMPARED, NO_ROUTER, further_middleware, installation
from benchmarks.overhead.peers import ConstantRouter, NaiveWaffleRouter, RequestMiddleware
from benchmarks.overhead.visits import VisitError, Visits
from demo.shop.models import Product


def asked_within(
    router: NaiveWaffleRouter, model: type[Product | User | Session]
) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that tells where the router has a model read."""
    return lambda _: HttpResponse(router.db_for_read(model))


def a_request() -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


def test_a_constant_router_reads_from_the_replica_and_writes_to_the_primary() -> None:
    router = ConstantRouter()
    assert (router.db_for_read(Product), router.db_for_write(Product)) == (REPLICA, "default")


@pytest.mark.django_db
@pytest.mark.parametrize(("is_on", "alias"), [(True, REPLICA), (False, "default")])
def test_a_naive_router_asks_the_flag_for_the_request_of_its_thread(is_on: bool, alias: str) -> None:
    router = NaiveWaffleRouter()
    with override_flag(FLAG, active=is_on):
        response = RequestMiddleware(asked_within(router, Product))(a_request())
    assert response.content.decode() == alias
    assert router.db_for_read(Product) == "default"


@pytest.mark.django_db
@pytest.mark.parametrize("model", [User, Session])
def test_a_naive_router_does_not_ask_for_what_waffle_reads(model: type[User | Session]) -> None:
    with override_flag(FLAG, active=True):
        response = RequestMiddleware(asked_within(NaiveWaffleRouter(), model))(a_request())
    assert response.content == b"default"


@pytest.mark.parametrize("system", COMPARED)
def test_every_system_but_none_has_a_router(system: str) -> None:
    installed = installation(system, ["replica1", "replica2"])
    assert bool(installed.settings.get("DATABASE_ROUTERS")) == (system != NO_ROUTER)


def test_the_user_is_there_for_waffle_alone() -> None:
    needing = [system for system in COMPARED if further_middleware(installation(system, ["replica1"]))]
    assert needing == ["naive_waffle"]


@pytest.mark.django_db
@pytest.mark.parametrize("is_async", [False, True])
def test_a_page_that_fails_is_no_measurement(settings, is_async: bool) -> None:
    settings.ROOT_URLCONF = "benchmarks.overhead.app.urls"
    settings.MIDDLEWARE = []
    settings.ALLOWED_HOSTS = ["*"]
    with closing(Visits()) as visits:
        ask = visits.visit_async if is_async else visits.visit
        ask("/async-empty" if is_async else "/empty", 2)
        with pytest.raises(VisitError, match="/nowhere was answered with 404"):
            ask("/nowhere")


def test_blocks_say_what_they_are_made_of() -> None:
    assert [what for what in What if Block(what).is_within_a_request] == [What.DECISION, What.READ]
    assert [what for what in What if Block(what).reads] == [What.READ, What.VISIT]
