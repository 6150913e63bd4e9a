"""`python -m benchmarks.soak`."""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from threading import Event
from typing import Any

import psycopg

from benchmarks.bounds import missed
from benchmarks.failover.history import History, Kind
from benchmarks.failover.load import Load
from benchmarks.failover.measures import percentile
from benchmarks.failover.scenarios import Scenario
from benchmarks.failover.site import ALIASES
from benchmarks.failover.stack import KEYS, running_stack
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.soak import __doc__ as description
from benchmarks.soak.entry import bounds
from benchmarks.soak.gauges import Gauges, Growth, Reading, growth
from benchmarks.soak.nemesis import hold, torment
from benchmarks.systems import OWN
from demo.cluster import ClusterError

LONG_SECONDS = 600.0
WARM_UP_SECONDS = 60.0


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=LONG_SECONDS, help="how long the servers are tormented")
    found.add_argument("--seed", type=int, default=1, help="of the nemesis")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    found = attempt(
        lambda: soak(options.seconds, options.seed), ClusterError, ProcessError, OSError, EOFError, psycopg.Error
    )
    if found is None:
        return FAILED
    result = {OWN: found}
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return status(OWN, missed(bounds(result)))


def soak(seconds: float, seed: int) -> dict[str, Any]:
    """Torment the servers for so long under load, and return what it did to clients and workers."""
    history, stopped = History(), Event()
    with ExitStack() as work:
        stack = work.enter_context(running_stack(OWN, lambda text: say(OWN, text)))
        web = work.enter_context(stack.web(Scenario("soak", hold)))
        load = work.enter_context(Load(web.url, KEYS, history))
        gauges = work.enter_context(Gauges(stack.site))
        nemesis = work.enter_context(ThreadPoolExecutor(1)).submit(
            torment, stack.site, seed, stopped, lambda text: say(OWN, text)
        )
        begin = time.monotonic()
        try:
            while time.monotonic() < begin + seconds and not nemesis.done():
                time.sleep(1)
                load.check()
        finally:
            stopped.set()
        faults = nemesis.result()
        readings = list(gauges.readings)
    load.check()
    for error, times in history.errors.most_common():
        say(OWN, f"{times} times {error}")
    return _result(history, faults, readings, begin)


def _result(history: History, faults: Counter[str], readings: list[Reading], begin: float) -> dict[str, Any]:
    reads = [request for request in history.since(0) if request.kind is Kind.READ]
    took = [read.took_ms for read in reads]
    end = readings[-1].at if readings else begin
    since = begin + min(WARM_UP_SECONDS, (end - begin) / 4)
    late = [reading for reading in readings if reading.at >= since]
    connections = {
        alias: [(reading.at, reading.connections[alias]) for reading in late if alias in reading.connections]
        for alias in ALIASES
    }
    return {
        "seconds": round(end - begin),
        "reads": len(reads),
        "failed": sum(not read.is_ok for read in reads),
        "p99_ms": percentile(took, 0.99),
        "max_ms": max(took, default=None),
        "faults": dict(faults),
        "connections": {alias: _rounded(growth(values, since, end)) for alias, values in connections.items()},
        "memory_mb": _rounded(growth([(reading.at, reading.memory_mb) for reading in late], since, end)),
        "files": _rounded(growth([(reading.at, reading.files) for reading in late], since, end)),
    }


def _rounded(found: Growth | None) -> dict[str, float] | None:
    return None if found is None else {name: round(value, 1) for name, value in asdict(found).items()}


if __name__ == "__main__":
    sys.exit(main())
