"""Readshift is held to its bounds, and to no others."""

from dataclasses import replace

import pytest

from benchmarks.bounds import missed
from benchmarks.failover.entry import bounds
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


def words_of(scenario: Scenario, figures: Figures) -> list[str]:
    return missed(bounds({"readshift": {scenario.name: figures.as_json()}}))


BUDGET = KNOWN.pop("budget")


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_good_figures_miss_nothing(scenario: Scenario) -> None:
    assert words_of(scenario, GOOD) == []


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_no_read_may_fail_nor_be_shed(scenario: Scenario) -> None:
    assert words_of(scenario, replace(GOOD, failed=2)) == [
        f"readshift.{scenario.name}.failed is 2, the bound is at most 0"
    ]
    assert words_of(scenario, replace(GOOD, shed=2)) == [f"readshift.{scenario.name}.shed is 2, the bound is at most 0"]


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_a_run_without_reads_proves_nothing(scenario: Scenario) -> None:
    assert words_of(scenario, replace(GOOD, reads=0)) == [
        f"readshift.{scenario.name}.reads is 0, the bound is at least 1"
    ]


@pytest.mark.parametrize("scenario", KNOWN.values(), ids=KNOWN)
def test_strict_reads_and_writes_are_counted_only(scenario: Scenario) -> None:
    assert words_of(scenario, replace(GOOD, strict_failed=100, writes_failed=100)) == []


@pytest.mark.parametrize(
    ("name", "seconds"), [("kill", 1.0), ("restart", 1.0), ("hang", 3.0), ("blackhole", 3.0), ("slow", 3.0)]
)
def test_a_server_at_fault_is_left_soon(name: str, seconds: float) -> None:
    assert words_of(KNOWN[name], replace(GOOD, seconds_to_eject=seconds)) == []
    assert len(words_of(KNOWN[name], replace(GOOD, seconds_to_eject=seconds + 0.001))) == 1
    assert words_of(KNOWN[name], replace(GOOD, seconds_to_eject=None)) == [
        f"readshift.{name}.seconds_to_eject is null, the bound is at most {seconds:g}"
    ]


@pytest.mark.parametrize("name", ["hang", "blackhole", "slow"])
def test_nobody_waits_long_for_a_server_that_does_not_answer(name: str) -> None:
    assert words_of(KNOWN[name], replace(GOOD, max_ms=3500.0)) == []
    assert len(words_of(KNOWN[name], replace(GOOD, max_ms=3501.0))) == 1


def test_the_primary_serves_no_more_than_the_budget() -> None:
    assert words_of(BUDGET, replace(GOOD, primary_peak_ratio=0.3)) == []
    assert words_of(BUDGET, replace(GOOD, primary_peak_ratio=0.31)) == [
        "readshift.budget.primary_peak_ratio is 0.31, the bound is at most 0.3"
    ]


def test_within_a_budget_reads_may_be_shed_but_not_fail() -> None:
    within = replace(GOOD, primary_peak_ratio=0.3, shed=500)
    assert words_of(BUDGET, within) == []
    assert words_of(BUDGET, replace(within, failed=1)) == ["readshift.budget.failed is 1, the bound is at most 0"]


def test_what_peers_did_is_told_beside_and_not_judged() -> None:
    figures = {"readshift": {"kill": GOOD.as_json()}, "peer": {"kill": replace(GOOD, failed=9).as_json()}}
    (failed,) = (bound for bound in bounds(figures) if bound.figure == "readshift.kill.failed")
    assert failed.peers == {"peer": 9}
    assert missed(bounds(figures)) == []


def test_peers_alone_are_held_to_nothing() -> None:
    assert bounds({"peer": {"kill": GOOD.as_json()}}) == []
