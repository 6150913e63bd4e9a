"""What each replica serves now, by what the processes counted on the wire."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Sum

from rollout.models import Tally, TallyKind
from rollout.rollup import FLUSH_SPAN_SECONDS

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
