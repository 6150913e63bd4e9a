"""The replicas of this process as they stand, kept up to date in the background and asked on the read path."""

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.health import Finding, Fitness, Limits, Standing, judge
from routers.lag import History, Lag, Sample
from routers.positions import Floor, Position
from routers.probe import Probe

logger = logging.getLogger("readshift")

_NEW = Standing()
_HISTORY_MARGIN = 4
"""How many times the greatest lag the record goes back, so that a lag beyond the limit still has a number."""


class Replicas:
    """Where primaries were and how replicas stand, by alias.

    Findings come from one thread per server, so that a server which hangs holds up no other. The read path takes one
    dictionary entry.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._histories: dict[str, History] = {}
        self._standings: dict[str, Standing] = {}
        self._paces: dict[str, float] = {}
        self._lock = threading.Lock()

    def standing(self, alias: str) -> Standing:
        """Return how a replica stands: untrusted until something was found out about it."""
        return self._standings.get(alias, _NEW)

    def is_fit(self, alias: str) -> bool:
        """Say whether a replica may serve now."""
        return self.standing(alias).is_fit(self._clock(), _limits().longest_silence)

    def is_serving(self, alias: str) -> bool:
        """Say whether a replica answers at all, however far behind it is."""
        return self.standing(alias).is_serving(self._clock(), _limits().longest_silence)

    def gone_since(self, alias: str) -> float | None:
        """Return since when nobody reads from a replica that is none any more; None while it is, or may be, one."""
        standing = self.standing(alias)
        is_gone = standing.is_gone(self._clock(), _limits().longest_silence)
        return standing.gone_since if is_gone else None

    def shows_since(self, alias: str) -> float:
        """Return the time of this registry's clock up to which a replica is known to show everything."""
        return self.standing(alias).shows_since

    def floor_now(self, primary: str) -> Floor | None:
        """Return the floor of a read that this primary has just served; None when nobody has asked it yet."""
        with self._lock:
            return self._history(primary).floor_at(self._clock())

    def position_of(self, primary: str, floor: Floor) -> Position | None:
        """Return a position of this cluster that shows what the floor asks for; None while none is known."""
        with self._lock:
            return self._history(primary).position_of(floor)

    def age(self, alias: str) -> float:
        """Return how many seconds ago a replica is known to have shown everything, at most; infinite if unknown."""
        return self._clock() - self.standing(alias).shows_since

    def lag_of(self, primary: str, position: Position) -> Lag:
        """Return how far a replica of this primary is behind that stands there now."""
        with self._lock:
            return self._history(primary).lag_of(position, self._clock())

    def record(self, cluster: Cluster, alias: str, finding: Finding) -> None:
        """Take a finding about a server of the cluster into account."""
        # A primary's samples are read while replicas are judged, in other threads.
        with self._lock:
            history = self._history(cluster.primary)
            if finding.position is not None:
                self._paces[alias] = finding.took
            else:
                self._paces.pop(alias, None)
            if alias != cluster.primary:
                before, quickest = self.standing(alias), self._quickest_but(cluster, alias)
                self._standings[alias] = judge(before, finding, history, _limits(), quickest)
                _tell(alias, before, self._standings[alias])
            elif finding.position is not None and not finding.is_standby:
                history.add(Sample(finding.at, finding.position, finding.clock))

    def _quickest_but(self, cluster: Cluster, alias: str) -> float:
        """Return how long the quickest of the other servers took to answer; infinite when none does."""
        others = cluster.aliases - {alias}
        return min((self._paces[other] for other in others if other in self._paces), default=float("inf"))

    def _history(self, primary: str) -> History:
        return self._histories.setdefault(primary, History(get_settings().greatest_lag_seconds * _HISTORY_MARGIN))

    def forget(self) -> None:
        """Trust nobody until the next findings."""
        with self._lock:
            self._histories.clear()
            self._standings.clear()
            self._paces.clear()


class Prober:
    """The threads that ask."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start a thread per server unless they run. Cheap, so that every unit can call it."""
        if self._threads:
            return
        # Two first units must not start twice.
        with self._lock:
            if self._threads:
                return
            self._stopping = threading.Event()
            self._threads = [
                threading.Thread(target=self._run, args=(cluster, alias), name=f"readshift-probe-{alias}", daemon=True)
                for cluster in get_settings().clusters.values()
                for alias in sorted(cluster.aliases)
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """End the threads, as soon as the questions under way are answered or given up."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def after_fork(self) -> None:
        """Let the child start threads of its own, and trust nobody before they have asked."""
        self._lock = threading.Lock()
        self._threads = []
        self._replicas.forget()

    def probe_once(self) -> None:
        """Ask every server in this thread, primaries first. For commands, which are over before the threads are."""
        timeout = get_settings().probe_timeout_seconds
        for cluster in get_settings().clusters.values():
            for alias in (cluster.primary, *(replica.alias for replica in cluster.replicas)):
                with closing(Probe(alias, timeout)) as probe:
                    self._replicas.record(cluster, alias, probe.ask())

    def _run(self, cluster: Cluster, alias: str) -> None:
        with closing(Probe(alias, get_settings().probe_timeout_seconds)) as probe:
            while not self._stopping.is_set():
                finding = probe.ask()
                self._replicas.record(cluster, alias, finding)
                if finding.took > get_settings().slow_answer_seconds:
                    # Another slow answer puts it out, so nobody should have to wait for that.
                    continue
                # Never in step with other processes.
                self._stopping.wait(get_settings().probe_seconds * random.uniform(0.8, 1))  # noqa: S311


def _limits() -> Limits:
    settings = get_settings()
    return Limits(
        greatest_lag=settings.greatest_lag_seconds,
        return_lag=settings.return_lag_seconds,
        shortest_ejection=settings.shortest_ejection_seconds,
        longest_silence=settings.longest_silence_seconds,
        slow_answer=settings.slow_answer_seconds,
    )


def _tell(alias: str, before: Standing, after: Standing) -> None:
    if before.fitness is after.fitness:
        return
    level = logging.INFO if after.fitness is Fitness.FIT else logging.WARNING
    logger.log(
        level,
        "The replica %r %s (%s, was %s). %s",
        alias,
        after.fitness.words,
        after.fitness,
        before.fitness,
        after.detail,
    )


replicas = Replicas()
"""The replicas of this process."""

prober = Prober(replicas)
"""The prober of this process."""


def connect() -> None:
    """Tie the prober to the process. Called once, when the apps are ready."""
    os.register_at_fork(after_in_child=prober.after_fork)
