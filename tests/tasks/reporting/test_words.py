"""Numbers as reports write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.words import bare_percent, counted, figure, grouped, milliseconds, percent


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0"),
        (1, "100"),
        (0.123, "12"),
        (0.0249, "2.5"),
        (0.003, "0.3"),
        (0.00024, "0.02"),
        (0.000_000_31, "0.00003"),
    ],
)
def test_small_shares_keep_a_digit_that_is_not_zero(share: float, words: str) -> None:
    assert bare_percent(share) == words
    assert percent(share) == f"{words}\u202f%"


@given(st.floats(1e-7, 1))
def test_a_share_is_never_written_as_nothing(share: float) -> None:
    assert float(bare_percent(share)) == pytest.approx(share * 100, rel=0.5)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0 ms"), (0.4, "less than 1 ms"), (40.2, "40 ms"), (999.4, "999 ms"), (1_240, "1.2 s"), (61_000, "61.0 s")],
)
def test_what_takes_a_second_is_written_in_seconds(value: float, words: str) -> None:
    assert milliseconds(value).replace("\u202f", " ") == words


def test_thousands_are_set_apart() -> None:
    assert grouped(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (0.0659, "0.0659"), (4.117, "4.12"), (99.9, "99.9"), (4_115.2, "4\u202f115")]
)
def test_a_rate_has_three_digits_or_whole_ones(value: float, words: str) -> None:
    assert figure(value) == words


def test_one_is_no_plural() -> None:
    assert [counted(number, "unit") for number in (0, 1, 1_000)] == ["0 units", "1 unit", "1\u202f000 units"]
