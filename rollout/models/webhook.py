"""The calls of the webhook that were let in, so that none counts twice and not too many come at once."""

from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar

from django.db import IntegrityError, models, transaction

from rollout.signing import TOLERANCE_SECONDS

CALLS_PER_MINUTE = 30
MINUTE = timedelta(minutes=1)
KEPT = timedelta(seconds=2 * TOLERANCE_SECONDS)
"""How long a call is remembered: its signature is too old long before."""


class Admission(Enum):
    """Whether a call may do what it asks for. SEEN: it was let in before."""

    NEW = "new"
    SEEN = "seen"
    TOO_MANY = "too many"


class WebhookCallManager(models.Manager["WebhookCall"]):
    def admit(self, signature: bytes | None, at: datetime, using: str) -> Admission:
        """Note a call that proved where it comes from, in the caller's transaction: what fails may be sent again.

        A call that another process is carrying out at this moment is waited for. signature: None for one that has none,
        which is never taken for another.
        """
        calls = self.using(using)
        calls.filter(at__lt=at - KEPT).delete()
        if signature is not None and calls.filter(signature=signature).exists():
            return Admission.SEEN
        if calls.filter(at__gt=at - MINUTE).count() >= CALLS_PER_MINUTE:
            return Admission.TOO_MANY
        try:
            with transaction.atomic(using=using):
                calls.create(signature=signature, at=at)
        except IntegrityError:
            return Admission.SEEN
        return Admission.NEW


class WebhookCall(models.Model):
    """One call that was let in. Rows go ten minutes later, when the next call comes."""

    signature = models.BinaryField(max_length=32, unique=True, null=True)
    at = models.DateTimeField(db_index=True)

    objects: ClassVar[WebhookCallManager] = WebhookCallManager()

    def __str__(self) -> str:
        return f"webhook call of {self.at:%Y-%m-%d %H:%M:%S}"
