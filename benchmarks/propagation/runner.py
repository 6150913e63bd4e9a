"""One phase: the services under load, the changes, and what the replica received."""

import time
from collections.abc import Callable
from random import Random

from benchmarks.idle import Idleness
from benchmarks.propagation.figures import Figures, figures_of
from benchmarks.propagation.readers import Readers
from benchmarks.propagation.stack import WORKERS, Stack
from benchmarks.propagation.wire import arrivals

TABLE = "propagation_article"
PRIMARY, REPLICA = "default", "replica1"
_PAUSE_SECONDS = (0.1, 0.6)
"""Between two changes, at least: chosen by dice, so that they fall anywhere between two polls."""

_AFTERMATH_SECONDS = 2.0


def measure(stack: Stack, phase: str, primary: int, changes: int, say: Callable[[str], None]) -> Figures:
    """Make so many changes and return how long they took. primary: the services' way there, as a port."""
    dice = Random(phase)  # noqa: S311 - repeatable pauses
    log = stack.cluster.replicas[0].log
    with (
        stack.services(phase, primary) as ports,
        stack.operator(phase) as operator,
        Readers(ports, WORKERS) as readers,
    ):
        readers.wait_until_all_read(PRIMARY)
        begin, idleness = log.stat().st_size, Idleness()
        made = []
        for number in range(changes):
            time.sleep(dice.uniform(*_PAUSE_SECONDS))
            change = operator.change(0 if number % 2 else 100)
            made.append(change)
            readers.wait_until_all_read(PRIMARY if change.closes else REPLICA)
            if number % 20 == 1:
                say(f"{number + 1} of {changes} changes; {change.text}")
        time.sleep(_AFTERMATH_SECONDS)
        idle, workers = idleness.share(), readers.workers
    with log.open(errors="replace") as lines:
        lines.seek(begin)
        figures = figures_of(made, arrivals(lines, TABLE), workers)
    say(f"{figures.as_json()}")
    if idle is not None:
        say(f"{idle:.0%} of the processors' time was idle")
    return figures
