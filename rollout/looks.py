"""Marks shadow reads as looked at, so that a known difference raises no alarm any more, and takes that back.

A look concerns the reads that were there when it was taken. Whatever is compared later alarms again.
"""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from rollout.acting import current
from rollout.journal import Happening, record
from rollout.models import EventKind, ShadowRead, ShadowState
from rollout.outcomes import Outcome

MOST_AT_ONCE = 5_000
"""Reads that one look marks, so that no lock lasts long."""

_NEEDED = ("pk", "compared_at", "endpoint", "looked_at", "looked_by")
"""What is read of a read to mark it: what else it holds can be large."""

SUBJECT_KIND = "shadow read"
"""What events call their subject."""

NEED_LOOK = tuple(outcome for outcome in Outcome if outcome.needs_look)


def unseen(reads: QuerySet[ShadowRead]) -> QuerySet[ShadowRead]:
    """Return those of them that need a look and have had none."""
    return reads.filter(state=ShadowState.DONE, outcome__in=NEED_LOOK, looked_at__isnull=True)


def lock_unseen(reads: QuerySet[ShadowRead]) -> list[ShadowRead]:
    """Return those of them that a look would mark, the newest first, locked until the transaction ends."""
    newest_first = unseen(reads).only(*_NEEDED).order_by("-compared_at", "-pk")
    return list(newest_first.select_for_update()[:MOST_AT_ONCE])


def look_at(reads: Sequence[ShadowRead], subject: str, now: datetime, using: str) -> None:
    """Mark reads that are locked, in the name of whoever acts and with their reason as the note.

    subject: what the event, of which there is one, calls them.
    """
    actor = current()
    changes = {"looked_at": now, "looked_by": actor.who()[:254], "look_note": actor.why}
    ShadowRead.objects.using(using).filter(pk__in=[read.pk for read in reads]).update(**changes)
    _record(reads, subject, before=None, after=now, using=using)


def taken_together(read: ShadowRead, using: str) -> QuerySet[ShadowRead]:
    """Return all reads that were marked by the same look as this one."""
    return ShadowRead.objects.using(using).filter(looked_at=read.looked_at, looked_by=read.looked_by)


def lock_look(pk: int, using: str) -> list[ShadowRead]:
    """Return all reads that were marked by the look that marked this one, which comes first, locked likewise.

    Raises ValidationError if it was not marked.
    """
    reads = ShadowRead.objects.using(using).only(*_NEEDED).select_for_update()
    read = reads.filter(pk=pk, looked_at__isnull=False).first()
    if read is None:
        raise ValidationError(f"Shadow read {pk} is not marked as looked at, so nothing was changed. Reload the page.")
    others = taken_together(read, using).exclude(pk=pk).only(*_NEEDED).order_by("-compared_at", "-pk")
    return [read, *others.select_for_update()]


def undo(reads: Sequence[ShadowRead], subject: str, using: str) -> None:
    """Take back the look that marked these reads, which are locked. They alarm again."""
    changes = {"looked_at": None, "looked_by": "", "look_note": ""}
    ShadowRead.objects.using(using).filter(pk__in=[read.pk for read in reads]).update(**changes)
    _record(reads, subject, before=reads[0].looked_at, after=None, using=using)


def _record(
    reads: Sequence[ShadowRead], subject: str, *, before: datetime | None, after: datetime | None, using: str
) -> None:
    was, is_now = ({"looked_at": moment and moment.isoformat()} for moment in (before, after))
    counted = {"reads": len(reads), "first": min(read.pk for read in reads), "last": max(read.pk for read in reads)}
    record(Happening(EventKind.CHANGED, SUBJECT_KIND, subject, was, {**is_now, **counted}), using)
