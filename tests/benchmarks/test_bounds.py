"""When a figure keeps its bound, and how both are told."""

import pytest

from benchmarks.bounds import Bound, missed, told


@pytest.mark.parametrize(
    ("value", "least", "most", "is_kept", "words"),
    [
        (0, None, 0, True, "at most 0"),
        (1, None, 0, False, "at most 0"),
        (0.8, 0.8, None, True, "at least 0.8"),
        (0.79, 0.8, None, False, "at least 0.8"),
        (1_700, 1_700.0, 2_300.0, True, "1,700 to 2,300"),
        (2_300.1, 1_700.0, 2_300.0, False, "1,700 to 2,300"),
        (5, 6, 6, False, "exactly 6"),
        (None, None, 5, False, "at most 5"),
    ],
)
def test_the_ends_of_a_range_are_part_of_it(
    value: float | None, least: float | None, most: float | None, is_kept: bool, words: str
) -> None:
    bound = Bound("figure", value, least, most)
    assert (bound.is_kept, bound.range) == (is_kept, words)
    assert bound.is_missed is not is_kept


def test_what_is_missed_is_told_and_what_is_not_judged_is_not() -> None:
    bounds = [
        Bound("kept", 1, most=1),
        Bound("missed", 2, most=1),
        Bound("null", None, most=1),
        Bound("short", 2, most=1, unjudged="1 s"),
    ]
    assert missed(bounds) == ["missed is 2, the bound is at most 1", "null is null, the bound is at most 1"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "null"), (0, "0"), (12_345, "12,345"), (2_000.0, "2,000"), (0.123456, "0.1235"), (1_234.5, "1,234.5")],
)
def test_numbers_are_told_with_the_digits_that_they_have(value: float | None, words: str) -> None:
    assert told(value) == words
