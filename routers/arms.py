"""What became of the units that a rule's gate let go, and of those that it did not: counts of this process."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rollout.models.arm import ArmCount, Side
from rollout.policy import Rule
from rollout.rollup import FLUSH_SPAN_SECONDS, flush_span
from rollout.settings import get_settings
from rollout.windows import bucket_of
from routers.replicas import replicas
from routers.unit_counts import UnitCounts


@dataclass(slots=True)
class Membership:
    """A unit's place in the rollout of one rule.

    revision: that of the policy under which it joined the arm. reads: how many of its reads were meant for a replica.
    fallbacks: how many of them fell back to the primary.
    """

    rule: Rule
    side: Side
    revision: int
    reads: int = 0
    fallbacks: int = 0


class Rollout(NamedTuple):
    """What is counted apart: a rule, with its pool, under one revision of the policy."""

    target_kind: str
    target: str
    pool: str
    revision: int


@dataclass(slots=True)
class Outcomes:
    """What became of the units of one arm. durations: how many took how long, by bucket."""

    units: int = 0
    failed: int = 0
    reads: int = 0
    fallbacks: int = 0
    durations: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Outcomes") -> None:
        self.units += other.units
        self.failed += other.failed
        self.reads += other.reads
        self.fallbacks += other.fallbacks
        self.durations.update(other.durations)


Arms = Mapping[Side, Outcomes]


class ArmMeter(UnitCounts[Rollout, Arms]):
    """Counters of one process, until the agent writes them: one for each rule with a gate that was asked.

    Beyond `MAX_SERIES` of them neither arm is counted: one without the other would be no comparison.
    """

    model = ArmCount

    def count(self, memberships: Iterable[Membership], seconds: float, *, failed: bool) -> None:
        """Take down that a unit has ended, for each arm that it belongs to. seconds: how long it took."""
        bucket = bucket_of(seconds)
        for member in memberships:
            rule = member.rule
            rollout = Rollout(rule.target_kind, rule.target, rule.pool, member.revision)
            with self._lock:
                if arms := self._arms_of(rollout):
                    outcomes = arms[member.side]
                    outcomes.units += 1
                    outcomes.failed += failed
                    outcomes.reads += member.reads
                    # Threads of one unit may count at the same time, and of two additions one may be lost.
                    outcomes.fallbacks += min(member.fallbacks, member.reads)
                    outcomes.durations[bucket] += 1

    def give_back(self, taken: Mapping[Rollout, Arms]) -> None:
        """Add counts again that could not be written."""
        for rollout, kept in taken.items():
            with self._lock:
                if arms := self._arms_of(rollout):
                    for side, outcomes in kept.items():
                        arms[side].add(outcomes)

    def rows(self, taken: Mapping[Rollout, Arms], now: datetime) -> Iterable[ArmCount]:
        starts_at = flush_span(now)
        for rollout, arms in taken.items():
            lag = greatest_lag(rollout.pool)
            for side, outcomes in arms.items():
                if outcomes.units:
                    yield ArmCount(
                        starts_at=starts_at,
                        span_seconds=FLUSH_SPAN_SECONDS,
                        target_kind=rollout.target_kind,
                        target=rollout.target,
                        side=side,
                        revision=rollout.revision,
                        units=outcomes.units,
                        failed=outcomes.failed,
                        durations=outcomes.durations,
                        reads=outcomes.reads,
                        fallbacks=outcomes.fallbacks,
                        lag_seconds=lag,
                    )

    def _arms_of(self, rollout: Rollout) -> Arms | None:
        """Return where a rollout is counted, or None when there is no room for it. The lock must be held."""
        arms = self._counted.get(rollout)
        if arms is None and len(self._counted) < get_settings().max_series:
            arms = self._counted[rollout] = {side: Outcomes() for side in Side}
        return arms


def greatest_lag(pool: str) -> float | None:
    """Return by how many seconds the pool's fit replica that is furthest behind is so; None while none is known."""
    members = (replica.alias for replica in get_settings().replicas.values() if replica.pool == pool)
    lags = (replicas.standing(alias).lag.seconds for alias in members if replicas.is_fit(alias))
    return max((lag for lag in lags if lag is not None), default=None)


arms = ArmMeter()
"""The arms of this process."""
