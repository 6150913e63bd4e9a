"""Keeps the tallies small: merges short spans into long ones and drops what is too old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connections

from rollout.models import Tally

FLUSH_SPAN_SECONDS = 10


def flush_span(now: datetime) -> datetime:
    """Return when the span began that a process writes its counts for now."""
    return now - timedelta(seconds=now.timestamp() % FLUSH_SPAN_SECONDS)


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of a span below `into_seconds`, once older than `after`, become rows of `into_seconds`.

    reach: for a step that merges rows of `into_seconds` as well, how much older they are at most. It would write those
    that are merged already again and again.
    """

    after: timedelta
    into_seconds: int
    reach: timedelta | None = None

    def takes(self, before: datetime) -> tuple[int, datetime]:
        """Return the longest span of the rows that it merges, and when they begin at the earliest."""
        if self.reach is None:
            return self.into_seconds - 1, datetime.min.replace(tzinfo=UTC)
        return self.into_seconds, before - self.reach


STEPS = (Step(timedelta(minutes=10), into_seconds=60), Step(timedelta(days=2), into_seconds=3600))
"""Ten-second rows for what the page shows live, minutes for two days, hours for the rest."""

GATHERING = Step(after=timedelta(seconds=30), into_seconds=FLUSH_SPAN_SECONDS, reach=timedelta(minutes=3))
"""One row for all processes, instead of one for each flush of each, as soon as none of them writes more for the span. A
thousand processes would write a hundred million rows by the time that minutes are made of them."""


def merge(now: datetime, using: str, steps: Sequence[Step] = (GATHERING, *STEPS)) -> int:
    """Merge rows into longer spans and return how many rows that took away.

    Only spans that have ended before the step's limit are merged, each as a whole: one merged bit by bit would keep a
    row for every bit.

    Each step is one statement that deletes rows and inserts their sums, so a crash loses nothing, and two schedulers
    that run it at once count nothing twice: each row is deleted by one of them.
    """
    table = connections[using].ops.quote_name(Tally._meta.db_table)
    saved = 0
    for step in steps:
        before = now - step.after
        longest, since = step.takes(before)
        with connections[using].cursor() as cursor:
            cursor.execute(
                f"""
                WITH old AS (
                    DELETE FROM {table} WHERE span_seconds <= %(longest)s AND starts_at <
                        date_bin(make_interval(secs => %(into)s), %(before)s, 'epoch'::timestamptz)
                        AND starts_at >= %(since)s
                    RETURNING *
                ), merged AS (
                    INSERT INTO {table} (starts_at, span_seconds, kind, cluster, alias, endpoint, model, reason,
                                         candidate, count)
                    SELECT date_bin(make_interval(secs => %(into)s), starts_at, 'epoch'::timestamptz), %(into)s,
                           kind, cluster, alias, endpoint, model, reason, candidate, sum(count)
                    FROM old GROUP BY 1, 3, 4, 5, 6, 7, 8, 9
                    RETURNING 1
                )
                SELECT (SELECT count(*) FROM old) - (SELECT count(*) FROM merged)
                """,  # noqa: S608 - the table's name is our own
                {"into": step.into_seconds, "before": before, "longest": longest, "since": since},
            )
            saved += cursor.fetchone()[0]
    return saved


def drop_before(limit: datetime, using: str) -> int:
    """Delete rows that started before `limit` and return their number."""
    return Tally.objects.using(using).filter(starts_at__lt=limit).delete()[0]
