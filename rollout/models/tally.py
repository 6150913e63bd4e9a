"""Counts of decisions and of queries on the wire, by time."""

from typing import ClassVar

from django.db import models


class TallyKind(models.TextChoices):
    DECISION = "decision", "Decision"
    READ = "read", "Read on the wire"
    WRITE = "write", "Write on the wire"
    REPLAY = "replay", "Read asked again"
    SHADOW = "shadow", "Read chosen to be compared"


class Tally(models.Model):
    """How often one thing happened in one span of time.

    A replay is a read that the server `alias` failed to answer and `candidate` answered. Its reason is the cause, a
    code of `rollout.reasons.Cause`. That of a read chosen to be compared is a code of `rollout.outcomes.CaptureFate`.

    Processes only ever insert rows, each for its own span, so that they never wait for one another. A task later merges
    rows into longer spans (`rollout.rollup`). Whoever reads sums over rows of any span.
    """

    starts_at = models.DateTimeField()
    span_seconds = models.PositiveIntegerField(help_text="How long the row counted for, from its start.")
    kind = models.CharField(max_length=8, choices=TallyKind)
    cluster = models.CharField(max_length=63)
    alias = models.CharField(max_length=63)
    endpoint = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    reason = models.CharField(max_length=32)
    candidate = models.CharField(
        max_length=63,
        blank=True,
        help_text="The replica that would have served an observed read, or the server that answered a replayed one.",
    )
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        indexes: ClassVar = [
            models.Index(fields=["starts_at"], name="readshift_tally_time"),
            models.Index(fields=["span_seconds", "starts_at"], name="readshift_tally_span"),
            # What became of a week's shadow reads stands beside each rule. Those rows are few and far between, so the
            # index holds all that is asked of them: reading each from its page in the table takes ten times as long.
            models.Index(
                fields=["starts_at"],
                include=["endpoint", "model", "reason", "count"],
                condition=models.Q(kind=TallyKind.SHADOW),
                name="readshift_tally_shadow",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} on {self.alias} for {self.endpoint or 'no endpoint'}"
