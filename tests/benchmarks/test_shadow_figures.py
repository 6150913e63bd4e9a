"""What the benchmark of captured reads makes of its measurements, and the bounds that it holds Readshift to."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.shadow.__main__ import FULL_SECONDS, comparisons
from benchmarks.shadow.entry import MOST_MEMORY_MB, bounds
from benchmarks.shadow.figures import FEWEST_COMPARISONS, Figures, Spread, ratio, spread

GOOD = Figures(
    comparisons=20_500,
    false_divergent=0,
    inconclusive=12,
    planted=6,
    found=6,
    causes_right=6,
    request_overhead_ratio=1.01,
    broker_down_ratio=0.99,
    http_errors=0,
    staleness_ms_median=2_030.0,
    peak_memory_mb=12.5,
)


def words_of(figures: Figures) -> list[str]:
    return missed(bounds({**figures.as_json(), "fewest_comparisons": FEWEST_COMPARISONS}))


def test_a_run_without_a_fault_misses_nothing() -> None:
    assert words_of(GOOD) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("comparisons", FEWEST_COMPARISONS - 1),
        ("false_divergent", 1),
        ("planted", 0),
        ("found", 5),
        ("causes_right", 5),
        ("request_overhead_ratio", 1.031),
        ("broker_down_ratio", 1.031),
        ("http_errors", 1),
        ("staleness_ms_median", 1_699.0),
        ("staleness_ms_median", 2_301.0),
        ("peak_memory_mb", MOST_MEMORY_MB + 0.1),
    ],
)
def test_a_missed_bound_is_said(name: str, value: Any) -> None:
    assert any(words.startswith(f"{name} is {value:,g}") for words in words_of(replace(GOOD, **{name: value})))


def test_what_was_not_measured_misses_nothing() -> None:
    assert words_of(Figures()) == []


def test_a_shorter_run_has_to_compare_less() -> None:
    assert comparisons(FULL_SECONDS) == FEWEST_COMPARISONS
    assert comparisons(FULL_SECONDS / 5) == FEWEST_COMPARISONS / 5


def test_phases_add_up_to_a_run() -> None:
    run = Figures().with_phase(Figures(comparisons=10, http_errors=1)).with_phase(Figures(found=0, http_errors=2))
    assert run == Figures(comparisons=10, found=0, http_errors=3)


def test_the_result_has_every_figure_in_its_order() -> None:
    assert list(GOOD.as_json()) == [
        "comparisons",
        "false_divergent",
        "inconclusive",
        "planted",
        "found",
        "causes_right",
        "request_overhead_ratio",
        "broker_down_ratio",
        "http_errors",
        "staleness_ms_median",
        "peak_memory_mb",
    ]
    assert replace(GOOD, request_overhead_ratio=1.012345678).as_json()["request_overhead_ratio"] == 1.0123


def test_a_ratio_is_that_of_the_medians_of_all_blocks_together() -> None:
    # The second block is longer, and counts accordingly.
    blocks = [{"a": [2.0], "b": [1.0]}, {"a": [3.0, 3.0, 90.0], "b": [2.0, 2.0, 2.0]}]
    assert ratio(blocks, "a", "b") == 1.5


def test_a_spread_is_that_of_single_blocks() -> None:
    blocks = [{"a": [2.0], "b": [1.0]}, {"a": [3.0], "b": [2.0]}, {"a": [5.0], "b": [5.0]}]
    assert spread(blocks, "a", "b") == Spread(least=1.0, median=1.5, most=2.0)
