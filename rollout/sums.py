"""Adds up stored counts to a window. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from rollout.models.arm import Side
from rollout.outcomes import Outcome
from rollout.windows import BUCKETS, Arm, Window

_TELLING = frozenset({Outcome.EQUAL, Outcome.CAUGHT_UP, Outcome.DIVERGENT})
"""The outcomes of comparisons that say something."""


class ArmRow(NamedTuple):
    """What one row counts. The fields are those of `rollout.models.ArmCount`."""

    side: str
    units: int
    failed: int
    durations: Mapping[str, int]
    reads: int
    fallbacks: int
    lag_seconds: float | None


class Sums:
    """What arrived in one span of a stage so far."""

    def __init__(self, stage: int) -> None:
        self._stage = stage
        self._counts: dict[str, Counter[str]] = {side: Counter() for side in Side.values}
        self._durations = {side: [0] * BUCKETS for side in Side.values}
        self._outcomes: Counter[str] = Counter()
        self._lags: list[float] = []

    def add_arm(self, row: ArmRow) -> None:
        """Add a row of either arm."""
        counts, durations = self._counts[row.side], self._durations[row.side]
        for name in ("units", "failed", "reads", "fallbacks"):
            counts[name] += getattr(row, name)
        for bucket, number in row.durations.items():
            durations[int(bucket)] += number
        if row.lag_seconds is not None:
            self._lags.append(row.lag_seconds)

    def add_shadow(self, outcome: str) -> None:
        """Add how a shadow read ended, unless that says nothing."""
        if outcome in _TELLING:
            self._outcomes[outcome] += 1

    def window(self) -> Window | None:
        """Return the sums, or None if nothing was added that says anything."""
        replica, primary = self._counts[Side.REPLICA], self._counts[Side.PRIMARY]
        if not (replica.total() or primary.total() or self._outcomes or self._lags):
            return None
        return Window(
            self._stage,
            replica=self._arm(Side.REPLICA),
            primary=self._arm(Side.PRIMARY),
            compared=self._outcomes.total(),
            stale=self._outcomes[Outcome.CAUGHT_UP],
            divergent=self._outcomes[Outcome.DIVERGENT],
            reads=replica["reads"],
            fallbacks=replica["fallbacks"],
            lag_seconds=max(self._lags, default=None),
        )

    def _arm(self, side: Side) -> Arm:
        counts = self._counts[side]
        return Arm(counts["units"], counts["failed"], tuple(self._durations[side]))
