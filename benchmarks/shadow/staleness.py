"""Standbys that are behind by a known time: what is reported as their staleness is that time."""

import time
from statistics import median

from benchmarks.progress import say
from benchmarks.shadow.clients import Clients
from benchmarks.shadow.figures import DELAY_MS, Figures, UnsoundError
from benchmarks.shadow.reports import tell, wait_until_compared
from benchmarks.shadow.stack import Stack
from rollout.outcomes import Outcome

WORKERS = 8
_CLIENTS = 4
_RATE = 8.0
_WRITES = 50.0
_END_SECONDS = 60.0


def run(stack: Stack, seconds: float) -> Figures:
    """Read a row that is written all the time, for so long."""
    reports, since = stack.reports, stack.reports.last()
    try:
        with (
            stack.broker(),
            stack.worker(f"--concurrency={WORKERS}"),
            stack.web() as url,
            stack.writer("--only=count", f"--rate={_WRITES}"),
        ):
            for replica in stack.cluster.replicas:
                replica.set_apply_delay(DELAY_MS / 1000)
            # What was committed before is not behind by the delay.
            time.sleep(DELAY_MS / 1000)
            with Clients(url, ["counter"], clients=_CLIENTS, rate=_RATE) as clients:
                time.sleep(seconds)
            wait_until_compared(reports, since, 0, _END_SECONDS)
    finally:
        stack.settle()
    found = reports.read(since)
    tell("staleness", found, clients.errors)
    staleness = [report.staleness_ms for report in found if report.outcome == Outcome.CAUGHT_UP]
    known = sorted(milliseconds for milliseconds in staleness if milliseconds is not None)
    if not known:
        raise UnsoundError("No read of a row that is written all the time was found stale. See the worker's log.")
    say("staleness", f"from {known[0]:.0f} to {known[-1]:.0f} ms in {len(known)} reads")
    return Figures(staleness_ms_median=median(known), http_errors=clients.errors.total())
