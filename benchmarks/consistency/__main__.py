"""`python -m benchmarks.consistency`."""

import argparse
import json
import sys

from benchmarks.consistency.runner import Result, run
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN, SYSTEMS
from demo.cluster import ClusterError

SHORT_SECONDS = 60.0


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.consistency", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    parser.add_argument("--seconds", type=float, default=SHORT_SECONDS, help="how long each system is measured")
    parser.add_argument("--seed", type=int, default=1, help="of the clients and of the nemesis")
    parser.add_argument("--only", choices=SYSTEMS, action="append", help="measure this system alone; may be repeated")
    options = parser.parse_args()
    results = attempt(
        lambda: {name: _run(name, options.seconds, options.seed) for name in options.only or SYSTEMS},
        ClusterError,
        ProcessError,
        TimeoutError,
    )
    if results is None:
        return FAILED
    if options.json:
        print(json.dumps({name: result.as_json() for name, result in results.items()}))  # noqa: T201 - its output
    else:
        for name, result in results.items():
            print(f"{name}: {json.dumps(result.as_json())}")  # noqa: T201 - its output
    return status(OWN, results[OWN].missed() if OWN in results else [])


def _run(name: str, seconds: float, seed: int) -> Result:
    return run(name, seconds, seed, lambda text: say(name, text))


if __name__ == "__main__":
    sys.exit(main())
