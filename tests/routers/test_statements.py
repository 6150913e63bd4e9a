"""What statements do, judged from their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from routers.statements import Effect, effect_of, fingerprint, is_ordered, is_plain_read, outline, without_literals


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


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a FROM x ORDER BY a",
        "select a from x order\n  by a limit 3 offset 2",
        "SELECT a FROM x WHERE b IN (SELECT b FROM y) ORDER BY a DESC FOR UPDATE",
        "WITH y AS (SELECT a FROM x) SELECT * FROM y ORDER BY a;",
        "SELECT a FROM x UNION SELECT a FROM y ORDER BY 1",
        "(SELECT a FROM x UNION (SELECT a FROM y)) ORDER BY 1",
        "((SELECT a FROM x ORDER BY a));",
        "SELECT ')' FROM x /* ( */ ORDER BY a",
        b"SELECT a FROM x WHERE b = $1 ORDER BY a",
    ],
)
def test_it_asks_for_an_order(statement: str | bytes) -> None:
    assert is_ordered(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a FROM x",
        "SELECT a FROM (SELECT a FROM x ORDER BY a LIMIT 9) y",
        "SELECT row_number() OVER (ORDER BY a) FROM x",
        "SELECT string_agg(a, ',' ORDER BY a), (SELECT b FROM y ORDER BY b LIMIT 1) FROM x",
        "WITH y AS (SELECT a FROM x ORDER BY a) SELECT * FROM y",
        "(SELECT a FROM x ORDER BY a LIMIT 1) UNION ALL (SELECT a FROM y ORDER BY a LIMIT 1)",
        "SELECT ' ORDER BY a' FROM x -- ORDER BY a",
        "SELECT E'\\' ORDER BY ', $$ ORDER BY $$ FROM x /* ORDER BY a */",
        'SELECT "ORDER BY" FROM x',
        "SELECT a AS reorder, b AS bypass FROM x",
        "",
    ],
)
def test_it_leaves_the_order_open(statement: str) -> None:
    assert not is_ordered(statement)


def test_an_outline_holds_no_literal_and_is_short() -> None:
    shown = outline('UPDATE "shop_product"  SET "name" = \'secret\' WHERE "id" = 1234567 AND ' + "price, " * 100 + "1")
    assert "secret" not in shown
    assert "1234567" not in shown
    assert shown.startswith('UPDATE "shop_product" SET "name" = … WHERE "id" = … AND price, ')
    assert len(shown) == 80


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ('SELECT "T1"."id2", t3.x FROM t3 -- of Ann\n LIMIT 21', 'SELECT "T1"."id2", t3.x FROM t3 LIMIT …'),
        (r"SELECT f(1, -2.5e-3), E'\'x', U&'x', $$x$$, .5, 0x1F, a[1]", "SELECT f(…, …), …, …, …, …, …, a[…]"),
        ("SELECT a FROM t WHERE b IN (1, 2, 3) AND c=-1 AND d - 1", "SELECT a FROM t WHERE b IN (…) AND c=… AND d - …"),
        ("SELECT a FROM t WHERE b IN ('x'::uuid, 'y'::uuid)", "SELECT a FROM t WHERE b IN (…::uuid)"),
        ("SELECT a FROM t WHERE b in (%s, %s) OR c IN ($1, $2)", "SELECT a FROM t WHERE b in (%s) OR c IN ($1)"),
        ("SELECT a FROM t WHERE (b, c) IN ((1, 2), (3, 4))", "SELECT a FROM t WHERE (b, c) IN ((…, …))"),
        ("SELECT ARRAY['a', 'b'], %(name)s", "SELECT ARRAY[…], %(name)s"),
    ],
)
def test_an_outline_shows_names_and_where_values_stood(statement: str, shown: str) -> None:
    assert outline(statement, longest=1_000) == shown


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        " (select 1) UNION (SELECT 2);",
        "SELECT ';' -- ;\n;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
        "TABLE x",
        "SELECT 'FOR UPDATE', \"set_config\"",
    ],
)
def test_it_is_a_plain_read(statement: str) -> None:
    assert is_plain_read(statement)
    assert is_plain_read(statement + " " * 5_000)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "SELECT 1; SELECT 2",
        "SELECT 1; COMMIT",
        "SELECT 1 FOR SHARE",
        "SELECT a INTO b FROM c",
        "WITH gone AS (DELETE FROM x RETURNING *) SELECT * FROM gone",
        "SELECT nextval('s')",
        "SELECT current_setting('TimeZone')",
        "SELECT set_config('TimeZone', 'UTC', false)",
        "EXPLAIN SELECT 1",
        "SHOW TimeZone",
        "DECLARE c CURSOR FOR SELECT 1",
        "FETCH 1 FROM c",
        "MOVE 1 FROM c",
        "CLOSE c",
        "BEGIN",
        "INSERT INTO x VALUES (1)",
        "COPY x TO STDOUT",
        "SELECTED",
    ],
)
def test_it_is_no_plain_read(statement: str) -> None:
    assert not is_plain_read(statement)
    assert not is_plain_read(statement + " " * 5_000)


def test_a_read_that_calls_a_declared_function_is_no_plain_one() -> None:
    assert not is_plain_read("SELECT charge(1)", frozenset({"charge"}))
    assert is_plain_read("SELECT charge(1)")


@pytest.mark.parametrize(
    "other",
    [
        "SELECT a FROM t WHERE b IN (7) AND c = 'x'",
        "SELECT a FROM t WHERE b IN (-7, 8) AND c = E'\\'x'",
        "SELECT a\n  FROM t /* c */ WHERE b IN(1,2,3) AND c='' -- end",
        "SELECT a FROM t WHERE b IN (%s, %s) AND c = %s",
        "SELECT a FROM t WHERE b IN ($1, $2) AND c = $3",
        "SELECT a FROM t WHERE b IN (%(x)s) AND c = %(y)s",
        "SELECT a FROM t WHERE b IN (" + "5, " * 5_000 + "5) AND c = 'x'",
    ],
)
def test_statements_that_differ_in_values_share_a_fingerprint(other: str) -> None:
    assert fingerprint(other) == fingerprint("SELECT a FROM t WHERE b IN (1, 2) AND c = 'abc'")


def test_statements_that_differ_otherwise_do_not() -> None:
    statements = [
        "SELECT a FROM t WHERE b IN (1)",
        "select a FROM t WHERE b IN (1)",
        "SELECT a FROM t WHERE b = 1",
        "SELECT a FROM t WHERE b - 1",
        "SELECT a1 FROM t WHERE b IN (1)",
        "SELECT a2 FROM t WHERE b IN (1)",
        'SELECT "a 1" FROM t WHERE b IN (1)',
        'SELECT "a 2" FROM t WHERE b IN (1)',
        "SELECT f(1)",
        "SELECT f(1, 2)",
    ]
    found = {fingerprint(statement) for statement in statements}
    assert len(found) == len(statements)
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in found)


@given(st.text(), st.integers())
def test_no_value_changes_a_fingerprint(text: str, number: int) -> None:
    literal = text.replace("'", "''")
    expected = fingerprint("SELECT a FROM t WHERE b = %s AND c = %s")
    assert fingerprint(f"SELECT a FROM t WHERE b = '{literal}' AND c = {number}") == expected


def test_names_are_left_when_literals_are_taken_out() -> None:
    assert without_literals(b"SELECT \"a b\", 'c', d -- e").split() == ["SELECT", '"a', 'b",', ",", "d"]
