"""How many queries a request sends, as the servers count them, beside what goes on in the background anyway."""

import time
from collections import Counter
from collections.abc import Mapping

from benchmarks.overhead.blocks import Block, What
from benchmarks.overhead.crew import Worker
from demo.cluster import Cluster

_RAREST = 0.02
"""A statement that comes with fewer requests than one in fifty belongs to the background, whose pace varies."""

Counts = Mapping[tuple[str, str], int]
"""Server and statement to how often it was run."""


def queries_per_request(cluster: Cluster, worker: Worker, requests: int) -> float:
    """Return how many queries all servers together are asked for a request that reads one row."""
    block = Block(What.VISIT)
    # With its connections open.
    worker.measure(block, 1)
    _reset(cluster)
    began = time.monotonic()
    worker.measure(block, requests)
    seconds = time.monotonic() - began
    busy = _counts(cluster)
    _reset(cluster)
    time.sleep(seconds)
    return per_request(busy, _counts(cluster), requests)


def per_request(busy: Counts, idle: Counts, requests: int) -> float:
    """Return the queries of a request. busy, idle: what was run with requests, and for as long without."""
    more = {key: count - idle.get(key, 0) for key, count in busy.items()}
    return sum(count for count in more.values() if count >= _RAREST * requests) / requests


def _counts(cluster: Cluster) -> Counts:
    found: Counter[tuple[str, str]] = Counter()
    for server in cluster.servers:
        for statement, count in server.statements().items():
            found[server.name, statement] += count
    return found


def _reset(cluster: Cluster) -> None:
    for server in cluster.servers:
        server.reset_statements()
