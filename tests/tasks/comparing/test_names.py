"""The names in statements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.comparing.names import Name, functions_in, relations_in, words_in


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SELECT Lower(a)", {"lower"}),
        ("SELECT lower /* of */ (a), upper--\n(b)", {"lower", "upper"}),
        ('SELECT "Lower"(a), "count"(*)', {"Lower", "count"}),
        ('SELECT billing.charge(1), "Billing" . "net ""sum"""(2)', {"billing.charge", 'Billing.net "sum"'}),
        ("SELECT shop.billing.charge(1)", {"billing.charge"}),
        ("SELECT 'random()', $$random()$$, \"random()\", E'\\'random()' /* random() */ -- random()", set()),
        ("SELECT random, a.random, random_of FROM random", set()),
        ("SELECT current_timestamp, CURRENT_USER, Localtime", {"current_timestamp", "current_user", "localtime"}),
        ("SELECT CURRENT_TIMESTAMP(3)", {"current_timestamp"}),
        ('SELECT "current_user", t.user, users, user_id FROM "user"', set()),
        ("SELECT a::numeric(10, 2) WHERE b IN (1)", {"numeric", "in"}),
        ("SELECT $1(", set()),
        ("SELECT Übung(1), ÄRGER(2)", {"Übung", "Ärger"}),
        (f"SELECT {'f' * 70}(1)", {"f" * 63}),
    ],
)
def test_what_a_statement_may_call(statement: str, names: set[str]) -> None:
    found = {f"{name.schema}.{name.name}" if name.schema else name.name for name in functions_in(statement.encode())}
    assert found == names


def test_what_a_statement_may_read_from() -> None:
    names = relations_in(b'SELECT "t"."total", lower(x) FROM "Report" t JOIN warehouse.stock USING (id)')
    assert {Name("t", "total"), Name(None, "Report"), Name("warehouse", "stock"), Name(None, "x")} <= names
    assert Name(None, "lower") not in names


def test_every_word_of_a_statement() -> None:
    assert words_in("SELECT \"T1\".Name FROM t 'no'") == {"select", "T1", "name", "from", "t"}


def test_a_name_with_a_schema_means_that_one_alone() -> None:
    assert Name(None, "f").may_be("billing", "f")
    assert Name("billing", "f").may_be("billing", "f")
    assert not Name("billing", "f").may_be("public", "f")
    assert not Name(None, "f").may_be("public", "g")


@given(st.text().filter(lambda text: "\x00" not in text))
def test_a_call_is_found_whatever_literal_stands_before_it(text: str) -> None:
    literal, identifier = text.replace("'", "''"), text.replace('"', '""')
    statement = f"SELECT '{literal}', \"{identifier}\", random()"
    assert Name(None, "random") in functions_in(statement)
