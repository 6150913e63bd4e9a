"""How counts of mixed spans come into buckets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_ui.drawing.windows import BUCKET_SECONDS, SpanCount, Window, spread

NOW = datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC)
QUARTER = Window.until(NOW, 15)


def span(offset_seconds: float, span_seconds: int, count: int, series: str = "default") -> SpanCount:
    return SpanCount(series, QUARTER.starts_at + timedelta(seconds=offset_seconds), span_seconds, count)


@pytest.mark.parametrize("minutes", BUCKET_SECONDS)
def test_a_window_starts_on_a_whole_minute_and_its_last_bucket_holds_now(minutes: int) -> None:
    window = Window.until(NOW, minutes)
    assert window.starts_at == datetime(2026, 11, 23, 3, 12, tzinfo=UTC) - timedelta(minutes=minutes)
    assert window.buckets[-1] <= NOW < window.ends_at


def test_a_row_within_a_bucket_counts_there() -> None:
    assert spread([span(30, 10, 7)], QUARTER)["default"][:3] == (0, 7, 0)


def test_a_row_over_two_buckets_is_halved() -> None:
    assert spread([span(0, 60, 9)], QUARTER)["default"][:3] == (4, 5, 0)


def test_rows_of_one_series_add_up_and_series_stay_apart() -> None:
    found = spread([span(0, 10, 1), span(10, 10, 2), span(0, 10, 5, "replica1")], QUARTER)
    assert found["default"][0] == 3
    assert found["replica1"][0] == 5


@pytest.mark.parametrize("offset", [-10, 3600])
def test_rows_outside_the_window_are_left_out(offset: int) -> None:
    assert spread([span(offset, 10, 7)], QUARTER) == {}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from([10, 60, 3600]), st.integers(0, 10**9)), min_size=1, max_size=20
    )
)
def test_nothing_that_started_in_the_window_is_lost(rows: list[tuple[int, int, int]]) -> None:
    found = spread([span(*row) for row in rows], QUARTER)["default"]
    assert sum(found) == sum(count for *_, count in rows)
    assert min(found) >= 0
    assert len(found) == len(QUARTER.buckets)
