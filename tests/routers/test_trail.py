"""What an actor wrote and saw is in what it is shown next, whoever serves it, while replicas are behind."""

import time
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from asgiref.sync import async_to_sync
from django.db import router, transaction
from django.test import AsyncClient, Client

from demo.shop.models import Category, Product, Review
from demo.waiting import wait_until
from rollout.models import TargetKind
from routers.blocks import unit_of_work, use_replica
from routers.carriers import COOKIE
from routers.lag import MICROSECONDS
from routers.tokens import decode
from tests.edge_cases.support import atomic_requests
from tests.support import Servers, probing, route
from tests.writes import NEW, WAYS

DATABASE = "test_readshift"

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def ada(client: Client) -> Client:
    """A client, who is not Bob."""
    client.defaults["HTTP_USER_AGENT"] = "ada"
    return client


@pytest.fixture
def bob() -> Client:
    return Client(headers={"user-agent": "bob"})


@pytest.fixture
def behind(shop: Servers) -> Iterator[Servers]:
    """The shop, with a routed page, and replicas that stay as they are now."""
    route("names")
    shop.settle()
    with shop.held():
        yield shop


def names(shop: Servers, client: Client) -> tuple[list[str], str]:
    """Return the names of products that a client is shown, and whether the primary or a replica served them."""
    with shop.watch() as reads:
        found = client.get("/test/names/").json()["names"]
    assert reads.total == 1
    return found, "primary" if reads.primary else "replica"


@pytest.mark.parametrize(("way", "is_atomic"), [*((way, False) for way in WAYS), ("save", True), ("on_commit", True)])
def test_who_wrote_reads_from_the_primary_until_the_replica_has_the_write(
    behind: Servers, ada: Client, bob: Client, way: str, is_atomic: bool
) -> None:
    with atomic_requests() if is_atomic else nullcontext():
        response = ada.get(f"/test/written/{way}/")
    assert COOKIE in response.cookies
    shown, server = names(behind, ada)
    assert server == "primary"
    assert NEW in shown
    shown, server = names(behind, bob)
    assert server == "replica"
    assert NEW not in shown
    behind.catch_up()
    shown, server = names(behind, ada)
    assert server == "replica"
    assert NEW in shown


SEEN_ON_THE_PRIMARY = ("names", "in-transaction", "names-of-primary", "strict-names")


def test_who_saw_the_primary_in_a_replicas_place_is_shown_nothing_older_next(
    shop: Servers, ada: Client, bob: Client, settings
) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    with probing(settings):
        for number, page in enumerate(SEEN_ON_THE_PRIMARY):
            name = f"Renamed {number}"
            with shop.held():
                change = "UPDATE shop_product SET name = %s WHERE slug = 'assam'"
                shop.cluster.primary.query(change, [name], dbname=DATABASE)
                (ada.post if page == "names" else ada.get)(f"/test/{page}/")
                assert names(shop, bob)[1] == "replica"
                shown, server = names(shop, ada)
                assert (server, name in shown) == ("primary", True), page
                assert name not in names(shop, bob)[0]
            wait_until(lambda: names(shop, ada)[1] == "replica", 10, "the replica to be known to show it")
            assert name in names(shop, ada)[0]


def test_a_read_that_nothing_would_have_sent_to_a_replica_leaves_no_token(shop: Servers, client: Client) -> None:
    assert client.post("/test/names/").cookies.keys() == set()
    route("names")
    assert client.get("/test/names/").cookies.keys() == set()


def test_what_an_unfit_replica_made_its_actor_see_on_the_primary_is_followed(
    shop: Servers, ada: Client, settings
) -> None:
    route("names")
    with probing(settings), shop.held():
        settings.READSHIFT = {**settings.READSHIFT, "GREATEST_LAG_SECONDS": 0.1}
        # Each look at the servers commits something, which the replicas lack.
        wait_until(lambda: names(shop, ada)[1] == "primary", 10, "the replicas to be too far behind")
        before = time.time()
        response = ada.get("/test/names/")
        (floor,) = decode(response.cookies[COOKIE].value, time.time()).floors_of("default")
        assert (floor.lsn, floor.until > time.time()) == (0, True)
        assert floor.clock >= before * MICROSECONDS


def test_a_unit_that_read_on_the_primary_in_a_replicas_place_does_not_mix(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        with transaction.atomic():
            assert router.db_for_read(Product) == "default"
        # Another model, which was not read yet.
        assert router.db_for_read(Category) == "default"
        assert router.db_for_read(Product) == "default"
        with use_replica():
            assert router.db_for_read(Review) == "default"
    with unit_of_work("nightly"):
        assert router.db_for_read(Category) != "default"


def test_who_wrote_in_an_async_view_reads_from_the_primary_too(behind: Servers, ada: Client) -> None:
    response = async_to_sync(AsyncClient(headers={"user-agent": "ada"}).get)("/test/written-async/")
    ada.cookies = response.cookies
    shown, server = names(behind, ada)
    assert server == "primary"
    assert NEW in shown
    behind.catch_up()
    assert names(behind, ada)[1] == "replica"
