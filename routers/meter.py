"""Counts decisions and queries in memory, until the agent writes them to the primary. Never waits, never grows."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rollout.models.tally import Tally, TallyKind
from rollout.rollup import FLUSH_SPAN_SECONDS, flush_span
from rollout.settings import get_settings
from routers.decisions import Decision
from routers.endpoints import OVERFLOW
from routers.unit import Unit


@dataclass(frozen=True, slots=True)
class Series:
    """What is counted apart. The fields are those of `rollout.models.Tally`."""

    kind: str
    cluster: str
    alias: str
    endpoint: str
    model: str
    reason: str
    candidate: str = ""


class Meter:
    """Counters of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Series] = Counter()

    def count_decision(self, cluster: str, unit: Unit | None, model: str, decision: Decision) -> None:
        endpoint = unit.endpoint if unit else ""
        self.add(
            Series(
                TallyKind.DECISION, cluster, decision.alias, endpoint, model, decision.reason.value, decision.candidate
            )
        )

    def add(self, series: Series, count: int = 1) -> None:
        """Count under this series, or under its overflow series when the meter is full."""
        # The lock covers one lookup and one addition: a flush must not lose what is added while it takes the counts.
        with self._lock:
            if series not in self._counts and len(self._counts) >= get_settings().max_series:
                series = replace(series, endpoint=OVERFLOW, model=OVERFLOW, candidate="")
            self._counts[series] += count

    def take(self) -> Mapping[Series, int]:
        """Return the counts and start again from nothing."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def give_back(self, counts: Mapping[Series, int]) -> None:
        """Add counts again that could not be written."""
        for series, count in counts.items():
            self.add(series, count)


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
