"""How a server is held to a share of the processor, as far as this user may."""

from pathlib import Path

import pytest

from benchmarks.shares import Group, Hierarchies, NotAllowedError, held, hierarchies, settings
from demo.cluster import Cluster
from demo.cluster.processes import children

SEPARATE = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/cpuacct cgroup rw,relatime,cpuacct 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
TOGETHER = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nsdelegate 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        (
            SEPARATE,
            Hierarchies(Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup/unified")),
        ),
        (TOGETHER, Hierarchies(Path("/sys/fs/cgroup/cpu,cpuacct"), Path("/sys/fs/cgroup/cpu,cpuacct"))),
        (UNIFIED, Hierarchies(unified=Path("/sys/fs/cgroup"))),
        ("tmpfs /tmp tmpfs rw 0 0\n", Hierarchies()),
    ],
)
def test_groups_are_found_among_the_mounts_by_their_controllers(mounts: str, found: Hierarchies) -> None:
    assert hierarchies(mounts) == found


def test_a_share_is_a_quota_of_each_period() -> None:
    assert settings(0.2, 0.05, unified=True)["cpu.max"] == "10000 50000"
    old = settings(0.2, 0.05, unified=False)
    assert (old["cpu.cfs_quota_us"], old["cpu.cfs_period_us"]) == ("10000", "50000")


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [("1500000000\n", 1_000_000_000, 1.5), ("usage_usec 2500000\nuser_usec 1\n", 1_000_000, 2.5)],
)
def test_both_versions_tell_what_a_group_took(tmp_path: Path, text: str, unit: int, seconds: float) -> None:
    usage = tmp_path / "usage"
    usage.write_text(text)
    assert Group((tmp_path,), usage, unit).used_seconds() == seconds


def test_without_groups_the_reason_is_told(cluster: Cluster) -> None:
    with pytest.raises(NotAllowedError, match="shows no control groups"), held(cluster.primary, 0.2, mounts=""):
        pass


def test_a_folder_that_takes_no_groups_is_left_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    mounts = f"cgroup {tmp_path / 'absent'} cgroup rw,cpu 0 0\n"
    with pytest.raises(NotAllowedError, match="absent"), held(cluster.primary, 0.2, mounts=mounts):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("allowed")
def test_a_server_is_in_its_group_with_all_that_it_forks_and_leaves_it(cluster: Cluster) -> None:
    replica = cluster.replicas[0]
    with held(replica, 0.5) as group:
        before = group.used_seconds()
        with replica.connect() as connection:
            connection.execute("SELECT count(*) FROM generate_series(1, 200000)")
            assert family(replica.pid) <= members(group)
        assert group.used_seconds() > before
    assert not any(folder.exists() for folder in group.folders)
    assert replica.query("SELECT 1") == [(1,)]


@pytest.mark.usefixtures("allowed")
def test_what_a_killed_run_left_behind_is_removed(cluster: Cluster) -> None:
    with held(cluster.replicas[0], 0.5) as group:
        # No process has this number: it is above what Linux gives.
        left = [folder.with_name(f"readshift-{2**30}-primary") for folder in group.folders]
        for folder in left:
            folder.mkdir()
        with held(cluster.replicas[1], 0.5):
            assert not any(folder.exists() for folder in left)
            assert all(folder.exists() for folder in group.folders)


def family(pid: int | None) -> set[int]:
    assert pid is not None
    return {pid, *children(pid)}


def members(group: Group) -> set[int]:
    return {int(pid) for pid in (group.folders[0] / "cgroup.procs").read_text().split()}
