"""Durations as a histogram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.metrics.families import UNIT_DURATION
from admin_ui.metrics.samples import BOUNDS, Durations
from rollout.windows import histogram

seconds = st.lists(st.floats(0.0005, 30), max_size=30)


def durations(*each: float) -> Durations:
    return Durations(UNIT_DURATION, ("names",), histogram(each))


@given(seconds)
def test_each_bucket_holds_what_took_less_than_its_bound(each: list[float]) -> None:
    assert durations(*each).cumulative == (*(sum(one < bound for one in each) for bound in BOUNDS), len(each))


@given(seconds)
def test_the_sum_is_off_by_eight_percent_at_worst(each: list[float]) -> None:
    assert durations(*each).seconds == pytest.approx(sum(each), rel=0.08)


def test_no_durations_are_an_empty_histogram() -> None:
    assert durations().cumulative == (0,) * (len(BOUNDS) + 1)
    assert durations().seconds == 0
