"""Fills the tables, with statements that make the rows on the server."""

from collections.abc import Mapping
from typing import Any

import psycopg

ENDPOINTS = tuple(f"section-{number % 9}-page-{number}" for number in range(1, 451))
MODELS = tuple(f"shop.Model{number}" for number in range(1, 51))
REPLICAS = 5
DAYS = 7

# For each endpoint one row on the primary and one on each replica; the rank is the endpoint's.
_SERIES = """
    CREATE TEMP TABLE series AS
    SELECT rank, name AS endpoint, (%(models)s::text[])[1 + rank %% %(model_count)s] AS model, kind,
        CASE WHEN server = 0 THEN 'default' ELSE 'replica' || server END AS alias,
        CASE WHEN server > 0 THEN 'routed' WHEN kind = 'shadow' THEN 'captured' ELSE
            (ARRAY['gate_off', 'observed', 'behind', 'in_transaction', 'no_rule'])[1 + rank %% 5] END AS reason,
        CASE WHEN server = 0 AND rank %% 5 = 1 THEN 'replica1' ELSE '' END AS candidate
    FROM unnest(%(endpoints)s::text[]) WITH ORDINALITY AS endpoint (name, rank),
        generate_series(0, %(replicas)s) server, unnest(ARRAY['read', 'decision', 'shadow']) kind
    WHERE kind = 'read' OR server = 0 AND (kind = 'decision' OR rank %% 5 = 1)
"""
_TALLIES = """
    INSERT INTO readshift_tally (starts_at, span_seconds, kind, cluster, alias, endpoint, model, reason, candidate,
                                 count)
    SELECT start, %(span)s, kind, 'default', alias, endpoint, model, reason, candidate,
        1 + (random() * 50 * %(span)s / rank)::int
    FROM generate_series(
        date_bin(make_interval(secs => %(span)s), now() - %(from)s::interval, 'epoch'),
        now() - %(to)s::interval, make_interval(secs => %(span)s)
    ) start, series
    WHERE random() < %(busy)s / rank::float
"""
_SPANS: tuple[Mapping[str, Any], ...] = (
    {"span": 3600, "from": "7 days", "to": "2 days 1 hour", "busy": 200},
    {"span": 60, "from": "2 days", "to": "11 minutes", "busy": 5},
    {"span": 10, "from": "10 minutes", "to": "0", "busy": 2},
)
_OTHERS = (
    """
    INSERT INTO waffle_flag (name, everyone, percent, testing, superusers, staff, authenticated, languages, rollout,
                             note, created, modified)
    SELECT name, CASE rank %% 3 WHEN 0 THEN true END, CASE WHEN rank %% 3 > 0 THEN rank %% 90 END,
        false, false, false, false, '', false, '', now(), now()
    FROM unnest(%(endpoints)s::text[]) WITH ORDINALITY AS endpoint (name, rank)
    """,
    """
    INSERT INTO readshift_routingrule (target_kind, target, mode, gate_kind, gate_name, pool, contract, over_budget,
                                       shadow_percent, shadow_per_second, note, created, modified)
    SELECT 'endpoint', name, (ARRAY['route', 'observe', 'pin'])[1 + rank %% 3], 'flag', name, 'default', 'session',
        'primary', CASE WHEN rank %% 5 = 1 THEN 5 ELSE 0 END, 20, 'Owned by team ' || rank %% 12, now(), now()
    FROM unnest(%(endpoints)s::text[]) WITH ORDINALITY AS endpoint (name, rank)
    UNION ALL
    SELECT 'model', name, 'route', '', '', 'default', 'session', 'primary', 0, 20, '', now(), now()
    FROM unnest(%(models)s::text[]) name
    """,
    """
    INSERT INTO readshift_rolloutplan (rule_id, gate_name, template, stages, guardrails, state, stage, stage_began_at,
        started_at, ended_at, expected_percent, expected_targets, reason, standings, verdicts, outlook, looked_at,
        horizons, stage_revision, sample, version, created)
    SELECT id, gate_name, 'careful', %(stages)s, '[]', CASE WHEN is_live THEN 'running' ELSE 'rolled_back' END, 2,
        now() - interval '20 minutes', now() - interval '2 hours', CASE WHEN NOT is_live THEN now() END, 10, '{}',
        CASE WHEN is_live THEN 'Advanced to stage 3 of 9, 10 %%.' ELSE 'Rolled back from 10 %%: error rate.' END, '{}',
        %(verdicts)s, 'The stage has lasted 1,200 of at least 3,600 seconds.',
        now() + interval '1 hour', '{}', 1, 1234, 3, now()
    FROM (SELECT *, row_number() OVER (ORDER BY id) <= 35 AS is_live FROM readshift_routingrule
          WHERE gate_kind = 'flag' AND mode = 'route' ORDER BY id LIMIT 40) rule
    """,
    """
    INSERT INTO readshift_shadowread (batch, captured_at, cluster, pool, alias, endpoint, model, reason, fingerprint,
        statement, state, tries, compared_at, outcome, cause, replica, staleness_ms, primary_ms, replica_ms, rows,
        details)
    SELECT gen_random_uuid(), at, 'default', 'default', 'default', endpoint, model, 'observed', 'f' || number %% 7,
        'SELECT * FROM product WHERE id = $1', 'done', 1, at,
        CASE WHEN number %% 5000 = 0 THEN 'divergent' WHEN number %% 40 = 0 THEN 'caught_up' ELSE 'equal' END,
        CASE WHEN number %% 5000 = 0 THEN 'missing_row' ELSE '' END, 'replica1',
        CASE WHEN number %% 40 = 0 THEN number %% 300 END, 2, 3, 1, '{}'
    FROM (SELECT number, now() - random() * interval '7 days' AS at, (number * 5 %% 450) + 1 AS rank
          FROM generate_series(1, 50000) number) numbered
    JOIN series USING (rank) WHERE kind = 'shadow'
    """,
    """
    INSERT INTO readshift_armcount (starts_at, span_seconds, target_kind, target, side, revision, units, failed,
        durations, reads, fallbacks, lag_seconds)
    SELECT now() - number * interval '30 seconds', 10, 'endpoint', gate_name, side, 1, 100, 0, '{"40": 100}', 200, 1,
        0.2
    FROM generate_series(1, 500) number, unnest(ARRAY['replica', 'primary']) side,
        (SELECT gate_name FROM readshift_rolloutplan LIMIT 20) plan
    """,
    """
    INSERT INTO readshift_event (at, kind, door, who, why, subject_kind, subject, before, after, measures)
    SELECT now() - number * interval '5 minutes', 'changed', 'dashboard', 'kim', 'Load on the primary.', 'flag',
        'flag' || number, '{"percent": "5"}', '{"percent": "10"}', %(verdicts)s
    FROM generate_series(1, 2000) number
    """,
    # They never fall silent, as the benchmark cannot have forty programs tell of themselves.
    """
    INSERT INTO readshift_process (key, host, pid, service, started_at, revision, applied_at, seen_at)
    SELECT gen_random_uuid(), 'web' || number %% 8, 1000 + number, 'gunicorn', now() - interval '1 day',
        (SELECT revision FROM readshift_policyrevision) - CASE WHEN number %% 20 = 0 THEN 1 ELSE 0 END,
        now() - interval '1 hour', now() + interval '1 day'
    FROM generate_series(1, 40) number
    """,
)


def fill(dsn: str, plan: Mapping[str, str]) -> int:
    """Fill the tables of a database that has none of it, and return how many rows of counts there are.

    plan: `stages` and `verdicts` of each rollout, as JSON.
    """
    parameters = {
        "endpoints": list(ENDPOINTS),
        "models": list(MODELS),
        "model_count": len(MODELS),
        "replicas": REPLICAS,
        **plan,
    }
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(_SERIES, parameters)
        for span in _SPANS:
            connection.execute(_TALLIES, span)
        connection.execute(
            "INSERT INTO readshift_policyrevision (id, revision) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET revision = readshift_policyrevision.revision + 1"
        )
        for statement in _OTHERS:
            connection.execute(statement, parameters)
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT count(*) FROM readshift_tally").fetchone()
    return int(found[0]) if found else 0
