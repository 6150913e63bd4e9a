"""`python -m benchmarks.throughput`."""

import argparse
import json
import sys

import psycopg

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN
from benchmarks.throughput import __doc__ as description
from benchmarks.throughput.clients import ClientsError
from benchmarks.throughput.configurations import configurations
from benchmarks.throughput.entry import bounds
from benchmarks.throughput.runner import run, schedule
from demo.cluster import ClusterError

FULL_SECONDS = 420.0
LONG_SECONDS = 300.0
"""From here on there is time for writes as well."""

CPU_SHARE = 0.2
LEAST_SHARE = 0.02
"""Of a period, the system gives no less."""


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=FULL_SECONDS, help="about how long; 60 is the short form")
    found.add_argument("--share", type=float, default=CPU_SHARE, help="of one processor, for each server")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    if not LEAST_SHARE <= options.share <= 1:
        parser().error(f"--share {options.share} is no share that a server can be held to. Give {LEAST_SHARE} to 1.")
    chosen = list(configurations(writes=options.seconds >= LONG_SECONDS).values())
    figures = attempt(
        lambda: run(chosen, schedule(options.seconds, len(chosen)), options.share, say),
        ClusterError,
        ProcessError,
        ClientsError,
        TimeoutError,
        OSError,
        psycopg.Error,
    )
    if figures is None:
        return FAILED
    result = figures.as_json()
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))  # noqa: T201 - its output
    found = bounds(result)
    for bound in found:
        if bound.unjudged:
            say(OWN, f"{bound.figure} is not judged: {bound.unjudged}")
    unsound = list(figures.unsound())
    for words in unsound:
        say("failed", words)
    return FAILED if unsound else status(OWN, missed(found))


if __name__ == "__main__":
    sys.exit(main())
