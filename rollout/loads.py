"""What each replica serves now, by what the processes counted on the wire, and whether it could be more."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Sum

from rollout.capacity import Capacity, check
from rollout.models import Tally, TallyKind
from rollout.rollup import FLUSH_SPAN_SECONDS
from rollout.settings import get_settings

_SPAN = timedelta(seconds=60)
_UNFINISHED = timedelta(seconds=FLUSH_SPAN_SECONDS)


def loads(aliases: Iterable[str], now: datetime, using: str) -> Mapping[str, float]:
    """Return the reads per second that each of these replicas served in the last whole minute of counts."""
    until = now - _UNFINISHED
    counted = (
        Tally.objects.using(using)
        .filter(kind=TallyKind.READ, alias__in=list(aliases), starts_at__gt=until - _SPAN, starts_at__lte=until)
        .values_list("alias")
        .annotate(total=Sum("count"))
    )
    return {alias: total / _SPAN.total_seconds() for alias, total in counted}


def check_growth(pool: str, factor: float, now: datetime, using: str) -> Capacity | None:
    """Return whether a pool could lose a replica once its load is so many times what it is; None if it has none."""
    members = {alias: replica.capacity for alias, replica in get_settings().replicas.items() if replica.pool == pool}
    is_stated = any(capacity is not None for capacity in members.values())
    return check(loads(members, now, using) if is_stated else {}, members, factor) if members else None
