"""One system in one scenario: its web server, its clients and the fault, and what came of them."""

import time
from collections.abc import Callable

from benchmarks.failover.attempts import Log
from benchmarks.failover.figures import AFTERMATH_SECONDS, Figures, figures_of
from benchmarks.failover.history import History
from benchmarks.failover.load import Load
from benchmarks.failover.measures import seconds_to_return
from benchmarks.failover.scenarios import Scenario
from benchmarks.failover.site import REPLICAS
from benchmarks.failover.stack import KEYS, Stack
from benchmarks.idle import Idleness
from demo.waiting import wait_until

STEADY_SECONDS = 4.0
RETURN_SECONDS = 15.0
_WARM_UP_SECONDS = 30.0
_LOOK_SECONDS = 0.5


def measure(stack: Stack, scenario: Scenario, seconds: float, say: Callable[[str], None]) -> Figures:
    """Let the fault last so long under load, and return what it did to the clients."""
    history = History()
    with stack.web(scenario) as web:
        with Load(web.url, KEYS, history) as load:
            _wait_until_both_serve(history)
            begin, idleness = time.monotonic(), Idleness()
            time.sleep(STEADY_SECONDS)
            idle = idleness.share()
            fault = scenario.fault(stack.site, seconds)
            _await_return(web.log, scenario, fault.end)
            load.check()
        load.check()
        attempts = web.log.attempts()
    figures = figures_of(history.since(begin), attempts, scenario.faulted, fault)
    say(f"{scenario.name}: {figures.as_json()}")
    if idle is not None:
        say(f"{scenario.name}: before the fault, {idle:.0%} of the processors' time was idle")
    for error, times in history.errors.most_common():
        say(f"{scenario.name}: {times} times {error}")
    return figures


def _wait_until_both_serve(history: History) -> None:
    """Return when both replicas have served pages within the last second. Raises `TimeoutError`."""
    wait_until(
        lambda: {alias for read in history.since(time.monotonic() - 1) for alias in read.servers}.issuperset(REPLICAS),
        _WARM_UP_SECONDS,
        "both replicas to serve pages",
    )


def _await_return(log: Log, scenario: Scenario, end: float) -> None:
    """Return when the servers serve again after a fault and its aftermath is over, or when they take too long."""
    time.sleep(max(0.0, end + AFTERMATH_SECONDS - time.monotonic()))
    while seconds_to_return(log.attempts(), scenario.faulted, end) is None:
        if time.monotonic() > end + RETURN_SECONDS:
            return
        time.sleep(_LOOK_SECONDS)
