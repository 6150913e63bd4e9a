"""Readshift is held to its bounds, and to no others."""

from dataclasses import replace

import pytest

from benchmarks.failover.figures import Figures
from benchmarks.failover.scenarios import Scenario, scenarios

GOOD = Figures(
    reads=1000,
    failed=0,
    shed=0,
    p50_ms=5.0,
    p99_ms=20.0,
    max_ms=50.0,
    seconds_to_eject=0.5,
    seconds_to_return=4.0,
    primary_peak_ratio=0.6,
    strict=100,
    strict_failed=0,
    writes=100,
    writes_failed=0,
    pages_by_server={"replica2": 1000},
)
KNOWN = scenarios()
BUDGET = KNOWN.pop("budget")


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_good_figures_miss_nothing(scenario: Scenario) -> None:
    assert scenario.missed(GOOD) == []


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_no_read_may_fail_nor_be_shed(scenario: Scenario) -> None:
    assert scenario.missed(replace(GOOD, failed=2)) == [f"{scenario.name}: 2 of 1000 reads failed"]
    assert scenario.missed(replace(GOOD, shed=2)) == [f"{scenario.name}: 2 of 1000 reads failed"]


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_a_run_without_reads_proves_nothing(scenario: Scenario) -> None:
    assert scenario.missed(replace(GOOD, reads=0)) == [f"{scenario.name}: nothing was read"]


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_strict_reads_and_writes_are_counted_only(scenario: Scenario) -> None:
    assert scenario.missed(replace(GOOD, strict_failed=100, writes_failed=100)) == []


@pytest.mark.parametrize(
    ("name", "seconds"), [("kill", 1.0), ("restart", 1.0), ("hang", 3.0), ("blackhole", 3.0), ("slow", 3.0)]
)
def test_a_server_at_fault_is_left_soon(name: str, seconds: float) -> None:
    assert KNOWN[name].missed(replace(GOOD, seconds_to_eject=seconds)) == []
    assert len(KNOWN[name].missed(replace(GOOD, seconds_to_eject=seconds + 0.001))) == 1
    assert KNOWN[name].missed(replace(GOOD, seconds_to_eject=None)) == [
        f"{name}: seconds_to_eject is null, the bound is {seconds:g}"
    ]


@pytest.mark.parametrize("name", ["hang", "blackhole", "slow"])
def test_nobody_waits_long_for_a_server_that_does_not_answer(name: str) -> None:
    assert KNOWN[name].missed(replace(GOOD, max_ms=3500.0)) == []
    assert len(KNOWN[name].missed(replace(GOOD, max_ms=3501.0))) == 1


def test_the_primary_serves_no_more_than_the_budget() -> None:
    assert BUDGET.missed(replace(GOOD, primary_peak_ratio=0.3)) == []
    assert BUDGET.missed(replace(GOOD, primary_peak_ratio=0.31)) == [
        "budget: primary_peak_ratio is 0.31, the bound is 0.3"
    ]


def test_within_a_budget_reads_may_be_shed_but_not_fail() -> None:
    within = replace(GOOD, primary_peak_ratio=0.3, shed=500)
    assert BUDGET.missed(within) == []
    assert BUDGET.missed(replace(within, failed=1)) == ["budget: 1 of 1000 reads failed"]
