"""What the benchmark of the guardrails simulates, and the bounds that it holds them to."""

from random import Random
from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.guardrails.__main__ import measure
from benchmarks.guardrails.entry import FEWEST_JUDGED, bounds
from benchmarks.guardrails.rollouts import Begin, Rollout
from benchmarks.guardrails.thresholds import FixedThreshold
from benchmarks.guardrails.traffic import Durations, Path, Regression, poisson
from rollout.guardrails import Floor
from rollout.windows import Arm, Window, begin_of, bucket_of, percentile

KINDS = ("errors", "latency", "stale")
OTHERS: dict[str, Any] = {"false_rollback_rate": 0.5, "detection": dict.fromkeys(KINDS, 0.9)}
GOOD: dict[str, Any] = {
    "false_rollback_rate": 0.01,
    "detection": {"errors": 0.99, "latency": 1.0, "stale": 1.0},
    "fixed_threshold": OTHERS,
    "argo": OTHERS,
    "rollouts": {"good": FEWEST_JUDGED, "bad": dict.fromkeys(KINDS, FEWEST_JUDGED)},
}


def test_figures_at_the_bounds_miss_nothing() -> None:
    assert missed(bounds(GOOD)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"false_rollback_rate": 0.0101}, "false_rollback_rate is 0.0101, the bound is at most 0.01"),
        ({"detection": {"stale": 0.98}}, "detection.stale is 0.98, the bound is at least 0.99"),
    ],
)
def test_a_missed_bound_is_named(changes: dict[str, Any], words: str) -> None:
    assert missed(bounds({**GOOD, **changes})) == [words]


def test_of_a_few_rollouts_no_share_is_judged() -> None:
    few = {"rollouts": {"good": FEWEST_JUDGED - 1, "bad": dict.fromkeys(KINDS, FEWEST_JUDGED - 1)}}
    bad = {"false_rollback_rate": 0.5, "detection": dict.fromkeys(KINDS, 0.5)}
    found = bounds({**GOOD, **few, **bad})
    assert not any(bound.is_kept for bound in found)
    assert missed(found) == []


def test_the_same_seed_gives_the_same_figures() -> None:
    assert measure(1, 3) == measure(1, 3)


@pytest.mark.parametrize("mean", [0.5, 8.0, 400.0])
def test_arrivals_have_the_mean_and_the_variance_of_their_kind(mean: float) -> None:
    random = Random(1)  # noqa: S311 - a simulation
    drawn = [poisson(random, mean) for _ in range(4000)]
    middle = sum(drawn) / len(drawn)
    assert middle == pytest.approx(mean, rel=0.1)
    assert sum((each - middle) ** 2 for each in drawn) / len(drawn) == pytest.approx(mean, rel=0.15)


@pytest.mark.parametrize("mean", [20.0, 2000.0])
def test_a_twentieth_of_the_durations_lies_beyond_the_percentile_that_they_were_drawn_with(mean: float) -> None:
    random, durations = Random(2), Durations(0.05, 0.7)  # noqa: S311 - a simulation
    whole = sum((Arm(0, 0, durations.draw(random, mean)) for _ in range(int(80_000 / mean))), Arm())
    # Of the log-normal part alone it is 158 ms; the heavier tail moves it up.
    assert 0.158 < begin_of(percentile(whole.durations, 0.05)) < 0.3


def test_a_regression_makes_the_replicas_arm_worse_and_only_that() -> None:
    random = Random(3)  # noqa: S311 - a simulation
    path = Path.drawn(random)
    sums = {}
    for worse in ((), tuple(Regression)):
        drawn = [path.window(random, 0, 50, 0, worse) for _ in range(100)]
        sums[bool(worse)] = (
            sum((window.replica for window in drawn), Arm()),
            sum((window.primary for window in drawn), Arm()),
            sum(window.stale for window in drawn) / sum(window.compared for window in drawn),
        )
    (replica, primary, stale), (bad_replica, bad_primary, bad_stale) = sums[False], sums[True]
    assert bad_replica.failed / bad_replica.units == pytest.approx(2 * replica.failed / replica.units, rel=0.3)
    assert bad_primary.failed / bad_primary.units == pytest.approx(primary.failed / primary.units, rel=0.3)
    assert percentile(bad_replica.durations, 0.05) > percentile(replica.durations, 0.05)
    assert percentile(bad_primary.durations, 0.05) == pytest.approx(percentile(primary.durations, 0.05), abs=1)
    assert bad_stale == pytest.approx(stale + 0.02, abs=0.006)


def test_a_regression_is_found_after_it_has_begun() -> None:
    ended = Rollout(Random(4), Begin(Regression.LATENCY, stage=2, seconds=60)).run()  # noqa: S311 - a simulation
    assert ended.is_back
    assert 0 < ended.sample_seconds < ended.seconds
    assert ended.sample > 0


def arm(units: int, failed: int, seconds: float) -> Arm:
    counts = [0] * len(Arm().durations)
    counts[bucket_of(seconds)] = units
    return Arm(units, failed, tuple(counts))


MINUTE = 6
FLOOR = Floor(10, 1000)
FINE = Window(0, arm(100, 1, 0.1), arm(100, 1, 0.1), compared=100, stale=1)


@pytest.mark.parametrize(
    ("window", "failed"),
    [
        (FINE, 0),
        (Window(0, arm(100, 2, 0.1), arm(100, 1, 0.1), compared=100, stale=1), 1),
        (Window(0, arm(100, 1, 0.2), arm(100, 1, 0.1), compared=100, stale=1), 1),
        (Window(0, arm(100, 1, 0.1), arm(100, 1, 0.1), compared=100, stale=3), 1),
        (Window(0), 3),
    ],
)
def test_thresholds_are_checked_once_a_minute_each(window: Window, failed: int) -> None:
    rule = FixedThreshold(10, missing_fails=True, floor=FLOOR)
    for number in range(2 * MINUTE):
        assert rule.failed == (failed if number >= MINUTE else 0)
        rule.look(window)
    assert rule.failed == 2 * failed


def test_a_rule_for_which_no_data_is_no_failure_ignores_it() -> None:
    rule = FixedThreshold(1, missing_fails=False, floor=FLOOR)
    for _ in range(MINUTE):
        rule.look(Window(0))
    assert not rule.has_fired


def test_without_a_primary_arm_thresholds_go_by_its_last_minute() -> None:
    rule = FixedThreshold(1, missing_fails=True, floor=FLOOR)
    for window in [FINE] * MINUTE + [Window(1, arm(100, 2, 0.1), compared=100)] * MINUTE:
        assert not rule.has_fired
        rule.look(window)
    assert rule.has_fired
