"""What statements do, judged from their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from routers.statements import Effect, effect_of, outline


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT "shop_product"."id" FROM "shop_product"',
        "  select 1",
        "(SELECT 1) UNION (SELECT 2)",
        "/* comment */ SELECT 1",
        "-- INSERT INTO x\nSELECT 1;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1), (2)",
        "TABLE shop_product",
        "EXPLAIN SELECT 1",
        "SHOW server_version",
        'SELECT "update", "delete" FROM "insert" WHERE "into" = \'FOR UPDATE; DELETE\'',
        "SELECT $$ DELETE FROM x; $$",
        "SELECT 'it''s; an INSERT'",
        "SELECT updated_at, nextvalue FROM t",
        'SELECT "nextval" FROM t',
        "SELECT 'nextval(1)', \"nextval(1)\" /* nextval(1) */ FROM t -- nextval(1)",
        "SELECT lo_get(1)",
        "SELECT set_config('search_path', 'x', true)",
        "SELECT txid_current_if_assigned()",
        r"SELECT E'it\'s; an INSERT'",
        "SELECT 1; SELECT 2;",
        "SELECT ';'; -- one more; DELETE\n",
    ],
)
def test_it_reads(statement: str) -> None:
    assert effect_of(statement) is Effect.READ


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO x VALUES (1)",
        "update x set a = 1",
        "DELETE FROM x",
        "MERGE INTO x USING y ON true WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM x RETURNING *) SELECT * FROM gone",
        "SELECT * FROM x FOR UPDATE",
        "SELECT * FROM x FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT * FROM x FOR  SHARE",
        "SELECT * FROM x FOR KEY SHARE",
        "SELECT 1 INTO y",
        "SELECT nextval('s')",
        "SELECT nextval /* the next */ ('s')",
        "SELECT pg_catalog.nextval('s')",
        "SELECT\"nextval\"('s')",
        'SELECT "pg_catalog" . "nextval" (\'s\')',
        "EXECUTE p(nextval('s'))",
        "SELECT %s, %s %%setval('s', 1)",
        "SELECT pg_notify('a', 'b')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock (1)",
        "SELECT 1; DROP TABLE x",
        "BEGIN; UPDATE x SET a = 1; COMMIT",
        "SET LOCAL statement_timeout = 5; SELECT nextval('s')",
        r"SELECT E'\''; DROP TABLE x; --'",
        "EXPLAIN ANALYZE DELETE FROM x",
        "CREATE TABLE x (id int)",
        "TRUNCATE x",
        "CALL p()",
        "DO $$ BEGIN END $$",
        "COPY x FROM STDIN",
        "NOTIFY a",
        "LISTEN a",
        "LOCK TABLE x",
        "REFRESH MATERIALIZED VIEW x",
        "VACUUM",
        "",
        ";",
        "gibberish",
    ],
)
def test_it_may_write(statement: str) -> None:
    assert effect_of(statement) is Effect.WRITE


@pytest.mark.parametrize(
    "statement",
    [
        "SAVEPOINT a",
        "RELEASE SAVEPOINT a",
        "ROLLBACK TO SAVEPOINT a",
        "SET search_path = x",
        "BEGIN",
        "BEGIN; SELECT 1; COMMIT",
        "SELECT 1; SET search_path = x",
    ],
)
def test_it_steers_the_session(statement: str) -> None:
    assert effect_of(statement) is Effect.CONTROL


@pytest.mark.parametrize(
    ("call", "declared_as"),
    [
        ("SELECT charge(1)", {"charge", "billing.charge"}),
        ("SELECT billing.charge(1)", {"charge", "billing.charge"}),
        ("SELECT * FROM shop.billing.charge (1) AS t", {"charge", "billing.charge"}),
        ("select BILLING . Charge\n(1)", {"charge", "billing.charge"}),
        ("SELECT /* a */ billing /* b */ . charge -- c\n (1)", {"charge", "billing.charge"}),
        ('SELECT "charge"(1)', {"charge", "billing.charge"}),
        ('SELECT "billing"."charge"(1), "total charge (net)"', {"charge", "billing.charge"}),
        ('SELECT"billing".charge(1)', {"charge", "billing.charge"}),
        ('SELECT "charge" /* c */ (1)', {"charge", "billing.charge"}),
        ("SELECT name FROM x WHERE y > (SELECT max(z) FROM charge(%s) AS z)", {"charge", "billing.charge"}),
        ("SELECT ledger.charge(1)", {"charge"}),
        ('SELECT "ledger" . "charge"(1)', {"charge"}),
        ("SELECT discharge(1), charge_all(1), billing.recharge(1), charge$(1), my$charge(1)", set()),
        ("SELECT charge, billing.charge FROM billing WHERE charge IN (1, 2)", set()),
        ('SELECT "count"(*), "a charge(1)", "charge"\'charge(1)\' FROM x', set()),
        ("SELECT 'charge(1)', E'\\'charge(1)', $$charge(1)$$, \"charge(1)\" -- charge(1)\n /* charge(1) */", set()),
    ],
)
def test_a_select_that_calls_a_declared_function_writes(call: str, declared_as: set[str]) -> None:
    for name in ("charge", "billing.charge", "Billing.CHARGE"):
        for functions in ({name}, {name, "refund", "ledger.post"}):
            expected = Effect.WRITE if name.lower() in declared_as else Effect.READ
            assert effect_of(call, frozenset(functions)) is expected
    assert effect_of(call) is Effect.READ


def test_a_name_is_taken_literally_even_with_a_dollar_sign_in_it() -> None:
    assert effect_of("SELECT a$b(1)", frozenset({"a$b"})) is Effect.WRITE
    assert effect_of("SELECT ab(1)", frozenset({"a$b", "a.b"})) is Effect.READ


def test_bytes_and_composed_statements_are_judged_like_strings() -> None:
    assert effect_of(b"DELETE FROM x") is Effect.WRITE
    assert effect_of(sql.SQL("SELECT * FROM {}").format(sql.Identifier("delete"))) is Effect.READ
    assert effect_of(sql.SQL("DELETE FROM {}").format(sql.Identifier("x"))) is Effect.WRITE


@given(st.text())
def test_what_stands_in_a_literal_changes_nothing(text: str) -> None:
    literal = text.replace("'", "''")
    assert effect_of(f"SELECT '{literal}'") is Effect.READ
    assert effect_of(f"DELETE FROM x WHERE a = '{literal}'") is Effect.WRITE


def test_a_long_statement_is_judged_like_a_short_one() -> None:
    values = ", ".join(str(number) for number in range(5_000))
    assert effect_of(f"SELECT * FROM x WHERE id IN ({values})") is Effect.READ
    assert effect_of(f"SELECT * FROM x WHERE id IN ({values}) FOR UPDATE") is Effect.WRITE
    assert effect_of(f"SELECT charge(1) FROM x WHERE id IN ({values})", frozenset({"charge"})) is Effect.WRITE


def test_an_outline_holds_no_literal_and_is_short() -> None:
    shown = outline('UPDATE "shop_product"  SET "name" = \'secret\' WHERE "id" IN (' + "1, " * 100 + "1)")
    assert "secret" not in shown
    assert shown.startswith('UPDATE "shop_product" SET "name" = …')
    assert len(shown) == 80
