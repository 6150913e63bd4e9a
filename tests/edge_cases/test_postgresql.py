"""E31, E35 and E36: what a standby refuses, and what means something else on one."""

import pytest
from django.db import InternalError, connections
from django.db.models import BooleanField, Func, Value
from django.db.models.functions import Now

from demo.shop.models import Product
from routers.blocks import use_replica
from routers.own_work import own_work
from routers.wire import ReplicaWriteError
from tests.edge_cases.support import REPLICAS, routed_unit
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE shop_product SET stock = 0",
        "SELECT * FROM shop_product FOR UPDATE",
        "SELECT * FROM shop_product FOR KEY SHARE",
        "SELECT nextval('shop_product_id_seq')",
        "SELECT pg_current_xact_id()",
        "CREATE TEMP TABLE basket (id int)",
        "NOTIFY news",
        "LISTEN news",
    ],
)
def test_e31_what_a_standby_refuses_is_refused_before_it_is_sent_and_with_the_same_class(
    shop: Servers, statement: str
) -> None:
    with connections["replica1"].cursor() as cursor:
        with own_work(), pytest.raises(InternalError) as by_the_server:
            cursor.execute(statement)
        with pytest.raises(ReplicaWriteError) as by_us:
            cursor.execute(statement)
    assert by_the_server.value.__cause__.sqlstate == "25006"  # type: ignore[union-attr]
    assert isinstance(by_us.value, type(by_the_server.value))


def test_e31_reading_the_time_and_settings_is_no_write(shop: Servers) -> None:
    with shop.watch() as reads, routed_unit():
        assert Product.objects.annotate(now=Now()).count() == 2
        with connections["replica1"].cursor() as cursor:
            cursor.execute("SHOW server_version")
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e35_rows_can_be_fetched_in_chunks_from_a_replica(shop: Servers) -> None:
    with shop.watch() as reads, routed_unit():
        products = list(Product.objects.order_by("name").iterator(chunk_size=1))
    assert [product.name for product in products] == ["Assam", "Sencha"]
    assert {product._state.db for product in products} <= REPLICAS
    assert reads.primary == 0


def test_e35_a_write_between_two_chunks_does_not_move_the_rest_to_another_server(shop: Servers) -> None:
    with routed_unit():
        found = []
        for product in Product.objects.order_by("name").iterator(chunk_size=1):
            Product.objects.filter(pk=product.pk).update(stock=0)
            found.append(product)
        assert len({product._state.db for product in found}) == 1
        assert len(found) == 2
        assert Product.objects.filter(stock=0).count() == 2


@pytest.mark.parametrize("function", ["pg_try_advisory_lock", "pg_try_advisory_xact_lock", "pg_advisory_unlock"])
def test_e36_an_advisory_lock_is_never_taken_on_a_replica(shop: Servers, function: str) -> None:
    locked = Func(Value(1), function=function, output_field=BooleanField())
    with use_replica(), pytest.raises(ReplicaWriteError):
        list(Product.objects.annotate(locked=locked))
    assert not any(
        replica.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") for replica in shop.cluster.replicas
    )
