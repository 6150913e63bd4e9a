"""The paths that rollouts are simulated on, and the windows that they see."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from math import erf, exp, log, pi, sin, sqrt
from random import Random

from rollout.guardrails import Floor
from rollout.windows import BUCKETS, Arm, Window, begin_of

WINDOW_SECONDS = 10
TRAFFIC = (20, 100, 500, 2000)
ERROR_RATES = (0.0005, 0.02)
STALE_SHARES = (0.002, 0.02)

_MEDIANS = (0.005, 0.2)
_SIGMAS = (0.5, 0.9)
_TAIL_SHARE, _TAIL_TIMES, _TAIL_SIGMA = 0.05, 4.0, 1.0
_COMPARED_SHARE, _MOST_COMPARED = 0.05, 20.0
_BEFORE = 20_000
_SWING, _SWING_SECONDS = 0.2, 6 * 3600.0
_NOISE = 0.05
_LOW, _HIGH = 0.7, 0.997
_ONE_BY_ONE = 30
"""Up to so many are drawn exactly; above, a rounded normal variate is as good as a Poisson one."""


class Regression(StrEnum):
    """What gets worse on the replica's arm."""

    ERRORS = "errors"
    LATENCY = "latency"
    STALE = "stale"


_WORSE_ERRORS = 2.0
_WORSE_LATENCY = 1.5
_WORSE_STALE = 0.02


def poisson(random: Random, mean: float) -> int:
    """Return a Poisson variate."""
    if mean > _ONE_BY_ONE:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    limit, count, product = exp(-mean), 0, random.random()
    while product > limit:
        product *= random.random()
        count += 1
    return count


def _evenly(random: Random, low_high: tuple[float, float]) -> float:
    """Return a value between two, evenly on a logarithmic scale."""
    return exp(random.uniform(log(low_high[0]), log(low_high[1])))


class Durations:
    """Log-normal durations with a heavier tail: draws how many of n are in which bucket."""

    def __init__(self, median: float, sigma: float) -> None:
        shares = [later - before for before, later in pairwise(self._below(median, sigma))]
        self._sums = list(accumulate(shares))
        # Only the upper part is told apart: no limit looks at the rest, and most of the time would go into it.
        low = bisect_right(self._sums, _LOW)
        high = bisect_right(self._sums, _HIGH)
        self._shares = [sum(shares[: low + 1]), *shares[low + 1 : high], sum(shares[high:])]
        self._low, self._rest = low, BUCKETS - 1 - high

    @staticmethod
    def _below(median: float, sigma: float) -> list[float]:
        """Return the share of durations below each bucket's begin, and 1."""

        def normal(seconds: float, middle: float, spread: float) -> float:
            return (1 + erf(log(seconds / middle) / spread / sqrt(2))) / 2

        return [
            0.0,
            *(
                (1 - _TAIL_SHARE) * normal(begin_of(bucket), median, sigma)
                + _TAIL_SHARE * normal(begin_of(bucket), median * _TAIL_TIMES, _TAIL_SIGMA)
                for bucket in range(1, BUCKETS)
            ),
            1.0,
        ]

    def draw(self, random: Random, mean: float) -> tuple[int, ...]:
        """Return how many durations each bucket has, on average `mean` in all.

        Poisson arrivals in a bucket are independent of those in the others.
        """
        if mean > _ONE_BY_ONE:
            drawn = [poisson(random, mean * share) for share in self._shares]
            return (*[0] * self._low, *drawn, *[0] * self._rest)
        counts = [0] * BUCKETS
        for _ in range(poisson(random, mean)):
            counts[min(bisect_right(self._sums, random.random()), BUCKETS - 1)] += 1
        return tuple(counts)


@dataclass(frozen=True)
class Path:
    """What a rollout moves: how much traffic, how good it is, and what gets worse.

    Attributes:
        rate: units a second.
        errors: the share that fails.
        stale: the share of shadow reads that is stale.
        durations: of units, and `worse_durations` of those of the replica's arm after a regression of the latency.
        phase: where in its swing the path is when the rollout begins.
        floor: what was counted before of stale reads.
    """

    rate: float
    errors: float
    stale: float
    durations: Durations
    worse_durations: Durations
    phase: float
    floor: Floor

    @classmethod
    def drawn(cls, random: Random) -> "Path":
        """Return a path as teams have them."""
        stale, median, sigma = (
            _evenly(random, STALE_SHARES),
            _evenly(random, _MEDIANS),
            random.uniform(*_SIGMAS),
        )
        return cls(
            rate=random.choice(TRAFFIC),
            errors=_evenly(random, ERROR_RATES),
            stale=stale,
            durations=Durations(median, sigma),
            worse_durations=Durations(median * _WORSE_LATENCY, sigma),
            phase=random.uniform(0, 2 * pi),
            floor=Floor(poisson(random, _BEFORE * stale), _BEFORE),
        )

    def window(self, random: Random, stage: int, percent: float, seconds: float, worse: Sequence[Regression]) -> Window:
        """Return what a window of the stage sees that begins so many seconds after the rollout did."""
        swing = 1 + _SWING * sin(self.phase + 2 * pi * seconds / _SWING_SECONDS)
        units = self.rate * WINDOW_SECONDS * swing
        errors = self.errors * swing * (_WORSE_ERRORS if Regression.ERRORS in worse else 1)
        durations = self.worse_durations if Regression.LATENCY in worse else self.durations
        stale = self.stale * swing + (_WORSE_STALE if Regression.STALE in worse else 0)
        compared = min(_COMPARED_SHARE * units, _MOST_COMPARED * WINDOW_SECONDS)
        outdated = poisson(random, compared * stale)
        return Window(
            stage,
            replica=_arm(random, units * percent / 100, errors, durations),
            primary=_arm(random, units * (1 - percent / 100), self.errors * swing, self.durations),
            compared=outdated + poisson(random, compared * (1 - stale)),
            stale=outdated,
        )


def _arm(random: Random, mean: float, errors: float, durations: Durations) -> Arm:
    if not mean:
        return Arm()
    took = durations.draw(random, mean)
    units = sum(took)
    noise = random.gammavariate(1 / _NOISE**2, _NOISE**2)
    return Arm(units, _binomial(random, units, errors * noise), took)


def _binomial(random: Random, units: int, share: float) -> int:
    """Return how many of the units do, each with a small probability: exact for few, and close to it for many."""
    mean = units * share
    if mean > _ONE_BY_ONE:
        return min(units, max(0, round(random.gauss(mean, sqrt(mean * (1 - share))))))
    # The gaps between them are geometric.
    count, position, base = 0, 0, log(1 - share)
    while True:
        position += int(log(1 - random.random()) / base) + 1
        if position > units:
            return count
        count += 1
