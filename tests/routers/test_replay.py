"""Reads that a replica fails to answer: who answers instead, what is counted, and what the rest of the unit reads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Timer
from typing import Any, cast

import pytest
from django.db import DatabaseError, connections
from django.db.models import Func, IntegerField, QuerySet
from psycopg import ServerCursor

from demo.cluster import Server
from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.models import TallyKind
from rollout.reasons import Cause
from routers.agent import agent
from routers.blocks import unit_of_work
from routers.departures import departures
from routers.in_flight import in_flight
from routers.meter import meter
from tests.edge_cases.test_failures import TERMINATE, during, replica_of, terminate
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def slow_on(server: str) -> QuerySet[Product, int]:
    """Return a query over the products that takes a minute on this server alone."""
    nap = f"CASE WHEN current_setting('cluster_name') = '{server}' THEN (SELECT 1 FROM pg_sleep(60)) ELSE 0 END"
    return Product.objects.values_list(Func(template=nap, output_field=IntegerField()), flat=True)


@contextmanager
def hung(server: Server) -> Iterator[None]:
    """Let a server hang; not for ever, if nobody cuts off who waits for it, so that the test can say so."""
    server.hang()
    relief = Timer(60, server.resume)
    relief.start()
    try:
        yield
    finally:
        relief.cancel()
        server.resume()


def replays() -> dict[tuple[str, str, str], int]:
    """Return how often reads were asked again, by the server that failed, the cause, and the one that answered."""
    return {
        (series.alias, series.reason, series.candidate): count
        for series, count in meter.take().items()
        if series.kind == TallyKind.REPLAY
    }


def test_the_next_replica_answers_where_any_answer_will_do(shop: Servers) -> None:
    route("nightly", contract="any")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        (other,) = (server for server in shop.cluster.replicas if server is not first)
        meter.take()
        with shop.watch() as reads, during(shop, TERMINATE, on=first, runs="pg_sleep(60)"):
            assert list(slow_on(first.name)) == [0, 0]
        assert replays() == {(first.name, Cause.ENDED, other.name): 1}
        assert (reads.primary, reads.by_server[other.name]) == (0, 1)
        # All that follows in the unit is read where this was: the others may be behind it.
        assert replica_of(shop) is other


def test_the_next_replica_answers_if_it_shows_all_that_anybody_was_shown(shop: Servers, settings) -> None:
    route("nightly")
    # On a slow machine, the other one may need a moment to show what the primary has just written for itself.
    with probing(settings, WAIT_SECONDS=10.0), unit_of_work("nightly"):
        first = replica_of(shop)
        (other,) = (server for server in shop.cluster.replicas if server is not first)
        with shop.watch() as reads, during(shop, TERMINATE, on=first, runs="pg_sleep(60)"):
            assert list(slow_on(first.name)) == [0, 0]
        assert (reads.primary, reads.by_server[other.name]) == (0, 1)


def test_the_primary_answers_if_the_next_replica_is_behind(shop: Servers, settings) -> None:
    route("nightly")
    with probing(settings), unit_of_work("nightly"):
        first = replica_of(shop)
        (other,) = (server for server in shop.cluster.replicas if server is not first)
        other.pause_replay()
        try:
            shop.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
            meter.take()
            with during(shop, TERMINATE, on=first, runs="pg_sleep(60)"):
                assert list(slow_on(first.name)) == [0, 0]
        finally:
            other.resume_replay()
        assert replays() == {(first.name, Cause.ENDED, "default"): 1}


def test_a_read_on_a_hung_replica_is_cut_off_and_answered_elsewhere(shop: Servers, settings) -> None:
    route("nightly")
    with probing(settings, PROBE_TIMEOUT_SECONDS=0.5), unit_of_work("nightly"):
        first = replica_of(shop)
        (other,) = (server for server in shop.cluster.replicas if server is not first)
        meter.take()
        with hung(first):
            assert Product.objects.count() == 2
            assert Category.objects.count() == 1
        (found,) = replays()
    assert found in {(first.name, Cause.CUT, other.name), (first.name, Cause.CUT, "default")}


def test_a_read_that_is_given_again_is_cut_off_as_well(shop: Servers) -> None:
    def cut_off() -> int:
        wait_until(lambda: any(seat.connection for seat in departures.seats()), 20, "the read to be on its way")
        return in_flight.cut(first.name)

    route("nightly")
    agent.state()
    with unit_of_work("nightly"):
        first = replica_of(shop)
        for _ in range(2):
            assert Product.objects.count() == 2
        meter.take()
        with hung(first), ThreadPoolExecutor(1) as pool:
            cutting = pool.submit(cut_off)
            assert Product.objects.count() == 2
            assert cutting.result() == 1
        (found,) = replays()
    assert found[:2] == (first.name, Cause.CUT)


def test_a_connection_that_hangs_when_it_is_tested_is_cut_off_as_well(shop: Servers, settings) -> None:
    route("nightly")
    with probing(settings, PROBE_TIMEOUT_SECONDS=0.5), unit_of_work("nightly"):
        first = replica_of(shop)
        connection = cast("Any", connections[first.name])
        # As at the beginning of a request, with CONN_HEALTH_CHECKS.
        connection.health_check_enabled, connection.health_check_done = True, False
        first.reset_statements()
        with hung(first):
            assert Product.objects.count() == 2
        connection.health_check_enabled = False
        # The read itself never got there.
        assert not first.statements("COUNT(*)")


def test_a_slow_read_on_a_replica_that_lags_is_left_alone(shop: Servers, settings) -> None:
    route("nightly")
    with probing(settings), unit_of_work("nightly"):
        first = replica_of(shop)
        meter.take()
        settings.READSHIFT = {**settings.READSHIFT, "GREATEST_LAG_SECONDS": 0.2, "RETURN_LAG_SECONDS": 0.1}
        first.pause_replay()
        try:
            shop.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
            nap = Func(template="(SELECT 2 FROM pg_sleep(1))", output_field=IntegerField())
            assert list(Product.objects.values_list(nap, flat=True)) == [2, 2]
        finally:
            first.resume_replay()
        assert replays() == {}


def test_the_first_rows_of_a_server_side_cursor_may_come_from_another_server(shop: Servers) -> None:
    route("nightly", contract="any")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        with connections[first.name].chunked_cursor() as cursor:
            cursor.execute("SELECT name FROM shop_product ORDER BY name")
            terminate(shop, first.name)
            assert cursor.fetchmany(1) == [("Assam",)]
            assert cursor.fetchmany(5) == [("Sencha",)]


def test_a_server_side_cursor_stays_one_wherever_it_is_answered(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        with connections[first.name].chunked_cursor() as cursor:
            cursor.execute("SELECT name FROM shop_product ORDER BY name")
            # The host's loop holds on to what it took when it began.
            fetch = cursor.fetchmany
            terminate(shop, first.name)
            assert [fetch(1), fetch(1), fetch(1)] == [[("Assam",)], [("Sencha",)], []]
            assert isinstance(cursor.cursor, ServerCursor)


def test_rows_after_the_first_are_never_asked_for_again(shop: Servers) -> None:
    route("nightly", contract="any")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        with connections[first.name].chunked_cursor() as cursor:
            cursor.execute("SELECT name FROM shop_product ORDER BY name")
            assert cursor.fetchmany(1) == [("Assam",)]
            terminate(shop, first.name)
            with pytest.raises(DatabaseError):
                cursor.fetchmany(1)
    connections[first.name].close()


def test_a_server_side_cursor_can_be_iterated(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        first = replica_of(shop)
        with connections[first.name].chunked_cursor() as cursor:
            cursor.execute("SELECT name FROM shop_product ORDER BY name")
            assert list(cursor) == [("Assam",), ("Sencha",)]
            cursor.execute("SELECT name FROM shop_product ORDER BY name")
            assert cursor.fetchone() == ("Assam",)
            assert cursor.fetchall() == [("Sencha",)]


def test_while_a_replica_is_dead_another_one_stands_in_for_it(shop: Servers, settings) -> None:
    route("nightly")
    shop.checkpoint()
    with probing(settings, PROBE_TIMEOUT_SECONDS=0.5):
        dead, other = shop.cluster.replicas
        dead.kill()
        try:
            wait_until(lambda: _read_by(12, shop.cluster.primary, other) == [0, 12], 30, f"{other.name} to stand in")
        finally:
            dead.start()


def _read_by(times: int, *servers: Server) -> list[int]:
    """Read so many times, as many actors, and return how many of the reads each of these servers ran."""
    for server in servers:
        server.reset_statements()
    for _ in range(times):
        with unit_of_work("nightly"):
            assert Product.objects.count() == 2
    return [sum(server.statements('"shop_product"').values()) for server in servers]
