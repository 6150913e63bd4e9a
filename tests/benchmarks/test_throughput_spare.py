"""How the throughput benchmark uses up the time that nobody needs."""

import os

import pytest

from benchmarks.throughput.spare import Spare, used_up
from demo.cluster.processes import living
from demo.waiting import wait_until


@pytest.mark.usefixtures("allowed")
def test_what_uses_up_the_rest_is_in_a_group_of_its_own_and_ends_with_it() -> None:
    with used_up() as group:
        spinning = {int(pid) for pid in (group.folders[0] / "cgroup.procs").read_text().split()}
        assert len(spinning) == os.cpu_count()
        spare = Spare(group)
        wait_until(lambda: group.used_seconds() > 0.01, 30, "the rest to be used up")
        assert (spare.share() or 0) > 0
    assert not any(folder.exists() for folder in group.folders)
    assert spinning.isdisjoint(process.pid for process in living())
