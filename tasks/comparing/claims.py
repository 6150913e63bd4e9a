"""Who compares what: reads are claimed by one worker at a time, and each is reported once."""

import logging
import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome, ShadowCause
from routers.control import control_alias
from tasks.comparing.results import Result

logger = logging.getLogger("readshift")

LOST_AFTER = timedelta(seconds=120)
"""After how long without a worker, or with one that does not finish, a read is offered again."""

MOST_TRIES = 3


class ForgedBatchError(ValueError):
    """A message asks for reads that its batch does not hold. Nothing was claimed."""


def claim_batch(batch: object, ids: object) -> list[ShadowRead]:
    """Claim the reads of a message: all that nobody has claimed yet. Raises `ForgedBatchError`."""
    batch_id, wanted = _parse(batch, ids)
    reads = ShadowRead.objects.using(control_alias()).filter(batch=batch_id, pk__in=wanted)
    if reads.count() != len(wanted):
        raise ForgedBatchError(
            f"The batch {batch_id} does not hold all of the {len(wanted)} reads that were asked for."
        )
    return _claim(reads.filter(state=ShadowState.WAITING))


def claim_lost(most: int) -> list[ShadowRead]:
    """Claim up to so many reads whose message, or whose worker, seems to be lost."""
    limit = timezone.now() - LOST_AFTER
    open_reads = ShadowRead.objects.using(control_alias())
    waiting = open_reads.filter(state=ShadowState.WAITING, captured_at__lt=limit)
    stuck = open_reads.filter(state=ShadowState.CLAIMED, claimed_at__lt=limit)
    stuck.filter(tries__gte=MOST_TRIES).update(
        state=ShadowState.DONE,
        outcome=Outcome.ERROR,
        cause=ShadowCause.ABANDONED,
        compared_at=timezone.now(),
        sealed=None,
    )
    return [*_claim(waiting, most), *_claim(stuck, most)]


def settle(read: ShadowRead, result: Result) -> bool:
    """Store how a comparison ended, and say whether that was still wanted: a read is reported once.

    What was captured is kept only where somebody may want to run it again.
    """
    keeps = result.outcome in {Outcome.DIVERGENT, Outcome.INCONCLUSIVE, Outcome.ERROR}
    changes: dict[str, Any] = {
        "state": ShadowState.DONE,
        "compared_at": timezone.now(),
        "outcome": result.outcome,
        "cause": result.cause or "",
        "replica": result.replica,
        "staleness_ms": result.staleness_ms,
        "primary_ms": result.primary_ms,
        "replica_ms": result.replica_ms,
        "rows": result.rows,
        "details": result.details,
    }
    if not keeps:
        changes["sealed"] = None
    mine = ShadowRead.objects.using(control_alias()).filter(pk=read.pk, state=ShadowState.CLAIMED, claim=read.claim)
    return bool(mine.update(**changes))


def _parse(batch: object, ids: object) -> tuple[uuid.UUID, list[int]]:
    try:
        batch_id = uuid.UUID(batch) if isinstance(batch, str) else None
    except ValueError:
        batch_id = None
    is_list = isinstance(ids, list) and all(isinstance(entry, int) and not isinstance(entry, bool) for entry in ids)
    if batch_id is None or not is_list:
        raise ForgedBatchError("The message holds no batch with a list of reads.")
    return batch_id, sorted(set(ids))  # type: ignore[call-overload]  # a list of numbers, as was just seen


def _claim(reads: Any, most: int | None = None) -> list[ShadowRead]:
    """Claim them under a name of our own, passing over those that somebody else is claiming right now."""
    using, claim = control_alias(), uuid.uuid4()
    with transaction.atomic(using=using):
        free = list(
            reads.select_for_update(skip_locked=True).order_by("captured_at")[:most].values_list("pk", flat=True)
        )
        mine = ShadowRead.objects.using(using).filter(pk__in=free)
        mine.update(state=ShadowState.CLAIMED, claim=claim, claimed_at=timezone.now(), tries=F("tries") + 1)
    return list(mine.filter(claim=claim).order_by("pk"))
