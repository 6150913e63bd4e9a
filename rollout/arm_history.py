"""Keeps what is stored of arms small, and what a back-test needs of it for as long as counts are kept."""

from datetime import datetime, timedelta

from django.db import connections

from rollout.models import ArmCount

MERGED_AFTER = timedelta(hours=1)
"""What is older nobody sums up for a running stage any more: a plan looks every few seconds."""
_INTO_SECONDS = 60


def merge(now: datetime, using: str) -> int:
    """Merge rows of all processes into one for each arm, revision and minute; return how many rows that took away.

    As with tallies (`rollout.rollup.merge`), one statement deletes rows and inserts their sums. Only whole minutes are
    merged.
    """
    table = connections[using].ops.quote_name(ArmCount._meta.db_table)
    key = "starts_at, target_kind, target, side, revision"
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM {table} WHERE span_seconds < %(into)s AND starts_at <
                    date_bin(make_interval(secs => %(into)s), %(before)s, 'epoch'::timestamptz)
                RETURNING *
            ), old AS (
                SELECT date_bin(make_interval(secs => %(into)s), starts_at, 'epoch'::timestamptz) AS starts_at,
                       target_kind, target, side, revision, units, failed, durations, reads, fallbacks, lag_seconds
                FROM gone
            ), bucketed AS (
                SELECT {key}, bucket, sum(number::bigint) AS number
                FROM old, jsonb_each_text(durations) AS each (bucket, number) GROUP BY {key}, bucket
            ), durations AS (
                SELECT {key}, jsonb_object_agg(bucket, number) AS durations FROM bucketed GROUP BY {key}
            ), counts AS (
                SELECT {key}, sum(units) AS units, sum(failed) AS failed, sum(reads) AS reads,
                       sum(fallbacks) AS fallbacks, max(lag_seconds) AS lag_seconds
                FROM old GROUP BY {key}
            ), merged AS (
                INSERT INTO {table} (starts_at, span_seconds, target_kind, target, side, revision,
                                     units, failed, durations, reads, fallbacks, lag_seconds)
                SELECT starts_at, %(into)s, target_kind, target, side, revision,
                       units, failed, coalesce(durations, '{{}}'), reads, fallbacks, lag_seconds
                FROM counts LEFT JOIN durations USING ({key})
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM merged)
            """,  # noqa: S608 - the names are our own
            {"into": _INTO_SECONDS, "before": now - MERGED_AFTER},
        )
        saved: int = cursor.fetchone()[0]
    return saved


def drop_before(limit: datetime, using: str) -> int:
    """Delete rows that started before `limit` and return their number."""
    return ArmCount.objects.using(using).filter(starts_at__lt=limit).delete()[0]
