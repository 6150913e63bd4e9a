"""Which statements may run on any server, as real servers' catalogues have it."""

from collections.abc import Iterator

import pytest

from demo.cluster import Cluster
from tasks.comparing.volatility import Assessment, Calls, Found, assess, calls_of
from tests.tasks.comparing.asking import PlainAsker, asking, database


@pytest.fixture(scope="module")
def asker(cluster: Cluster) -> Iterator[PlainAsker]:
    with database(cluster.primary, "volatility") as name:
        cluster.primary.query(
            """
            CREATE SCHEMA warehouse;
            CREATE TABLE stock (name text, amount numeric, added timestamptz);
            CREATE FUNCTION warehouse.restock(wanted text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
            CREATE FUNCTION warehouse."Net Sum"(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
            CREATE FUNCTION warehouse.version() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
            CREATE FUNCTION public.doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
            CREATE FUNCTION public.doubled(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1 || $1';
            CREATE FUNCTION public.halved(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
            CREATE VIEW warehouse.sampled AS SELECT name FROM stock ORDER BY random() LIMIT 1;
            CREATE VIEW sampled_1 AS SELECT * FROM warehouse.sampled;
            CREATE VIEW sampled_2 AS SELECT * FROM sampled_1;
            CREATE VIEW "Recent" AS SELECT name FROM stock WHERE added > CURRENT_TIMESTAMP - interval '1 day';
            CREATE VIEW attributes AS SELECT name FROM stock;
            """,
            dbname=name,
        )
        with asking(cluster.primary, name) as asker:
            yield asker


def judged(asker: PlainAsker, statement: str) -> Assessment:
    return assess(calls_of(asker, statement.encode()).functions)


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT "stock"."name", count(*), sum(amount)::numeric(10, 2) FROM "stock" WHERE name IN ($1) GROUP BY 1',
        "SELECT lower(name), to_char(added, 'YYYY'), date_trunc('day', added AT TIME ZONE 'UTC') FROM stock",
        "WITH a(x) AS (VALUES (1)) SELECT row_number() OVER (ORDER BY x) FROM a WHERE x = ANY (ARRAY(SELECT 1))",
        "SELECT 'random()', random FROM (SELECT 1) AS t(random)",
        "SELECT halved(1), no_such_function(2)",
        "SELECT other.restock('a')",
        'SELECT * FROM "attributes"',
        "SELECT attributes FROM stock",
    ],
)
def test_a_statement_of_harmless_functions_is_allowed(asker: PlainAsker, statement: str) -> None:
    assert judged(asker, statement) == Assessment(True, (), of_the_clock=False, of_the_session=False)


@pytest.mark.parametrize(
    ("statement", "volatile"),
    [
        ("SELECT name FROM stock ORDER BY random()", ("random",)),
        ('SELECT "random" /* a */ ()', ("random",)),
        ("SELECT pg_catalog.Clock_Timestamp()", ("clock_timestamp",)),
        ("SELECT pg_sleep(1), gen_random_uuid()", ("gen_random_uuid", "pg_sleep")),
        ("SELECT * FROM stock TABLESAMPLE bernoulli (10)", ("bernoulli",)),
        ("SELECT warehouse.restock('a')", ("warehouse.restock",)),
        ("SELECT restock('a')", ("warehouse.restock",)),
        ('SELECT warehouse."Net Sum"(1)', ("warehouse.Net Sum",)),
        ("SELECT doubled(1)", ("public.doubled",)),
        ("SELECT query_to_xml('SELECT 1', true, true, '')", ("query_to_xml",)),
    ],
)
def test_a_statement_that_calls_a_volatile_function_is_refused_for_it(
    asker: PlainAsker, statement: str, volatile: tuple[str, ...]
) -> None:
    found = judged(asker, statement)
    assert (found.is_allowed, found.volatile) == (False, volatile)


@pytest.mark.parametrize("view", ["warehouse.sampled", "sampled", "sampled_1", 'public."sampled_2"'])
def test_what_views_call_counts_however_deep_they_lie(asker: PlainAsker, view: str) -> None:
    assert judged(asker, f"SELECT name FROM {view} AS s").volatile == ("random",)


def test_the_text_of_views_is_at_hand(asker: PlainAsker) -> None:
    (text,) = calls_of(asker, b'SELECT * FROM "Recent"').views
    assert "CURRENT_TIMESTAMP" in text


def test_it_takes_one_question_and_one_more_for_each_level_of_views(asker: PlainAsker) -> None:
    asked = asker.asked
    calls_of(asker, b"SELECT lower(name) FROM stock")
    assert asker.asked - asked == 1
    calls_of(asker, b"SELECT name FROM sampled_2")
    assert asker.asked - asked == 5


@pytest.mark.parametrize(
    "statement",
    ["SELECT now()", "SELECT current_date", "SELECT LOCALTIMESTAMP(0)", 'SELECT * FROM "Recent"', "SELECT age(added)"],
)
def test_it_is_known_when_an_answer_depends_on_the_clock(asker: PlainAsker, statement: str) -> None:
    assert judged(asker, statement) == Assessment(True, (), of_the_clock=True, of_the_session=False)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT current_user",
        "SELECT version()",
        "SELECT pg_catalog.current_setting('TimeZone')",
        "SELECT inet_server_addr(), pg_backend_pid()",
        "SELECT name FROM pg_settings",
        "SELECT * FROM pg_stat_activity",
        "SELECT * FROM information_schema.attributes",
    ],
)
def test_it_is_known_when_an_answer_tells_about_the_session(asker: PlainAsker, statement: str) -> None:
    assert judged(asker, statement) == Assessment(True, (), of_the_clock=False, of_the_session=True)


def test_a_function_of_the_host_is_not_taken_for_one_of_the_server(asker: PlainAsker) -> None:
    assert not judged(asker, "SELECT warehouse.version()").of_the_session
    assert judged(asker, "SELECT version()").of_the_session


def test_a_replica_says_the_same_as_its_primary(cluster: Cluster, asker: PlainAsker) -> None:
    cluster.wait_for_replay()
    with asking(cluster.replicas[0], "volatility") as replica:
        for statement in (b"SELECT now(), restock('a') FROM sampled_2", b"SELECT 1"):
            assert calls_of(replica, statement) == calls_of(asker, statement)


def test_nothing_called_is_nothing_to_refuse() -> None:
    assert assess(Calls(frozenset()).functions) == Assessment(True, (), of_the_clock=False, of_the_session=False)


def test_volatile_functions_are_named_once_and_in_order() -> None:
    found = assess([Found("b", "v"), Found("a", "v"), Found("a", "s"), Found("c", "i")])
    assert found.volatile == ("a", "b")
