"""Lets every configuration work in turn, round after round, and looks at the servers meanwhile."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.systems import OWN
from benchmarks.throughput import operator
from benchmarks.throughput.configurations import Configuration
from benchmarks.throughput.figures import Figures, Window
from benchmarks.throughput.measures import work
from benchmarks.throughput.spare import Spare
from benchmarks.throughput.stack import Stack, running_stack

if TYPE_CHECKING:
    from benchmarks.throughput.crowd import Report


START_SECONDS = 14.0
SWITCH_SECONDS = 3.0
"""For the last clients to be answered, and until Readshift acts on another share of actors; the mean of all systems."""

SETTLING_SECONDS = 1.0
"""From then on until a window begins, so that queues have formed."""

PAUSE_SECONDS = 1.0
"""Before each request of each client, where nothing holds the servers: what they take can then be compared only while
they do not get into each other's way."""

WINDOW_SECONDS, SHORTEST_WINDOW_SECONDS = 5.0, 1.5
MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """rounds: in which each configuration is measured once, for a window of so many seconds."""

    rounds: int
    window: float


def schedule(seconds: float, configurations: int) -> Schedule:
    """Return what fits into a run of about so many seconds, starting up included. Pure.

    Rounds are added as long as windows stay long: at the ends of each, requests are cut in two, which is noise.
    """
    left = max(0.0, seconds - START_SECONDS) / configurations
    rounds = max(1, min(MOST_ROUNDS, int(left / (SWITCH_SECONDS + SETTLING_SECONDS + WINDOW_SECONDS))))
    return Schedule(rounds, max(SHORTEST_WINDOW_SECONDS, left / rounds - SWITCH_SECONDS - SETTLING_SECONDS))


def run(
    configurations: Sequence[Configuration], planned: Schedule, share: float, say: Callable[[str, str], None]
) -> Figures:
    """Measure all configurations in each round, in an order that changes."""
    systems = list(dict.fromkeys(each.system for each in configurations))
    dice = Random(1)  # noqa: S311 - repeatable
    with running_stack(systems, share, lambda text: say(OWN, text)) as stack:
        say(OWN, f"each server has {share:g} of a processor" if stack.share else f"no server is held: {stack.reason}")
        figures = Figures(stack.share, stack.reason)
        for number in range(planned.rounds):
            for each in dice.sample(configurations, len(configurations)):
                window = _measure(stack, each, planned)
                figures.add(each.name, window)
                say(f"round {number + 1}, {each.name}", _words(window))
    return figures


def _measure(stack: Stack, configuration: Configuration, planned: Schedule) -> Window:
    clients, is_own = stack.clients[configuration.system], configuration.system == OWN
    revision = operator.prepare(configuration) if is_own else 0
    clients.tell("go", configuration.writes, PAUSE_SECONDS if stack.share is None else 0.0)
    if is_own:
        clients.tell("await_policy", revision)
    time.sleep(SETTLING_SECONDS)
    before, spare = stack.meters.read(), Spare(stack.rest)
    clients.tell("count")
    decided = operator.decisions() if is_own else Counter[str]()
    time.sleep(planned.window)
    reports: list[Report] = clients.tell("report")
    after, idle = stack.meters.read(), spare.share()
    clients.tell("rest")
    return Window(
        works=[work(*each) for each in zip(before, after, strict=True)],
        took=[each for report in reports for each in report.took],
        seconds=median(report.seconds for report in reports),
        clients=sum(report.cpu_seconds / report.seconds for report in reports),
        idle=idle,
        errors=sum((report.errors for report in reports), Counter[str]()),
        decisions=operator.decisions() - decided if is_own else decided,
    )


def _words(window: Window) -> str:
    by_server = ", ".join(f"{work.reads:.0f}/s at {work.processors:.3f}" for work in window.works)
    return (
        f"{window.reads:.0f} reads/s ({by_server}), {len(window.took) / window.seconds:.0f} requests/s, clients at "
        f"{window.clients:.2f}, idle {window.idle or 0:.0%}, {dict(window.errors + window.decisions)}"
    )
