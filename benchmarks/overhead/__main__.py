"""`python -m benchmarks.overhead`."""

import argparse
import json
import sys
from random import Random
from typing import Any

import psycopg

from benchmarks.bounds import missed
from benchmarks.idle import Idleness
from benchmarks.outcomes import FAILED, attempt, status
from benchmarks.overhead import __doc__ as description
from benchmarks.overhead.entry import bounds
from benchmarks.overhead.figures import UnsoundError, rounded
from benchmarks.overhead.installing import CONSTANT, NAIVE_WAFFLE, NO_ROUTER
from benchmarks.overhead.instructions import can_count, count_instructions
from benchmarks.overhead.queries import queries_per_request
from benchmarks.overhead.results import results
from benchmarks.overhead.rounds import Findings, take_turns
from benchmarks.overhead.stack import Stack, running_stack
from benchmarks.processes import ProcessError
from benchmarks.progress import say
from benchmarks.systems import OWN, SYSTEMS
from demo.cluster import ClusterError

NAME = "overhead"
ROUNDS = 100
ROUNDS_OF_A_CREW = 25
"""After so many, new processes: two of the same program differ by some percent as long as they live."""
_REQUESTS = 200


def parser() -> argparse.ArgumentParser:
    """Return what takes the command line apart."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--json", action="store_true", help="print the result as one line of JSON, the last line")
    found.add_argument("--rounds", type=int, default=ROUNDS, help="how often each block is measured")
    found.add_argument("--no-instructions", action="store_true", help="do not let Valgrind count")
    return found


def main() -> int:
    """Run what the command line asks for, and return the exit status."""
    options = parser().parse_args()
    if options.rounds < 2:  # noqa: PLR2004 - what a median and an interval need
        parser().error(f"--rounds {options.rounds} measures nothing. Give 2 or more.")
    figures = attempt(
        lambda: _run(options.rounds, counts=not options.no_instructions),
        ClusterError,
        ProcessError,
        UnsoundError,
        TimeoutError,
        OSError,
        psycopg.Error,
    )
    if figures is None:
        return FAILED
    print(json.dumps(figures) if options.json else json.dumps(figures, indent=2))  # noqa: T201 - its output
    return status(NAME, missed(bounds(figures)))


def _run(rounds: int, *, counts: bool) -> dict[str, Any]:
    dice, findings, idleness = Random(rounds), Findings(), Idleness()  # noqa: S311 - a repeatable order
    with running_stack(lambda text: say(NAME, text)) as stack:
        sent: dict[str, float] = {}
        for begun in range(0, rounds, ROUNDS_OF_A_CREW):
            with stack.crew() as crew:
                say(NAME, f"{len(crew)} processes are ready; round {begun + 1} of {rounds}")
                take_turns(crew, min(ROUNDS_OF_A_CREW, rounds - begun), dice, findings)
                idle = idleness.share()
                if not sent:
                    say(NAME, "counting queries")
                    names = (*SYSTEMS, NO_ROUTER, CONSTANT, NAIVE_WAFFLE)
                    sent = {name: queries_per_request(stack.cluster, crew[name], _REQUESTS) for name in names}
        found = results(findings, dice)
        instructions = _instructions(stack) if counts else None
    return rounded(
        {
            **found,
            "extra_queries_per_request": round(sent[OWN] - sent[CONSTANT], 2),
            "queries_per_request": sent,
            "instructions": instructions,
            "rounds": rounds,
            "idle_share": idle,
        }
    )


def _instructions(stack: Stack) -> dict[str, dict[str, int | None]] | None:
    if not can_count():
        say(NAME, "Valgrind is not installed, so that no instructions are counted")
        return None
    say(NAME, "counting instructions")
    try:
        return count_instructions(stack)
    except (ProcessError, TimeoutError) as error:
        # Everything else has been measured by now.
        say(NAME, f"no instructions were counted: {error}")
        return None


if __name__ == "__main__":
    sys.exit(main())
