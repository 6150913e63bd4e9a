"""Django's pool of psycopg connections (`OPTIONS["pool"]`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connections
from django.test import Client

from demo.cluster import Server
from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.models import TallyKind
from rollout.reasons import Reason
from routers.blocks import unit_of_work
from routers.health import Fitness
from routers.meter import meter
from routers.own_work import own_work
from routers.replicas import replicas
from routers.wire import ReplicaWriteError
from tests.pooling.support import (
    NAMES,
    backends,
    configured,
    count_backends,
    end_all_on_replicas,
    everywhere,
    pool_of,
    serve,
    wait_for_backends,
)
from tests.support import Servers, decisions

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

REPLICAS = ("replica1", "replica2")


@contextmanager
def pooled(**options: Any) -> Iterator[None]:
    """Give all aliases a pool of one connection, or one with these options."""
    pool = {"min_size": 1, "max_size": 1, "timeout": 20, **options}
    with configured(everywhere(OPTIONS={"pool": pool})):
        yield


def replica_read(shop: Servers) -> Server:
    """Serve a request, and return the replica that answered it."""
    with shop.watch() as reads:
        assert serve() == NAMES
    (name,) = (name for name, count in reads.by_server.items() if count)
    return shop.cluster.server(name)


@contextmanager
def exhausted() -> Iterator[None]:
    """Hold the only connection of each replica's pool."""
    held = [(pool, pool.getconn()) for pool in map(pool_of, REPLICAS)]
    try:
        yield
    finally:
        for pool, connection in held:
            pool.putconn(connection)


@pytest.mark.parametrize(("pool", "size"), [(True, 4), ({"min_size": 2, "max_size": 2}, 2)])
def test_requests_read_through_the_pool_and_are_counted(routed: Servers, pool: Any, size: int) -> None:
    with configured(everywhere(OPTIONS={"pool": pool})), routed.watch() as reads:
        for _ in range(10):
            assert serve() == NAMES
        counted = {
            series.alias: count
            for series, count in meter.take().items()
            if (series.kind, series.reason) == (TallyKind.READ, Reason.ROUTED)
        }
        (alias,) = counted
        wait_for_backends(routed.cluster.server(alias), size)
    assert counted == {alias: 10}
    assert (reads.by_server[alias], reads.total) == (10, 10)
    for server in routed.cluster.servers:
        wait_for_backends(server, 0)


def test_a_write_on_a_pooled_connection_of_a_replica_is_refused(routed: Servers) -> None:
    with pooled(), routed.watch() as reads:
        for _ in range(2):
            with pytest.raises(ReplicaWriteError):
                Product.objects.using("replica1").update(stock=0)
            connections.close_all()
    assert reads.total == 0


def test_pooled_sessions_on_a_server_that_is_no_standby_cannot_write(routed: Servers) -> None:
    with pooled():
        connections["replica1"].settings_dict["PORT"] = routed.cluster.primary.port
        for _ in range(2):
            with (
                own_work(),
                connections["replica1"].cursor() as cursor,
                pytest.raises(InternalError, match="read-only"),
            ):
                cursor.execute("UPDATE shop_product SET stock = 0")
            connections["replica1"].close()
        # The primary's alias has a pool of its own.
        assert Product.objects.using("default").update(stock=3) == 2


def test_nobody_misses_an_own_write_through_pools(routed: Servers, client: Client) -> None:
    with pooled():
        with routed.held():
            client.post("/test/restock/assam/")
            connections.close_all()
            with routed.watch() as reads:
                assert client.get("/test/names/").json() == NAMES
        # `watch` waits for no replica that is held.
        assert (reads.primary, decisions()[Reason.BEHIND]) == (1, 1)
        with routed.watch() as reads:
            client.get("/test/names/")
        assert (reads.primary, reads.replicas) == (0, 1)


def test_pooled_connections_that_have_all_died_are_not_noticed_and_are_replaced(routed: Servers) -> None:
    with pooled(min_size=3, max_size=3):
        replica = replica_read(routed)
        wait_for_backends(replica, 3)
        died = set(backends(replica))
        end_all_on_replicas(routed)
        for _ in range(6):
            assert serve() == NAMES
        wait_until(lambda: len(backends(replica)) == 3, 20, "the pool to be full again")
        assert not died & set(backends(replica))
        assert replica_read(routed) == replica


def test_a_pool_whose_server_is_dead_is_not_noticed_and_fills_when_it_is_back(routed: Servers) -> None:
    with pooled(timeout=0.2):
        replica = replica_read(routed)
        routed.checkpoint()
        replica.kill()
        try:
            for _ in range(3):
                assert serve() == NAMES
        finally:
            replica.start()
        wait_until(lambda: replica_read(routed) == replica, 30, "the pool to have a connection again")


def test_reads_that_find_the_pool_exhausted_go_to_the_primary_and_blame_nobody(routed: Servers) -> None:
    with pooled(timeout=0.1), exhausted(), routed.watch() as reads:
        assert serve() == NAMES
    assert (reads.primary, reads.replicas) == (1, 0)
    assert [replicas.standing(alias).fitness for alias in REPLICAS] == [Fitness.UNTRUSTED] * 2


def test_reads_that_may_not_even_queue_go_to_the_primary_and_blame_nobody(routed: Servers) -> None:
    with pooled(max_waiting=1), exhausted():
        waiters = [Thread(target=take_and_give_back, args=(pool_of(alias),)) for alias in REPLICAS]
        for waiter in waiters:
            waiter.start()
        wait_until(lambda: all(map(is_queued_for, REPLICAS)), 20, "somebody to queue")
        with routed.watch() as reads:
            assert serve() == NAMES
    for waiter in waiters:
        waiter.join()
    assert (reads.primary, reads.replicas) == (1, 0)
    assert [replicas.standing(alias).fitness for alias in REPLICAS] == [Fitness.UNTRUSTED] * 2


def is_queued_for(alias: str) -> bool:
    return bool(pool_of(alias).get_stats().get("requests_waiting"))


def take_and_give_back(pool: Any) -> None:
    pool.putconn(pool.getconn())


def test_an_exhausted_pool_of_the_primary_is_the_host_s_to_see(routed: Servers) -> None:
    with pooled(timeout=0.1), exhausted(), unit_of_work("names"):
        pool = pool_of("default")
        held = pool.getconn()
        try:
            with pytest.raises(OperationalError, match="couldn't get a connection"):
                list(Product.objects.all())
        finally:
            pool.putconn(held)


def test_connections_go_back_when_a_request_ends(routed: Servers) -> None:
    with pooled():
        for _ in range(5):
            serve()
        assert max(count_backends(routed).values()) <= 1
