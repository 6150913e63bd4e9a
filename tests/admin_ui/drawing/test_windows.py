"""How counts of mixed spans come into buckets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_ui.drawing.windows import BUCKET_SECONDS, SpanCount, Window, length_label, spread
from rollout.rollup import STEPS

NOW = datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC)
QUARTER = Window.until(NOW, 15)


def span(offset_seconds: float, span_seconds: int, count: int, series: str = "default") -> SpanCount:
    return SpanCount(series, QUARTER.starts_at + timedelta(seconds=offset_seconds), span_seconds, count)


@given(st.sampled_from(sorted(BUCKET_SECONDS)), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_window_holds_its_length_and_at_most_one_grain_more(minutes: int, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    window = Window.until(now, minutes)
    length = now - window.starts_at
    assert timedelta(minutes=minutes) <= length < timedelta(minutes=minutes, seconds=window.grain_seconds)
    assert window.starts_at.timestamp() % 60 == 0
    assert window.starts_at.timestamp() % window.grain_seconds == 0
    assert window.buckets[-1] <= now < window.ends_at
    assert len(window.buckets) <= 70, "No more than can be told apart in a chart."


@pytest.mark.parametrize("minutes", BUCKET_SECONDS)
def test_no_row_that_is_merged_at_that_age_lies_in_two_buckets(minutes: int) -> None:
    bucket = BUCKET_SECONDS[minutes]
    spans = {10, *(step.into_seconds for step in STEPS if step.after < timedelta(minutes=minutes))}
    assert all(bucket % span == 0 for span in spans) or minutes == 15, "Rows of a minute are halved in the shortest."


@pytest.mark.parametrize(
    ("minutes", "label", "words", "bucket"),
    [
        (15, "15 min", "15 minutes", "30 s"),
        (60, "60 min", "60 minutes", "1 min"),
        (1440, "24 h", "24 hours", "30 min"),
        (10080, "7 days", "7 days", "3 h"),
    ],
)
def test_lengths_in_words(minutes: int, label: str, words: str, bucket: str) -> None:
    window = Window.until(NOW, minutes)
    assert (length_label(minutes), window.words, window.bucket_words) == (label, words, bucket)


def test_moments_are_as_exact_as_the_window_needs() -> None:
    moments = [Window.until(NOW, minutes) for minutes in BUCKET_SECONDS]
    assert [one.label(NOW) for one in moments] == ["03:12:47", "03:12:47", "Mon 23 Nov 03:12", "Mon 23 Nov 03:12"]
    assert [one.tick(NOW) for one in moments] == ["03:12", "03:12", "03:12", "Mon 03:12"]


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
