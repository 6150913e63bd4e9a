"""Differences that were planted on a logical subscriber: each is found, and called what it is."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.progress import say
from benchmarks.shadow.clients import ask_once
from benchmarks.shadow.figures import Figures, UnsoundError
from benchmarks.shadow.reports import Report, by_outcome, wait_until_compared
from benchmarks.shadow.stack import Stack
from benchmarks.shadow.subscriber import Fault, plant, subscribed
from rollout.outcomes import Outcome

READS = 3
"""How often each is read before and after."""

_WORKERS = 4
_COMPARE_SECONDS = 120.0
_HARMLESS = {Outcome.EQUAL, Outcome.CAUGHT_UP}


def run(stack: Stack) -> Figures:
    """Read what is still equal, plant the faults, and read it again."""
    with subscribed(stack.cluster.primary) as (server, faults):
        here = replace(stack, more={"SHADOW_SUBSCRIBER": str(server.port)})
        here.prepare()
        with here.broker(), here.worker(f"--concurrency={_WORKERS}"), here.web() as url, here.writer():
            before, errors = _read(here, url, faults)
            for name, reports in before.items():
                if not {report.outcome for report in reports} <= _HARMLESS:
                    raise UnsoundError(f"Before anything was planted, reads of {name} were not equal: {reports}")
            for fault in faults:
                plant(server, fault)
            after, more_errors = _read(here, url, faults)
    return Figures(
        planted=len(faults),
        found=sum(is_found(after[fault.name]) for fault in faults),
        causes_right=sum(is_right(fault, after[fault.name]) for fault in faults),
        http_errors=errors + more_errors,
    )


def _read(stack: Stack, url: str, faults: Sequence[Fault]) -> tuple[dict[str, list[Report]], int]:
    """Read each of these, and return how that was reported and how many requests failed."""
    reports, since = stack.reports, stack.reports.last()
    errors = ask_once(url, [f"planted/{fault.name}" for fault in faults for _ in range(READS)])
    wait_until_compared(reports, since, len(faults) * READS - errors.total(), _COMPARE_SECONDS)
    found = {fault.name: reports.read(since, f"planted-{fault.name}") for fault in faults}
    for name, those in found.items():
        say("planted", f"{name}: {dict(by_outcome(those))}")
    return found, errors.total()


def is_found(reports: Sequence[Report]) -> bool:
    """Say whether every read was reported as divergent."""
    return bool(reports) and all(report.outcome == Outcome.DIVERGENT for report in reports)


def is_right(fault: Fault, reports: Sequence[Report]) -> bool:
    """Say whether every read was, besides, for the right cause."""
    return is_found(reports) and all(report.cause == fault.cause for report in reports)
