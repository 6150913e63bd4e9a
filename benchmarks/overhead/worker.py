"""A process with one system: it measures a block for each line that it reads, and answers with a line of JSON."""

import gc
import json
import sys
import time
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import django

from benchmarks.overhead.blocks import Answer, Block, What
from benchmarks.overhead.content import FLAG

if TYPE_CHECKING:
    from benchmarks.overhead.loops import Work
    from benchmarks.overhead.visits import Visits


class Bench:
    """Measures blocks."""

    def __init__(self, work: "Work", visits: "Visits") -> None:
        self._work = work
        self._visits = visits

    def begin(self, session: str) -> None:
        """Ask as the client with this session from now on."""
        # Waffle's own cookie says that the flag is on for this client, as it does from the second request on.
        self._visits.become(f"sessionid={session}; dwf_{FLAG}=True")

    def measure(self, block: Block, times: int) -> Answer:
        """Repeat it so often, and return how long it took each time."""
        work = self._work
        work.reads = block.reads
        # One more than is timed.
        work.times = times + 1 if block.is_within_a_request else 1
        page = "empty" if block.what is What.REQUEST else "page"
        taken = self._time(page, 1 if block.is_within_a_request else times, is_async=block.is_async)
        if block.is_within_a_request:
            return Answer(work.nanoseconds / times, work.aliases, work.cpu / times)
        return Answer(taken / times, frozenset() if block.what is What.REQUEST else work.aliases)

    def _time(self, page: str, times: int, *, is_async: bool) -> int:
        visits = self._visits
        began = time.perf_counter_ns()
        if is_async:
            visits.visit_async(f"/async-{page}", times)
        else:
            visits.visit(f"/{page}", times)
        return time.perf_counter_ns() - began


def main() -> None:
    """Answer until there is no further line."""
    django.setup()
    from benchmarks.overhead.loops import at_hand  # noqa: PLC0415 - they need models
    from benchmarks.overhead.visits import Visits  # noqa: PLC0415

    with closing(Visits()) as visits:
        _answer_all(Bench(at_hand, visits))


def _answer_all(bench: Bench) -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = {}
        if "session" in asked:
            bench.begin(asked["session"])
        elif "freeze" in asked:
            # What has been loaded lives as long as the process; workers that are forked do not look at it again either.
            gc.collect()
            gc.freeze()
        else:
            found = bench.measure(Block(What(asked["what"]), asked["is_async"]), asked["times"])
            answer = {**asdict(found), "aliases": sorted(found.aliases)}
        print(json.dumps(answer), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
