"""`python -m benchmarks.scale`."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.progress import say
from benchmarks.scale import __doc__ as description
from benchmarks.scale import listeners, memory, reload, writers
from benchmarks.scale.computed import PROCESSES, READS_PER_SECOND, RULES, Large
from benchmarks.scale.entry import bounds
from benchmarks.scale.mix import Mix
from benchmarks.scale.project import Site, prepare
from demo.cluster import Cluster, ClusterError, Server, default_root
from rollout.options import Settings

FULL_SECONDS = 120.0
_WRITING_SECONDS = 20.0
_LEAST = 0.1
_SPARE_CONNECTIONS = 50
_SETTINGS = {"max_connections": str(PROCESSES + _SPARE_CONNECTIONS), "shared_buffers": "256MB"}


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=FULL_SECONDS, help="about how long; 45 is the short form")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    figures = attempt(lambda: _measure(options.seconds), ClusterError, TimeoutError, OSError, EOFError, psycopg.Error)
    if figures is None:
        return FAILED
    if options.json:
        print(json.dumps(figures))  # noqa: T201 - its output
    else:
        for name, numbers in figures.items():
            print(f"{name}: {json.dumps(numbers)}")  # noqa: T201 - its output
    return status("scale", missed(bounds(figures)))


def _measure(seconds: float) -> dict[str, Any]:
    share = max(_LEAST, seconds / FULL_SECONDS)
    mix = Mix(READS_PER_SECOND / PROCESSES)
    with Cluster(default_root("scale"), replicas=0, settings=_SETTINGS) as cluster:
        site, primary = Site(cluster.primary.port), cluster.primary
        site.configure()
        prepare()
        found = {
            "reload": _told("reload", lambda: reload.measure(primary, site)),
            "idle": _told("idle", lambda: _idle(primary)),
            "statistics": _told("statistics", lambda: writers.measure(primary, site, mix, _WRITING_SECONDS * share)),
            "merge": _told("merge", lambda: writers.merge(primary, round(writers.MERGED_ROWS * min(1.0, share)))),
            "memory": _told("memory", lambda: memory.measure(primary, site, reload.SIZES, Settings().max_series)),
        }
    return {**found, "computed": _told("computed", lambda: _compute(found, mix))}


def _idle(primary: Server) -> dict[str, Any]:
    with listeners.listening(primary, PROCESSES) as connections:
        return listeners.measure(primary, connections)


def _compute(found: dict[str, Any], mix: Mix) -> dict[str, Any]:
    from rollout.arm_history import MERGED_AFTER  # noqa: PLC0415 - they need settings
    from rollout.rollup import GATHERING, STEPS  # noqa: PLC0415

    gathered, arms = GATHERING.after.total_seconds(), MERGED_AFTER.total_seconds()
    large, settings = Large(PROCESSES, RULES, mix.distinct_rows, gathered, arms, STEPS), Settings()
    return {
        "processes": large.processes,
        "rules": large.rules,
        "reads_per_second": READS_PER_SECOND,
        "change": large.change(found["reload"], found["idle"]["notify"]),
        "background": large.background(found["reload"], found["idle"], settings),
        "statistics": {
            pause: large.statistics(flush, found["merge"], float(pause)) for pause, flush in found["statistics"].items()
        },
        "kept": large.kept(found["merge"], settings),
    }


def _told(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    found = measure()
    say(name, json.dumps(found))
    return found


if __name__ == "__main__":
    sys.exit(main())
