"""`python -m benchmarks.propagation`."""

import argparse
import json
import sys
from collections.abc import Mapping
from http.client import HTTPException

import psycopg

from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.propagation import __doc__ as description
from benchmarks.propagation.figures import MARGIN_MS, Figures
from benchmarks.propagation.runner import measure
from benchmarks.propagation.stack import SERVICES, WORKERS, running_stack
from benchmarks.systems import OWN
from demo.cluster import ClusterError
from rollout.options import Settings

CHANGES = 200
LISTENER, POLLING = "listener", "without_listener"
BOUNDS_MS = {LISTENER: MARGIN_MS, POLLING: 1000 * Settings().policy_poll_seconds + MARGIN_MS}


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.propagation",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    parser.add_argument("--changes", type=int, default=CHANGES, help="how many changes each phase makes")
    options = parser.parse_args()
    found = attempt(lambda: _run(options.changes), ClusterError, ProcessError, HTTPException, OSError, psycopg.Error)
    if found is None:
        return FAILED
    result = {
        "processes": len(SERVICES) * WORKERS,
        **found[LISTENER].as_json(),
        POLLING: found[POLLING].as_json(),
    }
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return status(OWN, [words for phase, figures in found.items() for words in figures.missed(phase, BOUNDS_MS[phase])])


def _run(changes: int) -> Mapping[str, Figures]:
    with running_stack(lambda text: say(OWN, text)) as stack:
        found = {
            LISTENER: measure(stack, LISTENER, stack.cluster.primary.port, changes, lambda text: say(LISTENER, text))
        }
        with stack.pooler() as port:
            found[POLLING] = measure(stack, POLLING, port, changes, lambda text: say(POLLING, text))
    return found


if __name__ == "__main__":
    sys.exit(main())
