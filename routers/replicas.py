"""The servers of each cluster as this process knows them: findings come in, the read path asks."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache

from django.core.signals import setting_changed

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.footing import footing
from routers.health import Finding, Fitness, Limits, Standing, judge
from routers.lag import History, Lag, Sample
from routers.positions import Floor, Position
from routers.primaries import Condition, PrimaryStanding, judge_primary

logger = logging.getLogger("readshift")

_NEW = Standing()
_NEW_PRIMARY = PrimaryStanding()
_HISTORY_MARGIN = 4
"""How many times the greatest lag the record goes back, so that a lag beyond the limit still has a number."""

_DOUBT_SECONDS = 0.3
"""After how long without an answer no new connections are made: each would hang for the whole of its timeout."""


class Replicas:
    """Where primaries were and how replicas stand, by alias.

    Findings come from one thread per server, so that a server which hangs holds up no other, or are heard from another
    process. The read path takes one dictionary entry.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._histories: dict[str, History] = {}
        self._standings: dict[str, Standing] = {}
        self._primaries: dict[str, PrimaryStanding] = {}
        self._paces: dict[str, float] = {}
        self._received: dict[str, int] = {}
        self._advanced_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._slow: set[str] = set()
        self._doubts: frozenset[str] = frozenset()
        self._known_at: dict[str, float] = {}
        self._own_faults: set[str] = set()
        self._lock = threading.Condition()

    def standing(self, alias: str) -> Standing:
        """Return how a replica stands: untrusted until something was found out about it."""
        return self._standings.get(alias, _NEW)

    def primary(self, alias: str) -> PrimaryStanding:
        """Return how a primary stands."""
        return self._primaries.get(alias, _NEW_PRIMARY)

    def is_primary_down(self, alias: str) -> bool:
        """Say whether nothing can be read from a primary, nor written to it by others.

        While a replica goes on to receive from it, it is only this process that cannot reach it.
        """
        silence = self._clock() - self._advanced_at.get(alias, -math.inf)
        return self.primary(alias).is_down and silence > _limits().longest_trust

    def is_fit(self, alias: str) -> bool:
        """Say whether a replica may serve now. After one slow answer, the next need not come to be another."""
        limits = _limits()
        if alias in self._slow and self._waited_for(alias) > limits.slow_answer:
            return False
        return self.standing(alias).is_fit(self._clock(), limits.longest_trust)

    def is_serving(self, alias: str) -> bool:
        """Say whether a replica answers at all, however far behind it is."""
        return self.standing(alias).is_serving(self._clock(), _limits().longest_trust)

    def expect(self, alias: str) -> None:
        """Take down that a server is being asked. Its finding follows."""
        self._asked_at[alias] = self._clock()

    def is_in_doubt(self, alias: str) -> bool:
        """Say whether a server takes so long to answer a probe that it may hang. The reads that it serves go on."""
        return self._waited_for(alias) > _DOUBT_SECONDS or alias in self._doubts

    def _waited_for(self, alias: str) -> float:
        """Return how many seconds a probe has waited for its answer by now; 0 when none waits."""
        asked_at = self._asked_at.get(alias)
        return self._clock() - asked_at if asked_at is not None else 0.0

    def gone_since(self, alias: str) -> float | None:
        """Return since when nobody reads from a replica, so that others may stand in for it; None while one may."""
        standing = self.standing(alias)
        is_gone = standing.is_gone(self._clock(), _limits().longest_trust)
        return standing.gone_since if is_gone else None

    def holds_until(self, alias: str, others: Iterable[str]) -> float:
        """Return until when a replica that serves now is known to, and none of these others is known to be gone.

        A finding may change that at any time, in either direction.
        """
        if alias in self._slow:
            return -math.inf
        now, trust = self._clock(), _limits().longest_trust
        gone = (since for other in others if (since := self.standing(other).gone_since) > now)
        return min(self.standing(alias).seen_at + trust, min(gone, default=math.inf))

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

    def wait_for_position(self, primary: str, floor: Floor, timeout: float) -> Position | None:
        """Return the same, and wait for up to so many seconds until the primary has been asked again."""
        with self._lock:
            return self._lock.wait_for(lambda: self._history(primary).position_of(floor), timeout)

    def age(self, alias: str) -> float:
        """Return how many seconds ago a replica is known to have shown everything, at most; infinite if unknown."""
        return self._clock() - self.standing(alias).shows_since

    def lag_of(self, primary: str, position: Position) -> Lag:
        """Return how far a replica of this primary is behind that stands there now."""
        with self._lock:
            return self._history(primary).lag_of(position, self._until(primary, self._clock()))

    def record(self, cluster: Cluster, alias: str, finding: Finding) -> None:
        """Take a finding of this process about a server of the cluster into account."""
        # A primary's samples are read while replicas are judged, in other threads.
        with self._lock:
            if not finding.is_told:
                self._asked_at.pop(alias, None)
                self._doubts -= {alias}
            if finding.position is None:
                self._own_faults.add(alias)
            else:
                self._own_faults.discard(alias)
            self._judge(cluster, alias, finding)

    def hear(self, cluster: Cluster, alias: str, finding: Finding) -> None:
        """Take what another process found into account, unless this one has found something later.

        A server that did not answer this process has to answer it first: the network may be cut for it alone.
        """
        with self._lock:
            if alias not in self._own_faults and finding.at >= self._known_at.get(alias, -math.inf):
                self._judge(cluster, alias, finding)

    def doubt(self, cluster: Cluster, aliases: frozenset[str]) -> None:
        """Take down which servers of a cluster another process waits for, as this one does for `expect`."""
        with self._lock:
            self._doubts = (self._doubts - cluster.aliases) | aliases
        footing.change()

    def _judge(self, cluster: Cluster, alias: str, finding: Finding) -> None:
        self._known_at[alias] = finding.at
        if finding.position is not None:
            self._paces[alias] = finding.took
        else:
            self._paces.pop(alias, None)
        if alias == cluster.primary:
            self._record_primary(alias, finding)
        else:
            self._record_replica(cluster, alias, finding)
        footing.change()

    def _record_primary(self, alias: str, finding: Finding) -> None:
        before = self.primary(alias)
        self._primaries[alias] = after = judge_primary(before, finding, _limits().longest_silence)
        _tell_of_primary(alias, before, after)
        if finding.position is not None and not finding.is_standby:
            self._history(alias).add(Sample(finding.at, finding.position, finding.clock))
            self._lock.notify_all()

    def _record_replica(self, cluster: Cluster, alias: str, finding: Finding) -> None:
        if (finding.received or 0) > self._received.get(alias, 0):
            self._received[alias] = finding.received or 0
            self._advanced_at[cluster.primary] = finding.asked_by
        history = self._history(cluster.primary)
        before, until = self.standing(alias), self._until(cluster.primary, finding.at)
        quickest, limits = self._quickest_but(cluster, alias), _limits()
        if finding.took > limits.slow_answer > 2 * quickest:
            self._slow.add(alias)
        else:
            self._slow.discard(alias)
        after = judge(before, finding, history, limits, quickest=quickest, until=until)
        self._standings[alias] = after
        _tell(alias, before, after)

    def _until(self, primary: str, now: float) -> float:
        """Return the time up to which there can be anything to replay: while the primary is down, its last answer."""
        latest = self._history(primary).latest
        return min(now, latest.at) if latest is not None and self.is_primary_down(primary) else now

    def _quickest_but(self, cluster: Cluster, alias: str) -> float:
        """Return how long the quickest of the other servers took to answer; infinite when none does."""
        others = cluster.aliases - {alias}
        return min((self._paces[other] for other in others if other in self._paces), default=float("inf"))

    def _history(self, primary: str) -> History:
        return self._histories.setdefault(primary, History(get_settings().greatest_lag_seconds * _HISTORY_MARGIN))

    def forget(self) -> None:
        """Trust nobody until the next findings."""
        with self._lock:
            for known in (self._histories, self._standings, self._primaries, self._paces, self._received):
                known.clear()
            for times in (self._advanced_at, self._asked_at, self._known_at):
                times.clear()
            self._own_faults.clear()
            self._slow.clear()
            self._doubts = frozenset()
        footing.change()


@cache
def _limits() -> Limits:
    settings = get_settings()
    return Limits(
        greatest_lag=settings.greatest_lag_seconds,
        return_lag=settings.return_lag_seconds,
        shortest_ejection=settings.shortest_ejection_seconds,
        longest_silence=settings.longest_silence_seconds,
        longest_trust=settings.longest_trust_seconds,
        slow_answer=settings.slow_answer_seconds,
    )


def _forget_limits(**_: object) -> None:
    _limits.cache_clear()


setting_changed.connect(_forget_limits, dispatch_uid="readshift.limits")


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


def _tell_of_primary(alias: str, before: PrimaryStanding, after: PrimaryStanding) -> None:
    if after.moved != before.moved:
        logger.warning("The primary %r was failed over: %s.", alias, after.moved)
    is_first = before.condition is Condition.UNKNOWN and after.condition is Condition.SERVING
    if after.condition is not before.condition and not is_first:
        level = logging.INFO if after.condition is Condition.SERVING else logging.ERROR
        logger.log(level, "The primary %r %s. %s", alias, after.condition.words, after.detail)


replicas = Replicas()
"""The replicas of this process."""
