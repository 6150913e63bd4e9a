"""Which differences between servers explain which differences between answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.outcomes import ShadowCause
from tasks.comparing.explanations import explain
from tasks.comparing.surroundings import SurroundingDifference

CHANGED, MISSING, EXTRA = ShadowCause.CHANGED_COLUMN, ShadowCause.MISSING_ROW, ShadowCause.EXTRA_ROW
INTEGER, TEXT, DATE, TIMESTAMP, TIMESTAMPTZ = 23, 25, 1082, 1114, 1184
INTERVAL, MONEY, BYTEA, FLOAT8 = 1186, 790, 17, 701


def setting(name: str) -> SurroundingDifference:
    return SurroundingDifference(ShadowCause.SETTINGS, name, "a", "b")


def collation(name: str) -> SurroundingDifference:
    return SurroundingDifference(ShadowCause.COLLATION, name, "libc C", "icu und")


ZONE, NEW_ZONE, TITLE = setting("TimeZone"), setting("TimeZone of new sessions"), collation("public.note.title")


@given(st.sampled_from(ShadowCause), st.text(), st.lists(st.integers(0, 10_000)))
def test_servers_that_are_alike_explain_nothing(cause: ShadowCause, statement: str, types: list[int]) -> None:
    assert explain(cause, (), [statement], types) is cause


@pytest.mark.parametrize("cause", sorted(set(ShadowCause) - {CHANGED, MISSING, EXTRA, ShadowCause.ORDER}))
def test_what_is_no_difference_of_values_keeps_its_cause(cause: ShadowCause) -> None:
    differences = [ZONE, setting("search_path"), TITLE]
    assert explain(cause, differences, ["SELECT title FROM note ORDER BY title LIMIT 1"], [TIMESTAMPTZ]) is cause


def test_another_order_is_explained_by_another_collation_and_by_no_setting() -> None:
    statement = ["SELECT a FROM t ORDER BY a"]
    assert explain(ShadowCause.ORDER, [collation("database")], statement, [TEXT]) is ShadowCause.COLLATION
    assert explain(ShadowCause.ORDER, [ZONE], statement, [TIMESTAMPTZ]) is ShadowCause.ORDER


@pytest.mark.parametrize("cause", [CHANGED, MISSING, EXTRA])
@pytest.mark.parametrize(
    ("name", "type_", "is_explained"),
    [
        ("TimeZone", TIMESTAMPTZ, True),
        ("TimeZone", DATE, True),
        ("TimeZone", TIMESTAMP, False),
        ("TimeZone", INTEGER, False),
        ("DateStyle", TIMESTAMP, True),
        ("IntervalStyle", INTERVAL, True),
        ("IntervalStyle", TIMESTAMPTZ, False),
        ("lc_monetary", MONEY, True),
        ("bytea_output", BYTEA, True),
        ("extra_float_digits", FLOAT8, True),
        ("extra_float_digits", MONEY, False),
        ("search_path", INTEGER, True),
        ("row_security", TEXT, False),
        ("server_version", TEXT, False),
        ("TimeZone of new sessions", TIMESTAMPTZ, False),
    ],
)
def test_a_setting_explains_columns_of_the_types_that_it_has_a_hold_on(
    cause: ShadowCause, name: str, type_: int, is_explained: bool
) -> None:
    found = explain(cause, [setting(name)], ["SELECT a FROM t"], [INTEGER, type_])
    assert found is (ShadowCause.SETTINGS if is_explained else cause)


@pytest.mark.parametrize(
    ("name", "statement", "is_explained"),
    [
        ("TimeZone", "SELECT extract(hour FROM a) FROM t", True),
        ("TimeZone", "SELECT 1 FROM t WHERE (a AT TIME ZONE 'UTC')::date = '2024-01-01'", True),
        ("TimeZone", "SELECT 1 FROM t WHERE a1::date = $1", True),
        ("TimeZone", "SELECT 1 FROM t WHERE CAST(a AS date) = $1", True),
        ("TimeZone", "SELECT to_char(a, 'HH') FROM t", True),
        ("TimeZone", "SELECT jsonb_build_object('a', a) FROM t", True),
        ("TimeZone", "SELECT 1 FROM t WHERE b > '2024-01-01'::date AND c = $1::timestamptz", False),
        ("TimeZone", "SELECT 'to_char(a)', \"date\" FROM t -- date_trunc()", False),
        ("lc_time", "SELECT to_char(a, 'TMMonth') FROM t", True),
        ("lc_time", "SELECT a FROM t", False),
        ("default_text_search_config", "SELECT 1 FROM t WHERE to_tsvector(a) @@ $1", True),
        ("standard_conforming_strings", r"SELECT 1 FROM t WHERE a = 'x\y'", True),
        ("standard_conforming_strings", "SELECT 1 FROM t WHERE a = 'xy'", False),
        ("TimeZone of new sessions", "SELECT reset_val FROM pg_settings", True),
        ("row_security", "SELECT current_setting('row_security')", True),
    ],
)
def test_a_setting_explains_statements_that_depend_on_it(name: str, statement: str, is_explained: bool) -> None:
    found = explain(MISSING, [setting(name)], [statement.encode()], [INTEGER])
    assert found is (ShadowCause.SETTINGS if is_explained else MISSING)


def test_what_the_views_of_a_statement_say_counts() -> None:
    view = " SELECT date_trunc('day'::text, a) AS day FROM t;"
    assert explain(CHANGED, [ZONE], [b"SELECT day FROM days", view], [INTEGER]) is ShadowCause.SETTINGS
    assert explain(CHANGED, [ZONE], [b"SELECT day FROM days"], [INTEGER]) is CHANGED


@pytest.mark.parametrize(
    ("statement", "is_explained"),
    [
        ("SELECT id FROM note ORDER BY title LIMIT 10", True),
        ('SELECT id FROM note ORDER BY "note"."title" OFFSET 5', True),
        ("SELECT id FROM note WHERE title > $1", True),
        ("SELECT id FROM note WHERE title<='m'", True),
        ("SELECT id FROM note WHERE title BETWEEN 'a' AND 'm'", True),
        ("SELECT max(title) FROM note", True),
        ("SELECT DISTINCT ON (title) id FROM note", True),
        ("SELECT id FROM note WHERE UPPER(title) LIKE UPPER($1)", True),
        ("SELECT id FROM note WHERE number > 5 ORDER BY number LIMIT 10", False),
        ("SELECT id FROM note WHERE title = $1 ORDER BY title", False),
        ("SELECT id FROM note WHERE title <> $1", False),
        ("SELECT title -> 'a', title ->> 'b', title @> $1, title <@ $1 FROM note", False),
        ("SELECT id FROM note WHERE number = 1 -- title > 'm'", False),
    ],
)
def test_a_column_that_sorts_otherwise_explains_rows_that_are_chosen_by_it(statement: str, is_explained: bool) -> None:
    for cause in (MISSING, EXTRA, CHANGED):
        assert explain(cause, [TITLE], [statement], [INTEGER]) is (ShadowCause.COLLATION if is_explained else cause)


def test_a_database_that_sorts_otherwise_explains_rows_that_are_chosen_by_computed_text() -> None:
    by_text, by_column = "SELECT 1 FROM t WHERE data ->> 'a' > $1", "SELECT 1 FROM t WHERE number > $1"
    assert explain(MISSING, [collation("database")], [by_text], [INTEGER]) is ShadowCause.COLLATION
    assert explain(MISSING, [collation("database")], [by_column], [INTEGER]) is MISSING


def test_a_setting_that_explains_it_comes_before_a_collation() -> None:
    statement = ["SELECT at FROM note ORDER BY title LIMIT 1"]
    assert explain(MISSING, [TITLE, ZONE], statement, [TIMESTAMPTZ]) is ShadowCause.SETTINGS
    assert explain(MISSING, [TITLE, NEW_ZONE], statement, [TIMESTAMPTZ]) is ShadowCause.COLLATION
