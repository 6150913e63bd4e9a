"""The geometry of the stacked chart."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_ui.drawing.charts import HEIGHT, WIDTH, Series, StackedChart, ceiling, colours, stacked
from admin_ui.drawing.figures import measured, measured_share, share_of
from admin_ui.drawing.windows import Window

WINDOW = Window.until(datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC), 15)
SIZE = len(WINDOW.buckets)


def chart(*counts: list[int]) -> StackedChart:
    return stacked(
        WINDOW,
        [
            Series(f"db{index}", f"rs-replica-{index}", is_primary=not index, counts=tuple(row))
            for index, row in enumerate(counts)
        ],
    )


def test_no_reads_at_all_draw_no_bar_and_divide_by_nothing() -> None:
    drawn = chart([0] * SIZE)
    assert drawn.is_empty
    assert not any(column.bars for column in drawn.columns)
    assert drawn.value_labels == ("2", "1", "0")


def test_no_database_at_all_draws_an_empty_chart() -> None:
    assert stacked(WINDOW, []).is_empty


def test_a_single_read_is_half_as_high_as_the_axis() -> None:
    drawn = chart([0, 1, *[0] * (SIZE - 2)])
    (bar,) = drawn.columns[1].bars
    assert (bar.y, bar.height) == ("100", "100")


def test_a_gap_has_no_bar_and_says_so() -> None:
    drawn = chart([5, 0, *[5] * (SIZE - 2)])
    assert drawn.columns[1].bars == ()
    assert drawn.columns[1].tooltip == "02:57:30: no reads"


def test_only_the_last_column_is_still_filling() -> None:
    drawn = chart([1] * SIZE)
    assert [column.is_filling for column in drawn.columns] == [False] * (SIZE - 1) + [True]
    assert drawn.columns[-1].label.endswith("(so far)")


def test_the_label_and_the_table_hold_the_numbers_of_the_picture() -> None:
    drawn = chart([1200] * SIZE, [3] * SIZE)
    assert f"db0 {1200 * SIZE:,}".replace(",", "\u202f") in drawn.summary
    assert drawn.columns[0].numbers == ("1\u202f200", "3")
    assert "db1 3 (0.2\u202f%)" in drawn.columns[0].tooltip


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (9, 10), (11, 20), (21, 30), (100, 100), (2400, 3000)]
)
def test_the_axis_ends_at_a_round_number(highest: int, top: int) -> None:
    assert ceiling(highest) == top


def test_primaries_and_replicas_never_share_a_colour() -> None:
    found = colours([f"p{index}" for index in range(9)], [f"r{index}" for index in range(9)])
    assert not {found[f"p{index}"] for index in range(9)} & {found[f"r{index}"] for index in range(9)}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 10**7), min_size=SIZE, max_size=SIZE),
        min_size=1,
        max_size=4,
    )
)
def test_bars_stand_on_each_other_within_the_drawing(counts: list[list[int]]) -> None:
    drawn = chart(*counts)
    for column in drawn.columns:
        floor = float(HEIGHT)
        for bar in column.bars:
            assert float(bar.y) + float(bar.height) == pytest.approx(floor, abs=0.02)
            assert 0 <= float(bar.x) <= WIDTH - float(bar.width)
            floor = float(bar.y)
        assert floor >= 0


def test_the_shapes_are_the_bars_of_the_columns() -> None:
    drawn = chart([3] * SIZE, [0, 5] * (SIZE // 2) + [1] * (SIZE % 2))
    bars = [(bar.colour, column.is_filling) for column in drawn.columns for bar in column.bars]
    assert Counter({(one.colour, one.is_filling): one.outline.count("M") for one in drawn.shapes}) == Counter(bars)
    first = drawn.columns[0].bars[0]
    assert drawn.shapes[0].outline.startswith(f"M{first.x} {first.y}h{first.width}v{first.height}h-{first.width}z")


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_shares_in_tooltips_are_those_of_the_tables(part: int, more: int) -> None:
    assert measured_share(part, part + more) == measured(share_of(part, part + more))
