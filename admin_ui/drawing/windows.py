"""Puts counts of mixed spans into equal buckets of time. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

from django.utils import timezone

from admin_ui.drawing.figures import clock, duration, exact_clock

MINUTE_SECONDS = 60
DAY_MINUTES = 24 * 60
BUCKET_SECONDS = {15: 30, 60: 60, DAY_MINUTES: 30 * 60, 7 * DAY_MINUTES: 3 * 3600}
"""The lengths of time that pages offer, in minutes, and how finely they draw each.

A bucket is as long as a row of counts can be at that age, or longer, so that each row lies in one of them.
"""

DEFAULT_MINUTES = 15
GRAIN_SECONDS = 5 * MINUTE_SECONDS


@dataclass(frozen=True, slots=True)
class Window:
    """The last minutes up to `now`, in buckets. The last bucket is still filling.

    It starts on a whole minute, so that no row of counts lies across its start. Longer ones start on a multiple of five
    minutes, or of a bucket if that is longer: what they hold can be remembered for as long.
    """

    minutes: int
    starts_at: datetime
    now: datetime
    bucket_seconds: int

    @classmethod
    def until(cls, now: datetime, minutes: int) -> Self:
        """Return the window that ends now. `minutes` is a key of `BUCKET_SECONDS`."""
        grain = _grain_seconds(minutes)
        start = (now - timedelta(minutes=minutes)).timestamp() // grain * grain
        return cls(minutes, datetime.fromtimestamp(start, now.tzinfo), now, BUCKET_SECONDS[minutes])

    @property
    def grain_seconds(self) -> int:
        """It starts on a multiple of this."""
        return _grain_seconds(self.minutes)

    @property
    def words(self) -> str:
        """Its length within a sentence: the last 15 minutes."""
        return length_words(self.minutes)

    @property
    def bucket_words(self) -> str:
        """How long one bucket is, to follow "per"."""
        return duration(self.bucket_seconds)

    def label(self, moment: datetime) -> str:
        """Write when a bucket starts, as exactly as buckets differ."""
        if self.minutes < DAY_MINUTES:
            return exact_clock(moment)
        return f"{timezone.localtime(moment):%a %d %b} {clock(moment)}"

    def tick(self, moment: datetime) -> str:
        """Write a moment on the axis of time."""
        return clock(moment) if self.minutes <= DAY_MINUTES else f"{timezone.localtime(moment):%a} {clock(moment)}"

    @property
    def buckets(self) -> tuple[datetime, ...]:
        """When each bucket starts."""
        count = int((self.now - self.starts_at).total_seconds() // self.bucket_seconds) + 1
        return tuple(self.starts_at + timedelta(seconds=index * self.bucket_seconds) for index in range(count))

    @property
    def ends_at(self) -> datetime:
        """The end of the last bucket, which is later than now."""
        return self.buckets[-1] + timedelta(seconds=self.bucket_seconds)


def _grain_seconds(minutes: int) -> int:
    return MINUTE_SECONDS if minutes == DEFAULT_MINUTES else max(BUCKET_SECONDS[minutes], GRAIN_SECONDS)


def length_words(minutes: int) -> str:
    """Write one of the lengths of time: 15 minutes, 24 hours, 7 days."""
    if minutes < DAY_MINUTES:
        return f"{minutes} minutes"
    return "24 hours" if minutes == DAY_MINUTES else f"{minutes // DAY_MINUTES} days"


def length_label(minutes: int) -> str:
    """Write one of the lengths of time as briefly as can be: 15 min, 24 h, 7 days."""
    return f"{minutes} min" if minutes < DAY_MINUTES else duration(minutes * MINUTE_SECONDS)


def parse_minutes(text: str) -> int:
    """Return one of the offered lengths of time, the default for anything else."""
    return next((minutes for minutes in BUCKET_SECONDS if str(minutes) == text), DEFAULT_MINUTES)


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
