"""What became of the units of a rollout, by arm: counts that a plan's guardrails are judged by."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Cast

from rollout.models.rule import TargetKind


class Side(models.TextChoices):
    """The arm that a unit belongs to. The values are stored, so they keep their meaning."""

    REPLICA = "replica", "Let go to replicas"
    PRIMARY = "primary", "Left on the primary by the rule's gate"


class ArmCount(models.Model):
    """What one process saw of one arm of a rule, since it last wrote its counts.

    Processes only ever insert rows, as with `Tally`. A row is of one revision of the policy: that under which its units
    joined the arm, whenever they ended. So it never reaches over two stages of a plan.

    durations: how many units took how long: counts by bucket (`rollout.windows.bucket_of`), without empty ones.
    reads: how many were meant for a replica. fallbacks: how many of them fell back to the primary.
    lag_seconds: of the replica that is furthest behind among the fit ones of the rule's pool, when it was written.
    """

    starts_at = models.DateTimeField()
    span_seconds = models.PositiveIntegerField(help_text="How long the row counted for, from its start.")
    target_kind = models.CharField(max_length=8, choices=TargetKind)
    target = models.CharField(max_length=200)
    side = models.CharField(max_length=7, choices=Side)
    revision = models.PositiveBigIntegerField(help_text="Of the policy by which its units belong to the arm.")
    units = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    durations = models.JSONField(default=dict, blank=True)
    reads = models.PositiveBigIntegerField(default=0)
    fallbacks = models.PositiveBigIntegerField(default=0)
    lag_seconds = models.FloatField(null=True)
    written_by = models.BigIntegerField(
        db_default=Cast(
            Cast(models.Func(function="pg_current_xact_id"), models.TextField()),
            models.BigIntegerField(),
        ),
        editable=False,
        help_text="The transaction that inserted it, by which whoever sums up takes each row once.",
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["target_kind", "target", "written_by"], name="readshift_arm_new"),
            models.Index(fields=["target_kind", "target", "starts_at"], name="readshift_arm_history"),
            models.Index(fields=["span_seconds", "starts_at"], name="readshift_arm_span"),
        ]

    def __str__(self) -> str:
        return f"{self.units} units of {self.target_kind} {self.target} on the {self.side}'s side"
