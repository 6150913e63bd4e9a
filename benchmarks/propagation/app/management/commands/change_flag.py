"""An operator's process: it changes the flag for each line that it reads, and tells when every process acts on it."""

import json
import sys
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from benchmarks.propagation.changes import FLAG
from rollout.loading import read_revision
from rollout.models import GateKind, PolicyRevision, Process
from rollout.operations import set_share
from rollout.propagation import wait_for_processes

LONGEST_SECONDS = 30.0


class Command(BaseCommand):
    help = "Set the flag to each percentage that comes in, and answer with a line of JSON."

    def handle(self, *_: Any, **__: Any) -> None:
        for line in sys.stdin:
            set_share(GateKind.FLAG, FLAG, Decimal(line.strip()))
            revision = read_revision(connection.alias)
            found = wait_for_processes(revision, LONGEST_SECONDS, connection.alias)
            acknowledged = {
                row.pid: row.applied_at.timestamp()
                for row in Process.objects.filter(revision=revision)
                if row.applied_at is not None
            }
            answer = {"committed": _committed(), "acknowledged": acknowledged, "text": str(found)}
            self.stdout.write(json.dumps(answer))
            self.stdout.flush()


def _committed() -> float:
    """Return when the last change was committed, by the clock of the primary."""
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(PolicyRevision._meta.db_table)
        cursor.execute(f"SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {table}")  # noqa: S608 - our own table
        seconds: float = cursor.fetchone()[0]
    return seconds
