"""What one of many processes sees of a site's traffic. Repeatable: the same process sees the same each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import ClassVar, NamedTuple

from benchmarks.scale.project import GATED, REPLICAS, endpoint


class Visit(NamedTuple):
    """A unit of work. replica: the one that it keeps to."""

    endpoint: str
    replica: str
    seconds: float
    is_gated: bool


@dataclass(frozen=True, slots=True)
class Mix:
    """The traffic of a process.

    endpoints: how many there are; the busiest is asked twice as often as the second, three times as often as the third,
    and so on (Zipf's law). reads_per_second: of one process. Each unit reads three models of its endpoint from
    replicas, and two that never leave the primary.
    """

    reads_per_second: float
    endpoints: int = 100

    MODELS: ClassVar = ("Product", "Review", "Category")
    DENIED: ClassVar = ("sessions.Session", "auth.User")

    @property
    def reads_per_unit(self) -> int:
        return len(self.MODELS) + len(self.DENIED)

    def visits(self, process: int, seconds: float) -> Iterator[Visit]:
        """Return the units that a process serves in so many seconds."""
        random = Random(f"process {process}")  # noqa: S311 - repeatable
        numbers = range(self.endpoints)
        weights = list(accumulate(1 / (number + 1) for number in numbers))
        count = round(self.reads_per_second * seconds / self.reads_per_unit)
        for number in random.choices(numbers, cum_weights=weights, k=count):
            yield Visit(endpoint(number), random.choice(REPLICAS), random.lognormvariate(-4, 0.7), number < GATED)

    @property
    def distinct_rows(self) -> int:
        """How many rows of a minute are left at most once those of all processes are merged.

        For each endpoint, decisions and reads of each model on each of its servers, and its units; and for each rollout
        one arm.
        """
        series = 2 * (len(self.DENIED) + len(self.MODELS) * len(REPLICAS))
        return self.endpoints * (series + 1) + min(GATED, self.endpoints)
