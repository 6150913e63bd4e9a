"""Merges rows that processes have inserted into rows of longer spans, for all counts of units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, models

from rollout.rollup import Step


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of a model become one: those that agree in `key`. The model has starts_at, span_seconds and durations.

    sums: fields that are added up, as are `durations`, bucket by bucket. greatest: fields of which the greatest stays.
    """

    model: type[models.Model]
    key: Sequence[str]
    sums: Sequence[str]
    greatest: Sequence[str] = ()


def merge_rows(shape: Shape, now: datetime, step: Step, using: str) -> int:
    """Merge rows into spans of the step's length, and return how many rows that took away.

    Only spans that have ended before that time are merged, each as a whole. One statement deletes rows and inserts
    their sums, so a crash loses nothing, and two schedulers that run it at once count nothing twice.
    """
    table = connections[using].ops.quote_name(shape.model._meta.db_table)
    key, rest = f"starts_at, {', '.join(shape.key)}", ", ".join((*shape.sums, *shape.greatest))
    counts = ", ".join(
        [*(f"sum({name}) AS {name}" for name in shape.sums), *(f"max({name}) AS {name}" for name in shape.greatest)]
    )
    before = now - step.after
    longest, since = step.takes(before)
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM {table} WHERE span_seconds <= %(longest)s AND starts_at <
                    date_bin(make_interval(secs => %(into)s), %(before)s, 'epoch'::timestamptz)
                    AND starts_at >= %(since)s
                RETURNING *
            ), old AS (
                SELECT date_bin(make_interval(secs => %(into)s), starts_at, 'epoch'::timestamptz) AS starts_at,
                       {", ".join(shape.key)}, {rest}, durations
                FROM gone
            ), bucketed AS (
                SELECT {key}, bucket, sum(number::bigint) AS number
                FROM old, jsonb_each_text(durations) AS each (bucket, number) GROUP BY {key}, bucket
            ), durations AS (
                SELECT {key}, jsonb_object_agg(bucket, number) AS durations FROM bucketed GROUP BY {key}
            ), counts AS (
                SELECT {key}, {counts} FROM old GROUP BY {key}
            ), merged AS (
                INSERT INTO {table} ({key}, span_seconds, {rest}, durations)
                SELECT {key}, %(into)s, {rest}, coalesce(durations, '{{}}')
                FROM counts LEFT JOIN durations USING ({key})
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM merged)
            """,  # noqa: S608 - the names are our own
            {"into": step.into_seconds, "before": before, "longest": longest, "since": since},
        )
        saved: int = cursor.fetchone()[0]
    return saved
