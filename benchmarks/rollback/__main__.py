"""`python -m benchmarks.rollback`."""

import argparse
import json
import sys

import psycopg

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.progress import say
from benchmarks.rollback import __doc__ as description
from benchmarks.rollback.entry import bounds
from benchmarks.rollback.faults import FAULTS
from benchmarks.rollback.runner import run
from benchmarks.systems import OWN
from demo.cluster import ClusterError
from demo.processes import ProcessError


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.rollback",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--fault", choices=FAULTS, nargs="+", default=list(FAULTS), help="inject these alone")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    figures = attempt(
        lambda: run(options.fault, lambda text: say(OWN, text)), ClusterError, ProcessError, OSError, psycopg.Error
    )
    if figures is None:
        return FAILED
    result = figures.as_json()
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return status(OWN, missed(bounds(result)))


if __name__ == "__main__":
    sys.exit(main())
