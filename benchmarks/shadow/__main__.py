"""`python -m benchmarks.shadow`."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

import psycopg

from benchmarks.bounds import missed
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.shadow import __doc__ as description
from benchmarks.shadow import healthy, memory, overhead, planted, staleness
from benchmarks.shadow.entry import bounds
from benchmarks.shadow.figures import FEWEST_COMPARISONS, Figures, UnsoundError
from benchmarks.shadow.stack import Stack, running_stack
from benchmarks.systems import OWN
from demo.cluster import ClusterError

FULL_SECONDS = 600.0
_STALENESS_SECONDS = 25.0
_OVERHEAD_SECONDS = 90.0
_BROKER_DOWN_SECONDS = 45.0
_LEAST = 0.05

Phase = Callable[[Stack], Figures]


def phases(seconds: float) -> Mapping[str, Phase]:
    """Return the phases of a run of about so many seconds, by name and in order."""
    share = max(_LEAST, seconds / FULL_SECONDS)
    return {
        "healthy": lambda stack: healthy.run(stack, comparisons(seconds)),
        "staleness": lambda stack: staleness.run(stack, _STALENESS_SECONDS * share),
        "planted": planted.run,
        "overhead": lambda stack: overhead.run(stack, _OVERHEAD_SECONDS * share),
        "broker_down": lambda stack: overhead.run_without_broker(stack, _BROKER_DOWN_SECONDS * share),
        "memory": memory.run,
    }


def comparisons(seconds: float) -> int:
    """Return how many comparisons a run of about so many seconds makes at least."""
    return round(FEWEST_COMPARISONS * max(_LEAST, seconds / FULL_SECONDS))


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    known = phases(FULL_SECONDS)
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.shadow",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--seconds", type=float, default=FULL_SECONDS, help="about how long all phases take")
    found.add_argument("--phase", choices=known, nargs="+", default=list(known), help="run these alone")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    figures = attempt(
        lambda: _run(phases(options.seconds), options.phase),
        ClusterError,
        ProcessError,
        UnsoundError,
        OSError,
        psycopg.Error,
    )
    if figures is None:
        return FAILED
    result = {**figures.as_json(), "fewest_comparisons": comparisons(options.seconds)}
    print(json.dumps(result) if options.json else result)  # noqa: T201 - its output
    return status(OWN, missed(bounds(result)))


def _run(known: Mapping[str, Phase], chosen: Sequence[str]) -> Figures:
    figures = Figures()
    with running_stack(lambda text: say(OWN, text)) as stack:
        for name, phase in known.items():
            if name in chosen:
                say(OWN, f"{name} begins")
                found = phase(stack)
                say(name, json.dumps({key: value for key, value in found.as_json().items() if value is not None}))
                figures = figures.with_phase(found)
    return figures


if __name__ == "__main__":
    sys.exit(main())
