"""Shadow reads: what was captured of a read, and how its comparison ended."""

from typing import ClassVar

from django.db import models

from rollout.outcomes import Outcome, ShadowCause


class ShadowState(models.TextChoices):
    WAITING = "waiting", "Waiting for a worker"
    CLAIMED = "claimed", "Being compared"
    DONE = "done", "Compared"


class ShadowRead(models.Model):
    """One read of a rule that captures, to be run on the primary and on a replica and compared.

    What the statement holds of people is in `sealed`, encrypted, and nowhere else: `statement` has no literals. It is
    emptied once nobody needs it any more, which for an equal answer is at once.

    alias: the server that answered the read. replica: the one that it was compared with.
    staleness_ms: how long after the primary the replica gave the same answer.
    primary_ms, replica_ms: how long the statement took on each side.
    details: how the answers differ, without values other than those of columns that the host has allowed.
    looked_at, looked_by, look_note: when somebody said that they have looked at it, who, and what they noted. It raises
    no alarm any more from then on.
    """

    batch = models.UUIDField(help_text="Known only to whoever sends the batch and whoever compares it.")
    captured_at = models.DateTimeField()
    cluster = models.CharField(max_length=63)
    pool = models.CharField(max_length=63)
    alias = models.CharField(max_length=63)
    endpoint = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    reason = models.CharField(max_length=32)
    fingerprint = models.CharField(max_length=16)
    statement = models.TextField()
    position = models.BigIntegerField(
        null=True, help_text="Where the server that answered was last known to be, in bytes of the log."
    )
    sealed = models.BinaryField(null=True)
    state = models.CharField(max_length=7, choices=ShadowState, default=ShadowState.WAITING)
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    compared_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    cause = models.CharField(max_length=16, choices=ShadowCause, blank=True)
    replica = models.CharField(max_length=63, blank=True)
    staleness_ms = models.FloatField(null=True)
    primary_ms = models.FloatField(null=True)
    replica_ms = models.FloatField(null=True)
    rows = models.PositiveBigIntegerField(null=True)
    details = models.JSONField(default=dict, blank=True)
    looked_at = models.DateTimeField(null=True)
    # With a default in the database, too: processes that run the release before this one go on writing.
    looked_by = models.CharField(max_length=254, blank=True, default="", db_default="")
    look_note = models.TextField(blank=True, default="", db_default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["captured_at"],
                name="readshift_shadow_open",
                condition=~models.Q(state=ShadowState.DONE),
            ),
            # With all that reads are counted by, so that counting hundreds of thousands does not read the table.
            models.Index(
                fields=["compared_at"],
                include=["endpoint", "model", "outcome", "cause", "staleness_ms", "looked_at"],
                name="readshift_shadow_counted",
                condition=models.Q(state=ShadowState.DONE),
            ),
            models.Index(
                fields=["compared_at"],
                name="readshift_shadow_look",
                condition=models.Q(outcome__in=[outcome for outcome in Outcome if outcome.needs_look]),
            ),
            models.Index(
                fields=["compared_at"], name="readshift_shadow_divergent", condition=models.Q(outcome=Outcome.DIVERGENT)
            ),
            models.Index(fields=["endpoint", "compared_at"], name="readshift_shadow_endpoint"),
            models.Index(fields=["model", "compared_at"], name="readshift_shadow_model"),
            models.Index(fields=["batch"], name="readshift_shadow_batch"),
            models.Index(
                fields=["looked_at"], name="readshift_shadow_looked", condition=models.Q(looked_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"shadow read {self.pk} of {self.endpoint or 'no endpoint'}"
