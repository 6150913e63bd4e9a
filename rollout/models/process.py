"""The running processes, and the revision that each acts on."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import connections, models


@dataclass(frozen=True, slots=True)
class Identity:
    """What does not change about a process. key: random, so that a number given to another program says nothing."""

    key: uuid.UUID
    host: str
    pid: int
    service: str
    started_at: datetime


class ProcessManager(models.Manager["Process"]):
    def tell(self, identity: Identity, revision: int | None, using: str) -> None:
        """Write that a process lives, and which revision it acts on. One statement; raises what the database raises.

        The times are the server's, so that they can be compared with one another and with the server's log.
        """
        table = connections[using].ops.quote_name(self.model._meta.db_table)
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, host, pid, service, started_at, revision, applied_at, seen_at) "  # noqa: S608 - the table's name is our own
                "SELECT %s, %s, %s, %s, %s, told.revision, CASE WHEN told.revision IS NOT NULL THEN now END, now "
                "FROM (SELECT %s::bigint AS revision, clock_timestamp() AS now) AS told "
                "ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, seen_at = excluded.seen_at, "
                f"applied_at = CASE WHEN {table}.revision = excluded.revision THEN {table}.applied_at "
                "ELSE excluded.applied_at END",
                [identity.key, identity.host, identity.pid, identity.service, identity.started_at, revision],
            )

    def forget_silent(self, seconds: float, using: str) -> None:
        """Delete the rows of processes that have told nothing for so long. Rows that others have locked are left."""
        table = connections[using].ops.quote_name(self.model._meta.db_table)
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} "  # noqa: S608 - the table's name is our own
                "WHERE seen_at < clock_timestamp() - make_interval(secs => %s) FOR UPDATE SKIP LOCKED)",
                [seconds],
            )


class Process(models.Model):
    """One process that holds a policy. It writes its own row, and deletes it when it ends in good order.

    service: the program, such as `gunicorn` or `celery`. revision: what its decisions are taken from; null until it has
    read a policy. applied_at: when it told that no read decided by an earlier revision was on its way any more.
    seen_at: when it last told anything. All times but `started_at` are by the clock of the primary.
    """

    key = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveBigIntegerField()
    service = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    revision = models.BigIntegerField(null=True)
    applied_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    objects: ClassVar[ProcessManager] = ProcessManager()

    class Meta:
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return f"{self.service} {self.pid} on {self.host}"
