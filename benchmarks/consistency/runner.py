"""One run of one system: its stack, its clients and its nemesis, and what came of them."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.consistency.checker import Violations, check
from benchmarks.consistency.client import Client, Style
from benchmarks.consistency.crowd import Crowd
from benchmarks.consistency.history import Handover, History
from benchmarks.consistency.nemesis import Nemesis
from benchmarks.consistency.observer import Observer
from benchmarks.consistency.schedule import schedule
from benchmarks.consistency.stack import Content, running_stack
from benchmarks.consistency.topology import Entrance

CLIENTS = 96
THREADS = 12
REGISTERS = 12
_CHECK_SECONDS = 1.0
_EXAMPLES = 2

STYLES = tuple(Style)


@dataclass(frozen=True, slots=True)
class Result:
    """What one system did."""

    operations: int
    violations: Violations
    replica_share: float | None
    replica_share_low_lag: float | None
    http_errors: int

    def as_json(self) -> dict[str, Any]:
        """Return the numbers. A share is null when nothing was read from which it could follow."""
        return {
            "ops": self.operations,
            "violations": self.violations.counts(),
            "lost_writes": len(self.violations.lost_writes),
            "replica_share": _rounded(self.replica_share),
            "replica_share_low_lag": _rounded(self.replica_share_low_lag),
            "http_errors": self.http_errors,
        }


def run(system: str, seconds: float, seed: int, say: Callable[[str], None]) -> Result:
    """Measure one system for so many seconds under the schedule of this seed."""
    history, entrance = History(), Entrance()
    content = Content(
        registers=tuple(f"register-{number}" for number in range(REGISTERS)),
        documents=tuple(f"document-{number}" for number in range(CLIENTS)),
        users=tuple(f"{_style(number)}-{number}" for number in range(CLIENTS)),
    )
    with running_stack(system, content, say) as stack:
        clients = [
            Client(
                number,
                _style(number),
                url=stack.url,
                registers=content.registers,
                documents=content.documents,
                history=history,
                seed=seed,
            )
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.sign_in()
        # What is measured is lag under traffic, not that of the sign-in.
        stack.cluster.wait_for_replay()
        say(f"{CLIENTS} clients in {THREADS} threads for {seconds:g} s")
        with ExitStack() as work:
            observer = work.enter_context(Observer(stack.topology, stack.cluster.servers))
            crowd = work.enter_context(Crowd(clients, THREADS, entrance))
            nemesis = work.enter_context(Nemesis(schedule(seed, seconds), stack.topology, stack.relay, entrance, say))
            begin = time.monotonic()
            while time.monotonic() < begin + seconds:
                time.sleep(min(_CHECK_SECONDS, max(0.0, begin + seconds - time.monotonic())))
                nemesis.check()
                crowd.check()
        nemesis.check()
        crowd.check()
        final = Handover(float("inf"), stack.topology.versions())
        handovers = [*nemesis.handovers, final]
    violations = check(history.operations(), handovers)
    result = Result(
        operations=history.answers,
        violations=violations,
        replica_share=observer.overall.replica_share,
        replica_share_low_lag=observer.low_lag.replica_share,
        http_errors=history.errors.total(),
    )
    say(f"{result.operations / seconds:.0f} operations a second, the greatest lag {observer.greatest_lag:.1f} s")
    say(f"lag was low for {observer.low_lag_seconds:.0f} of {seconds:g} s")
    _tell(history, violations, say)
    return result


def _tell(history: History, violations: Violations, say: Callable[[str], None]) -> None:
    """Show some of what went wrong."""
    for error, times in history.errors.most_common():
        say(f"{times} times: {error}")
    for name in violations.counts():
        for violation in getattr(violations, name)[:_EXAMPLES]:
            say(f"{name}: {violation.operation}, after {violation.earlier}")


def _style(number: int) -> Style:
    return STYLES[number % len(STYLES)]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
