"""E22, E23 and E25 to E27: transactions and requests."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, router, transaction
from django.test import Client
from waffle.models import Flag

from demo.shop.models import Category, Product
from rollout.models import GateKind
from routers.blocks import use_replica
from routers.carriers import COOKIE
from tests.edge_cases.support import REPLICAS, atomic_requests, routed_unit
from tests.support import Servers, forget_writes, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def alias() -> str:
    return router.db_for_read(Product)


@pytest.mark.parametrize(
    "block",
    [
        transaction.atomic,
        partial(transaction.atomic, durable=True),
        partial(transaction.atomic, savepoint=False),
        partial(transaction.atomic, using="default"),
    ],
)
def test_e22_what_a_transaction_wrote_is_found_in_it(behind: Servers, block: Callable[[], Any]) -> None:
    with routed_unit(), block():
        assert not Product.objects.filter(slug="oolong").exists()
        created = Product.objects.create(name="Oolong", slug="oolong", price="5.00", category=Category.objects.get())
        assert Product.objects.get(slug="oolong") == created


def test_e22_a_transaction_keeps_reads_on_the_primary_before_its_first_write_and_in_its_savepoints(
    shop: Servers,
) -> None:
    with shop.watch() as reads, routed_unit(), transaction.atomic():
        Product.objects.count()
        with transaction.atomic():
            Product.objects.count()
    assert (reads.primary, reads.replicas) == (2, 0)


def test_e22_after_a_savepoint_or_a_transaction_was_rolled_back_reads_stay_on_the_primary(behind: Servers) -> None:
    with routed_unit():
        with transaction.atomic():
            Category.objects.create(name="Coffee", slug="coffee")
            with transaction.atomic():
                transaction.set_rollback(True)
            assert Category.objects.filter(slug="coffee").exists()
            transaction.set_rollback(True)
        assert not Category.objects.filter(slug="coffee").exists()
        assert alias() == "default"


def test_e22_a_transaction_without_atomic_counts_too(shop: Servers) -> None:
    with routed_unit():
        transaction.set_autocommit(False)
        try:
            assert alias() == "default"
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)


def test_e22_what_runs_on_commit_sees_the_committed_state(behind: Servers) -> None:
    found: list[bool] = []
    with routed_unit(), transaction.atomic():
        transaction.on_commit(lambda: found.append(Category.objects.filter(slug="coffee").exists()))
        Category.objects.create(name="Coffee", slug="coffee")
    assert found == [True]


def test_e22_a_transaction_or_a_write_on_one_cluster_does_not_bind_the_reads_of_another(
    shop: Servers, settings
) -> None:
    clusters = {"default": {}, "replica2": {"REPLICAS": ["replica1"], "APPS": ["shop"]}}
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": clusters}
    with use_replica(), transaction.atomic("replica2"):
        assert alias() == "replica2"
    forget_writes()
    with use_replica():
        with transaction.atomic("default"):
            User.objects.create_user("ada")
            assert alias() == "replica1"
        assert alias() == "replica1"


def test_e22_a_read_on_a_replica_opens_no_connection_to_the_primary(shop: Servers) -> None:
    with routed_unit():
        # The policy has been read.
        alias()
        connections["default"].close()
        assert Product.objects.count() == 2
        assert connections["default"].connection is None


def test_e23_atomic_requests_leaves_replicas_alone_and_their_reads_where_the_rules_say(
    shop: Servers, client: Client
) -> None:
    route("names")
    for replica in REPLICAS:
        connections[replica].close()
    with atomic_requests(), shop.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (0, 1)
    assert sum(connections[replica].connection is not None for replica in REPLICAS) <= 1


@pytest.mark.parametrize(("view", "expected"), [("in-transaction", (2, 0)), ("read-write-read", (1, 1))])
def test_e23_with_atomic_requests_a_transaction_or_a_write_of_the_view_still_counts(
    shop: Servers, client: Client, view: str, expected: tuple[int, int]
) -> None:
    route(view)
    with atomic_requests(), shop.watch() as reads:
        client.get(f"/test/{view}/")
    assert (reads.primary, reads.replicas) == expected


def test_e25_a_response_that_is_rendered_after_the_view_reads_as_the_view_does(shop: Servers, client: Client) -> None:
    route("rendered-late")
    with shop.watch() as reads:
        assert client.get("/test/rendered-late/").content == b"Assam Sencha"
    assert (reads.primary, reads.replicas) == (0, 1)


@pytest.mark.parametrize(("name", "expected"), [("ada", (0, 1)), ("bob", (1, 0))])
def test_e25_a_user_who_is_known_only_in_the_view_is_the_one_whom_a_flag_is_for(
    shop: Servers, client: Client, name: str, expected: tuple[int, int]
) -> None:
    users = {each: User.objects.create_user(each) for each in ("ada", "bob")}
    flag: Any = Flag.objects.create(name="ada-first", superusers=False)
    flag.users.add(users["ada"])
    route("signed-in-late", gate=(GateKind.FLAG, "ada-first"))
    with shop.watch() as reads:
        client.get(f"/test/signed-in-late/{name}/")
    assert (reads.primary, reads.replicas) == expected


def test_e26_a_post_that_only_reads_can_be_let_go_to_a_replica(shop: Servers, client: Client) -> None:
    with shop.watch() as reads:
        assert client.post("/test/searched/").content == b"Assam Sencha"
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e26_a_get_that_writes_is_followed_by_reads_on_the_primary(behind: Servers, client: Client) -> None:
    route("names")
    client.get("/test/read-write-read/")
    with behind.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (1, 0)


def test_e27_a_write_through_a_cursor_counts_from_the_moment_it_is_sent(behind: Servers, client: Client) -> None:
    route("raw-write-read")
    response = client.get("/test/raw-write-read/")
    assert response.content == b"2"
    assert COOKIE in response.cookies


@pytest.mark.parametrize("how", ["cursor", "orm"])
def test_e27_a_function_that_writes_is_followed_by_reads_that_show_it(
    behind: Servers, selling: Servers, client: Client, how: str
) -> None:
    route("names")
    client.get(f"/test/add-by-function/{how}/")
    assert client.get("/test/names/").json() == {"names": ["Assam", "Oolong", "Sencha"]}
