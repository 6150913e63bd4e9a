"""What guardrails may be set to."""

from dataclasses import replace
from typing import Any

import pytest

from rollout.guardrails import ALPHA, Floor, Guardrail, Metric, share_out, steps, usual


@pytest.mark.parametrize("metric", Metric)
def test_each_metric_has_usual_limits(metric: Metric) -> None:
    assert usual(metric.value).metric is metric


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'p99'.*error_rate, latency_ratio, lag, stale_share"):
        usual("p99")


@pytest.mark.parametrize(
    ("metric", "changes", "words"),
    [
        ("lag", {"hard": None}, "no limit"),
        ("error_rate", {"minimum": 0}, "minimum sample of 0"),
        ("error_rate", {"alpha": 1.0}, "no probability"),
        ("error_rate", {"tolerated_ratio": 3.0}, "must be less"),
        ("error_rate", {"tolerated_ratio": -1.0}, "must be less"),
        ("error_rate", {"tolerated_share": 0.5}, "must be less"),
        ("stale_share", {"tolerated_share": 0.02}, "must be less"),
        ("stale_share", {"tolerated_share": 0.02, "harmful_ratio": 2.0}, "must be less"),
        ("latency_ratio", {"tolerated_ratio": 1.0}, "steps of 15 %"),
        ("latency_ratio", {"harmful_ratio": 1.2}, "steps of 15 %"),
        ("latency_ratio", {"tolerated_ratio": 0.0}, "steps of 15 %"),
    ],
)
def test_limits_that_mean_nothing_are_refused(metric: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        replace(usual(metric), **changes)
    assert metric in str(refusal.value)


def test_a_ratio_alone_is_room_enough_with_a_floor() -> None:
    assert Guardrail(Metric.STALE_SHARE, harmful_ratio=2.0, floor=Floor(1, 100)).harmful_share == 0


def test_alpha_is_shared_out_among_what_is_tested() -> None:
    shared = share_out([usual("lag"), usual("error_rate"), replace(usual("stale_share"), trial=True)])
    assert [each.alpha for each in shared] == [ALPHA, ALPHA / 2, ALPHA / 2]


@pytest.mark.parametrize(("ratio", "number"), [(1.15, 1), (1.5, 3), (2.0, 5), (0.0, 0)])
def test_ratios_of_durations_are_whole_steps(ratio: float, number: int) -> None:
    assert steps(ratio) == number
