"""CONN_MAX_AGE: connections that outlive their request."""

from collections.abc import Iterator

import pytest
from django.db import connections

from tests.pooling.support import NAMES, backends, configured, everywhere, serve, wait_for_backends
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(params=[False, True], ids=["unchecked", "checked"])
def is_checked(request: pytest.FixtureRequest, routed: Servers) -> Iterator[bool]:
    """Connections that are kept for a minute, and CONN_HEALTH_CHECKS off or on."""
    with configured(everywhere(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=request.param)):
        yield request.param


def used_alias() -> str:
    """Return the alias of the replica that this thread has a connection to."""
    (alias,) = (alias for alias in ("replica1", "replica2") if connections[alias].connection is not None)
    return alias


def test_requests_read_from_one_connection_to_their_replica(routed: Servers, is_checked: bool) -> None:
    serve()
    before = [set(backends(replica)) for replica in routed.cluster.replicas]
    assert sorted(map(len, before)) == [0, 1]
    with routed.watch() as reads:
        for _ in range(5):
            assert serve() == NAMES
    assert [set(backends(replica)) for replica in routed.cluster.replicas] == before
    assert (reads.primary, reads.replicas) == (0, 5)


def test_a_replica_that_is_restarted_between_two_requests_is_not_noticed(routed: Servers, is_checked: bool) -> None:
    serve()
    for replica in routed.cluster.replicas:
        replica.restart()
    with routed.watch() as reads:
        assert serve() == NAMES
    # Unless the connection is checked, only the read itself finds out.
    assert (reads.primary, reads.replicas) == ((0, 1) if is_checked else (1, 0))
    with routed.watch() as reads:
        assert serve() == NAMES
    assert (reads.primary, reads.replicas) == (0, 1)


def test_a_connection_that_the_server_closed_because_it_was_idle_is_not_noticed(
    routed: Servers, is_checked: bool
) -> None:
    with routed.watch() as reads:
        serve()
        alias = used_alias()
        with connections[alias].cursor() as cursor:
            cursor.execute("SET idle_session_timeout = '1ms'")
        wait_for_backends(routed.cluster.server(alias), 0)
        assert serve() == NAMES
    assert (reads.primary, reads.replicas) == ((0, 2) if is_checked else (1, 1))


def test_a_read_only_session_stays_so_for_as_long_as_it_is_kept(routed: Servers) -> None:
    port = routed.cluster.primary.port
    with configured({"replica1": {"PORT": port, "CONN_MAX_AGE": 60}, "replica2": {"PORT": port, "CONN_MAX_AGE": 60}}):
        for _ in range(2):
            assert serve() == NAMES
        with connections[used_alias()].cursor() as cursor:
            cursor.execute("SHOW default_transaction_read_only")
            assert cursor.fetchone() == ("on",)
