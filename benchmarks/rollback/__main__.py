"""`python -m benchmarks.rollback`."""

import argparse
import json
import signal
import sys

import psycopg

from benchmarks.progress import say
from benchmarks.rollback import __doc__ as description
from benchmarks.rollback.faults import FAULTS
from benchmarks.rollback.runner import run
from benchmarks.systems import OWN
from demo.cluster import ClusterError
from demo.processes import ProcessError


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rollback",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    parser.add_argument("--fault", choices=FAULTS, nargs="+", default=list(FAULTS), help="inject these alone")
    options = parser.parse_args()
    # A terminated run stops its servers like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        figures = run(options.fault, lambda text: say(OWN, text))
    except (ClusterError, ProcessError, OSError, psycopg.Error) as error:
        say("failed", str(error) or type(error).__name__)
        return 2
    except KeyboardInterrupt:
        say("stopped", "nothing was measured")
        return 2
    missed = tuple(figures.missed())
    for bound in missed:
        say(OWN, f"missed: {bound}")
    result = figures.as_json()
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
