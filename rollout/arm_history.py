"""Keeps what is stored of arms small, and what a back-test needs of it for as long as counts are kept."""

from datetime import datetime, timedelta

from rollout.merging import Shape, merge_rows
from rollout.models import ArmCount
from rollout.rollup import Step

MERGED_AFTER = timedelta(hours=1)
"""What is older nobody sums up for a running stage any more: a plan looks every few seconds."""
_STEP = Step(MERGED_AFTER, into_seconds=60)

_SHAPE = Shape(
    ArmCount,
    key=("target_kind", "target", "side", "revision"),
    sums=("units", "failed", "reads", "fallbacks"),
    greatest=("lag_seconds",),
)


def merge(now: datetime, using: str) -> int:
    """Merge rows of all processes into one for each arm, revision and minute; return how many rows that took away."""
    return merge_rows(_SHAPE, now, _STEP, using)


def drop_before(limit: datetime, using: str) -> int:
    """Delete rows that started before `limit` and return their number."""
    return ArmCount.objects.using(using).filter(starts_at__lt=limit).delete()[0]
