"""Reads that somebody asked to have compared once more. What that finds stands beside what was found first.

Messages hold an id and are not believed: nothing is compared but what a row says was asked for, within a short time.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from rollout.models import ShadowRead, ShadowState
from routers.control import control_alias
from tasks.comparing.results import Result

AGAIN = "again"
"""Where `ShadowRead.details` tells of it: `asked_at`, and once it is answered the time and the fields of the result."""

PATIENCE = timedelta(minutes=5)
"""For how long a worker may still take up what was asked for. The message expires as well."""

_TOLD = ("outcome", "cause", "replica", "staleness_ms", "primary_ms", "replica_ms", "rows")


def ask(read: ShadowRead, now: datetime, using: str) -> None:
    """Note that somebody asks. The caller has locked the row, and sends the message."""
    read.details = {**read.details, AGAIN: {"asked_at": now.isoformat()}}
    read.save(using=using, update_fields=["details"])


def is_asked(read: ShadowRead, now: datetime) -> bool:
    """Say whether somebody has asked and waits for the answer."""
    again = read.details.get(AGAIN)
    asked_at = again.get("asked_at") if isinstance(again, dict) and "outcome" not in again else None
    moment = parse_datetime(asked_at) if isinstance(asked_at, str) else None
    return moment is not None and moment > now - PATIENCE


def find_asked(pk: object) -> ShadowRead | None:
    """Return the read of a message if somebody has asked about it and its statement is still kept."""
    if not isinstance(pk, int) or isinstance(pk, bool):
        return None
    reads = ShadowRead.objects.using(control_alias()).filter(state=ShadowState.DONE, sealed__isnull=False)
    read = reads.filter(pk=pk).first()
    return read if read is not None and is_asked(read, timezone.now()) else None


def answer(pk: int, result: Result) -> None:
    """Store how it ended, without details, which the first comparison has told. A read that is gone is passed over."""
    using = control_alias()
    with transaction.atomic(using=using):
        read = ShadowRead.objects.using(using).select_for_update().only("pk", "details").filter(pk=pk).first()
        if read is None:
            return
        told: dict[str, Any] = {name: getattr(result, name) for name in _TOLD}
        again = {**read.details.get(AGAIN, {}), **told, "compared_at": timezone.now().isoformat()}
        read.details = {**read.details, AGAIN: again}
        read.save(using=using, update_fields=["details"])
