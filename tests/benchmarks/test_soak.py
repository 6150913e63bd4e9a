"""What the soak calls growth, and the bounds that it holds Readshift to."""

from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.soak.entry import MOST_CONNECTIONS, SHORTEST_JUDGED_SECONDS, bounds
from benchmarks.soak.gauges import Growth, growth

GOOD: dict[str, Any] = {
    "seconds": SHORTEST_JUDGED_SECONDS,
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
    assert missed(bounds({"readshift": GOOD})) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failed": 1}, "failed is 1, the bound is at most 0"),
        ({"reads": 0}, "reads is 0, the bound is at least 1"),
        (
            {"connections": {"default": {"first": 1.0, "last": MOST_CONNECTIONS + 1.0, "most": 99.0}}},
            "connections.default.last is",
        ),
        ({"connections": {"default": None}}, "connections.default.last is null"),
        ({"memory_mb": {"first": 200.0, "last": 221.0, "most": 221.0}}, "memory_mb.last / memory_mb.first is 1.105"),
        ({"memory_mb": None}, "memory_mb.last / memory_mb.first is null"),
        ({"files": {"first": 140.0, "last": 153.0, "most": 153.0}}, "files.last - files.first is 13"),
    ],
)
def test_what_was_lost_or_grew_is_said(changes: dict[str, Any], words: str) -> None:
    (said,) = missed(bounds({"readshift": {**GOOD, **changes}}))
    assert words in said


def test_in_a_short_run_growth_is_not_judged() -> None:
    grown = {"memory_mb": {"first": 1.0, "last": 9.0, "most": 9.0}, "files": None}
    assert missed(bounds({"readshift": {**GOOD, **grown, "seconds": SHORTEST_JUDGED_SECONDS - 1}})) == []
