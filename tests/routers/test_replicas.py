"""Probes and standings, against real servers that are disturbed."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import connections

from demo.waiting import wait_until
from rollout.settings import get_settings
from routers.health import Finding, Fitness
from routers.in_flight import InFlight
from routers.lag import LagState
from routers.probe import Probe
from routers.prober import Prober
from routers.replicas import Replicas
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(params=["process", "shared"])
def watched(request: pytest.FixtureRequest, servers: Servers, settings) -> Iterator[Replicas]:
    """Standings of the suite's replicas, with limits that a test can wait for: from own probes, and from another's."""
    settings.READSHIFT = {
        **settings.READSHIFT,
        "PROBE_SECONDS": 0.05,
        "PROBE_TIMEOUT_SECONDS": 0.5,
        "GREATEST_LAG_SECONDS": 1.0,
        "RETURN_LAG_SECONDS": 0.5,
        "SHORTEST_EJECTION_SECONDS": 0.2,
        "PROBING": request.param,
    }
    found = Replicas()
    probers = [Prober(found, InFlight())]
    if request.param == "shared":
        request.getfixturevalue("shared_cache")
        leader = Prober(Replicas(), InFlight())
        leader.start()
        wait_until(leader.is_leading, 10, "the other prober to lead")
        probers.append(leader)
    probers[0].start()
    yield found
    for prober in probers:
        prober.stop()


def wait_for(watched: Replicas, alias: str, fitness: Fitness) -> None:
    wait_until(lambda: watched.standing(alias).fitness is fitness, 15, f"{alias} to be {fitness}")


def ask(alias: str) -> Finding:
    with closing(Probe(alias)) as probe:
        return probe.ask(timeout=2.0)


def test_a_primary_and_its_replicas_say_where_they_stand(servers: Servers) -> None:
    primary, replica = ask("default"), ask("replica1")
    assert (primary.is_standby, primary.is_receiving, primary.error) == (False, None, "")
    assert (replica.is_standby, replica.is_receiving, replica.error) == (True, True, "")
    assert primary.position is not None
    wanted = primary.position
    wait_until(lambda: (here := ask("replica1").position) and wanted.is_reached_by(here), 10, "the replica to replay")
    ((system,),) = servers.cluster.primary.query("SELECT system_identifier FROM pg_control_system()")
    assert (primary.position.system, primary.position.timeline) == (system, 1)


def test_a_role_without_privileges_is_told_the_same(servers: Servers) -> None:
    servers.cluster.primary.query("DROP ROLE IF EXISTS visitor")
    servers.cluster.primary.query("CREATE ROLE visitor LOGIN")
    servers.settle()
    options = connections["replica1"].settings_dict
    options["USER"], own = "visitor", options["USER"]
    try:
        finding = ask("replica1")
    finally:
        options["USER"] = own
        servers.cluster.primary.query("DROP ROLE visitor")
    assert finding.error == ""
    assert finding.position is not None
    assert finding.position.timeline == 1


def test_healthy_replicas_are_fit_and_current_on_an_idle_primary(watched: Replicas) -> None:
    def are_current() -> bool:
        return all(watched.standing(alias).lag.state is LagState.CURRENT for alias in ("replica1", "replica2"))

    for alias in ("replica1", "replica2"):
        wait_for(watched, alias, Fitness.FIT)
        assert watched.is_fit(alias)
    wait_until(are_current, 10, "both replicas to be current")


def test_a_replica_that_stops_replaying_is_ejected_and_returns_when_it_has_caught_up(
    servers: Servers, watched: Replicas
) -> None:
    wait_for(watched, "replica1", Fitness.FIT)
    replica = servers.cluster.server("replica1")
    replica.pause_replay()
    try:
        servers.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
        wait_for(watched, "replica1", Fitness.LAGGING)
        assert not watched.is_fit("replica1")
        assert watched.standing("replica1").lag.bytes
        assert watched.is_fit("replica2")
    finally:
        replica.resume_replay()
    wait_for(watched, "replica1", Fitness.FIT)


def test_a_replica_that_lost_its_primary_is_ejected_once_the_primary_moves(servers: Servers, watched: Replicas) -> None:
    wait_for(watched, "replica1", Fitness.FIT)
    replica = servers.cluster.server("replica1")
    replica.disconnect()
    try:
        wait_until(lambda: watched.standing("replica1").is_receiving is False, 10, "the receiver to be missed")
        servers.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")
        wait_for(watched, "replica1", Fitness.LAGGING)
    finally:
        replica.reconnect()
    wait_for(watched, "replica1", Fitness.FIT)


def test_a_hung_replica_is_found_and_holds_up_no_other(servers: Servers, watched: Replicas) -> None:
    wait_for(watched, "replica1", Fitness.FIT)
    wait_for(watched, "replica2", Fitness.FIT)
    replica = servers.cluster.server("replica1")
    replica.hang()
    try:
        wait_until(lambda: not watched.is_fit("replica1"), 10, "the hung replica to be ejected")
        wait_for(watched, "replica1", Fitness.UNRESPONSIVE)
        seen = watched.standing("replica2").seen_at
        wait_until(lambda: watched.standing("replica2").seen_at > seen, 10, "the other replica to be asked again")
        assert watched.is_fit("replica2")
    finally:
        replica.resume()
    wait_for(watched, "replica1", Fitness.FIT)


def test_a_killed_replica_is_found_with_the_reason_and_returns(servers: Servers, watched: Replicas) -> None:
    wait_for(watched, "replica2", Fitness.FIT)
    replica = servers.cluster.server("replica2")
    servers.checkpoint()
    replica.kill()
    try:
        wait_for(watched, "replica2", Fitness.UNREACHABLE)
        assert watched.standing("replica2").detail
    finally:
        replica.start()
    wait_for(watched, "replica2", Fitness.FIT)


def test_an_alias_that_leads_to_the_primary_is_no_replica(servers: Servers) -> None:
    found = Replicas()
    cluster = get_settings().clusters["default"]
    found.record(cluster, "default", ask("default"))
    found.record(cluster, "replica1", ask("default"))
    assert found.standing("replica1").fitness is Fitness.NOT_A_STANDBY


def test_a_process_that_has_just_started_trusts_nobody() -> None:
    found = Replicas()
    assert not found.is_fit("replica1")
    assert found.standing("replica1").fitness is Fitness.UNTRUSTED


def test_an_idle_primary_does_not_stand_where_no_replica_gets_to(servers: Servers, watched: Replicas) -> None:
    wait_for(watched, "replica1", Fitness.FIT)
    primary = servers.cluster.primary

    def is_written_out() -> bool:
        ((written,),) = primary.query("SELECT pg_current_wal_flush_lsn() >= %s", [left[-1]])
        return bool(written)

    left: list[str] = []

    def leaves_something() -> bool:
        # Without a commit of its own: nobody waits for the message to be written out, but others may do so by chance.
        primary.query("SELECT pg_logical_emit_message(false, 'test', 'x')")
        left.append(primary.query("SELECT pg_current_wal_insert_lsn()")[0][0])
        return not is_written_out()

    wait_until(leaves_something, 10, "a message that is not written out")
    wait_until(is_written_out, 5, "the message to be written out")
    wait_until(lambda: watched.standing("replica1").lag.state is LagState.CURRENT, 10, "the replica to be current")
