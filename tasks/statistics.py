"""Keeps the statistics small."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from rollout import rollup
from rollout.settings import get_settings
from routers.control import control_alias
from routers.own_work import own_work


@shared_task(name="readshift.roll_up", ignore_result=True)
def roll_up() -> int:
    """Merge counts into longer spans and return how many rows that saved. Safe to run twice, and twice at once."""
    with own_work():
        return rollup.merge(timezone.now(), control_alias())


@shared_task(name="readshift.retain", ignore_result=True)
def retain() -> int:
    """Delete counts older than `READSHIFT["RETENTION_DAYS"]` and return how many rows went."""
    limit = timezone.now() - timedelta(days=get_settings().retention_days)
    with own_work():
        return rollup.drop_before(limit, control_alias())
