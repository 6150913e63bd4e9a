"""Rules for endpoints and models that are never read, each under a flag of its own."""

from demo.cluster import Server

_FLAGS = """
    INSERT INTO waffle_flag (name, percent, testing, superusers, staff, authenticated, languages, rollout, note,
                             created, modified)
    SELECT 'other-' || number, number %% 90, false, false, false, false, '', false, '', now(), now()
    FROM generate_series(%s::int, %s::int) number
"""
_RULES = """
    INSERT INTO readshift_routingrule (target_kind, target, mode, gate_kind, gate_name, pool, contract, over_budget,
                                       shadow_percent, shadow_per_second, note, created, modified)
    SELECT CASE WHEN number %% 10 = 0 THEN 'model' ELSE 'endpoint' END,
        CASE WHEN number %% 10 = 0 THEN 'shop.Model' || number ELSE 'section-' || number %% 9 || ':page-' || number END,
        (ARRAY['route', 'observe', 'pin'])[1 + number %% 3], 'flag', 'other-' || number, 'default', 'session',
        'primary', 0, 20, '', now(), now()
    FROM generate_series(%s::int, %s::int) number
"""


def add_rules(primary: Server, dbname: str, total: int) -> None:
    """Add rules to a database until there are so many."""
    ((present,),) = primary.query("SELECT count(*) FROM readshift_routingrule", dbname=dbname)
    for statement in (_FLAGS, _RULES):
        primary.query(statement, [present + 1, total], dbname)
