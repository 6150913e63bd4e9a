"""Keeps statistics and reports small."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from rollout import arm_history, endpoint_history, rollup
from rollout.settings import get_settings
from routers.control import control_alias
from routers.own_work import own_work
from tasks.reporting.retention import retain_shadow_reads


@shared_task(name="readshift.roll_up", ignore_result=True)
def roll_up() -> int:
    """Merge counts into longer spans and return how many rows that saved. Safe to run twice, and twice at once."""
    using, now = control_alias(), timezone.now()
    with own_work():
        return rollup.merge(now, using) + arm_history.merge(now, using) + endpoint_history.merge(now, using)


@shared_task(name="readshift.retain", ignore_result=True)
def retain() -> int:
    """Delete counts and shadow reads that the settings keep no longer, and return how many rows went.

    It also removes what shadow reads hold of people once `READSHIFT["SHADOW_VALUES_DAYS"]` are over. Safe to run twice,
    and twice at once.
    """
    settings, using, now = get_settings(), control_alias(), timezone.now()
    with own_work():
        limit = now - timedelta(days=settings.retention_days)
        counts = rollup.drop_before(limit, using) + arm_history.drop_before(limit, using)
        counts += endpoint_history.drop_before(limit, using)
        return counts + retain_shadow_reads(now, settings, using)
