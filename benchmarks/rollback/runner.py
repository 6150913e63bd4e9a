"""Runs the demo, holds the catalogue at one stage, and breaks one replica after the other."""

import time
from collections.abc import Callable, Sequence

from benchmarks.rollback import operator, served
from benchmarks.rollback.faults import FAULTS
from benchmarks.rollback.figures import Figures, Rollback
from demo.smoke import SEED
from demo.stack import Stack, running_stack
from demo.traffic import READ_MIX, Traffic
from demo.waiting import wait_until

RATE = 90.0
"""Requests in a second, of which a quarter is served by replicas: a small shop."""

_SETTLING_SECONDS = 20.0
_PATIENCE_SECONDS = 60.0
_CALM_SECONDS = 2.0
_CATCHING_UP_SECONDS = 60.0
_VISITORS = 400


def run(faults: Sequence[str], say: Callable[[str], None]) -> Figures:
    """Inject these faults in turn, each into another replica, and return how each ended."""
    figures = Figures()
    with running_stack(SEED, say, quiet=True) as stack:
        operator.sign_in()
        traffic = Traffic(stack.url, users=_VISITORS, rate=RATE, mix={**READ_MIX, "shop:cart-add": 5}, customers=0.4)
        with traffic:
            for number, fault in enumerate(faults):
                figures.rollbacks.append(_one(stack, fault, number, say))
        report = traffic.report()
        figures.http_errors = report.errors
        for failure in report.failures:
            say(failure)
    return figures


def _one(stack: Stack, fault: str, number: int, say: Callable[[str], None]) -> Rollback:
    bad = stack.cluster.replicas[number % len(stack.cluster.replicas)]
    plan = operator.start_plan()
    say(f"{fault}: the catalogue is at {operator.percent(plan):g} %")
    # What both arms are like when all is well is learned first.
    time.sleep(_SETTLING_SECONDS)
    stack.check()
    before, percent = served.reads(bad), operator.percent(plan)
    if reason := operator.end_of(plan):
        raise TimeoutError(f"The plan ended before the fault was injected: {reason}")
    began = served.now(stack.cluster.primary)
    say(f"{fault}: injected into {bad.name}")
    with FAULTS[fault](bad):
        try:
            wait_until(lambda: operator.end_of(plan), _PATIENCE_SECONDS, "the plan to take itself back")
        except TimeoutError:
            say(f"{fault}: not taken back; {operator.verdicts(plan)}")
            return Rollback(fault, None, served.reads(bad) - before, percent, {})
        # Reads that were under way reach the servers yet.
        time.sleep(_CALM_SECONDS)
    times = [at for at in map(served.last_read, stack.cluster.replicas) if at is not None]
    seconds = (max(times) - began).total_seconds()
    affected = served.reads(bad) - before
    event = operator.event_of(plan)
    say(f"{fault}: taken back after {seconds:.1f} s, {affected} reads: {event['why']}")
    stack.cluster.wait_for_replay(_CATCHING_UP_SECONDS)
    return Rollback(fault, round(seconds, 2), affected, percent, event)
