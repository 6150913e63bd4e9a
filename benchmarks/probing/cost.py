"""What questions cost the server that answers them, and the reads beside them."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.probing.askers import Askers
from benchmarks.probing.backends import cpu_ms, memory_mb, probed
from demo.cluster import Cluster, Server
from demo.waiting import wait_until

ROWS = 100_000
_SPAN_SECONDS = 1.2
_SETTLE_SECONDS = 0.2
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """rate: questions a second. cpu_ms: of the backends, per question. ratio: of median reads, with and without."""

    rate: float
    cpu_ms: float
    ratio: float


class Reads:
    """A loop of reads by primary key on one connection."""

    def __init__(self, server: Server) -> None:
        self._connection = server.connect()
        self._random = random.Random(1)  # noqa: S311 - repeatable

    def run(self, seconds: float) -> list[float]:
        """Return how long each read took, in seconds."""
        took = []
        ends_at = time.perf_counter() + seconds
        while (began := time.perf_counter()) < ends_at:
            self._connection.execute("SELECT balance FROM account WHERE id = %s", [self._random.randint(1, ROWS)])
            took.append(time.perf_counter() - began)
        return took

    def close(self) -> None:
        self._connection.close()


def fill(cluster: Cluster) -> None:
    """Make the table that is read."""
    cluster.primary.query(
        f"CREATE TABLE account AS SELECT id, 0 AS balance FROM generate_series(1, {ROWS}) AS id"  # noqa: S608
    )
    cluster.primary.query("ALTER TABLE account ADD PRIMARY KEY (id)")
    cluster.primary.query("ANALYZE account")
    cluster.wait_for_replay()


def measure(
    server: Server, askers: Askers, connections: int, *, rates: list[float], spans: int, say: Callable[[str], None]
) -> tuple[list[Cost], float]:
    """Return what each of these rates costs, and the memory of a backend in MB, while the askers are at work."""
    wait_until(lambda: askers.asked >= connections, _START_SECONDS, "the connections")
    pids = probed(server)
    reads = Reads(server)
    try:
        reads.run(_SETTLE_SECONDS)
        costs = []
        for rate in rates:
            cost = _measure(pids, reads, askers, rate, spans)
            say(f"{cost.rate:.0f} questions a second: {cost.cpu_ms:.3f} ms each, reads take {cost.ratio:.2f} times")
            costs.append(cost)
        return costs, memory_mb(pids)
    finally:
        reads.close()


def _measure(pids: list[int], reads: Reads, askers: Askers, rate: float, spans: int) -> Cost:
    quiet: list[float] = []
    busy: list[float] = []
    asked, used, seconds = 0, 0.0, 0.0
    for _ in range(spans):
        quiet += reads.run(_SPAN_SECONDS)
        askers.ask(rate)
        time.sleep(_SETTLE_SECONDS)
        asked_before, used_before, began = askers.asked, cpu_ms(pids), time.perf_counter()
        busy += reads.run(_SPAN_SECONDS)
        asked += askers.asked - asked_before
        used += cpu_ms(pids) - used_before
        seconds += time.perf_counter() - began
        askers.ask(0.0)
        time.sleep(_SETTLE_SECONDS)
    return Cost(asked / seconds, used / max(asked, 1), median(busy) / median(quiet))


def as_json(cost: Cost, processes_asking: float, rate: float, memory: float) -> dict[str, Any]:
    """Return the figures for a rate and a number of processes that keep a connection each, computed from one cost."""
    return {
        "questions_per_second": round(rate, 1),
        "connections": round(processes_asking),
        "cpu_ms_per_question": round(cost.cpu_ms, 3),
        "cpu_share_of_one_core": round(rate * cost.cpu_ms / 1000, 4),
        "memory_mb_per_connection": round(memory, 2),
        "memory_mb": round(processes_asking * memory, 1),
        "read_latency_ratio": round(cost.ratio, 3),
        "measured_questions_per_second": round(cost.rate, 1),
    }
