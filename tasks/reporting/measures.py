"""What cannot be added up from counts and is computed where the rows are: quantiles and examples."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections

from rollout.models import RoutingRule, ShadowRead, ShadowState, TargetKind
from rollout.outcomes import Outcome
from tasks.reporting.findings import Latency, Staleness

EXAMPLES = 5
GRAVEST_FIRST = [Outcome.DIVERGENT, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.CAUGHT_UP]

Key = tuple[int, str | None]
"""The id of a rule, and the fingerprint of one of its statements, or None for all of them."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Those of one rule, or of one statement of it, as in `Findings`."""

    staleness: Staleness | None = None
    latency: Latency | None = None
    examples: tuple[int, ...] = ()


# Two joins, each by equality: a single one with OR could use no hash and no index. What is not wanted is left out
# before them, texts above all: what is joined twice is kept in between, and sorted.
_MATCHED = """
    WITH seen AS (
        SELECT {columns}
        FROM {reads}
        WHERE state = %(done)s AND compared_at >= %(since)s AND outcome = ANY(%(outcomes)s) AND {narrowed}
    ), matched AS (
        SELECT rule.id AS rule, seen.*
        FROM {rules} rule JOIN seen ON seen.endpoint = rule.target AND rule.target_kind = %(endpoint)s
        UNION ALL
        SELECT rule.id AS rule, seen.*
        FROM {rules} rule JOIN seen ON seen.model = rule.target AND rule.target_kind = %(model)s
    )
"""
_COLUMNS = "id, endpoint, model, fingerprint, outcome, staleness_ms, primary_ms, replica_ms, compared_at"
_COLUMNS_OF_STALENESS = "endpoint, model, staleness_ms"
"""An index holds these, so that the table need not be read."""

_STALENESS = """
    SELECT rule, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY staleness_ms), max(staleness_ms)
    FROM matched
    GROUP BY rule
"""
_ALL = """
    SELECT
        rule,
        fingerprint,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY staleness_ms) FILTER (WHERE outcome = %(caught_up)s),
        max(staleness_ms) FILTER (WHERE outcome = %(caught_up)s),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY primary_ms) FILTER (WHERE replica_ms IS NOT NULL),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY replica_ms) FILTER (WHERE primary_ms IS NOT NULL),
        (array_agg(id ORDER BY array_position(%(gravest_first)s::text[], outcome::text), compared_at DESC, id DESC)
            FILTER (WHERE outcome <> %(equal)s))[1:%(examples)s]
    FROM matched
    GROUP BY GROUPING SETS ((rule), (rule, fingerprint))
"""


def measure_staleness(rules: Iterable[RoutingRule], since: datetime, using: str) -> Mapping[Key, Measures]:
    """Return by how much the stale answers of these rules were so, in one query that reads those alone."""
    targets: dict[str, list[str]] = {kind: [] for kind in TargetKind.values}
    for rule in rules:
        targets[rule.target_kind].append(rule.target)
    return {
        (rule, None): Measures(staleness=_staleness(quantiles, most))
        for rule, quantiles, most in _rows(
            _STALENESS, _COLUMNS_OF_STALENESS, since, using, Outcome.CAUGHT_UP, targets=targets
        )
    }


def measure_all(since: datetime, using: str) -> Mapping[Key, Measures]:
    """Return everything, by rule and by rule and fingerprint, in one query."""
    rows = _rows(_ALL, _COLUMNS, since, using, *Outcome)
    return {
        (rule, fingerprint): Measures(
            staleness=_staleness(quantiles, most),
            latency=_latency(primary, replica),
            examples=tuple(examples or ()),
        )
        for rule, fingerprint, quantiles, most, primary, replica, examples in rows
    }


def _staleness(quantiles: list[float] | None, most: float | None) -> Staleness | None:
    if quantiles is None or most is None:
        return None
    p50, p95 = quantiles
    return Staleness(p50, p95, most)


def _latency(primary: list[float] | None, replica: list[float] | None) -> Latency | None:
    if primary is None or replica is None:
        return None
    (primary_p50, primary_p95), (replica_p50, replica_p95) = primary, replica
    ratio = replica_p50 / primary_p50 if primary_p50 else None
    return Latency(primary_p50, primary_p95, replica_p50, replica_p95, ratio)


def _rows(
    query: str,
    columns: str,
    since: datetime,
    using: str,
    *outcomes: Outcome,
    targets: Mapping[str, list[str]] | None = None,
) -> Iterator[Any]:
    """Yield what the query finds. targets: names by kind of target, of which a read must have one; None for any."""
    quote = connections[using].ops.quote_name
    matched = _MATCHED.format(
        columns=columns,
        rules=quote(RoutingRule._meta.db_table),
        reads=quote(ShadowRead._meta.db_table),
        narrowed="TRUE" if targets is None else "(endpoint = ANY(%(endpoints)s) OR model = ANY(%(models)s))",
    )
    parameters: dict[str, Any] = {
        "endpoint": TargetKind.ENDPOINT,
        "model": TargetKind.MODEL,
        "done": ShadowState.DONE,
        "since": since,
        "outcomes": list(outcomes),
        "equal": Outcome.EQUAL,
        "caught_up": Outcome.CAUGHT_UP,
        "gravest_first": GRAVEST_FIRST,
        "examples": EXAMPLES,
    }
    if targets is not None:
        parameters |= {"endpoints": targets[TargetKind.ENDPOINT], "models": targets[TargetKind.MODEL]}
    with connections[using].cursor() as cursor:
        cursor.execute(matched + query, parameters)
        yield from cursor
