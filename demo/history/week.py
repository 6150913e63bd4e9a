"""The week as a whole."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from admin_ui.baselines.keeping import save
from demo.history.counts import DAYS, store_counts
from demo.history.shadows import store_shadows
from demo.history.story import at, tell
from rollout.endpoint_sums import Span
from rollout.loading import read_revision
from rollout.models import Process
from rollout.watching import watch
from routers.control import control_alias

KEPT = timedelta(hours=1)
"""For so long the processes of the past are shown as if they lived."""


def write_history(now: datetime, days: int = DAYS) -> None:
    """Fill the tables with the week up to `now`, with counts of so many days of it. The database holds no rule yet."""
    with transaction.atomic():
        steps = tell(now)
        store_counts(now, steps, days)
        store_shadows(now)
        _store_processes(now)
        _keep_baseline(steps[0].at)
    # It sums up what others have committed.
    watch(control_alias())


def _keep_baseline(moment: datetime) -> None:
    """Keep the last hours before the catalogue's rollout began."""
    until = moment.replace(minute=0, second=0, microsecond=0)
    with at(moment, "admin"):
        save("before-the-catalogue", Span(until - timedelta(hours=3), until), control_alias())


def _store_processes(now: datetime) -> None:
    revision = read_revision(control_alias())
    services = [*["gunicorn"] * 4, "celery", "celery"]
    Process.objects.bulk_create(
        Process(
            key=UUID(int=number),
            host=f"web{1 + number % 2}" if service == "gunicorn" else "worker1",
            pid=4_100 + 13 * number,
            service=service,
            started_at=now - timedelta(days=2, minutes=number),
            revision=revision,
            applied_at=now - timedelta(minutes=18),
            seen_at=now + KEPT,
        )
        for number, service in enumerate(services)
    )
