"""Every kind of error that ends a read on a replica: raised by a real server, judged, and answered elsewhere or not."""

import signal
from collections.abc import Iterator

import psycopg
import pytest
from django.db import DatabaseError, InternalError, OperationalError, connections

from demo.cluster import Server
from demo.cluster.processes import send
from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.reasons import Cause
from routers.blocks import unit_of_work
from routers.failures import Failure, failure_of
from routers.health import Fitness
from routers.looking import look_at_servers
from routers.own_work import own_work
from routers.replicas import replicas
from tests.edge_cases.test_failures import LOCK, impatient, replica_of, slow_on_a_replica
from tests.routers import faults
from tests.support import Servers, route

__all__ = ["impatient"]

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAP = "SELECT pg_sleep(60)"


@pytest.fixture
def replica(shop: Servers) -> Iterator[Server]:
    """The replica that this unit reads from. Every test leaves it running."""
    route("nightly")
    shop.checkpoint()
    connections.close_all()
    with unit_of_work("nightly"):
        yield replica_of(shop)
    connections.close_all()
    shop.cluster.wait_for_replay(60)


def error_of(replica: Server, statement: str = "SELECT 1") -> DatabaseError:
    """Ask past the read path, and return the error."""
    with own_work(), pytest.raises(DatabaseError) as caught, connections[replica.name].cursor() as cursor:
        cursor.execute(statement)
    connections[replica.name].close()
    return caught.value


def state_of(error: DatabaseError) -> str | None:
    assert isinstance(error.__cause__, psycopg.Error)
    return error.__cause__.sqlstate


def is_answered(shop: Servers) -> bool:
    """Ask as a unit does, and say whether the primary alone has answered."""
    before = shop.cluster.primary.statements('"shop_product"')
    assert Product.objects.count() == 2
    after = shop.cluster.primary.statements('"shop_product"')
    return sum(after.values()) == sum(before.values()) + 1


def is_blamed(replica: Server) -> bool:
    """Say whether the other reads of this process have been told to keep away."""
    return replicas.standing(replica.name).fitness is not Fitness.UNTRUSTED


def test_a_refused_connection(shop: Servers, replica: Server) -> None:
    replica.kill()
    try:
        connections[replica.name].close()
        error = error_of(replica)
        assert (is_answered(shop), is_blamed(replica)) == (True, True)
    finally:
        replica.start()
    assert (state_of(error), failure_of(error)) == (None, Failure(Cause.REFUSED, is_replica_fault=True))


def test_a_server_that_starts_up(shop: Servers, replica: Server) -> None:
    connections[replica.name].close()
    with faults.starting(replica):
        error = error_of(replica)
        assert (is_answered(shop), is_blamed(replica)) == (True, True)
        look_at_servers(longest=0)
        assert replicas.standing(replica.name).fitness is Fitness.STARTING
    assert "the database system is starting up" in str(error)
    assert failure_of(error) == Failure(Cause.REFUSED, is_replica_fault=True)


def test_a_server_that_shuts_down(shop: Servers, replica: Server) -> None:
    connections[replica.name].close()
    with faults.shutting_down(replica):
        error = error_of(replica)
        assert (is_answered(shop), is_blamed(replica)) == (True, True)
    assert "the database system is shutting down" in str(error)
    assert failure_of(error) == Failure(Cause.REFUSED, is_replica_fault=True)


def terminate(replica: Server, pid: int) -> None:
    replica.query("SELECT pg_terminate_backend(%s)", [pid])


def test_an_administrator_who_ends_the_connection(shop: Servers, replica: Server) -> None:
    with faults.once_it_sleeps(replica, lambda pid: terminate(replica, pid)):
        error = error_of(replica, NAP)
    assert (state_of(error), failure_of(error)) == ("57P01", Failure(Cause.ENDED, is_replica_fault=True))
    with faults.once_it_sleeps(replica, lambda pid: terminate(replica, pid)):
        assert list(slow_on_a_replica()) == [0, 0]
    # The others need not keep away: it is asked at once whether it lives.
    assert not is_blamed(replica)


def test_a_fast_shutdown(shop: Servers, replica: Server) -> None:
    try:
        with faults.once_it_sleeps(replica, lambda _: replica.stop("fast")):
            error = error_of(replica, NAP)
        replica.start()
        with faults.once_it_sleeps(replica, lambda _: replica.stop("fast")):
            assert list(slow_on_a_replica()) == [0, 0]
    finally:
        if not replica.is_running:
            replica.start()
    assert (state_of(error), failure_of(error)) == ("57P01", Failure(Cause.ENDED, is_replica_fault=True))


def test_an_immediate_shutdown_tells_why_in_a_notice_and_breaks_the_connection(shop: Servers, replica: Server) -> None:
    try:
        with faults.once_it_sleeps(replica, lambda _: replica.stop("immediate")):
            error = error_of(replica, NAP)
        replica.start()
        with faults.once_it_sleeps(replica, lambda _: replica.stop("immediate")):
            assert list(slow_on_a_replica()) == [0, 0]
    finally:
        if not replica.is_running:
            replica.start()
    assert (state_of(error), failure_of(error)) == (None, Failure(Cause.LOST, is_replica_fault=True))


def crash(replica: Server) -> None:
    """Kill one client's process, whereupon the server ends all others and starts again."""
    with replica.connect() as victim:
        send([victim.info.backend_pid], signal.SIGKILL)


def test_the_crash_of_another_process_of_the_server(shop: Servers, replica: Server) -> None:
    with faults.once_it_sleeps(replica, lambda _: crash(replica)):
        error = error_of(replica, NAP)
    assert (state_of(error), failure_of(error)) == (None, Failure(Cause.LOST, is_replica_fault=True))
    wait_until(lambda: not faults.refusal(replica), 60, "the server to be back")
    with faults.once_it_sleeps(replica, lambda _: crash(replica)):
        assert list(slow_on_a_replica()) == [0, 0]
    wait_until(lambda: not faults.refusal(replica), 60, "the server to be back")
    assert not is_blamed(replica)


def test_a_snapshot_that_stands_in_the_way_of_vacuum(impatient: Servers, replica: Server) -> None:
    primary, before = impatient.cluster.primary, faults.conflicts(replica, "snapshot")

    def vacuum(_: int) -> None:
        primary.query("UPDATE shop_product SET stock = stock + 1", dbname=faults.DATABASE)
        primary.query("VACUUM shop_product", dbname=faults.DATABASE)

    with faults.once_it_sleeps(replica, vacuum):
        error = error_of(replica, "SELECT pg_sleep(60) FROM (SELECT FROM shop_product LIMIT 1) AS one")
    assert (state_of(error), failure_of(error)) == ("40001", Failure(Cause.CONFLICT, is_replica_fault=False))
    with faults.once_it_sleeps(replica, vacuum):
        assert list(slow_on_a_replica()) == [0, 0]
    assert not is_blamed(replica)
    # The server's process counts when it ends.
    connections[replica.name].close()
    wait_until(lambda: faults.conflicts(replica, "snapshot") == before + 2, 20, "the server to have counted both")


def test_a_lock_that_stands_in_the_way_of_replay(impatient: Servers, replica: Server) -> None:
    primary, before = impatient.cluster.primary, faults.conflicts(replica, "lock")

    def lock(_: int) -> None:
        primary.query(LOCK, dbname=faults.DATABASE)

    with faults.once_it_sleeps(replica, lock):
        error = error_of(replica, "SELECT pg_sleep(60) FROM (SELECT FROM shop_product LIMIT 1) AS one")
    assert (state_of(error), failure_of(error)) == ("40001", Failure(Cause.CONFLICT, is_replica_fault=False))
    with faults.once_it_sleeps(replica, lock):
        assert list(slow_on_a_replica()) == [0, 0]
    assert not is_blamed(replica)
    # The server's process counts when it ends.
    connections[replica.name].close()
    wait_until(lambda: faults.conflicts(replica, "lock") == before + 2, 20, "the server to have counted both")


def test_a_database_that_is_dropped(shop: Servers, replica: Server) -> None:
    settings = connections[replica.name].settings_dict
    shop.cluster.primary.query("CREATE DATABASE doomed")
    shop.cluster.wait_for_replay()
    connections[replica.name].close()
    settings["NAME"] = "doomed"
    try:
        with faults.once_it_sleeps(replica, lambda _: shop.cluster.primary.query("DROP DATABASE doomed")):
            error = error_of(replica, NAP)
    finally:
        settings["NAME"] = faults.DATABASE
    assert (state_of(error), failure_of(error)) == ("57P04", Failure(Cause.CONFLICT, is_replica_fault=False))


@pytest.mark.parametrize(("setting", "state"), [("statement_timeout", "57014"), ("lock_timeout", "55P03")])
def test_a_timeout_of_the_host_s_own(shop: Servers, replica: Server, setting: str, state: str) -> None:
    primary = shop.cluster.primary
    with primary.connect(faults.DATABASE, autocommit=False) as locking:
        locking.execute("LOCK TABLE shop_product IN ACCESS EXCLUSIVE MODE")
        # Sends the lock to the replica as well.
        primary.commit_position()
        held = "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'shop_product'::regclass"
        wait_until(lambda: replica.query(held, dbname=faults.DATABASE), 20, "the replica to hold the lock")
        with own_work(), connections[replica.name].cursor() as cursor:
            cursor.execute(f"SET {setting} = '50ms'")
        with pytest.raises(OperationalError) as caught:
            Product.objects.count()
    assert (state_of(caught.value), failure_of(caught.value)) == (state, None)
    assert not is_blamed(replica)


def test_a_server_without_a_free_connection_is_no_fault_of_the_replica(shop: Servers, replica: Server) -> None:
    connections[replica.name].close()
    with faults.crowded(replica):
        error = error_of(replica)
        assert (is_answered(shop), is_blamed(replica)) == (True, False)
    assert failure_of(error) == Failure(Cause.POOL, is_replica_fault=False)


def test_a_role_without_a_free_connection_is_no_fault_of_the_replica(shop: Servers, replica: Server) -> None:
    shop.cluster.primary.query("CREATE ROLE visitor LOGIN CONNECTION LIMIT 0")
    try:
        shop.cluster.wait_for_replay()
        with faults.as_user(replica.name, "visitor"):
            error = error_of(replica)
            assert (is_answered(shop), is_blamed(replica)) == (True, False)
    finally:
        shop.cluster.primary.query("DROP ROLE visitor")
    assert failure_of(error) == Failure(Cause.POOL, is_replica_fault=False)


def test_a_wrong_password_is_told_in_the_standing(shop: Servers, replica: Server) -> None:
    with faults.asking_for_a_password(replica, "visitor"), faults.as_user(replica.name, "visitor"):
        connections[replica.name].settings_dict["PASSWORD"] = "wrong"
        try:
            error = error_of(replica)
            assert is_answered(shop)
            look_at_servers(longest=0)
        finally:
            connections[replica.name].settings_dict["PASSWORD"] = ""
    standing = replicas.standing(replica.name)
    assert standing.fitness is Fitness.UNREACHABLE
    assert "password authentication failed" in standing.detail
    assert failure_of(error) == Failure(Cause.REFUSED, is_replica_fault=True)


def test_a_role_that_does_not_exist_is_told_in_the_standing(shop: Servers, replica: Server) -> None:
    with faults.as_user(replica.name, "visitor"):
        error = error_of(replica)
        assert is_answered(shop)
        look_at_servers(longest=0)
    standing = replicas.standing(replica.name)
    assert (standing.fitness, 'role "visitor" does not exist' in standing.detail) == (Fitness.UNREACHABLE, True)
    assert failure_of(error) == Failure(Cause.REFUSED, is_replica_fault=True)


def test_a_write_is_not_asked_again(shop: Servers, replica: Server) -> None:
    error = error_of(replica, "UPDATE shop_product SET stock = 0")
    assert isinstance(error, InternalError)
    assert (state_of(error), failure_of(error)) == ("25006", None)


def test_a_mistake_in_the_code_is_not_asked_again(shop: Servers, replica: Server) -> None:
    cursor = connections[replica.name].cursor()
    cursor.close()
    with pytest.raises(Exception, match="the cursor is closed") as caught:
        cursor.execute("SELECT 1")
    assert failure_of(caught.value) is None
    assert not is_blamed(replica)
