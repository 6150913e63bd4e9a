"""Keeps shadow reads few, and what they hold of people not longer than it is needed.

Everything here is safe to run twice, and twice at once: rows that another run has locked are left to that one.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from rollout.models import ShadowRead, ShadowState
from rollout.options import Settings

LONGEST_OPEN = timedelta(days=1)
"""How long a read may wait for its comparison. What is older says little about today, and no worker seems to run."""

BATCH = 500
"""Rows whose values are removed in one transaction, so that a crash loses little and no lock lasts long."""

VALUE_KEY = "value"
"""The only key under which `ShadowRead.details` holds values of columns, at any depth."""

_HOLDS_VALUES = f"$.** ? (exists(@.{VALUE_KEY}))"


def retain_shadow_reads(now: datetime, settings: Settings, using: str) -> int:
    """Do everything that is due, and return how many reads went."""
    gone = drop_open_before(now - LONGEST_OPEN, using)
    gone += drop_compared_before(now - timedelta(days=settings.retention_days), using)
    gone += drop_beyond(settings.shadow_reports, using)
    forget_values_before(now - timedelta(days=settings.shadow_values_days), using)
    return gone


def drop_open_before(limit: datetime, using: str) -> int:
    """Delete reads that were captured before `limit` and never compared, and return their number."""
    reads = ShadowRead.objects.using(using)
    return _drop(reads.exclude(state=ShadowState.DONE).filter(captured_at__lt=limit), using)


def drop_compared_before(limit: datetime, using: str) -> int:
    """Delete reads that were compared before `limit` and return their number."""
    return _drop(_compared(using).filter(compared_at__lt=limit), using)


def drop_beyond(count: int, using: str) -> int:
    """Delete all compared reads but the newest `count`, and return how many that were."""
    newest_first = _compared(using).order_by("-compared_at", "-pk").values_list("compared_at", "pk")
    # Reads that are compared meanwhile are newer, so what lies beyond this one now will still do so.
    beyond = newest_first[count : count + 1].first()
    if beyond is None:
        return 0
    compared_at, pk = beyond
    older = Q(compared_at__lt=compared_at) | Q(compared_at=compared_at, pk__lte=pk)
    return _drop(_compared(using).filter(older), using)


def forget_values_before(limit: datetime, using: str) -> int:
    """Empty what was captured of reads compared before `limit`, and remove values from their details.

    Return how many reads held any. Names, types, counts and hashes stay.
    """
    holds_values = Func(
        F("details"),
        Value(_HOLDS_VALUES),
        function="jsonb_path_exists",
        template="%(function)s(%(expressions)s::jsonpath)",
        output_field=BooleanField(),
    )
    due = _compared(using).alias(holds_values=holds_values).filter(compared_at__lt=limit)
    due = due.filter(Q(sealed__isnull=False) | Q(holds_values=True))
    total = 0
    while number := _forget_values(due, using):
        total += number
    return total


def without_values(details: Any) -> Any:
    """Return details without the values of columns that they hold at any depth. Pure."""
    if isinstance(details, dict):
        return {key: without_values(content) for key, content in details.items() if key != VALUE_KEY}
    return [without_values(content) for content in details] if isinstance(details, list) else details


def _forget_values(due: QuerySet[ShadowRead], using: str) -> int:
    with transaction.atomic(using=using):
        reads = list(_unlocked(due).only("pk", "details")[:BATCH])
        for read in reads:
            read.sealed, read.details = None, without_values(read.details)
        ShadowRead.objects.using(using).bulk_update(reads, ["sealed", "details"])
    return len(reads)


def _drop(reads: QuerySet[ShadowRead], using: str) -> int:
    with transaction.atomic(using=using):
        return ShadowRead.objects.using(using).filter(pk__in=_unlocked(reads).values("pk")).delete()[0]


def _compared(using: str) -> QuerySet[ShadowRead]:
    return ShadowRead.objects.using(using).filter(state=ShadowState.DONE)


def _unlocked(reads: QuerySet[ShadowRead]) -> QuerySet[ShadowRead]:
    return reads.select_for_update(skip_locked=True)
