"""Reads of all shapes under constant writes, on standbys that are well and more or less behind: none differs."""

import time

from benchmarks.progress import say
from benchmarks.shadow.clients import Clients, paths_of
from benchmarks.shadow.figures import Figures
from benchmarks.shadow.lags import changing_lags
from benchmarks.shadow.reports import Reports, compared, tell, wait_until_compared
from benchmarks.shadow.stack import Stack
from rollout.outcomes import Outcome

CLIENTS = 8
RATE = 110.0
WORKERS = 14
"""They mostly wait for standbys that are behind."""

# So many reads wait for a worker when the clients rest: what was captured long ago says less.
_MOST_OPEN = 1_000
_SLOWEST_RATE = 15.0
_END_SECONDS = 120.0
_WORDS_EVERY_SECONDS = 20.0


def run(stack: Stack, comparisons: int) -> Figures:
    """Go on until so many reads were compared, or it takes too long."""
    reports, since = stack.reports, stack.reports.last()
    try:
        with stack.broker(), stack.worker(f"--concurrency={WORKERS}"), stack.web() as url, stack.writer():
            with (
                changing_lags(stack.cluster.replicas, seed=1),
                Clients(url, paths_of(url), clients=CLIENTS, rate=RATE) as clients,
            ):
                _await(clients, reports, since, comparisons)
            say("healthy", f"{clients.requests} requests; waiting for the last comparisons")
            stack.settle()
            wait_until_compared(reports, since, 0, _END_SECONDS)
    finally:
        stack.settle()
    found = reports.read(since)
    tell("healthy", found, clients.errors)
    divergent = [report for report in found if report.outcome == Outcome.DIVERGENT]
    return Figures(
        comparisons=compared(found),
        false_divergent=len(divergent),
        inconclusive=len(found) - compared(found) - sum(report.is_left_out for report in found),
        http_errors=clients.errors.total(),
    )


def _await(clients: Clients, reports: Reports, since: int, comparisons: int) -> None:
    begin = told = time.monotonic()
    while time.monotonic() < begin + comparisons / _SLOWEST_RATE:
        time.sleep(1)
        done, left = reports.progress(since)
        clients.pause(left > _MOST_OPEN)
        if time.monotonic() > told + _WORDS_EVERY_SECONDS:
            told = time.monotonic()
            say("healthy", f"{done} done, {left} open")
        # Some of them are left out, which is not known before the end.
        if done >= comparisons and compared(reports.read(since)) >= comparisons:
            return
