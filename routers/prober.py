"""The threads that ask every server how it stands, away from the read path."""

import logging
import os
import random
import threading
import time
from contextlib import closing

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.health import Finding, Fitness
from routers.in_flight import InFlight, in_flight
from routers.probe import Probe
from routers.replicas import Replicas, replicas

logger = logging.getLogger("readshift")

_SHORTEST_PAUSE_SECONDS = 0.005
"""Between two questions that somebody waits for: whoever asks meanwhile shares the answer."""

_SHORTEST_PATIENCE_SECONDS = 0.05
_A_MOMENT_SECONDS = 0.01

_DEAD = frozenset({Fitness.UNREACHABLE, Fitness.UNRESPONSIVE})
"""What reads that are under way need not wait for any longer. Those on a slow or lagging server go on."""


class Prober:
    """One thread per server, so that a server which hangs holds up no other."""

    def __init__(self, known: Replicas, waiting: InFlight) -> None:
        self._replicas = known
        self._in_flight = waiting
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._calls: dict[str, threading.Event] = {}

    def start(self) -> None:
        """Start a thread per server unless they run. Cheap, so that every unit can call it."""
        if self._threads:
            return
        # Two first units must not start twice.
        with self._lock:
            if self._threads:
                return
            self._stopping = threading.Event()
            servers = [(cluster, alias) for cluster in get_settings().clusters.values() for alias in cluster.aliases]
            self._calls = {alias: threading.Event() for _, alias in servers}
            self._threads = [
                threading.Thread(target=self._run, args=server, name=f"readshift-probe-{server[1]}", daemon=True)
                for server in sorted(servers, key=lambda server: server[1])
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """End the threads, as soon as the questions under way are answered or given up."""
        self._stopping.set()
        for call in self._calls.values():
            call.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def after_fork(self) -> None:
        """Let the child start threads of its own, and trust nobody before they have asked."""
        self._lock = threading.Lock()
        self._threads = []
        self._calls = {}
        self._in_flight.after_fork()
        self._replicas.forget()

    def hurry(self, alias: str) -> None:
        """Have a server asked at once, because somebody waits for what it says."""
        if call := self._calls.get(alias):
            call.set()

    def probe_once(self) -> None:
        """Ask every server in this thread, primaries first. For commands, which are over before the threads are."""
        for cluster in get_settings().clusters.values():
            for alias in (cluster.primary, *(replica.alias for replica in cluster.replicas)):
                with closing(Probe(alias)) as probe:
                    self._replicas.record(cluster, alias, probe.ask(get_settings().probe_timeout_seconds))

    def _run(self, cluster: Cluster, alias: str) -> None:
        call, stopping = self._calls[alias], self._stopping
        with closing(Probe(alias)) as probe:
            while not stopping.is_set():
                self._replicas.expect(alias)
                finding = probe.ask(self._patience(alias))
                self._replicas.record(cluster, alias, finding)
                if self._replicas.standing(alias).fitness in _DEAD and (count := self._in_flight.cut(alias)):
                    logger.warning("Cut off %d reads that waited for the replica %r.", count, alias)
                if not self._asks_again(alias, finding):
                    # Never in step with other processes.
                    call.wait(get_settings().probe_seconds * random.uniform(0.8, 1))  # noqa: S311
                    call.clear()
                    stopping.wait(_SHORTEST_PAUSE_SECONDS)

    def _patience(self, alias: str) -> float:
        """Return how long a server may take to answer: no longer than what it said before counts."""
        settings = get_settings()
        silent_at = self._replicas.standing(alias).seen_at + settings.longest_silence_seconds + _A_MOMENT_SECONDS
        left = silent_at - time.monotonic()
        return (
            min(settings.probe_timeout_seconds, left)
            if left > _SHORTEST_PATIENCE_SECONDS
            else (settings.probe_timeout_seconds)
        )

    def _asks_again(self, alias: str, finding: Finding) -> bool:
        """Say whether the next question follows at once, because another answer like this one puts the replica out."""
        is_in_doubt = finding.is_silent or finding.took > get_settings().slow_answer_seconds
        return is_in_doubt and self._replicas.is_fit(alias)


prober = Prober(replicas, in_flight)
"""The prober of this process."""


def connect() -> None:
    """Tie the prober to the process. Called once, when the apps are ready."""
    os.register_at_fork(after_in_child=prober.after_fork)
