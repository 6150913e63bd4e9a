"""A cluster that the tests of this folder share, and what they may do to it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from demo.cluster import Cluster, FolderInUseError, Server, default_root


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """A healthy cluster for all tests of this folder. Runs at the same time have one each."""
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
    """A folder for a cluster of one test, which nobody else uses as long as the folder's cluster runs."""
    return cluster.root.with_name(f"{cluster.root.name}-other")
