"""Sums of the tallies within a window of time, in one statement, however many rows there are."""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock

from django.db import connections

from admin_ui.drawing.windows import GRAIN_SECONDS, SpanCount, Window
from rollout.models import Tally, TallyKind

SETTLED = timedelta(minutes=2)
"""How old counts are that nothing is added to any more. A process writes a row for the ten seconds in which it does."""

_REMEMBERED = 16
"""Parts: two for each of three long windows, twice over while one ends and the next begins."""

Group = tuple[str, str, bool]
"""An endpoint or a model, the alias that its reads ran on, and whether they were only observed there."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many reads there were, summed in four ways.

    databases: the pairs of a cluster's primary and an alias that occur. spans: by alias and bucket; a row that is
    longer than a bucket by its own span. endpoints, models: by `Group`. reasons: of reads on a primary, by code.
    replays: by alias, cause and the server that answered instead.
    """

    databases: frozenset[tuple[str, str]] = frozenset()
    spans: tuple[SpanCount, ...] = ()
    endpoints: Counter[Group] = field(default_factory=Counter)
    models: Counter[Group] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    replays: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            databases=self.databases | other.databases,
            spans=self.spans + other.spans,
            endpoints=self.endpoints + other.endpoints,
            models=self.models + other.models,
            reasons=self.reasons + other.reasons,
            replays=self.replays + other.replays,
        )


def read_counts(window: Window, using: str) -> Counts:
    """Read a window from one alias in one query. Raises what the database raises, before migrate above all.

    What has settled of a long window is remembered in each process: a week of rows takes about a second, and an open
    page asks every three. Merging rows into longer spans (`rollout.rollup`) changes no sum.
    """
    parts = tuple(pairwise(_edges(window)))
    found: list[Counts] = []
    for part in parts:
        known = _memory.get((using, window.bucket_seconds, *part))
        if known is None:
            break
        found.append(known)
    fresh = _read(window, parts[len(found) :], using)
    for part, counts in zip(parts[len(found) : -1], fresh, strict=False):
        _memory.keep((using, window.bucket_seconds, *part), counts)
    return sum((*found, *fresh), Counts())


def forget_counts() -> None:
    """Have everything read anew."""
    _memory.clear()


def _edges(window: Window) -> tuple[datetime, ...]:
    """Return where parts of a window begin, and its end.

    The first part changes once in a bucket, the second once in five minutes, and the last all the time. A window that
    begins with every minute anew has one part.
    """
    if window.grain_seconds < GRAIN_SECONDS:
        return window.starts_at, window.ends_at
    age = (window.now - SETTLED - window.starts_at).total_seconds()
    edges = (age // step * step for step in (window.grain_seconds, GRAIN_SECONDS))
    return (
        window.starts_at,
        *dict.fromkeys(window.starts_at + timedelta(seconds=edge) for edge in edges),
        window.ends_at,
    )


class _Memory:
    """The parts that were asked for last. Several threads may share it."""

    def __init__(self) -> None:
        self._parts: OrderedDict[tuple[str, int, datetime, datetime], Counts] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, int, datetime, datetime]) -> Counts | None:
        with self._lock:
            if key in self._parts:
                self._parts.move_to_end(key)
            return self._parts.get(key)

    def keep(self, key: tuple[str, int, datetime, datetime], counts: Counts) -> None:
        with self._lock:
            self._parts[key] = counts
            if len(self._parts) > _REMEMBERED:
                self._parts.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._parts.clear()


_memory = _Memory()

# Two sums of what is scanned once. So each row goes through two groupings, and not through one for each table of the
# page; the second of them leaves a few thousand rows at most. By bytes, because texts need no order here.
_SUMS = """
    WITH tally AS MATERIALIZED (
        SELECT kind, alias = cluster AS on_primary, cluster COLLATE "C" AS cluster, alias COLLATE "C" AS alias,
            endpoint COLLATE "C" AS endpoint, model COLLATE "C" AS model, reason COLLATE "C" AS reason,
            candidate COLLATE "C" AS candidate, count, width_bucket(starts_at, %(begins)s) - 1 AS part,
            CASE WHEN span_seconds <= %(bucket)s
                THEN date_bin(make_interval(secs => %(bucket)s), starts_at, %(origin)s) ELSE starts_at END AS bucket,
            greatest(span_seconds, %(bucket)s) AS span
        FROM {tallies}
        WHERE kind IN (%(read)s, %(replay)s) AND starts_at BETWEEN %(start)s AND %(end)s
    )
    SELECT part, cluster, alias, bucket, span, NULL, NULL, NULL, NULL, NULL, NULL, sum(count)
    FROM tally WHERE kind = %(read)s GROUP BY part, cluster, alias, bucket, span
    UNION ALL
    SELECT part, NULL, alias, NULL, NULL, kind, on_primary, endpoint, model, reason, candidate, sum(count)
    FROM tally GROUP BY part, kind, on_primary, alias, endpoint, model, reason, candidate
"""


def _read(window: Window, parts: Sequence[tuple[datetime, datetime]], using: str) -> list[Counts]:
    """Return the counts of each of these parts, which follow one another."""
    connection = connections[using]
    found = [Counts() for _ in parts]
    databases: list[set[tuple[str, str]]] = [set() for _ in parts]
    spans: list[list[SpanCount]] = [[] for _ in parts]
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS.format(tallies=connection.ops.quote_name(Tally._meta.db_table)),
            {
                "begins": [begin for begin, _ in parts],
                "bucket": window.bucket_seconds,
                "origin": window.starts_at,
                "start": parts[0][0],
                "end": parts[-1][1],
                "read": TallyKind.READ.value,
                "replay": TallyKind.REPLAY.value,
            },
        )
        for part, cluster, alias, bucket, span, kind, on_primary, endpoint, model, reason, candidate, total in cursor:
            count, one = int(total), found[part]
            if bucket is not None:
                databases[part].add((cluster, alias))
                spans[part].append(SpanCount(alias, bucket, span, count))
            elif kind == TallyKind.REPLAY:
                one.replays[alias, reason, candidate] += count
            else:
                is_observed = on_primary and candidate != ""
                one.endpoints[endpoint, alias, is_observed] += count
                one.models[model, alias, is_observed] += count
                if on_primary:
                    one.reasons[reason] += count
    return [
        replace(one, databases=frozenset(pairs), spans=tuple(rows))
        for one, pairs, rows in zip(found, databases, spans, strict=True)
    ]
