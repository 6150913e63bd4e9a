"""What a rollout's windows hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.windows import BUCKETS, Arm, Window, begin_of, bucket_of, histogram, percentile, together

SECONDS = st.floats(0, 1000)
DURATIONS = st.lists(SECONDS, max_size=50)


@given(SECONDS)
def test_a_duration_belongs_to_the_bucket_that_begins_at_or_before_it(seconds: float) -> None:
    bucket = bucket_of(seconds)
    assert begin_of(bucket) <= seconds
    assert bucket == BUCKETS - 1 or seconds < begin_of(bucket + 1)


def test_five_buckets_double_a_duration() -> None:
    assert begin_of(40) == pytest.approx(2 * begin_of(35))


@given(DURATIONS, DURATIONS)
def test_arms_add_up(some: list[float], more: list[float]) -> None:
    one, two = (Arm(len(part), 0, histogram(part)) for part in (some, more))
    assert one + two == Arm(len(some) + len(more), 0, histogram(some + more))


@given(st.lists(SECONDS, min_size=1, max_size=50), st.floats(0, 0.99))
def test_a_percentiles_bucket_and_those_after_it_hold_more_than_the_share_and_those_alone_do_not(
    durations: list[float], share: float
) -> None:
    counts = histogram(durations)
    bucket = percentile(counts, share)
    assert sum(counts[bucket:]) > share * len(durations) >= sum(counts[bucket + 1 :])


def test_of_no_durations_the_first_bucket_is_the_percentiles() -> None:
    assert percentile(histogram([]), 0.05) == 0


def test_more_failures_than_units_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="3 failures of 2 units"):
        Arm(2, 3)


def test_other_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="2 buckets"):
        Arm(2, 0, (1, 1))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"compared": 1, "stale": 2}, "stale: 2 of 1"),
        ({"compared": 1, "divergent": 2}, "divergent: 2 of 1"),
        ({"reads": 1, "fallbacks": 2}, "fallbacks: 2 of 1"),
    ],
)
def test_a_part_that_exceeds_its_whole_is_refused_by_name(counts: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Window(0, **counts)  # type: ignore[arg-type]


def test_windows_of_one_stage_add_up_and_the_greatest_lag_counts() -> None:
    one = Window(2, Arm(3, 1), Arm(5), compared=4, stale=2, divergent=1, reads=9, fallbacks=3, lag_seconds=0.5)
    two = Window(2, Arm(2), Arm(1, 1), compared=1, reads=1, lag_seconds=2.0)
    assert together([one, two, Window(2)]) == Window(
        2, Arm(5, 1), Arm(6, 1), compared=5, stale=2, divergent=1, reads=10, fallbacks=3, lag_seconds=2.0
    )


def test_windows_of_two_stages_are_no_one_window() -> None:
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        together([Window(1), Window(2)])
