"""The number that grows with every change of what routing depends on."""

from typing import ClassVar

from django.db import connections, models

CHANNEL = "readshift_policy"
"""The PostgreSQL notification channel on which a new revision is announced. The payload is the revision."""


class PolicyRevisionManager(models.Manager["PolicyRevision"]):
    def bump(self, using: str) -> int:
        """Raise the revision inside the caller's transaction, announce it at commit, and return it.

        The row lock makes the order of revisions the order of commits. NOTIFY is transactional: a listener hears of the
        revision only once it can read it.
        """
        table = connections[using].ops.quote_name(self.model._meta.db_table)
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (id, revision) VALUES (1, 1) "  # noqa: S608 - the table's name is our own
                f"ON CONFLICT (id) DO UPDATE SET revision = {table}.revision + 1 RETURNING revision"
            )
            revision: int = cursor.fetchone()[0]
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(revision)])
        return revision


class PolicyRevision(models.Model):
    """One row. Each process compares its policy with this number to know whether it is current."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField()

    objects: ClassVar[PolicyRevisionManager] = PolicyRevisionManager()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="readshift_one_revision")]

    def __str__(self) -> str:
        return f"revision {self.revision}"
