"""`python -m benchmarks.consistency`."""

import argparse
import json
import sys

from benchmarks.bounds import missed
from benchmarks.consistency.entry import bounds
from benchmarks.consistency.runner import Result, run
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN, SYSTEMS
from demo.cluster import ClusterError

SHORT_SECONDS = 60.0


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(prog="python -m benchmarks.consistency", description=__doc__)
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=SHORT_SECONDS, help="how long each system is measured")
    found.add_argument("--seed", type=int, default=1, help="of the clients and of the nemesis")
    found.add_argument("--only", choices=SYSTEMS, action="append", help="measure this system alone; may be repeated")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    found = attempt(
        lambda: {name: _run(name, options.seconds, options.seed) for name in options.only or SYSTEMS},
        ClusterError,
        ProcessError,
        TimeoutError,
    )
    if found is None:
        return FAILED
    results = {name: result.as_json() for name, result in found.items()}
    if options.json:
        print(json.dumps(results))  # noqa: T201 - its output
    else:
        for name, result in results.items():
            print(f"{name}: {json.dumps(result)}")  # noqa: T201 - its output
    return status(OWN, missed(bounds(results)))


def _run(name: str, seconds: float, seed: int) -> Result:
    return run(name, seconds, seed, lambda text: say(name, text))


if __name__ == "__main__":
    sys.exit(main())
