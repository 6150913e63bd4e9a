"""What became of the units of each endpoint, whether or not a rule is for it: what advice and baselines are made of."""

from typing import ClassVar

from django.db import models


class EndpointCount(models.Model):
    """What one process saw of one endpoint, since it last wrote its counts.

    Processes only ever insert rows, as with `Tally`, and a task merges them into longer spans
    (`rollout.endpoint_history`).

    durations: how many units took how long: counts by bucket (`rollout.windows.bucket_of`), without empty ones.
    """

    starts_at = models.DateTimeField()
    span_seconds = models.PositiveIntegerField(help_text="How long the row counted for, from its start.")
    endpoint = models.CharField(max_length=200)
    units = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    safe_writes = models.PositiveBigIntegerField(
        default=0, help_text="Units that wrote, though their HTTP method is a safe one."
    )
    writes_after_reads = models.PositiveBigIntegerField(
        default=0, help_text="Units that wrote after a read that nothing but the rules kept on the primary."
    )
    with_token = models.PositiveBigIntegerField(
        default=0, help_text="Units whose actor brought a token that its reads must show."
    )
    durations = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["starts_at"], name="readshift_endpoint_time"),
            models.Index(fields=["span_seconds", "starts_at"], name="readshift_endpoint_span"),
        ]

    def __str__(self) -> str:
        return f"{self.units} units of {self.endpoint}"
