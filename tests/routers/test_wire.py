"""The guard, the notice of writes and the counts, at the level of statements."""

import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, router, transaction
from django.db.models import BigIntegerField, Func, Value
from django.db.utils import InternalError
from django.test import Client

from demo.cluster import Cluster
from demo.shop.models import Category, Product, Tag
from rollout.models import TallyKind
from rollout.reasons import Reason
from routers.blocks import unit_of_work, use_replica
from routers.meter import meter
from routers.own_work import own_work
from routers.router import ReplicaRouter
from routers.wire import ReplicaWriteError, watch
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

UNDEFINED_FUNCTION = "42883"


def counted(kind: str) -> dict[tuple[str, str, str, str], int]:
    return {
        (series.alias, series.endpoint, series.model, series.reason): count
        for series, count in meter.take().items()
        if series.kind == kind
    }


def test_a_write_on_a_replica_fails_before_it_reaches_the_server(shop: Servers) -> None:
    with shop.watch() as reads, unit_of_work("nightly"), use_replica():
        product = Product.objects.first()
        assert product is not None
        with pytest.raises(ReplicaWriteError) as caught:
            Product.objects.using("replica1").filter(pk=product.pk).update(stock=0)
    assert reads.total == 1
    for noun in ("replica1", "UPDATE", "nightly", ".using('default')"):
        assert noun in str(caught.value)


def test_the_message_names_the_model_that_was_read_on_that_replica(shop: Servers) -> None:
    with unit_of_work("nightly"), use_replica():
        replica = router.db_for_read(Product)
        with pytest.raises(ReplicaWriteError, match=r"shop\.Product"):
            Product.objects.using(replica).update(stock=0)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM shop_product",
        "WITH gone AS (DELETE FROM shop_product RETURNING *) SELECT * FROM gone",
        "SELECT * FROM shop_product FOR UPDATE",
        "SELECT pg_advisory_lock(1)",
        "CREATE TEMP TABLE x (id int)",
    ],
)
def test_raw_writes_and_locks_on_a_replica_are_refused(shop: Servers, statement: str) -> None:
    with connections["replica1"].cursor() as cursor, pytest.raises(InternalError):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "call",
    [
        "nextval('django_content_type_id_seq')",
        "setval('django_content_type_id_seq', 1)",
        "pg_notify('a', 'b')",
        "pg_current_xact_id()",
        "txid_current()",
        "lo_create(0)",
        "lo_unlink(1)",
        "lo_put(1, 0, 'x')",
        "lowrite(0, 'x')",
        "pg_logical_emit_message(true, 'a', 'b')",
        "pg_create_restore_point('a')",
        "pg_switch_wal()",
        "pg_log_standby_snapshot()",
        "pg_replication_origin_create('a')",
        "pg_import_system_collations('pg_catalog')",
        "pg_restore_relation_stats('schemaname', 'public', 'relname', 'shop_product', 'relpages', 1)",
        "brin_summarize_new_values('shop_product_pkey')",
        "gin_clean_pending_list('shop_product_pkey')",
    ],
)
def test_functions_of_postgresql_count_as_writes_where_a_standby_refuses_them(shop: Servers, call: str) -> None:
    with connections["replica1"].cursor() as cursor:
        with pytest.raises(ReplicaWriteError):
            cursor.execute(f"SELECT {call}")
        with own_work(), pytest.raises(DatabaseError) as caught:
            cursor.execute(f"SELECT {call}")
    if getattr(caught.value.__cause__, "sqlstate", None) == UNDEFINED_FUNCTION:
        pytest.skip("This version of PostgreSQL does not have the function.")
    assert re.search("during recovery|recovery is in progress|read-only transaction", str(caught.value))


def test_locking_rows_through_the_orm_on_a_replica_is_refused(shop: Servers) -> None:
    with pytest.raises(DatabaseError), transaction.atomic("replica1"):
        Product.objects.using("replica1").select_for_update().first()


def test_savepoints_on_a_replica_are_allowed(shop: Servers) -> None:
    with transaction.atomic("replica1"), transaction.atomic("replica1"):
        assert Product.objects.using("replica1").count() == 2


def test_saving_an_object_that_came_from_a_replica_writes_to_the_primary(shop: Servers) -> None:
    with use_replica():
        product = Product.objects.get(slug="assam")
        assert product._state.db != "default"
        product.stock = 1
        product.save()
    assert Product.objects.get(slug="assam").stock == 1


def test_objects_from_both_servers_can_be_related(shop: Servers) -> None:
    with use_replica():
        category = Category.objects.get()
    product = Product(name="Oolong", slug="oolong", category=category, price="5.00", stock=1)
    product.save()
    assert product._state.db == "default"
    assert router.allow_relation(product, category)
    with use_replica():
        assert category.products.filter(slug="assam").exists()


def test_related_reads_of_a_primarys_object_follow_the_rules(shop: Servers) -> None:
    category = Category.objects.using("default").get()
    with use_replica(), shop.watch() as reads:
        assert category.products.count() == 2
    assert reads.replicas == 1


def test_writes_through_a_generic_relation_end_on_the_primary(shop: Servers) -> None:
    product = Product.objects.get(slug="assam")
    Tag.objects.create(name="black", content_object=product)
    shop.settle()
    with use_replica():
        product = Product.objects.get(slug="assam")
        with shop.watch("shop_tag") as reads:
            assert [tag.name for tag in product.tags.all()] == ["black"]
            product.tags.update(name="green")
    assert (reads.primary, reads.replicas) == (1, 1)
    assert Tag.objects.get().name == "green"


def test_a_raw_write_on_the_primary_counts_as_a_write_of_the_unit(shop: Servers) -> None:
    route("nightly")
    shop.settle()
    with unit_of_work("nightly"):
        assert router.db_for_read(Product) != "default"
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE shop_product SET stock = 3")
        assert router.db_for_read(Product) == "default"


@pytest.mark.parametrize(
    "call",
    [
        "SELECT warehouse.add_product('Oolong')",
        'SELECT * FROM "warehouse"."add_product"(\'Oolong\')',
        "SET search_path = warehouse, public; SELECT add_product('Oolong'); RESET search_path",
    ],
)
def test_a_select_of_a_function_that_writes_counts_as_a_write_of_the_unit(selling: Servers, call: str) -> None:
    route("nightly")
    selling.settle()
    with unit_of_work("nightly"):
        assert router.db_for_read(Product) != "default"
        with connections["default"].cursor() as cursor:
            cursor.execute(call)
        assert Product.objects.filter(slug="oolong").exists()
        assert router.db_for_read(Product) == "default"
    assert counted(TallyKind.WRITE)["default", "nightly", "", Reason.DIRECT] == 1


def test_the_orm_calls_a_function_that_writes_on_the_primary_only(selling: Servers) -> None:
    call = Func(Value("Oolong"), function="warehouse.add_product", output_field=BigIntegerField())
    added = Category.objects.annotate(added=call)
    route("nightly")
    with selling.watch(), unit_of_work("nightly"):
        with pytest.raises(ReplicaWriteError, match="nightly"):
            added.get()
        assert not Product.objects.filter(slug="oolong").exists()
        assert router.db_for_read(Product) != "default"
        assert Product.objects.get(pk=added.using("default").get().added).name == "Oolong"
        assert router.db_for_read(Product) == "default"
    called_on = {server.name for server in selling.cluster.servers if server.statements("add_product")}
    assert called_on == {"primary"}


def test_functions_count_as_writes_as_soon_as_they_are_declared(selling: Servers, settings) -> None:
    statement = "SELECT warehouse.add_product('Oolong')"
    with connections["replica1"].cursor() as cursor:
        with pytest.raises(ReplicaWriteError):
            cursor.execute(statement)
        settings.READSHIFT = {**settings.READSHIFT, "WRITING_FUNCTIONS": []}
        with pytest.raises(InternalError, match="read-only transaction"):
            cursor.execute(statement)


def test_reads_are_counted_by_alias_endpoint_model_and_reason(shop: Servers, client: Client) -> None:
    route("names")
    with shop.watch() as reads:
        client.get("/test/names/")
        client.get("/test/names/")
    ((series, count),) = counted(TallyKind.READ).items()
    assert series == (series[0], "names", "shop.Product", Reason.ROUTED)
    assert count == reads.by_server[series[0]] == 2


def test_what_did_not_ask_the_router_is_counted_apart(shop: Servers) -> None:
    with shop.watch(), unit_of_work("nightly"):
        router.db_for_read(Product)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        list(Category.objects.using("replica1"))
    assert counted(TallyKind.READ) == {
        ("default", "nightly", "", Reason.DIRECT): 1,
        ("replica1", "nightly", "", Reason.DIRECT): 1,
    }


def test_writes_are_counted_each_and_savepoints_not(shop: Servers) -> None:
    with shop.watch(), unit_of_work("nightly"), transaction.atomic(), transaction.atomic():
        Category.objects.create(name="Coffee", slug="coffee")
        with connections["default"].cursor() as cursor:
            cursor.executemany("UPDATE shop_product SET stock = %s", [(1,), (2,), (3,)])
    assert counted(TallyKind.WRITE) == {
        ("default", "nightly", "shop.Category", Reason.WRITE): 1,
        ("default", "nightly", "", Reason.DIRECT): 3,
    }


def test_our_own_queries_are_not_counted(shop: Servers) -> None:
    with shop.watch(), own_work():
        Product.objects.using("default").count()
    assert counted(TallyKind.READ) == {}


def test_every_connection_is_watched_once(shop: Servers) -> None:
    for alias in ("default", "replica1", "replica2"):
        connections[alias].close()
        connections[alias].ensure_connection()
        connections[alias].close()
        connections[alias].ensure_connection()
        assert connections[alias].execute_wrappers.count(watch) == 1


def test_a_replica_alias_on_a_server_that_is_no_standby_cannot_write_either(
    shop: Servers, cluster: Cluster, settings
) -> None:
    # In development both aliases often lead to one server, and a promoted standby is none any more.
    replica = connections["replica1"]
    settings_dict = dict(replica.settings_dict)
    replica.close()
    replica.settings_dict["PORT"] = cluster.primary.port
    try:
        with replica.cursor() as cursor:
            cursor.execute("SHOW default_transaction_read_only")
            assert cursor.fetchone() == ("on",)
        with own_work(), replica.cursor() as cursor, pytest.raises(InternalError):
            cursor.execute("UPDATE shop_product SET stock = 0")
    finally:
        replica.close()
        replica.settings_dict.update(settings_dict)


def test_replicas_are_never_migrated() -> None:
    assert router.allow_migrate("replica1", "shop") is False
    assert router.allow_migrate(DEFAULT_DB_ALIAS, "shop") is True


def test_models_and_objects_of_other_databases_are_left_to_other_routers(settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": ["replica1"], "APPS": ["shop"]}}}
    ours = ReplicaRouter()
    assert ours.db_for_read(ContentType) is None
    assert ours.db_for_write(ContentType) is None
    elsewhere = Product()
    elsewhere._state.db = "archive"
    assert ours.db_for_read(Product, instance=elsewhere) is None
    assert ours.db_for_write(Product, instance=elsewhere) is None
    assert ours.allow_relation(elsewhere, Product()) is None
    assert ours.db_for_write(Product) == "default"
