"""Counters from the roll-ups, which every process reads alike.

They count since midnight, and begin anew there as a counter does whose program is started again. So they never fall for
another reason, whatever is merged or deleted; nothing has to be kept beside the tables; and they cost no more than the
sum of a day.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Min, Sum

from admin_ui.metrics import families
from admin_ui.metrics.endpoints import HOUR, began_at, naming
from admin_ui.metrics.samples import Durations, Sample, Sums
from rollout.endpoint_sums import Span, all_buckets, stored_durations
from rollout.models import EndpointCount, Tally, TallyKind


class _Tallied(NamedTuple):
    kind: str
    cluster: str
    alias: str
    endpoint: str
    reason: str
    candidate: str
    total: int
    first: datetime


class _Worked(NamedTuple):
    endpoint: str
    failed: int
    first: datetime


def read_counters(
    now: datetime, length: timedelta, most: int, using: str
) -> tuple[tuple[Sample, ...], tuple[Durations, ...]]:
    """Return what was counted since the present period of this length began.

    Three queries, and two more where there are more than `most` endpoints. Raises what the database raises.
    """
    since = began_at(now, length)
    # Clocks of other machines may be ahead.
    span = Span(since, now + HOUR)
    tallies, work = _read_tallies(span, using), _read_work(span, using)
    first_seen: dict[str, datetime] = {}
    reads = [(row.endpoint, row.first) for row in tallies if row.kind == TallyKind.READ]
    for endpoint, first in (*reads, *((row.endpoint, row.first) for row in work)):
        first_seen[endpoint] = min(first, first_seen.get(endpoint, first))
    name = naming(first_seen, most, lambda: _read_busyness(Span(since - length, since), using))
    return tuple(_sums(tallies, work, name).samples()), tuple(_durations(span, name, using))


def _read_tallies(span: Span, using: str) -> list[_Tallied]:
    rows = Tally.objects.using(using).filter(starts_at__gte=span.since, starts_at__lt=span.until)
    grouped = rows.exclude(kind=TallyKind.WRITE).values_list(*_Tallied._fields[:-2])
    return [_Tallied(*row) for row in grouped.annotate(Sum("count"), Min("starts_at"))]


def _read_work(span: Span, using: str) -> list[_Worked]:
    rows = EndpointCount.objects.using(using).filter(starts_at__gte=span.since, starts_at__lt=span.until)
    return [_Worked(*row) for row in rows.values_list("endpoint").annotate(Sum("failed"), Min("starts_at"))]


def _read_busyness(span: Span, using: str) -> Mapping[str, int]:
    """Return how many reads and units there were of each endpoint."""
    busyness: Counter[str] = Counter()
    within = {"starts_at__gte": span.since, "starts_at__lt": span.until}
    tallies = Tally.objects.using(using).filter(kind=TallyKind.READ, **within)
    work = EndpointCount.objects.using(using).filter(**within)
    for counted in (
        tallies.values_list("endpoint").annotate(Sum("count")),
        work.values_list("endpoint").annotate(Sum("units")),
    ):
        busyness.update(dict(counted))
    return busyness


def _sums(tallies: Iterable[_Tallied], work: Iterable[_Worked], name: Callable[[str], str]) -> Sums:
    sums = Sums()
    for row in tallies:
        match row.kind:
            case TallyKind.READ:
                sums.add(families.READS, (row.cluster, row.alias, name(row.endpoint), row.reason), row.total)
            case TallyKind.DECISION:
                sums.add(families.DECISIONS, (row.cluster, row.alias, row.reason), row.total)
            case TallyKind.REPLAY:
                sums.add(families.REPLAYS, (row.cluster, row.alias, row.candidate, row.reason), row.total)
            case TallyKind.SHADOW:
                sums.add(families.CAPTURES, (row.cluster, row.reason), row.total)
    for worked in work:
        sums.add(families.FAILED_UNITS, (name(worked.endpoint),), worked.failed)
    return sums


def _durations(span: Span, name: Callable[[str], str], using: str) -> Iterable[Durations]:
    found: dict[str, Counter[str]] = {}
    for endpoint, buckets in stored_durations(span, using).items():
        found.setdefault(name(endpoint), Counter()).update(buckets)
    return (Durations(families.UNIT_DURATION, (label,), all_buckets(buckets)) for label, buckets in found.items())
