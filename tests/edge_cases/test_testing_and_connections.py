"""E45 to E49: a host's own tests, and connections."""

import pytest
from django.db import connections, router
from django.test import Client
from waffle.models import Switch

from demo.shop.models import Category, Product
from rollout.policy import KILL_SWITCH
from routers.blocks import use_replica
from tests.edge_cases.support import REPLICAS, routed_unit
from tests.support import Servers, forget_writes, route


def fill() -> None:
    Switch.objects.update_or_create(name=KILL_SWITCH, defaults={"active": True})
    Category.objects.create(name="Tea", slug="tea")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_e45_what_the_host_sets_on_a_connection_stays_set(shop: Servers) -> None:
    for alias in ("default", *sorted(REPLICAS)):
        with connections[alias].cursor() as cursor:
            cursor.execute("SET search_path TO public, pg_temp")
            cursor.execute("SELECT set_config('host.tenant', %s, false)", [alias])
    with use_replica():
        product = Product.objects.get(slug="assam")
        alias = product._state.db or ""
        product.save()
    for used in ("default", alias):
        with connections[used].cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path'), current_setting('host.tenant')")
            assert cursor.fetchone() == ("public, pg_temp", used)


@pytest.mark.django_db(databases="__all__")
def test_e46_in_a_test_case_with_mirrors_reads_stay_in_the_transaction_that_holds_its_rows() -> None:
    fill()
    with routed_unit():
        assert router.db_for_read(Category) == "default"
        assert Category.objects.get().name == "Tea"
    with use_replica():
        assert Category.objects.get().name == "Tea"
    # What the mirror itself would have answered: it is a connection of its own.
    assert not Category.objects.using("replica1").exists()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_e46_a_test_case_with_committed_rows_reads_from_the_mirrors(shop: Servers) -> None:
    with shop.watch() as reads, routed_unit():
        assert Product.objects.count() == 2
    assert (reads.primary, reads.replicas) == (0, 1)


@pytest.mark.django_db
def test_e47_a_test_case_that_declares_only_the_primary_can_use_routed_endpoints(client: Client) -> None:
    fill()
    route("shop:product-list")
    assert client.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_e47_a_test_with_committed_rows_needs_no_replica_before_something_is_routed(client: Client) -> None:
    fill()
    assert client.get("/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_e47_a_replica_that_a_test_did_not_declare_is_refused_and_not_read() -> None:
    fill()
    forget_writes()
    with routed_unit(), pytest.raises(AssertionError, match=r"'replica\d' are not allowed"):
        Category.objects.count()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_e49_a_unit_connects_to_the_servers_it_reads_from_and_to_no_other(shop: Servers) -> None:
    connections.close_all()
    with routed_unit():
        product = Product.objects.get(slug="assam")
        used = {alias for alias in REPLICAS if connections[alias].connection is not None}
        assert used == {product._state.db}
