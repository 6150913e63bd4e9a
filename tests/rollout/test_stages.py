"""Stages as JSON, what is said of those that cannot be, and the templates."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from rollout.guardrails import Metric
from rollout.limits import limits_of, parse_limits
from rollout.stages import TEMPLATES, Stage, as_json, parse_stages

TENTHS = st.lists(st.integers(1, 1000), min_size=1, max_size=12, unique=True).map(sorted)


@given(TENTHS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_stages_come_back_from_json_as_they_were(tenths: list[int], seconds: int, sample: int) -> None:
    stages = tuple(Stage(Decimal(tenth) / 10, seconds, sample) for tenth in tenths)
    assert parse_stages(as_json(stages)) == stages


def stage(percent: object = "5", **changes: object) -> dict[str, Any]:
    return {"percent": percent, "minimum_seconds": 60, "minimum_sample": 100, **changes}


def test_percentages_may_be_numbers() -> None:
    found = parse_stages([stage(2.5), stage(10), stage(Decimal("99.9"))])
    assert [each.percent for each in found] == [Decimal("2.5"), Decimal(10), Decimal("99.9")]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], r"The stages are \[\].*a list"),
        ({"percent": 5}, r"a list of one stage"),
        ([5], r"Stage 1 is 5.*minimum_seconds"),
        ([{"percent": 5}], r"Stage 1 is .*exactly these keys"),
        ([stage(extra=1)], r"Stage 1 is .*exactly these keys"),
        ([stage("x")], r"Stage 1 has 'x' percent"),
        ([stage(True)], r"Stage 1 has True percent"),
        ([stage(None)], r"Stage 1 has None percent"),
        ([stage(0)], r"Stage 1 has 0 percent, which moves nobody"),
        ([stage(-1)], r"Stage 1: -1 percent is outside 0 to 100"),
        ([stage(100.1)], r"Stage 1: 100.1 percent is outside"),
        ([stage("NaN")], r"Stage 1: NaN percent is outside"),
        ([stage(), stage("99.95")], r"Stage 2: 99.95 percent is finer"),
        ([stage(), stage()], r"Stage 2 has 5 %, which is no more than the 5 %"),
        ([stage(), stage(10), stage(7)], r"Stage 3 has 7 %"),
        ([stage(minimum_seconds=-1)], r"Stage 1 has -1 as minimum_seconds"),
        ([stage(minimum_sample=1.5)], r"Stage 1 has 1.5 as minimum_sample"),
        ([stage(minimum_sample=True)], r"Stage 1 has True as minimum_sample"),
    ],
)
def test_what_cannot_be_is_named_with_its_stage(raw: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        parse_stages(raw)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_plans_that_can_run(name: str) -> None:
    template = TEMPLATES[name]
    assert parse_stages(as_json(template.stages)) == template.stages
    assert template.stages[-1].percent == 100
    assert [each.metric for each in parse_limits(limits_of(template.metrics))] == list(template.metrics)


@pytest.mark.parametrize("name", ["careful", "standard"])
def test_patient_templates_stay_longest_where_a_small_primary_arm_is_left(name: str) -> None:
    before_last = TEMPLATES[name].stages[-2]
    assert 98 <= before_last.percent < 100
    assert before_last.minimum_seconds == max(each.minimum_seconds for each in TEMPLATES[name].stages)
    assert set(TEMPLATES[name].metrics) == set(Metric)


def test_the_fast_template_needs_no_shadow_reads() -> None:
    assert not {Metric.STALE_SHARE, Metric.DIVERGENT_COUNT} & set(TEMPLATES["fast"].metrics)
