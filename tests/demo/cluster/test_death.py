"""Servers that die, hang and restart."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from demo.cluster import Cluster, ClusterError, Server
from demo.cluster.processes import children
from tests.demo.cluster.support import is_alive, notes, write


def test_a_killed_replica_is_gone_at_once_and_recovers_when_started(
    cluster: Cluster, primary: Server, replica: Server
) -> None:
    assert replica.pid is not None
    tree = [replica.pid, *children(replica.pid)]
    with replica.connect() as connection:
        replica.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not replica.is_running
    assert replica.pid is None
    assert not any(is_alive(pid) for pid in tree)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        replica.connect()

    write(primary, "meanwhile")
    cluster.wait_for_replay()
    replica.start()
    cluster.wait_for_replay()
    assert notes(replica) == ["meanwhile"]


def test_a_killed_primary_recovers_and_its_replicas_find_it_again(cluster: Cluster, primary: Server) -> None:
    write(primary, "before")
    primary.kill()
    primary.start()
    write(primary, "after")
    cluster.wait_for_replay()

    assert notes(cluster.replicas[0]) == ["after", "before"]


def test_a_hung_server_answers_nobody_until_it_is_resumed(cluster: Cluster, primary: Server, replica: Server) -> None:
    with ThreadPoolExecutor() as pool, replica.connect() as connection:
        replica.hang()
        answer = pool.submit(connection.execute, "SELECT 1")
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            replica.connect()
        assert not answer.done()
        assert replica.is_running
        assert replica.is_hung
        write(primary, "unseen")
        cluster.wait_for_replay()

        replica.resume()
        assert answer.result(timeout=5).fetchone() == (1,)
    assert not replica.is_hung
    cluster.wait_for_replay()
    assert notes(replica) == ["unseen"]


def test_a_hung_server_can_be_stopped(replica: Server) -> None:
    replica.hang()
    replica.stop()

    assert not replica.is_running


def test_a_server_keeps_its_data_and_takes_settings_when_restarted(cluster: Cluster, replica: Server) -> None:
    replica.restart({"work_mem": "5MB"})

    assert replica.query("SHOW work_mem") == [("5MB",)]
    assert replica.query("SHOW cluster_name") == [("replica1",)]
    with pytest.raises(ClusterError, match=r"replica1 already runs as process \d+"):
        replica.start()
