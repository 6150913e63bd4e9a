"""Puts counts of mixed spans into equal buckets of time. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

MINUTE_SECONDS = 60
BUCKET_SECONDS = {15: 30, 60: 60}
"""The lengths of time that the page offers, in minutes, and how finely it draws each."""

DEFAULT_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Window:
    """The last minutes up to `now`, in buckets. The last bucket is still filling.

    It starts on a whole minute, so that no row of ten or sixty seconds lies across its start.
    """

    minutes: int
    starts_at: datetime
    now: datetime
    bucket_seconds: int

    @classmethod
    def until(cls, now: datetime, minutes: int) -> Self:
        """Return the window that ends now. `minutes` is a key of `BUCKET_SECONDS`."""
        start = (now - timedelta(minutes=minutes)).timestamp() // MINUTE_SECONDS * MINUTE_SECONDS
        return cls(minutes, datetime.fromtimestamp(start, now.tzinfo), now, BUCKET_SECONDS[minutes])

    @property
    def buckets(self) -> tuple[datetime, ...]:
        """When each bucket starts."""
        count = int((self.now - self.starts_at).total_seconds() // self.bucket_seconds) + 1
        return tuple(self.starts_at + timedelta(seconds=index * self.bucket_seconds) for index in range(count))

    @property
    def ends_at(self) -> datetime:
        """The end of the last bucket, which is later than now."""
        return self.buckets[-1] + timedelta(seconds=self.bucket_seconds)


@dataclass(frozen=True, slots=True)
class SpanCount:
    """How often something happened within a span of time."""

    series: str
    starts_at: datetime
    span_seconds: int
    count: int


def spread(rows: Iterable[SpanCount], window: Window) -> dict[str, tuple[int, ...]]:
    """Return series -> count per bucket.

    A row longer than a bucket is spread evenly over the part of the window that it covers. Nothing is lost in rounding:
    the buckets of a row add up to its count. Rows outside the window are left out.
    """
    size = len(window.buckets)
    totals: dict[str, list[int]] = defaultdict(lambda: [0] * size)
    for row in rows:
        begin = max((row.starts_at - window.starts_at).total_seconds(), 0.0)
        end = (row.starts_at - window.starts_at).total_seconds() + max(row.span_seconds, 1)
        end = min(end, float(size * window.bucket_seconds))
        if begin >= end:
            continue
        first, last = int(begin // window.bucket_seconds), -int(-end // window.bucket_seconds)
        edges = [begin, *(float(index * window.bucket_seconds) for index in range(first + 1, last)), end]
        reached = [round(row.count * (edge - begin) / (end - begin)) for edge in edges]
        for index, (before, after) in enumerate(pairwise(reached), start=first):
            totals[row.series][index] += after - before
    return {series: tuple(counts) for series, counts in totals.items()}
