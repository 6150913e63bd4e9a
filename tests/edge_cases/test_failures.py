"""E32, E33 and E34: reads that a replica fails to answer, and those that are not asked again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from threading import Thread

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models import Func, IntegerField, QuerySet
from django.test import Client

from demo.cluster import Server
from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.models import OverBudget, TallyKind
from rollout.reasons import Reason
from routers.meter import meter
from tests.edge_cases.support import REPLICAS, routed_unit
from tests.support import Servers, decisions, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def slow_on_a_replica() -> QuerySet[Product, int]:
    """Return a query over the products that takes a minute on a standby, and no time on the primary."""
    nap = "CASE WHEN pg_is_in_recovery() THEN (SELECT 1 FROM pg_sleep(60)) ELSE 0 END"
    return Product.objects.values_list(Func(template=nap, output_field=IntegerField()), flat=True)


def replica_of(shop: Servers) -> Server:
    """Return the replica that the current unit reads from."""
    return shop.cluster.server(Product.objects.all()[:1][0]._state.db or "")


@contextmanager
def during(shop: Servers, statement: str, *, on: Server, runs: str) -> Iterator[None]:
    """Run a statement on a server as soon as a replica works on a query that contains the given words."""
    looks = "SELECT 1 FROM pg_stat_activity WHERE query LIKE %s AND state = 'active' AND pid <> pg_backend_pid()"

    def disturb() -> None:
        wait_until(
            lambda: any(replica.query(looks, [f"%{runs}%"]) for replica in shop.cluster.replicas),
            20,
            "the query to run on a replica",
        )
        on.query(statement, dbname="test_readshift")

    thread = Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def terminate(shop: Servers, alias: str) -> None:
    """Have the server end this thread's connection, of which the client learns when it next uses it."""
    pid = connections[alias].connection.info.backend_pid
    server = shop.cluster.primary if alias == "default" else shop.cluster.server(alias)
    server.query("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.fixture
def impatient(shop: Servers) -> Iterator[Servers]:
    """The shop with replicas that cancel a read at once when it stands in the way of replay."""
    for replica in shop.cluster.replicas:
        replica.query("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        replica.query("SELECT pg_reload_conf()")
    yield shop
    for replica in shop.cluster.replicas:
        replica.query("ALTER SYSTEM RESET max_standby_streaming_delay")
        replica.query("SELECT pg_reload_conf()")


LOCK = "DO $$ BEGIN LOCK TABLE shop_product IN ACCESS EXCLUSIVE MODE; END $$"
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()
"""


def test_e32_a_read_that_replay_cancels_is_answered_by_the_primary(impatient: Servers) -> None:
    with routed_unit(), during(impatient, LOCK, on=impatient.cluster.primary, runs="pg_sleep(60)"):
        assert list(slow_on_a_replica()) == [0, 0]


def test_e32_the_conflict_is_no_fault_of_the_server(impatient: Servers) -> None:
    with routed_unit(), during(impatient, LOCK, on=impatient.cluster.primary, runs="pg_sleep(60)"):
        list(slow_on_a_replica())
    with impatient.watch() as reads, routed_unit("later"):
        assert Product.objects.count() == 2
    assert (reads.primary, reads.replicas) == (0, 1)


def test_e33_a_read_that_finds_its_replicas_dead_is_answered_by_the_primary(shop: Servers, client: Client) -> None:
    route("names")
    connections.close_all()
    shop.checkpoint()
    with ExitStack() as dead:
        for replica in shop.cluster.replicas:
            replica.kill()
            dead.callback(replica.start)
        response = client.get("/test/names/")
    assert response.json() == {"names": ["Assam", "Sencha"]}
    assert decisions()[Reason.UNFIT_REPLICA] == 1


def test_e33_a_connection_that_breaks_under_a_read_is_not_noticed(shop: Servers) -> None:
    with routed_unit():
        replica = replica_of(shop)
        with during(shop, TERMINATE, on=replica, runs="pg_sleep(60)"):
            assert list(slow_on_a_replica()) == [0, 0]
        with shop.watch() as reads:
            # What the primary has shown, no replica may be behind.
            assert Product.objects.count() == 2
        assert (reads.primary, reads.replicas) == (1, 0)


def test_e33_rows_that_are_fetched_in_chunks_come_from_the_primary_if_none_was_delivered(shop: Servers) -> None:
    with routed_unit():
        replica = replica_of(shop)
        with during(shop, TERMINATE, on=replica, runs="pg_sleep(60)"):
            assert list(slow_on_a_replica().iterator(chunk_size=1)) == [0, 0]


def test_e33_what_the_primary_answered_instead_is_counted_and_followed(shop: Servers, client: Client) -> None:
    route("names")
    for alias in REPLICAS:
        connections[alias].ensure_connection()
        terminate(shop, alias)
    decisions()
    meter.take()
    assert client.get("/test/names/").json() == {"names": ["Assam", "Sencha"]}
    reasons = {(series.alias, series.reason) for series in meter.take() if series.kind == TallyKind.READ}
    assert ("default", Reason.REPLAYED) in reasons


def test_e34_a_read_in_a_transaction_on_the_replica_is_not_asked_again(shop: Servers) -> None:
    with routed_unit():
        replica = replica_of(shop)
        alias = replica.name
        with (
            during(shop, TERMINATE, on=replica, runs="pg_sleep(60)"),
            pytest.raises(OperationalError),
            transaction.atomic(alias),
        ):
            list(slow_on_a_replica().using(alias))
    connections[alias].close()


def test_e34_a_timeout_of_the_host_s_own_is_not_asked_again(shop: Servers) -> None:
    with routed_unit():
        alias = replica_of(shop).name
        with connections[alias].cursor() as cursor:
            cursor.execute("SET statement_timeout = '50ms'")
        try:
            with pytest.raises(OperationalError) as timeout, shop.watch() as reads:
                list(slow_on_a_replica())
        finally:
            connections[alias].close()
    assert timeout.value.__cause__.sqlstate == "57014"  # type: ignore[union-attr]
    assert not reads.by_server


def test_e34_a_write_is_never_asked_again(shop: Servers) -> None:
    connections["default"].ensure_connection()
    terminate(shop, "default")
    with pytest.raises(OperationalError):
        Category.objects.create(name="Coffee", slug="coffee")
    connections["default"].close()
    assert not Category.objects.filter(slug="coffee").exists()


def test_e44_no_more_than_the_budget_falls_back_when_all_replicas_die(shop: Servers, settings, client: Client) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "FALLBACK_SHARE": 0.2}
    route("names", over_budget=OverBudget.SHED)
    connections.close_all()
    shop.checkpoint()
    with ExitStack() as dead:
        for replica in shop.cluster.replicas:
            replica.kill()
            dead.callback(replica.start)
        shop.cluster.primary.reset_statements()
        answers = Counter(client.get("/test/names/").status_code for _ in range(30))
        served = sum(shop.cluster.primary.statements('FROM "shop_product"').values())
    assert served == answers[HTTPStatus.OK] <= 0.2 * 30 + 1
    assert answers[HTTPStatus.SERVICE_UNAVAILABLE] == 30 - served
