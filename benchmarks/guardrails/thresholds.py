"""The rule that the guardrails are compared with: point estimates against thresholds, and a number of failed checks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.guardrails.traffic import WINDOW_SECONDS
from rollout.guardrails import Floor
from rollout.windows import Arm, Window, begin_of, percentile

_CHECK_WINDOWS = 60 // WINDOW_SECONDS
_ERRORS_TIMES = 1.5
_LATENCY_TIMES = 1.25
_STALE_MORE = 0.01
_SLOW_SHARE = 0.05


@dataclass
class FixedThreshold:
    """Takes a rollout back once `failed` checks have failed, which it makes every minute.

    Attributes:
        limit: so many failed checks are one too many.
        missing_fails: whether a check that finds no data has failed.
        floor: of stale reads.
    """

    limit: int
    missing_fails: bool
    floor: Floor
    failed: int = 0
    _minute: list[Window] = field(default_factory=list)
    _primary: Arm = field(default_factory=Arm)

    @property
    def has_fired(self) -> bool:
        """Whether it has taken the rollout back."""
        return self.failed >= self.limit

    def look(self, window: Window) -> None:
        """Take one window, and check once they make a minute."""
        if self._minute and self._minute[0].stage != window.stage:
            self._minute = []
        self._minute.append(window)
        if len(self._minute) == _CHECK_WINDOWS:
            self._check(self._minute)
            self._minute = []

    def _check(self, minute: Sequence[Window]) -> None:
        replica = sum((window.replica for window in minute), Arm())
        primary = sum((window.primary for window in minute), Arm())
        compared, stale = sum(window.compared for window in minute), sum(window.stale for window in minute)
        self._primary = primary if primary.units else self._primary
        primary = self._primary
        # Each metric is a check of its own, as in both systems.
        for has_data, is_bad in (
            (
                bool(replica.units and primary.units),
                replica.failed * primary.units > _ERRORS_TIMES * primary.failed * replica.units,
            ),
            (bool(replica.units and primary.units), _slow(replica) > _LATENCY_TIMES * _slow(primary)),
            (bool(compared), stale > compared * (self.floor.part / self.floor.whole + _STALE_MORE)),
        ):
            self.failed += is_bad if has_data else self.missing_fails


def _slow(arm: Arm) -> float:
    """Return the 95th percentile in seconds, the begin of its bucket plus the part of it that lies below."""
    if not any(arm.durations):
        return 0.0
    bucket = percentile(arm.durations, _SLOW_SHARE)
    beyond = _SLOW_SHARE * sum(arm.durations) - sum(arm.durations[bucket + 1 :])
    inside = arm.durations[bucket]
    return begin_of(bucket) + (begin_of(bucket + 1) - begin_of(bucket)) * (1 - beyond / inside)
