"""The replicas that an operator has taken out of service."""

from django.core.exceptions import ValidationError
from django.db import models

from rollout.settings import get_settings


class DrainedReplica(models.Model):
    """A replica that serves no routed reads in any process until somebody lifts this. Nothing lifts it by itself."""

    alias = models.CharField(max_length=63, unique=True)
    reason = models.TextField(blank=True)
    drained_by = models.CharField(max_length=254, blank=True)
    drained_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"drained replica {self.alias}"

    def clean(self) -> None:
        """Refuse an alias that is no replica, naming those that are."""
        known = get_settings().replicas
        if self.alias not in known:
            names = ", ".join(sorted(known)) or "none: READSHIFT names no replica"
            raise ValidationError({"alias": f"“{self.alias}” is no replica. The replicas are {names}."})
