"""Sums up what was stored about all endpoints over a span of time. Three queries, whatever the number of rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connections
from django.db.models import F, Q, Sum

from rollout.endpoint_history import COUNTS
from rollout.models import EndpointCount, Tally, TallyKind
from rollout.rollup import STEPS
from rollout.windows import BUCKETS, begin_of, bucket_of

_MINUTE_SECONDS = 60
_LONGEST_SECONDS = STEPS[-1].into_seconds


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time. Raises ValueError unless it ends after it begins."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise ValueError(f"The time ends at {self.until}, which is not after {self.since}, where it begins.")

    @property
    def minutes(self) -> float:
        return (self.until - self.since).total_seconds() / _MINUTE_SECONDS

    def overlaps(self, other: "Span") -> bool:
        """Say whether there is a moment that both cover."""
        return self.since < other.until and other.since < self.until


@dataclass(frozen=True, slots=True)
class EndpointSums:
    """What was counted of one endpoint.

    units, failed, safe_writes, writes_after_reads, with_token: as in `EndpointCount`. durations: how many units took
    how long, by bucket (`rollout.windows`). reads: queries that read. on_replicas: how many of them replicas answered.
    """

    units: int = 0
    failed: int = 0
    safe_writes: int = 0
    writes_after_reads: int = 0
    with_token: int = 0
    durations: tuple[int, ...] = (0,) * BUCKETS
    reads: int = 0
    on_replicas: int = 0

    def quantile(self, share: float) -> float | None:
        """Return how many seconds this share of units took at most, or None if there are none.

        Within a bucket, which is 15 % wide, units are taken to be spread evenly.
        """
        if not (rank := share * sum(self.durations)):
            return begin_of(self.bucket_at(0)) if any(self.durations) else None
        bucket = self.bucket_at(rank)
        begin, end = begin_of(bucket), begin_of(bucket + 1)
        return begin + (end - begin) * (rank - sum(self.durations[:bucket])) / self.durations[bucket]

    def bucket_at(self, rank: float) -> int:
        """Return the bucket of the unit of this rank, counted from the fastest one, or the last one that has units."""
        found = reached = 0
        for bucket, count in enumerate(self.durations):
            if count:
                found, reached = bucket, reached + count
                if reached >= rank:
                    break
        return found

    def slower_than(self, seconds: float) -> int:
        """Return how many units may have taken longer: those of its bucket, and of all after it."""
        return sum(self.durations[min(bucket_of(seconds), BUCKETS - 1) :])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        counts = {name: getattr(self, name) for name in (*COUNTS, "reads", "on_replicas")}
        return {**counts, "durations": {str(bucket): count for bucket, count in enumerate(self.durations) if count}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_json` has stored."""
        counts = {name: int(stored[name]) for name in (*COUNTS, "reads", "on_replicas")}
        return cls(**counts, durations=all_buckets(stored["durations"]))


def stored_span(span: Span, using: str) -> Span:
    """Return the shortest span around this one that no stored row lies across the ends of: whole minutes, or hours."""
    since, until = _floor(span.since, using), _floor(span.until, using)
    return Span(since, until if until == span.until else until + _step(span.until, using))


def sum_up(span: Span, using: str) -> dict[str, EndpointSums]:
    """Return what was counted of each endpoint. Rows belong to the time at which they begin (see `stored_span`)."""
    rows = EndpointCount.objects.using(using).filter(starts_at__gte=span.since, starts_at__lt=span.until)
    totals = rows.values_list("endpoint").annotate(*(Sum(name) for name in COUNTS))
    found = {endpoint: EndpointSums(**dict(zip(COUNTS, counts, strict=True))) for endpoint, *counts in totals}
    for endpoint, durations in stored_durations(span, using).items():
        # One whose first row was written between the two queries is not among the totals.
        found[endpoint] = replace(found.get(endpoint, EndpointSums()), durations=all_buckets(durations))
    tallies = Tally.objects.using(using).filter(
        kind=TallyKind.READ, starts_at__gte=span.since, starts_at__lt=span.until
    )
    reads = tallies.values("endpoint").annotate(
        reads=Sum("count"), on_replicas=Sum("count", filter=~Q(alias=F("cluster")), default=0)
    )
    for row in reads:
        sums = found.get(row["endpoint"], EndpointSums())
        found[row["endpoint"]] = replace(sums, reads=row["reads"], on_replicas=row["on_replicas"])
    return found


def stored_durations(span: Span, using: str) -> dict[str, dict[str, int]]:
    """Return how many units of each endpoint took how long, by bucket, without empty ones. Rows belong as above."""
    table = connections[using].ops.quote_name(EndpointCount._meta.db_table)
    found: dict[str, dict[str, int]] = {}
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"""
            SELECT endpoint, bucket, sum(number::bigint)::bigint
            FROM {table}, jsonb_each_text(durations) AS each (bucket, number)
            WHERE starts_at >= %s AND starts_at < %s GROUP BY 1, 2
            """,  # noqa: S608 - the table's name is our own
            [span.since, span.until],
        )
        for endpoint, bucket, number in cursor.fetchall():
            found.setdefault(endpoint, {})[bucket] = number
    return found


def all_buckets(stored: Mapping[str, int]) -> tuple[int, ...]:
    """Return the counts of all buckets from those that are stored, which are not empty."""
    return tuple(stored.get(str(bucket), 0) for bucket in range(BUCKETS))


def _floor(at: datetime, using: str) -> datetime:
    return _begin(at, _step(at, using))


def _step(at: datetime, using: str) -> timedelta:
    """Return how long the rows are that lie around this moment, a minute at least."""
    longest = timedelta(seconds=_LONGEST_SECONDS)
    rows = EndpointCount.objects.using(using).filter(starts_at=_begin(at, longest), span_seconds=_LONGEST_SECONDS)
    return longest if rows.exists() else timedelta(seconds=_MINUTE_SECONDS)


def _begin(at: datetime, step: timedelta) -> datetime:
    return at - timedelta(seconds=at.timestamp() % step.total_seconds())
