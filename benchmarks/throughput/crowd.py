"""The visitors of one process: as many threads as clients, in a closed loop."""

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from threading import Event, Lock, Thread

from benchmarks.systems import OWN
from benchmarks.throughput.browsers import Browsers
from benchmarks.throughput.content import Content
from benchmarks.throughput.mix import Dealer, deck
from demo.waiting import wait_until

PROCESSES = 2
THREADS = 20
CUSTOMERS = 0.1
"""Of those who read, while customers write as well."""

_READY_SECONDS = 30.0


@dataclass(slots=True)
class Report:
    """What one process saw since it was told to count.

    In seconds: took, of each request; seconds, how long it counted; cpu_seconds, what it took of the processors.
    """

    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Crowd:
    """The visitors of one process. Its public methods are the orders."""

    def __init__(self, number: int, content: Content, system: str) -> None:
        import django  # noqa: PLC0415 - the environment says which project

        django.setup()
        from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - likewise

        self._number, self._is_own = number, system == OWN
        self._browsers = Browsers(
            get_wsgi_application(),
            range(number, content.guests, PROCESSES),
            content.sessions[number::PROCESSES],
            content.slugs,
        )
        self._lock, self._report, self._since, self._cpu_since = Lock(), Report(), 0.0, 0.0
        self._orders = [Event() for _ in range(THREADS)]
        self._resting, self._idle = Event(), [Event() for _ in range(THREADS)]
        self._dealer, self._customers, self._pause = Dealer(deck(writes=False)), 0.0, 0.0
        for thread in range(THREADS):
            Thread(target=self._run, args=(thread,), daemon=True).start()

    def go(self, writes: bool, pause: float) -> None:
        """Begin to ask for pages. pause: for how many seconds each client thinks before it does."""
        self._pause = pause
        self._dealer = Dealer(deck(writes=writes), self._number / PROCESSES)
        self._customers = CUSTOMERS if writes else 0.0
        self._resting.clear()
        for order, idle in zip(self._orders, self._idle, strict=True):
            idle.clear()
            order.set()

    def await_policy(self, revision: int) -> None:
        """Return when Readshift in this process has taken over a revision, and finds that all replicas are fit for it.

        Actors whose reads a revision lets go stay on the primary until replicas show what others may have seen there.
        """
        from rollout.settings import get_settings  # noqa: PLC0415 - the project has it
        from routers.agent import agent  # noqa: PLC0415 - likewise
        from routers.replicas import replicas  # noqa: PLC0415 - likewise

        aliases = {alias for cluster in get_settings().clusters.values() for alias in cluster.aliases} - {"default"}

        def is_ready() -> bool:
            policy, reason = agent.state()
            if policy is None or reason is not None or policy.revision < revision:
                return False
            former = agent.former()
            settled_at = former.settled_at if former else -math.inf
            return all(replicas.is_fit(alias) and replicas.shows_since(alias) >= settled_at for alias in aliases)

        wait_until(is_ready, _READY_SECONDS, f"revision {revision} to be acted on, and {sorted(aliases)} to be fit")

    def count(self) -> None:
        """Forget what was seen until now. What Readshift has counted is in its table then."""
        if self._is_own:
            from routers.agent import agent  # noqa: PLC0415 - the project has it

            agent.flush()
        with self._lock:
            self._report, self._since, self._cpu_since = Report(), time.monotonic(), time.process_time()

    def report(self) -> Report:
        """Tell what was seen since."""
        with self._lock:
            seconds, cpu_seconds = time.monotonic() - self._since, time.process_time() - self._cpu_since
            return Report(list(self._report.took), Counter(self._report.errors), seconds, cpu_seconds)

    def rest(self) -> None:
        """Finish what was begun, and then do nothing, in the background either. Connections stay open."""
        self._resting.set()
        for idle in self._idle:
            if not idle.wait(_READY_SECONDS):
                raise TimeoutError(f"A request took longer than {_READY_SECONDS:g} s.")
        if self._is_own:
            from routers.agent import agent  # noqa: PLC0415 - the project has it
            from routers.prober import prober  # noqa: PLC0415 - likewise

            # The next request starts both.
            prober.stop()
            agent.stop()

    def _run(self, thread: int) -> None:
        dice = Random(f"{self._number} {thread}")  # noqa: S311 - repeatable traffic
        while self._orders[thread].wait():
            self._orders[thread].clear()
            while not self._resting.wait(self._pause * dice.uniform(0.5, 1.5)):
                begun = time.perf_counter()
                fault = self._browsers.visit(endpoint := self._dealer.next(), self._customers, dice)
                self._note(endpoint, time.perf_counter() - begun, fault)
            self._idle[thread].set()

    def _note(self, endpoint: str, took: float, fault: str | None) -> None:
        with self._lock:
            self._report.took.append(took)
            if fault is not None:
                self._report.errors[f"{endpoint}: {fault}"] += 1
