"""Who owns a folder, and what is left in it."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from demo.cluster import Cluster, ClusterError, FolderInUseError, Server
from demo.cluster.processes import children
from tests.demo.cluster.support import is_alive, notes, start_owner, write

is_root = os.geteuid() == 0


def test_a_second_owner_is_refused_and_told_who_the_first_is(cluster: Cluster) -> None:
    with pytest.raises(FolderInUseError, match=f"in use by another cluster, of the process {os.getpid()}"):
        Cluster(cluster.root).start()
    with pytest.raises(ClusterError, match="already runs"):
        cluster.start()

    assert cluster.primary.query("SELECT 1") == [(1,)]


def test_the_servers_do_not_share_the_terminal_of_their_owner(cluster: Cluster) -> None:
    assert all(os.getsid(server.pid or 0) != os.getsid(0) for server in cluster.servers)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what is mapped")
def test_no_server_uses_memory_that_its_death_would_leave_behind(cluster: Cluster) -> None:
    pids = [pid for server in cluster.servers if server.pid for pid in (server.pid, *children(server.pid))]

    assert len(pids) > len(cluster.servers)
    assert not [pid for pid in pids if "/dev/shm" in Path(f"/proc/{pid}/maps").read_text()]  # noqa: S108 - only read


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc lists the segments")
def test_the_segment_of_a_killed_server_is_removed(replica: Server) -> None:
    def segments() -> set[str]:
        return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}

    segment = (replica.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
    assert segment in segments()
    replica.kill()

    assert segment not in segments()


def test_stopping_leaves_neither_processes_nor_data_and_a_promoted_replica_is_a_primary_of_its_own(
    other_root: Path,
) -> None:
    with Cluster(other_root, replicas=1, settings={"work_mem": "3MB"}) as cluster:
        (replica,) = cluster.replicas
        cluster.primary.query("CREATE TABLE note (text text)")
        cluster.wait_for_replay()
        replica.promote()
        write(replica, "new")
        write(cluster.primary, "old")
        cluster.wait_for_replay()
        assert notes(replica) == ["new"]
        assert notes(cluster.primary) == ["old"]
        assert replica.query("SHOW work_mem") == [("3MB",)]
        pids = [pid for server in cluster.servers if server.pid for pid in (server.pid, *children(server.pid))]
    cluster.stop()

    assert not any(is_alive(pid) for pid in pids)
    assert sorted(path.name for path in other_root.iterdir()) == ["cluster.lock", "logs"]


def test_servers_whose_owner_was_killed_are_ended_by_the_next_start(other_root: Path) -> None:
    with start_owner(other_root, "is killed") as owner:
        assert owner.stdout is not None
        orphan = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    orphans = [orphan, *children(orphan)]
    assert is_alive(orphan)

    with Cluster(other_root, replicas=0) as cluster:
        assert not any(is_alive(pid) for pid in orphans)
        assert cluster.primary.pid not in orphans


def test_an_owner_that_forgets_to_stop_is_cleaned_up_after_at_exit_but_not_by_its_children(other_root: Path) -> None:
    with start_owner(other_root, "forks and forgets") as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())

    assert owner.returncode == 0
    assert not is_alive(pid)


def test_a_port_that_was_taken_meanwhile_is_replaced(other_root: Path) -> None:
    cluster = Cluster(other_root, replicas=0)
    with socket.create_server((Server.host, cluster.primary.port)) as thief, cluster:
        assert cluster.primary.port != thief.getsockname()[1]
        assert cluster.primary.query("SELECT 1") == [(1,)]


def test_a_prescribed_port_that_is_taken_is_an_error(other_root: Path) -> None:
    with socket.create_server((Server.host, 0)) as thief:
        port = thief.getsockname()[1]
        cluster = Cluster(other_root, replicas=0, ports=[port])
        with pytest.raises(ClusterError, match=f"primary cannot listen on port {port}"):
            cluster.start()

    assert not (other_root / "servers").exists()


def test_a_server_that_fails_to_start_shows_the_end_of_its_log(replica: Server) -> None:
    with pytest.raises(ClusterError, match=r"replica1 ended while it started.*\n.*invalid value for .*work_mem"):
        replica.restart({"work_mem": "plenty"})

    assert not replica.is_running


def test_a_postgresql_without_statement_statistics_is_refused(replica: Server) -> None:
    with pytest.raises(ClusterError, match=r"has no pg_stat_statements\. Install its contrib package"):
        replica.restart({"dynamic_library_path": "/nonexistent"})


def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(ClusterError, match="holds files that are not a cluster's"):
        Cluster(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_symlink_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "root").symlink_to("target")

    with pytest.raises(ClusterError, match=r"root is not a plain folder \(a symlink\?\)"):
        Cluster(tmp_path / "root").start()


@pytest.mark.skipif(not is_root, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)

    with pytest.raises(ClusterError, match="belongs to the user id 65534, not to 0"):
        Cluster(tmp_path).start()


@pytest.mark.skipif(not is_root, reason="only the servers of root run as another user")
def test_a_folder_that_the_servers_cannot_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(ClusterError, match=r"cannot enter .* Use demo\.cluster\.default_root\(\)"):
        Cluster(tmp_path / "root").start()


def test_unknown_servers_and_a_wrong_number_of_ports_are_named(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"no server 'replica3'\. It has primary, replica1, replica2"):
        cluster.server("replica3")
    with pytest.raises(ClusterError, match="1 ports were given for 3 servers: primary, replica1, replica2"):
        Cluster(cluster.root, ports=[5432])
