"""Keeps what is stored of endpoints small, in spans that grow with age as those of tallies do."""

from datetime import datetime

from rollout.merging import Shape, merge_rows
from rollout.models import EndpointCount
from rollout.rollup import GATHERING, STEPS

COUNTS = ("units", "failed", "safe_writes", "writes_after_reads", "with_token")
"""What a row counts besides durations."""

_SHAPE = Shape(EndpointCount, key=("endpoint",), sums=COUNTS)


def merge(now: datetime, using: str) -> int:
    """Merge rows of all processes into one for each endpoint and span; return how many rows that took away."""
    return sum(merge_rows(_SHAPE, now, step, using) for step in (GATHERING, *STEPS))


def drop_before(limit: datetime, using: str) -> int:
    """Delete rows that started before `limit` and return their number."""
    return EndpointCount.objects.using(using).filter(starts_at__lt=limit).delete()[0]
