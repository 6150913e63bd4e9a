"""What the soak calls growth, and the bounds that it holds Readshift to."""

from typing import Any

import pytest

from benchmarks.soak.__main__ import MOST_CONNECTIONS, missed
from benchmarks.soak.gauges import Growth, growth

GOOD: dict[str, Any] = {
    "reads": 1000,
    "failed": 0,
    "connections": {"default": {"first": 18.0, "last": 18.0, "most": 20.0}},
    "memory_mb": {"first": 200.0, "last": 210.0, "most": 220.0},
    "files": {"first": 140.0, "last": 141.0, "most": 150.0},
}


def test_growth_is_measured_between_the_first_and_the_last_third() -> None:
    values = [(float(at), float(at)) for at in range(91)]
    assert growth(values, 0, 90) == Growth(first=14.5, last=75.0, most=90.0)


def test_without_readings_nothing_is_said_about_growth() -> None:
    assert growth([(1.0, 5.0)], 0, 90) is None
    assert growth([], 0, 90) is None


def test_a_run_in_which_nothing_was_lost_or_grew_misses_nothing() -> None:
    assert missed(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failed": 1}, "1 of 1000 reads failed"),
        ({"reads": 0}, "nothing was read"),
        ({"connections": {"default": {"first": 1.0, "last": MOST_CONNECTIONS + 1.0, "most": 99.0}}}, "connections"),
        ({"connections": {"default": None}}, "connections to default: None"),
        ({"memory_mb": {"first": 200.0, "last": 221.0, "most": 221.0}}, "memory_mb"),
        ({"files": {"first": 140.0, "last": 153.0, "most": 153.0}}, "files"),
    ],
)
def test_what_was_lost_or_grew_is_said(changes: dict[str, Any], words: str) -> None:
    (said,) = missed({**GOOD, **changes})
    assert words in said
