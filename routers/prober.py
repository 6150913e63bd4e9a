"""The threads that find out how every server stands, away from the read path: by asking it, or from another process."""

import logging
import math
import os
import random
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from django.core.cache import caches
from django.db import connections

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.feed import Feed
from routers.health import Finding, Fitness
from routers.hearing import Heard
from routers.in_flight import InFlight, in_flight
from routers.probe import Probe
from routers.replicas import Replicas, replicas

logger = logging.getLogger("readshift")

_SHORTEST_PAUSE_SECONDS = 0.005
"""Between two questions that somebody waits for: whoever asks meanwhile shares the answer."""

_SHORTEST_PATIENCE_SECONDS = 0.05
_A_MOMENT_SECONDS = 0.01

_STOP_SECONDS = 1.0
_IDLE_SECONDS = 10.0
"""After how long without a question a connection is closed, while another process asks."""

_LONGEST_STAND_SECONDS = 0.3
"""For how long a primary may have something left to write out. Commits do so at once, or within PostgreSQL's
`wal_writer_delay` of 0.2 seconds where they are asynchronous."""

_DEAD = frozenset({Fitness.UNREACHABLE, Fitness.UNRESPONSIVE})
"""What reads that are under way need not wait for any longer. Those on a slow or lagging server go on."""


class Prober:
    """One thread per server, so that a server which hangs holds up no other.

    With shared probes there is one more per cluster, which reads what the leader of all processes tells, or tells what
    this process finds if it leads. The others rest meanwhile. Each asks once when it starts, when somebody waits for
    the answer, for as long as its server gives none, and all the time when nobody is heard.
    """

    def __init__(self, known: Replicas, waiting: InFlight) -> None:
        self._replicas = known
        self._in_flight = waiting
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._calls: dict[str, threading.Event] = {}
        self._feeds: dict[str, Feed] = {}
        self._found: dict[str, Finding] = {}

    def start(self) -> None:
        """Start a thread per server unless they run. Cheap, so that every unit can call it."""
        if self._threads:
            return
        # Two first units must not start twice.
        with self._lock:
            if self._threads:
                return
            self._stopping = threading.Event()
            self._found = {}
            clusters = get_settings().clusters
            self._feeds = {name: Feed(clusters[name]) for name in clusters if get_settings().probing == "shared"}
            servers = [(cluster, alias) for cluster in get_settings().clusters.values() for alias in cluster.aliases]
            self._calls = {alias: threading.Event() for _, alias in servers}
            self._threads = [
                threading.Thread(target=self._run, args=server, name=f"readshift-probe-{server[1]}", daemon=True)
                for server in sorted(servers, key=lambda server: server[1])
            ]
            self._threads += [
                threading.Thread(target=self._share, args=(clusters[name],), name=f"readshift-feed-{name}", daemon=True)
                for name in self._feeds
            ]
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """End the threads, as soon as the questions under way are answered or given up."""
        self._stopping.set()
        self._call(self._calls)
        for thread in self._threads:
            # A cache that hangs may have no timeout. Its thread ends when it answers.
            thread.join(_STOP_SECONDS + get_settings().probe_timeout_seconds)
        self._threads = []

    def after_fork(self) -> None:
        """Let the child start threads of its own, and trust nobody before they have asked."""
        self._lock = threading.Lock()
        self._threads = []
        self._calls = {}
        self._feeds = {}
        self._found = {}
        self._in_flight.after_fork()
        self._replicas.forget()

    def hurry(self, alias: str) -> None:
        """Have a server asked at once, because somebody waits for what it says."""
        if call := self._calls.get(alias):
            call.set()

    def is_leading(self) -> bool:
        """Say whether this process asks a cluster's servers for all processes."""
        return any(feed.is_leading for feed in self._feeds.values())

    def _run(self, cluster: Cluster, alias: str) -> None:
        stopping, stands_since = self._stopping, math.inf
        with closing(Probe(alias)) as probe:
            while not stopping.is_set():
                self._replicas.expect(alias)
                finding = self._silence(cluster, alias, probe.ask(self._patience(alias)))
                stands_since = _stands_since(self._found.get(alias), finding, stands_since)
                if finding.at - stands_since >= _LONGEST_STAND_SECONDS:
                    probe.flush(get_settings().probe_timeout_seconds)
                self._found[alias] = finding
                self._replicas.record(cluster, alias, finding)
                self._cut_off_the_dead(alias)
                if not self._asks_again(alias, finding):
                    self._rest(cluster, alias, probe, finding)

    def _rest(self, cluster: Cluster, alias: str, probe: Probe, finding: Finding) -> None:
        """Wait until the next question is due, or until somebody calls for it."""
        call, feed = self._calls[alias], self._feeds.get(cluster.primary)
        # Never in step with other processes.
        call.wait(get_settings().probe_seconds * random.uniform(0.8, 1))  # noqa: S311
        closes_at = time.monotonic() + _IDLE_SECONDS
        while feed is not None and not finding.error and not call.is_set():
            now = time.monotonic()
            if now >= feed.others_ask_until:
                break
            if now >= closes_at:
                probe.close()
            call.wait(feed.others_ask_until - now)
        call.clear()
        self._stopping.wait(_SHORTEST_PAUSE_SECONDS)

    def _share(self, cluster: Cluster) -> None:
        feed, stopping = self._feeds[cluster.primary], self._stopping
        try:
            while not stopping.is_set():
                was_leading = feed.is_leading
                doubts = filter(self._replicas.is_in_doubt, cluster.aliases)
                heard = feed.turn({alias: self._found[alias] for alias in cluster.aliases & self._found.keys()}, doubts)
                if heard is not None:
                    self._take(cluster, heard)
                if feed.is_leading and not was_leading:
                    self._call(cluster.aliases)
                # Half a turn, so that news are old by no more than one: half of it until told, half until heard.
                stopping.wait(get_settings().probe_seconds / 2 * random.uniform(0.8, 1))  # noqa: S311
        finally:
            caches.close_all()
            connections.close_all()

    def _take(self, cluster: Cluster, heard: Heard) -> None:
        self._replicas.doubt(cluster, heard.doubts & cluster.aliases)
        # Replicas are judged by where their primary was.
        for alias in sorted(heard.findings.keys() & cluster.aliases, key=lambda alias: alias != cluster.primary):
            self._replicas.hear(cluster, alias, heard.findings[alias])
            self._cut_off_the_dead(alias)

    def _call(self, aliases: Iterable[str]) -> None:
        for alias in aliases:
            self.hurry(alias)

    def _silence(self, cluster: Cluster, alias: str, finding: Finding) -> Finding:
        """Return the finding with the time for which the server has not answered, which others cannot measure."""
        standing = self._replicas.primary(alias) if alias == cluster.primary else self._replicas.standing(alias)
        if not finding.is_silent or standing.seen_at == -math.inf:
            return finding
        return replace(finding, silent_for=finding.ended_at - standing.seen_at)

    def _cut_off_the_dead(self, alias: str) -> None:
        if self._replicas.standing(alias).fitness in _DEAD and (count := self._in_flight.cut(alias)):
            logger.warning("Cut off %d reads that waited for the replica %r.", count, alias)

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


def _stands_since(before: Finding | None, finding: Finding, since: float) -> float:
    """Return since when a primary has stood where it is with something left to write out; infinite if it does not."""
    if not finding.unflushed:
        return math.inf
    is_still_there = before is not None and before.unflushed and before.position == finding.position
    return min(since, finding.at) if is_still_there else finding.at


prober = Prober(replicas, in_flight)
"""The prober of this process."""


def connect() -> None:
    """Tie the prober to the process. Called once, when the apps are ready."""
    os.register_at_fork(after_in_child=prober.after_fork)
