"""The demo's own proof: moves the catalogue to the replicas and back, and asks the servers whether it went."""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from demo.operator import Operator
from demo.stack import DATABASE, Seed, Stack, running_stack
from demo.traffic import DEFAULT_MIX, READ_MIX, Traffic

SEED = Seed(products=2_000, reviews=4_000, users=400, orders=800)
TABLES = '"shop_'
"""What every statement on the shop's tables contains, as the ORM quotes them."""

FOREIGN_KEY_CHECK = " FROM ONLY "
"""What the server's own statements contain, with which it checks foreign keys at the end of a transaction."""

WARM_UP_SECONDS = 3.0
"""Longer than a process may take to hear of a change when its notification is lost, and than it then waits for replicas
to show what actors saw on the primary before."""

MEASURED_SECONDS = 3.5
MIXED_SECONDS = 4.0
VISITORS = 400
LARGEST_COUNTER_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class Phase:
    """One state of the catalogue's flag and the kill switch, with the share of reads that replicas must then serve."""

    percent: int
    least: float
    most: float
    kill_switch: str = "on"


PHASES = (
    Phase(0, 0.0, 0.0),
    Phase(50, 0.40, 0.60),
    Phase(100, 0.95, 1.0),
    Phase(100, 0.0, 0.0, kill_switch="off"),
)


@dataclass(slots=True)
class Outcome:
    """What was measured, and in words what is not as it should be."""

    phases: list[dict[str, Any]] = field(default_factory=list)
    counter_error: float = 1.0
    http_errors: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(
            {
                "phases": self.phases,
                "counter_error": round(self.counter_error, 5),
                "http_errors": self.http_errors,
                "seconds": round(self.seconds, 1),
            }
        )


def run_smoke(say: Callable[[str], None]) -> Outcome:
    """Run the demo without a browser and measure it."""
    outcome = Outcome()
    started = time.monotonic()
    with running_stack(SEED, say, quiet=True) as stack:
        with closing(Operator(stack.url, "admin", "admin")) as operator:
            for phase in PHASES:
                operator.set_kill_switch(phase.kill_switch)
                operator.set_share("shop:product-list", phase.percent)
                _measure(stack, phase, outcome, say)
            operator.set_kill_switch("on")
        say("Visitors who also buy and write reviews")
        _visit(stack, outcome, Traffic(stack.url, users=VISITORS, rate=None, mix=DEFAULT_MIX), MIXED_SECONDS)
        stack.check()
        # Stopped processes have written their last counts.
        for process in stack.processes:
            process.stop()
        outcome.counter_error = _counter_error(_served(stack), _counted(stack))
    if outcome.counter_error > LARGEST_COUNTER_ERROR:
        outcome.failures.append(f"Our counts differ from the servers' by {outcome.counter_error:.2%}.")
    outcome.seconds = time.monotonic() - started
    return outcome


def _measure(stack: Stack, phase: Phase, outcome: Outcome, say: Callable[[str], None]) -> None:
    say(f"Catalogue at {phase.percent} %, kill switch {phase.kill_switch}")
    traffic = Traffic(stack.url, users=VISITORS, rate=None, mix=READ_MIX, customers=0)
    before: Counter[str] = Counter()
    _visit(stack, outcome, traffic, MEASURED_SECONDS, after_warm_up=lambda: before.update(_served(stack)))
    served = _served(stack)
    served.subtract(before)
    reads = served.total()
    share = (reads - served["primary"]) / reads if reads else 0.0
    outcome.phases.append(
        {
            "percent": phase.percent,
            "kill_switch": phase.kill_switch,
            "replica_share": round(share, 4),
            "reads": reads,
        }
    )
    if not reads or not phase.least <= share <= phase.most:
        outcome.failures.append(
            f"At {phase.percent} % with the kill switch {phase.kill_switch}, replicas served {share:.1%} of {reads} "
            f"reads; it should be {phase.least:.0%} to {phase.most:.0%}."
        )


def _visit(
    stack: Stack, outcome: Outcome, traffic: Traffic, seconds: float, after_warm_up: Callable[[], None] = lambda: None
) -> None:
    with traffic:
        time.sleep(WARM_UP_SECONDS)
        after_warm_up()
        time.sleep(seconds)
    report = traffic.report()
    outcome.http_errors += report.errors
    outcome.failures += report.failures
    stack.check()


def _served(stack: Stack) -> Counter[str]:
    """Return how many statements on the shop's tables each server ran, by its own statistics."""
    return Counter(
        {
            server.name: sum(
                calls for statement, calls in server.statements(TABLES).items() if FOREIGN_KEY_CHECK not in statement
            )
            for server in stack.cluster.servers
        }
    )


def _counted(stack: Stack) -> Counter[str]:
    """Return the same by our own counts."""
    rows = stack.cluster.primary.query(
        "SELECT CASE alias WHEN 'default' THEN 'primary' ELSE alias END, sum(count)::bigint FROM readshift_tally "
        "WHERE kind IN ('read', 'write') AND model LIKE 'shop.%' GROUP BY 1",
        dbname=DATABASE,
    )
    return Counter(dict(rows))


def _counter_error(served: Counter[str], counted: Counter[str]) -> float:
    """Return the sum of the differences on all servers, relative to what they served."""
    differences = sum(abs(served[name] - counted[name]) for name in served | counted)
    return differences / max(1, served.total())
