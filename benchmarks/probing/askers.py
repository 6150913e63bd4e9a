"""Processes that ask one server as many processes would, over connections of their own.

Between two questions, and when there are none, they keep the processors busy at the lowest priority. So what they take
is the same with questions and without, and no processor falls asleep in between, from which reads would suffer more
than from any question.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks.probing.project import Addresses

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

ALIAS = "replica1"

_PROCESSES = 2
_TIMEOUT_SECONDS = 5.0
_LATE_SECONDS = 0.1
_STOP_SECONDS = 10.0

context = get_context("forkserver")
context.set_forkserver_preload(["routers.prober", "django.db.backends.postgresql.base", "redis"])


class Askers:
    """The rate, in questions a second, can be changed at any time; 0 is none."""

    def __init__(self, addresses: Addresses, connections: int) -> None:
        self._rate = context.Value("d", 0.0)
        self._counts = [context.Value("L", 0) for _ in range(_PROCESSES)]
        self._processes = [
            context.Process(
                target=_ask,
                args=(addresses, range(number, connections, _PROCESSES), connections, self._rate, count),
                daemon=True,
            )
            for number, count in enumerate(self._counts)
        ]

    def ask(self, rate: float) -> None:
        """Ask so often from now on."""
        self._rate.value = rate

    @property
    def asked(self) -> int:
        """How many questions were answered so far."""
        return sum(count.value for count in self._counts)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have the processes live as long as this block."""
        for process in self._processes:
            process.start()
        try:
            yield
        finally:
            for process in self._processes:
                process.terminate()
                process.join(_STOP_SECONDS)


def _ask(
    addresses: Addresses, own: range, connections: int, rate: "Synchronized[float]", asked: "Synchronized[int]"
) -> None:
    addresses.configure({})
    from routers.probe import Probe  # noqa: PLC0415 - it needs settings

    os.nice(19)
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(Probe(ALIAS))) for _ in own]
        for probe in probes:
            asked.value += not probe.ask(_TIMEOUT_SECONDS).error
        turns, due = cycle(probes), 0.0
        while True:
            now, now_rate = time.monotonic(), rate.value
            if own and now_rate and now >= due:
                # What is too late is left out.
                due = max(due, now - _LATE_SECONDS) + connections / len(own) / now_rate
                asked.value += not next(turns).ask(_TIMEOUT_SECONDS).error
