"""`python -m benchmarks.failover`."""

import argparse
import json
import sys
from collections.abc import Sequence

import psycopg

from benchmarks.bounds import missed
from benchmarks.failover import __doc__ as description
from benchmarks.failover.entry import bounds
from benchmarks.failover.figures import Figures
from benchmarks.failover.runner import measure
from benchmarks.failover.scenarios import Scenario, scenarios
from benchmarks.failover.stack import running_stack
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN, SYSTEMS
from demo.cluster import ClusterError

FAULT_SECONDS = 12.0


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    known = scenarios()
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.failover",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=FAULT_SECONDS, help="how long each fault lasts")
    found.add_argument("--only", choices=SYSTEMS, action="append", help="measure this system alone; may be repeated")
    found.add_argument("--scenario", choices=known, nargs="+", default=list(known), help="measure these alone")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    chosen = [scenario for name, scenario in scenarios().items() if name in options.scenario]
    results = attempt(
        lambda: {name: _run(name, chosen, options.seconds) for name in options.only or SYSTEMS},
        ClusterError,
        ProcessError,
        OSError,
        EOFError,
        psycopg.Error,
    )
    if results is None:
        return FAILED
    figures = {
        name: {scenario: figures.as_json() for scenario, figures in result.items()} for name, result in results.items()
    }
    if options.json:
        print(json.dumps(figures))  # noqa: T201 - its output
    else:
        for name, result in figures.items():
            for scenario, numbers in result.items():
                print(f"{name} {scenario}: {json.dumps(numbers)}")  # noqa: T201 - its output
    return status(OWN, missed(bounds(figures)))


def _run(name: str, chosen: Sequence[Scenario], seconds: float) -> dict[str, Figures]:
    with running_stack(name, lambda text: say(name, text)) as stack:
        return {scenario.name: measure(stack, scenario, seconds, lambda text: say(name, text)) for scenario in chosen}


if __name__ == "__main__":
    sys.exit(main())
