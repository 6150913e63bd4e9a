"""Stores what a look at a running plan has found."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import router, transaction

from rollout.models import RolloutPlan
from rollout.standings import Standing
from rollout.verdicts import Verdict


def keep(
    pk: int,
    *,
    version: int,
    looked_from: datetime,
    looked_until: datetime,
    standings: Mapping[str, Standing],
    verdicts: Iterable[Verdict],
    using: str | None = None,
) -> bool:
    """Store what a look at a span has found. Returns False, and stores nothing, if that was done already.

    Of two schedulers that look at the same span one stores it, so that nothing is counted twice.
    """
    using = using or router.db_for_write(RolloutPlan)
    with transaction.atomic(using):
        plan = RolloutPlan.objects.using(using).select_for_update().filter(pk=pk, version=version).first()
        if plan is None or plan.looked_at != looked_from:
            return False
        plan.looked_at = looked_until
        plan.standings = {name: standing.as_json() for name, standing in standings.items()}
        plan.verdicts = {
            each.metric.value: {"finding": each.finding.value, "reason": each.reason, "trial": each.trial}
            for each in verdicts
        }
        plan.save(using=using, update_fields=["looked_at", "standings", "verdicts"])
    return True
