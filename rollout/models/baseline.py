"""How endpoints did in one window of time, kept to compare later windows with."""

from typing import ClassVar

from django.db import models


class Baseline(models.Model):
    """Latency and throughput of every endpoint from `starts_at` to `ends_at`.

    It is kept until somebody deletes it, whatever `READSHIFT["RETENTION_DAYS"]` says of the counts it was made from.

    endpoints: what was counted of each, by name, as `rollout.endpoint_sums.EndpointSums.as_json` writes it.
    """

    name = models.CharField(max_length=100, unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    endpoints = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"baseline {self.name}"
