"""Replication, its lag, and what interrupts it."""

import time

import pytest

from demo.cluster import Cluster, Server
from demo.waiting import wait_until
from tests.demo.cluster.support import notes, write


def test_what_is_committed_shows_on_every_replica_after_wait_for_replay(cluster: Cluster, primary: Server) -> None:
    write(primary, "hello")
    cluster.wait_for_replay()

    assert [notes(replica) for replica in cluster.replicas] == [["hello"], ["hello"]]


def test_the_primary_knows_its_replicas_by_name(cluster: Cluster, primary: Server) -> None:
    rows = primary.query("SELECT application_name, state FROM pg_stat_replication ORDER BY 1")
    slots = primary.query("SELECT slot_name, active FROM pg_replication_slots ORDER BY 1")

    assert rows == [("replica1", "streaming"), ("replica2", "streaming")]
    assert slots == [("replica1", True), ("replica2", True)]


def test_wait_for_replay_includes_asynchronous_commits(cluster: Cluster, primary: Server) -> None:
    with primary.connect() as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("INSERT INTO note VALUES ('soon')")
        cluster.wait_for_replay()

    assert notes(cluster.replicas[0]) == ["soon"]


def test_wait_for_replay_does_not_wait_for_open_transactions(cluster: Cluster, primary: Server) -> None:
    with primary.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO note SELECT repeat('x', 1000) FROM generate_series(1, 500)")
        cluster.wait_for_replay(timeout=5)

        assert notes(cluster.replicas[0]) == []
        connection.rollback()


def test_wait_for_replay_names_the_replica_that_stays_behind_and_both_positions(
    cluster: Cluster, primary: Server, replica: Server
) -> None:
    replica.disconnect()
    write(primary, "missed")

    position = r"[0-9A-F]+/[0-9A-F]+"
    with pytest.raises(TimeoutError, match=rf"for replica1 to replay up to {position}\. It has reached {position}\."):
        cluster.wait_for_replay(timeout=0.1)


def test_a_paused_replica_keeps_its_past_until_it_is_resumed(
    cluster: Cluster, primary: Server, replica: Server
) -> None:
    replica.pause_replay()
    write(primary, "later")
    cluster.wait_for_replay()

    assert notes(replica) == []
    assert notes(cluster.server("replica2")) == ["later"]

    replica.resume_replay()
    cluster.wait_for_replay()
    assert notes(replica) == ["later"]


def test_an_apply_delay_holds_commits_back_for_that_long(cluster: Cluster, primary: Server, replica: Server) -> None:
    replica.set_apply_delay(0.4)
    begin = time.monotonic()
    write(primary, "delayed")
    assert notes(replica) == []
    wait_until(lambda: notes(replica) == ["delayed"], 5, "the delayed commit")

    assert time.monotonic() - begin >= 0.39


def test_ending_the_apply_delay_releases_what_it_held(cluster: Cluster, primary: Server, replica: Server) -> None:
    replica.set_apply_delay(3600)
    write(primary, "delayed")
    replica.pause_replay()
    replica.resume_replay()
    assert notes(replica) == []

    replica.set_apply_delay(0)
    cluster.wait_for_replay()
    assert notes(replica) == ["delayed"]


@pytest.mark.parametrize("is_paused", [False, True], ids=["while it replays", "while it is paused"])
def test_a_disconnected_replica_serves_its_past_and_catches_up_when_reconnected(
    cluster: Cluster, primary: Server, replica: Server, is_paused: bool
) -> None:
    if is_paused:
        replica.pause_replay()
    replica.disconnect()
    write(primary, "missed")
    replica.resume_replay()
    assert notes(replica) == []
    assert primary.query("SELECT application_name FROM pg_stat_replication") == [("replica2",)]

    replica.reconnect()
    cluster.wait_for_replay()
    assert notes(replica) == ["missed"]
