"""A throw-away PostgreSQL cluster, one primary and its streaming replicas, for the demo, the tests and the benchmarks.

    with Cluster(default_root("example"), replicas=2) as cluster:
        cluster.primary.query("CREATE TABLE note (id int)")
        cluster.wait_for_replay()
        cluster.server("replica1").kill()

The servers run on loopback ports without passwords and without durability: nothing of value belongs into them.
"""

from demo.cluster.binaries import find_binaries
from demo.cluster.cluster import Cluster
from demo.cluster.errors import ClusterError, FolderInUseError
from demo.cluster.folders import default_root
from demo.cluster.server import Server

__all__ = ["Cluster", "ClusterError", "FolderInUseError", "Server", "default_root", "find_binaries"]
