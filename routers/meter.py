"""Counts decisions and queries in memory, until the agent writes them to the primary. Never waits, never grows."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from rollout.models.tally import Tally, TallyKind
from rollout.reasons import Reason
from rollout.rollup import FLUSH_SPAN_SECONDS, flush_span
from rollout.settings import get_settings
from routers.decisions import Asked, Decision
from routers.endpoints import OVERFLOW
from routers.series import Counted, Series


class Meter:
    """Counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Series] = Counter()

    def add(self, series: Series, count: int = 1) -> None:
        """Count under this series, or under its overflow series when the meter is full."""
        # The lock covers one lookup and one addition: a flush must not lose what is added while it takes the counts.
        with self._lock:
            self._add(series, count)

    def settle(self, counted: Counted) -> int:
        """Take over what was counted since it was last settled, and return how much that is."""
        with self._lock:
            new = counted.number - counted.settled
            if new:
                counted.settled += new
                for series in counted.series:
                    self._add(series, new)
        return new

    def take(self) -> Mapping[Series, int]:
        """Return the counts and start again from nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def _add(self, series: Series, count: int) -> None:
        """Count, while the lock is held."""
        if series not in self._counts and len(self._counts) >= get_settings().max_series:
            series = series._replace(endpoint=OVERFLOW, model=OVERFLOW, candidate="")
        self._counts[series] += count

    def give_back(self, counts: Mapping[Series, int]) -> None:
        """Add counts again that could not be written."""
        for series, count in counts.items():
            self.add(series, count)


def decision_series(cluster: str, endpoint: str, model: str, decision: Decision) -> Series:
    """Return what a decision is counted under. endpoint: empty outside of any unit."""
    reason, candidate = decision.reason.value, decision.candidate
    return Series(TallyKind.DECISION, cluster, decision.alias, endpoint, model, reason, candidate)


def statement_series(kind: str, cluster: str, alias: str, endpoint: str | None, asked: Asked | None) -> Series:
    """Return what a statement is counted under. endpoint: None outside of any unit. asked: what it follows, if any."""
    if asked is None:
        reason = Reason.OUTSIDE_UNIT if endpoint is None else Reason.DIRECT
        return Series(kind, cluster, alias, endpoint or "", "", reason.value)
    decision = asked.decision
    label, reason, candidate = asked.model._meta.label, decision.reason, decision.candidate
    return Series(kind, cluster, alias, endpoint or "", label, reason.value, candidate)


def tallies(counts: Mapping[Series, int], now: datetime) -> Iterable[Tally]:
    """Return the rows that store these counts."""
    starts_at = flush_span(now)
    for series, count in counts.items():
        yield Tally(
            starts_at=starts_at,
            span_seconds=FLUSH_SPAN_SECONDS,
            kind=series.kind,
            cluster=series.cluster,
            alias=series.alias,
            endpoint=series.endpoint,
            model=series.model,
            reason=series.reason,
            candidate=series.candidate,
            count=count,
        )


meter = Meter()
"""The meter of this process."""
