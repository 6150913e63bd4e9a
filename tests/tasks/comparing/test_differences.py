"""How two answers differ, and that nothing about it gives a value away."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.outcomes import ShadowCause
from tasks.comparing.answers import Column, Row
from tasks.comparing.differences import MOST_EXAMPLES, Difference, Privacy, compare
from tasks.comparing.narrowing import narrow
from tests.tasks.comparing.digested import COLUMNS, digested

PRIVACY = Privacy(lambda value: f"#{len(value)}")
ROWS: list[Row] = [(b"%d" % number, b"name%d" % number, b"9.50") for number in range(1, 8)]

values = st.none() | st.sampled_from([b"", b"a", b"b", b"c"])
keyed_rows = st.lists(values, min_size=1, max_size=30).map(
    lambda found: [(b"%d" % number, value, b"9") for number, value in enumerate(found)]
)
any_rows = st.lists(st.tuples(values, values, values), max_size=25)


def difference(
    primary: Sequence[Row], replica: Sequence[Row], *, is_ordered: bool = False, **options: Any
) -> Difference:
    found = compare(digested(primary), digested(replica), PRIVACY, is_ordered=is_ordered, **options)
    assert found is not None
    json.dumps(found.details)
    return found


def difference_by_digests(primary: Sequence[Row], replica: Sequence[Row], most_rows: int = 50) -> Difference:
    """Compare two answers that cannot be held, as a worker does: again and again, in ever fewer buckets."""
    mine, theirs = digested(primary, most_rows=0), digested(replica, most_rows=0)
    while selector := narrow(mine, theirs, most_rows):
        mine = digested(primary, most_rows=most_rows if selector.buckets else 0, selector=selector)
        theirs = digested(replica, most_rows=most_rows if selector.buckets else 0, selector=selector)
    found = compare(mine, theirs, PRIVACY, is_ordered=False)
    assert found is not None
    return found


@given(any_rows, st.data())
def test_rows_in_another_order_differ_only_where_the_statement_orders_them(
    rows: list[Row], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert compare(digested(rows), digested(shuffled), PRIVACY, is_ordered=False) is None
    found = compare(digested(rows), digested(shuffled), PRIVACY, is_ordered=True)
    assert (found is None) is (rows == shuffled)
    assert found is None or found.cause is ShadowCause.ORDER


@given(keyed_rows, st.data())
def test_a_changed_value_is_found(rows: list[Row], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    changed = [*rows[:place], (rows[place][0], b"changed", rows[place][2]), *rows[place + 1 :]]
    found = difference(rows, data.draw(st.permutations(changed)))
    assert found.cause is ShadowCause.CHANGED_COLUMN
    assert (found.details["changed"], found.details["missing"], found.details["extra"]) == (1, 0, 0)
    assert found.details["columns"] == [{"column": "name", "rows": 1}]
    assert found.details["examples"]["changed"][0]["row"] == place


@given(any_rows, st.tuples(values, values, values), st.data())
def test_a_row_too_many_or_too_few_is_found(rows: list[Row], row: Row, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows)))
    more = [*rows[:place], row, *rows[place:]]
    assert difference(more, data.draw(st.permutations(rows))).cause is ShadowCause.MISSING_ROW
    extra = difference(rows, data.draw(st.permutations(more)))
    assert extra.cause is ShadowCause.EXTRA_ROW
    assert (extra.details["changed"], extra.details["missing"], extra.details["extra"]) == (0, 0, 1)
    assert extra.details["rows"] == {"primary": len(rows), "replica": len(more)}


@given(keyed_rows, keyed_rows)
def test_what_cannot_be_held_is_told_like_what_can(rows: list[Row], others: list[Row]) -> None:
    if sorted(map(repr, rows)) == sorted(map(repr, others)):
        assert narrow(digested(rows, most_rows=0), digested(others, most_rows=0)) is None
        return
    small, large = difference(rows, others), difference_by_digests(rows, others)
    assert large.cause is small.cause
    for kind in ("changed", "missing", "extra", "columns", "examples"):
        assert large.details[kind] == small.details[kind]


def planted(count: int, kind: str) -> tuple[list[Row], list[Row]]:
    """Return two large answers, with one difference, whose first columns have few values."""
    rows: list[Row] = [(b"%d" % (number % 3), b"%d" % number, b"9") for number in range(count)]
    others = rows.copy()
    if kind == "changed":
        others[count // 2] = (*rows[count // 2][:2], b"8")
    elif kind == "missing":
        del others[count // 2]
    else:
        others.insert(count // 2, (b"1", b"new", b"9"))
    return rows, others


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("changed", ShadowCause.CHANGED_COLUMN),
        ("missing", ShadowCause.MISSING_ROW),
        ("extra", ShadowCause.EXTRA_ROW),
    ],
)
def test_the_one_difference_of_a_large_answer_is_found_where_the_first_column_tells_little(
    kind: str, cause: ShadowCause
) -> None:
    rows, others = planted(20_000, kind)
    found = difference_by_digests(rows, others)
    assert (found.cause, found.details[kind]) == (cause, 1)
    assert found.details["examples"][kind][0]["row"] == 10_000
    assert not found.details["is_sample"]


def test_rows_that_agree_only_where_many_do_are_not_taken_for_one_that_changed() -> None:
    """The others which agree in the first column are not read again, and still count."""
    rows, _ = planted(300, "missing")
    others = [(rows[0][0], b"new", rows[0][2]), *rows[1:]]
    for found in (difference(rows, others), difference_by_digests(rows, others)):
        assert (found.details["changed"], found.details["missing"], found.details["extra"]) == (0, 1, 1)


def test_where_more_differs_than_can_be_held_a_sample_is_told() -> None:
    rows: list[Row] = [(b"%d" % number, b"a", b"9") for number in range(5000)]
    found = difference_by_digests(rows, [(key, b"b", price) for key, _, price in rows])
    assert found.cause is ShadowCause.CHANGED_COLUMN
    assert found.details["is_sample"]
    assert 0 < found.details["changed"] == found.details["rows"]["primary"] <= 50
    assert (found.details["missing"], found.details["extra"]) == (0, 0)


def test_rows_that_cannot_be_told_apart_are_counted_and_nobody_reads_for_ever() -> None:
    same: list[Row] = [(b"a", b"a", b"a")] * 200
    found = difference_by_digests(same, same[1:])
    assert (found.cause, found.details["rows"]) == (ShadowCause.MISSING_ROW, {"primary": 200, "replica": 199})


def test_of_an_ordered_answer_that_cannot_be_held_the_stretch_is_told() -> None:
    rows = ROWS * 100
    swapped = [*rows[:300], rows[301], rows[300], *rows[302:]]
    found = compare(digested(rows, most_rows=9), digested(swapped, most_rows=9), PRIVACY, is_ordered=True)
    assert found is not None
    assert (found.cause, found.details["order"]) == (ShadowCause.ORDER, {"first": 256, "end": 320})


def test_the_rows_that_changed_places_are_told() -> None:
    found = difference(ROWS, [*ROWS[:2], ROWS[3], ROWS[2], *ROWS[4:]], is_ordered=True)
    assert found.details["order"] == {"first": 2, "end": 4}


def test_of_a_page_that_lacks_a_row_the_missing_one_is_the_cause() -> None:
    found = difference(ROWS[:5], [*ROWS[:2], *ROWS[3:6]], is_ordered=True)
    assert found.cause is ShadowCause.MISSING_ROW
    assert (found.details["missing"], found.details["extra"], found.details["is_order_changed"]) == (1, 1, False)


def test_as_many_columns_as_it_takes_say_which_row_is_which() -> None:
    def lines(price: bytes) -> list[Row]:
        return [(b"1", b"1", b"5"), (b"1", b"2", price), (b"2", b"1", b"5"), (b"2", b"2", b"5")]

    found = difference(lines(b"5"), lines(b"6"))
    assert (found.cause, found.details["columns"]) == (ShadowCause.CHANGED_COLUMN, [{"column": "price", "rows": 1}])
    assert [part["column"] for part in found.details["examples"]["changed"][0]["key"]] == ["id", "name"]


def test_rows_that_no_column_tells_apart_are_missing_and_extra() -> None:
    found = difference([(b"a", b"a", b"a"), (b"a", b"a", b"b")], [(b"a", b"a", b"a"), (b"a", b"a", b"c")])
    assert (found.details["changed"], found.details["missing"], found.details["extra"]) == (0, 1, 1)


@pytest.mark.parametrize(("table", "cause"), [(0, ShadowCause.CHANGED_COLUMN), (20_000, ShadowCause.MISSING_ROW)])
def test_a_single_row_is_the_same_one_only_if_it_is_computed(table: int, cause: ShadowCause) -> None:
    columns = (Column("count", 20, table=table),)
    one, other = digested([(b"5",)], columns=columns), digested([(b"6",)], columns=columns)
    found = compare(one, other, PRIVACY, is_ordered=False)
    assert found is not None
    assert found.cause is cause


@pytest.mark.parametrize(
    "columns",
    [
        COLUMNS[:2],
        (*COLUMNS[:2], replace(COLUMNS[2], name="cost")),
        (*COLUMNS[:2], replace(COLUMNS[2], type=20)),
        (*COLUMNS, COLUMNS[0]),
    ],
)
def test_other_columns_are_another_type(columns: tuple[Column, ...]) -> None:
    found = compare(digested([]), digested([], columns=columns), PRIVACY, is_ordered=False, are_types_shared=False)
    assert found is not None
    assert (found.cause, len(found.details["columns"])) == (ShadowCause.TYPE, 1)


@pytest.mark.parametrize("are_types_shared", [True, False])
def test_a_database_numbers_its_own_types_and_tables_as_it_likes(are_types_shared: bool) -> None:
    one, other = ((Column("mood", number, table=number),) for number in (16_400, 16_500))
    found = compare(
        digested([(b"ok",)], columns=one),
        digested([(b"ok",)], columns=other),
        PRIVACY,
        is_ordered=False,
        are_types_shared=are_types_shared,
    )
    assert (found is not None) is are_types_shared


def test_no_value_is_told_unless_its_column_may_be_shown() -> None:
    secret: list[Row] = [(b"secret-id-%d" % number, b"secret-name", b"public") for number in range(30)]
    others = [(key, b"secret-other", b"open") for key, *_ in secret[:20]] + [(b"secret-new", None, b"open")]
    found = difference(secret, others)
    assert "secret" not in json.dumps(found.details)
    assert "public" not in json.dumps(found.details)
    shown = compare(digested(secret), digested(others), replace(PRIVACY, shown={2}), is_ordered=False)
    assert shown is not None
    assert "secret" not in json.dumps(shown.details)
    example = shown.details["examples"]["changed"][0]
    assert example["primary"] == [{"column": "name", "hash": "#11"}, {"column": "price", "value": "public"}]
    assert example["replica"] == [{"column": "name", "hash": "#12"}, {"column": "price", "value": "open"}]
    assert example["key"] == [{"column": "id", "hash": "#11"}]


def test_examples_are_few() -> None:
    rows: list[Row] = [(b"%d" % number, None, None) for number in range(1000)]
    found = difference(rows, [])
    assert found.details["missing"] == 1000
    assert len(found.details["examples"]["missing"]) == MOST_EXAMPLES
