"""The bounds of measured shares."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollout.intervals import Interval, highest_of_none, wilson

SHARES = st.integers(1, 100_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_gives_the_published_values(part: int, whole: int, low: float, high: float) -> None:
    found = wilson(part, whole)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(SHARES)
def test_the_bounds_hold_the_share_and_are_shares(share: tuple[int, int]) -> None:
    part, whole = share
    found = wilson(part, whole)
    assert 0 <= found.low <= part / whole <= found.high <= 1
    assert found.low < found.high


@given(SHARES)
def test_the_other_share_has_the_mirrored_bounds(share: tuple[int, int]) -> None:
    part, whole = share
    found, mirrored = wilson(part, whole), wilson(whole - part, whole)
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)
    assert mirrored.high == pytest.approx(1 - found.low, abs=1e-9)


@given(SHARES, st.integers(2, 1000))
def test_more_observations_of_the_same_share_narrow_it(share: tuple[int, int], times: int) -> None:
    part, whole = share
    few, many = wilson(part, whole), wilson(part * times, whole * times)
    assert many.high - many.low < few.high - few.low


@given(SHARES, st.floats(0.1, 4), st.floats(0.1, 4))
def test_more_certainty_widens_it(share: tuple[int, int], z: float, other: float) -> None:
    assume(abs(z - other) > 0.01)
    tight, wide = (wilson(*share, z=one) for one in sorted((z, other)))
    assert wide.high - wide.low > tight.high - tight.low


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == Interval(0, 1)


@pytest.mark.parametrize(("part", "whole"), [(-1, 4), (5, 4), (0, -1)])
def test_what_is_no_share_is_refused_with_both_numbers(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match=f"{part} of {whole}"):
        wilson(part, whole)


@given(st.integers(1, 1_000_000))
def test_none_of_n_is_at_most_three_of_n(whole: int) -> None:
    bound = highest_of_none(whole)
    assert 0 < bound <= 3 / whole
    assert (1 - bound) ** whole == pytest.approx(0.05)


def test_none_of_nothing_bounds_nothing() -> None:
    assert highest_of_none(0) == 1
