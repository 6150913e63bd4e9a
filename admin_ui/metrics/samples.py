"""The values of metrics at one moment. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from admin_ui.metrics.families import Family
from rollout.windows import BUCKETS, STEPS_PER_DOUBLING, begin_of

_FIRST, _LAST = 15, 90
LAST_BUCKETS = tuple(range(_FIRST, _LAST + 1, STEPS_PER_DOUBLING))
"""The stored buckets after which one of the histogram ends: each twice as long as the one before, 0.8 ms to 26 s."""

BOUNDS = tuple(begin_of(bucket + 1) for bucket in LAST_BUCKETS)
"""Up to how many seconds a unit takes to be in the histogram's bucket."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a counter or gauge. labels: in the order of the family's."""

    family: Family
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Durations:
    """One series of a histogram. counts: how many were in each of the stored buckets (`rollout.windows`)."""

    family: Family
    labels: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def cumulative(self) -> tuple[int, ...]:
        """How many took at most so long, for each of `BOUNDS`, and then all of them."""
        return (*(sum(self.counts[: bucket + 1]) for bucket in LAST_BUCKETS), sum(self.counts))

    @property
    def seconds(self) -> float:
        """How long all of them took together, taking each for the middle of its bucket, which is 15 % wide."""
        return sum(count * _middle(bucket) for bucket, count in enumerate(self.counts) if count)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one moment. began_at: since when counters count, in Unix time."""

    samples: tuple[Sample, ...] = ()
    durations: tuple[Durations, ...] = ()
    began_at: float = 0.0

    def of(self, family: Family) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if sample.family is family)

    def durations_of(self, family: Family) -> tuple[Durations, ...]:
        return tuple(each for each in self.durations if each.family is family)


@dataclass(slots=True)
class Sums:
    """Adds up counters whose rows may have the same labels."""

    counts: Counter[tuple[Family, tuple[str, ...]]] = field(default_factory=Counter)

    def add(self, family: Family, labels: Sequence[str], count: int) -> None:
        self.counts[family, tuple(labels)] += count

    def samples(self) -> Iterable[Sample]:
        return (Sample(family, labels, count) for (family, labels), count in self.counts.items())


def _middle(bucket: int) -> float:
    return (begin_of(bucket) + begin_of(min(bucket + 1, BUCKETS - 1))) / 2
