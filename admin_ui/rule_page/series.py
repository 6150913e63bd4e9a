"""What both arms of a rule did over time, read into buckets. Two queries, each with one row per bucket at most."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections

from admin_ui.drawing.windows import Window
from rollout.models import ArmCount, RoutingRule, ShadowRead, ShadowState, Side, TargetKind
from rollout.outcomes import Outcome
from rollout.windows import BUCKETS, begin_of, percentile


@dataclass(frozen=True, slots=True)
class ArmBucket:
    """One arm in one bucket of time. p50, p95: in seconds, None where no duration is known."""

    units: int
    failed: int
    p50: float | None
    p95: float | None

    @property
    def error_share(self) -> float | None:
        """Of the units, 0 to 1; None without any."""
        return self.failed / self.units if self.units else None


NOTHING = ArmBucket(0, 0, None, None)


@dataclass(frozen=True, slots=True)
class Series:
    """All by bucket of the window, None where nothing is known.

    lag: the greatest among the fit replicas of the rule's pool, in seconds. staleness: the 95th percentile of shadow
    reads that were stale, in seconds.
    """

    replica: tuple[ArmBucket, ...]
    primary: tuple[ArmBucket, ...]
    lag: tuple[float | None, ...]
    staleness: tuple[float | None, ...]


# Durations are added up by their own buckets first: as one row for each of those, the counts would count many times.
_ARMS = """
    WITH arm AS (
        SELECT date_bin(make_interval(secs => %(bucket)s), starts_at, %(start)s) AS at, side,
               units, failed, lag_seconds, durations
        FROM {arms}
        WHERE target_kind = %(kind)s AND target = %(target)s AND starts_at >= %(start)s AND starts_at < %(end)s
    ), numbers AS (
        SELECT at, side, bucket, sum(number::bigint) AS number
        FROM arm, jsonb_each_text(durations) AS each (bucket, number) GROUP BY at, side, bucket
    ), durations AS (
        SELECT at, side, jsonb_object_agg(bucket, number) AS durations FROM numbers GROUP BY at, side
    ), counts AS (
        SELECT at, side, sum(units)::bigint AS units, sum(failed)::bigint AS failed, max(lag_seconds) AS lag
        FROM arm GROUP BY at, side
    )
    SELECT at, side, units, failed, lag, coalesce(durations, '{{}}')::text
    FROM counts LEFT JOIN durations USING (at, side)
"""
_STALENESS = """
    SELECT date_bin(make_interval(secs => %(bucket)s), compared_at, %(start)s),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY staleness_ms) / 1000
    FROM {reads}
    WHERE {column} = %(target)s AND compared_at >= %(start)s AND compared_at < %(end)s
          AND state = %(done)s AND outcome = %(caught_up)s AND staleness_ms IS NOT NULL
    GROUP BY 1
"""


def read_series(rule: RoutingRule, window: Window, using: str) -> Series:
    """Read what was counted of a rule within a window. Raises what the database raises."""
    size = len(window.buckets)
    arms: dict[str, list[ArmBucket]] = {side: [NOTHING] * size for side in Side.values}
    lag: list[float | None] = [None] * size
    for at, side, units, failed, behind, durations in _rows(_ARMS, rule, window, using):
        index = _index(at, window)
        arms[side][index] = _bucket(units, failed, json.loads(durations))
        lag[index] = max((each for each in (lag[index], behind) if each is not None), default=None)
    staleness: list[float | None] = [None] * size
    for at, seconds in _rows(_STALENESS, rule, window, using):
        staleness[_index(at, window)] = seconds
    return Series(tuple(arms[Side.REPLICA]), tuple(arms[Side.PRIMARY]), tuple(lag), tuple(staleness))


def _bucket(units: int, failed: int, durations: Mapping[str, int]) -> ArmBucket:
    if not durations:
        return ArmBucket(units, failed, None, None)
    counts = [0] * BUCKETS
    for number, count in durations.items():
        counts[int(number)] = count
    p50, p95 = (begin_of(percentile(tuple(counts), share)) for share in (0.5, 0.05))
    return ArmBucket(units, failed, p50, p95)


def _index(at: datetime, window: Window) -> int:
    return int((at - window.starts_at).total_seconds() // window.bucket_seconds)


def _rows(query: str, rule: RoutingRule, window: Window, using: str) -> list[Any]:
    quote = connections[using].ops.quote_name
    tables = {
        "arms": quote(ArmCount._meta.db_table),
        "reads": quote(ShadowRead._meta.db_table),
        "column": quote("model" if rule.target_kind == TargetKind.MODEL else "endpoint"),
    }
    parameters: dict[str, Any] = {
        "bucket": window.bucket_seconds,
        "start": window.starts_at,
        "end": window.ends_at,
        "kind": rule.target_kind,
        "target": rule.target,
        "done": ShadowState.DONE,
        "caught_up": Outcome.CAUGHT_UP,
    }
    with connections[using].cursor() as cursor:
        cursor.execute(query.format(**tables), parameters)
        return list(cursor.fetchall())
