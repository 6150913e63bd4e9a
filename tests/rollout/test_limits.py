"""Guardrails of a plan as JSON, and what is said of those that cannot be."""

import math

import pytest
from django.core.exceptions import ValidationError

from rollout.guardrails import ALPHA, Floor, Metric, usual
from rollout.limits import limits_of, parse_limits


def test_what_is_not_said_is_as_usual() -> None:
    lag, errors = parse_limits([{"metric": "lag", "hard": 5}, {"metric": "error_rate", "trial": True}])
    assert (lag.hard, lag.minimum, lag.trial) == (5, usual("lag").minimum, False)
    assert (errors.trial, errors.tolerated_ratio) == (True, usual("error_rate").tolerated_ratio)


def test_alpha_is_shared_out() -> None:
    found = parse_limits(limits_of(tuple(Metric)))
    assert sum(each.alpha for each in found if each.metric.is_statistical) == pytest.approx(ALPHA)


def test_a_floor_is_two_counts() -> None:
    (found,) = parse_limits([{"metric": "stale_share", "harmful_ratio": 2, "floor": {"part": 3, "whole": 1000}}])
    assert found.floor == Floor(3, 1000)
    (without,) = parse_limits([{"metric": "stale_share", "floor": None}])
    assert without == usual("stale_share")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], r"The guardrails are \[\].*hold for ever"),
        ({"metric": "lag"}, r"The guardrails are \{"),
        (["lag"], r"lag.* names no metric"),
        ([{"hard": 5}], r"names no metric"),
        ([{"metric": "p99"}], r"no metric 'p99'.*error_rate"),
        ([{"metric": ["lag"]}], r"no metric"),
        ([{"metric": "lag"}, {"metric": "lag"}], r"name lag more than once"),
        ([{"metric": "lag", "alpha": 0.5}], r"unknown limit alpha.*Known are: tolerated_ratio"),
        ([{"metric": "lag", "hardd": 0.5}], r"unknown limit hardd"),
        ([{"metric": "lag", "hard": None}], r"lag has no limit"),
        ([{"metric": "lag", "hard": "5"}], r"hard is '5'"),
        ([{"metric": "lag", "hard": math.inf}], r"hard is inf"),
        ([{"metric": "lag", "minimum": 1.5}], r"minimum is 1.5.*whole number"),
        ([{"metric": "lag", "minimum": True}], r"minimum is True"),
        ([{"metric": "lag", "minimum": 0}], r"minimum sample of 0"),
        ([{"metric": "lag", "trial": 1}], r"trial is 1.*true or false"),
        ([{"metric": "stale_share", "floor": {"part": 3}}], r"floor is"),
        ([{"metric": "stale_share", "floor": {"part": 3, "whole": 2}}], r"floor is"),
        ([{"metric": "stale_share", "floor": 3}], r"floor is 3"),
        ([{"metric": "error_rate", "tolerated_ratio": 3}], r"must be less"),
        ([{"metric": "error_rate", "tolerated_ratio": None}], r"tolerated_ratio is None"),
    ],
)
def test_what_cannot_be_is_named(raw: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        parse_limits(raw)
