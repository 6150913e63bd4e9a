"""The numbers that follow from changes and from what the replica received. Pure."""

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.failover.measures import percentile
from benchmarks.propagation.changes import Change
from benchmarks.propagation.wire import Arrival


@dataclass(frozen=True, slots=True)
class Times:
    """How long changes took, in milliseconds; None of none."""

    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Times":
        took = [1000 * each for each in seconds]
        return cls(percentile(took, 0.5), percentile(took, 0.99), max(took, default=None))

    def as_json(self) -> dict[str, float | None]:
        """Return the numbers, rounded to what they are worth."""
        named = {"p50_ms": self.p50_ms, "p99_ms": self.p99_ms, "max_ms": self.max_ms}
        return {name: None if value is None else round(value, 1) for name, value in named.items()}


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one phase. See the package for what each means.

    reads: statements that the replica received. unacknowledged: changes that one of the workers did not acknowledge.
    """

    acted: Times
    acknowledged: Times
    stale_reads_after_ack: int
    reads: int
    unacknowledged: int

    def as_json(self) -> dict[str, Any]:
        return {
            **self.acted.as_json(),
            "stale_reads_after_ack": self.stale_reads_after_ack,
            "acknowledged": self.acknowledged.as_json(),
            "replica_reads": self.reads,
            "unacknowledged": self.unacknowledged,
        }


def figures_of(changes: Sequence[Change], reads: Iterable[Arrival], workers: Collection[int]) -> Figures:
    """Return the figures of changes that were made one after the other, beginning with one that opens.

    reads: what the replica received of the workers.
    """
    of_workers = sorted((read for read in reads if read.pid in workers), key=lambda read: read.at)
    times = [read.at for read in of_workers]
    acted, stale = [], 0
    for change, following in pairwise([*changes, None]):
        if change is None or not change.closes:
            continue
        begin = bisect_left(times, change.committed)
        end = len(times) if following is None else bisect_left(times, following.committed)
        acted.append(max(times[begin:end], default=change.committed) - change.committed)
        stale += sum(_is_after(read, change.acknowledged.get(read.pid)) for read in of_workers[begin:end])
    complete = [change for change in changes if change.acknowledged.keys() >= set(workers)]
    return Figures(
        acted=Times.of(acted),
        acknowledged=Times.of(
            max(change.acknowledged[pid] for pid in workers) - change.committed for change in complete
        ),
        stale_reads_after_ack=stale,
        reads=len(of_workers),
        unacknowledged=len(changes) - len(complete),
    )


def _is_after(read: Arrival, acknowledged: float | None) -> bool:
    """Say whether a read arrived in a later millisecond than the acknowledgement: the log is no more exact."""
    return acknowledged is not None and round(read.at * 1000) > math.floor(acknowledged * 1000)
