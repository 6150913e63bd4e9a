"""PgBouncer in transaction mode between this process and each server."""

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import Thread

import psycopg
import pytest
from django.db import InternalError, connections
from django.test import Client

from demo.cluster import Server
from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.loading import read_revision
from rollout.models import PolicyRevision
from rollout.models.revision import CHANNEL
from rollout.reasons import Reason
from routers import sessions
from routers.agent import Agent
from routers.blocks import unit_of_work
from routers.control import ControlConnection
from routers.health import Fitness
from routers.inspection import inspect
from routers.meter import Meter
from routers.own_work import own_work
from routers.probe import Probe
from routers.replicas import replicas
from routers.server_facts import ServerFacts
from routers.wire import ReplicaWriteError
from tests.edge_cases.support import REPLICAS
from tests.edge_cases.test_failures import TERMINATE, during, replica_of, slow_on_a_replica
from tests.pooling.support import DATABASE, NAMES, backends, serve
from tests.support import Servers, decisions, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def replica_read(shop: Servers) -> Server:
    """Serve a request, and return the replica that answered it."""
    with shop.watch() as reads:
        assert serve() == NAMES
    (name,) = (name for name, count in reads.by_server.items() if count)
    return shop.cluster.server(name)


def test_requests_read_from_their_replica_over_few_connections(routed: Servers, bounced: dict[str, int]) -> None:
    with routed.watch() as reads:
        for _ in range(10):
            assert serve() == NAMES
    assert (reads.primary, reads.replicas) == (0, 10)
    assert [len(backends(replica)) for replica in routed.cluster.replicas] in ([0, 1], [1, 0])


def test_nobody_misses_an_own_write(routed: Servers, bounced: dict[str, int], client: Client) -> None:
    with routed.held():
        client.post("/test/restock/assam/")
        with routed.watch() as reads:
            assert client.get("/test/names/").json() == NAMES
    assert (reads.primary, decisions()[Reason.BEHIND]) == (1, 1)
    with routed.watch() as reads:
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (0, 1)


def test_a_write_on_a_replica_is_refused_here_and_by_the_standby(routed: Servers, bounced: dict[str, int]) -> None:
    with routed.watch() as reads, pytest.raises(ReplicaWriteError):
        Product.objects.using("replica1").update(stock=0)
    assert reads.total == 0
    with own_work(), connections["replica1"].cursor() as cursor, pytest.raises(InternalError, match="read-only"):
        cursor.execute("UPDATE shop_product SET stock = 0")


@pytest.mark.parametrize("bounced", [{"default_pool_size": "1"}], indirect=True)
def test_an_alias_that_leads_to_the_primary_does_not_take_its_writes_away(
    routed: Servers, bounced: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    sessions._told.clear()
    connections["replica1"].settings_dict["PORT"] = bounced["primary"]
    with caplog.at_level(logging.WARNING, logger="readshift"):
        for _ in range(2):
            with own_work(), connections["replica1"].cursor() as cursor:
                cursor.execute("SELECT 1")
            # The one connection that the PgBouncer has to the primary has just served the replica's alias.
            assert Product.objects.using("default").update(stock=3) == 2
            connections["replica1"].close()
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["The replica 'replica1' is no standby"]
    with routed.watch() as reads, pytest.raises(ReplicaWriteError):
        Product.objects.using("replica1").update(stock=0)
    assert reads.total == 0


def test_a_role_that_may_only_read_protects_such_an_alias(routed: Servers, bounced: dict[str, int]) -> None:
    primary = routed.cluster.primary
    primary.query("ALTER ROLE postgres IN DATABASE test_readshift SET default_transaction_read_only = on")
    try:
        connections["replica1"].settings_dict["PORT"] = bounced["primary"]
        with own_work(), connections["replica1"].cursor() as cursor, pytest.raises(InternalError, match="read-only"):
            cursor.execute("UPDATE shop_product SET stock = 0")
    finally:
        primary.query("ALTER ROLE postgres IN DATABASE test_readshift RESET default_transaction_read_only")


def test_probes_find_out_how_replicas_stand(routed: Servers, bounced: dict[str, int], settings) -> None:
    with probing(settings), routed.watch() as reads:
        assert serve() == NAMES
        assert {replicas.standing(alias).fitness for alias in ("replica1", "replica2")} == {Fitness.FIT}
    assert (reads.primary, reads.replicas) == (0, 1)


def test_a_replica_that_dies_behind_it_is_found_and_returns(routed: Servers, bounced: dict[str, int], settings) -> None:
    with probing(settings, PROBE_TIMEOUT_SECONDS=0.5):
        replica = replica_read(routed)
        routed.checkpoint()
        replica.kill()
        try:
            wait_until(lambda: not replicas.is_fit(replica.name), 30, "the probes to find the dead replica")
            before = sum(routed.cluster.primary.statements('"shop_product"').values())
            assert serve() == NAMES
            assert sum(routed.cluster.primary.statements('"shop_product"').values()) == before + 1
        finally:
            replica.start()
        wait_until(lambda: replica_read(routed) == replica, 60, "the replica to serve again")


@pytest.mark.parametrize("bounced", [{"default_pool_size": "1"}], indirect=True)
def test_no_server_process_of_the_pooler_is_left_with_a_subscription(routed: Servers, bounced: dict[str, int]) -> None:
    with own_work(), closing(ControlConnection()) as control, connections["default"].cursor() as another:
        control.listen()
        another.execute("SELECT pg_listening_channels()")
        assert not another.fetchall()
        assert read_revision(control.alias) == PolicyRevision.objects.get().revision


def test_a_connection_to_the_server_itself_is_subscribed(routed: Servers) -> None:
    with own_work(), closing(ControlConnection()) as control:
        control.listen()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_listening_channels()")
            assert cursor.fetchall() == [(CHANNEL,)]


def test_a_change_that_no_notification_announces_is_found_by_polling(
    routed: Servers, bounced: dict[str, int], settings
) -> None:
    often = {"POLICY_REFRESH": "background", "POLICY_POLL_SECONDS": 0.1, "POLICY_RELOAD_SECONDS": 600}
    settings.READSHIFT = {**settings.READSHIFT, **often}
    # Not this process's own, which would remember the change for as long as replicas may lag.
    agent = Agent(Meter())
    try:
        wait_until(lambda: agent.state()[0] is not None, 20, "the policy to be read")
        route("nightly")
        revision = PolicyRevision.objects.get().revision
        wait_until(lambda: agent.state()[0].revision == revision, 20, "the new revision to be read")  # type: ignore[union-attr]
    finally:
        agent.stop()


def test_a_read_that_is_cut_off_with_its_server_s_connection_is_answered_by_the_primary(
    routed: Servers, bounced: dict[str, int]
) -> None:
    with unit_of_work("names"), during(routed, TERMINATE, on=replica_of(routed), runs="pg_sleep(60)"):
        assert list(slow_on_a_replica()) == [0, 0]


def test_a_read_whose_server_dies_under_it_is_answered_by_the_primary(routed: Servers, bounced: dict[str, int]) -> None:
    routed.checkpoint()
    with unit_of_work("names"):
        replica = replica_of(routed)
        killer = Thread(target=kill_when_it_sleeps, args=(replica,))
        killer.start()
        try:
            assert list(slow_on_a_replica()) == [0, 0]
        finally:
            killer.join()
            replica.start()


def kill_when_it_sleeps(server: Server) -> None:
    wait_until(lambda: any("pg_sleep(60)" in query for query in backends(server).values()), 20, "the read to run")
    server.kill()


@pytest.mark.parametrize("bounced", [{"query_wait_timeout": "1"}], indirect=True)
def test_a_read_of_a_dead_server_that_the_pooler_keeps_waiting_is_answered_by_the_primary(
    routed: Servers, bounced: dict[str, int]
) -> None:
    routed.checkpoint()
    with unit_of_work("names"):
        replica = replica_of(routed)
        replica.kill()
        try:
            assert Product.objects.count() == 2
        finally:
            replica.start()


@pytest.mark.parametrize("bounced", [{"query_wait_timeout": "1", "default_pool_size": "1"}], indirect=True)
def test_a_read_that_waits_in_vain_for_a_free_connection_is_answered_by_the_primary_and_blames_nobody(
    routed: Servers, bounced: dict[str, int]
) -> None:
    with unit_of_work("names"):
        replica = replica_of(routed)
        with holding(bounced[replica.name]), routed.watch() as reads:
            assert Product.objects.count() == 2
        assert (reads.primary, reads.replicas) == (1, 0)
        assert replicas.standing(replica.name).fitness is Fitness.UNTRUSTED


@contextmanager
def holding(port: int) -> Iterator[None]:
    """Be another client of that PgBouncer, which keeps its only connection to the server in a transaction."""
    with psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname=DATABASE) as other:
        other.execute("SELECT 1")
        yield


@pytest.mark.parametrize(
    ("bounced", "timeout", "is_answered"),
    [
        ({"default_pool_size": "1"}, 0.5, False),
        ({"default_pool_size": "1", "reserve_pool_size": "1", "reserve_pool_timeout": "0.1"}, 20.0, True),
    ],
    indirect=["bounced"],
    ids=["without reserve", "with reserve"],
)
def test_probes_need_a_connection_in_reserve_while_the_pooler_is_busy(
    routed: Servers, bounced: dict[str, int], timeout: float, is_answered: bool
) -> None:
    with holding(bounced["replica1"]), closing(Probe("replica1")) as probe:
        finding = probe.ask(timeout)
    assert (finding.position is not None, finding.is_silent) == (is_answered, not is_answered)


@pytest.mark.parametrize("bounced", [{"max_client_conn": "1"}], indirect=True)
def test_a_read_that_finds_the_pooler_full_is_answered_by_the_primary_and_blames_nobody(
    routed: Servers, bounced: dict[str, int]
) -> None:
    with ExitStack() as others, routed.watch() as reads:
        for alias in REPLICAS:
            others.enter_context(holding(bounced[alias]))
        assert serve() == NAMES
    assert (reads.primary, reads.replicas) == (1, 0)
    assert [replicas.standing(alias).fitness for alias in REPLICAS] == [Fitness.UNTRUSTED] * 2


def test_a_pooler_that_is_gone_is_no_different_from_a_server_that_is_gone(
    routed: Servers, bounced: dict[str, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    for alias in REPLICAS:
        connections[alias].settings_dict["PORT"] = port
    with routed.watch() as reads:
        assert serve() == NAMES
    assert (reads.primary, reads.replicas) == (1, 0)
    assert Fitness.UNREACHABLE in {replicas.standing(alias).fitness for alias in REPLICAS}


def test_servers_are_inspected_through_it_and_left_as_they_were(routed: Servers, bounced: dict[str, int]) -> None:
    for _ in range(2):
        said = inspect(("default", "replica1", "replica2"))
        assert [isinstance(each, ServerFacts) and each.is_standby for each in said.values()] == [False, True, True]
    with own_work(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("0", "off")
