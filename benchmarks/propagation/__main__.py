"""`python -m benchmarks.propagation`."""

import argparse
import json
import sys
from collections.abc import Collection, Mapping
from http.client import HTTPException
from typing import Any

import psycopg

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.propagation import __doc__ as description
from benchmarks.propagation.entry import LISTENER, PHASES, POLLING, bounds
from benchmarks.propagation.figures import Figures
from benchmarks.propagation.runner import measure
from benchmarks.propagation.stack import SERVICES, WORKERS, running_stack
from benchmarks.systems import OWN
from demo.cluster import ClusterError

CHANGES = 200


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.propagation",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--changes", type=int, default=CHANGES, help="how many changes each phase makes")
    found.add_argument("--phase", choices=PHASES, nargs="+", default=list(PHASES), help="run these alone")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    found = attempt(
        lambda: _run(options.changes, options.phase), ClusterError, ProcessError, HTTPException, OSError, psycopg.Error
    )
    if found is None:
        return FAILED
    result: dict[str, Any] = {"processes": len(SERVICES) * WORKERS}
    if LISTENER in found:
        result |= found[LISTENER].as_json()
    if POLLING in found:
        result[POLLING] = found[POLLING].as_json()
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return status(OWN, missed(bounds(result)))


def _run(changes: int, phases: Collection[str]) -> Mapping[str, Figures]:
    found = {}
    with running_stack(lambda text: say(OWN, text)) as stack:
        if LISTENER in phases:
            port = stack.cluster.primary.port
            found[LISTENER] = measure(stack, LISTENER, port, changes, lambda text: say(LISTENER, text))
        if POLLING in phases:
            with stack.pooler() as port:
                found[POLLING] = measure(stack, POLLING, port, changes, lambda text: say(POLLING, text))
    return found


if __name__ == "__main__":
    sys.exit(main())
