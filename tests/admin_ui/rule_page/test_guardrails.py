"""The guardrails of a plan as a table."""

import pytest

from admin_ui.rule_page.guardrails import NAMES, NOT_YET, SAMPLES, GuardrailRow, guardrail_rows
from rollout.guardrails import Guardrail, Metric, usual
from rollout.judging import judge
from rollout.standings import Standing, update
from rollout.windows import Arm, Window, histogram

SLOW, QUICK = histogram([0.2] * 100), histogram([0.01] * 400)
WINDOW = Window(
    stage=0,
    replica=Arm(100, 3, SLOW),
    primary=Arm(400, 4, QUICK),
    compared=200,
    stale=5,
    divergent=1,
    reads=1_000,
    fallbacks=25,
    lag_seconds=0.25,
)


def row(guardrail: Guardrail, *windows: Window) -> GuardrailRow:
    """Return the row of a guardrail after these windows, as a plan stores them."""
    standing = Standing()
    for window in windows:
        standing = update(guardrail, standing, window)
    verdict = judge(guardrail, standing)
    stored = {"finding": verdict.finding.value, "reason": verdict.reason, "trial": verdict.trial}
    (found,) = guardrail_rows((guardrail,), {guardrail.metric: standing.as_json()}, {guardrail.metric: stored})
    return found


@pytest.mark.parametrize(
    ("metric", "value", "sample"),
    [
        (Metric.ERROR_RATE, "3.0 % on replicas, 1.0 % on the primary", "100 of 100 units"),
        (Metric.LATENCY_RATIO, "100 % slow on replicas, 100 % slow on the primary", "100 of 100 units"),
        (Metric.LAG, "0.25 s", "2 of 6 windows"),
        (Metric.STALE_SHARE, "2.5 %", "400 of 100 shadow reads"),
        (Metric.DIVERGENT_COUNT, "2", "400 of 100 shadow reads"),
        (Metric.FALLBACK_SHARE, "2.5 %", "2 000 of 100 reads"),
    ],
)
def test_a_row_tells_what_was_found_and_how_much_it_rests_on(metric: Metric, value: str, sample: str) -> None:
    found = row(usual(metric), WINDOW, WINDOW)
    if metric is Metric.ERROR_RATE:
        sample = "200 of 100 units"
    assert (found.name, found.value.replace("\u202f", " "), found.sample.replace("\u202f", " ")) == (
        NAMES[metric],
        value,
        sample,
    )


def test_verdicts_are_words_with_the_reason_and_without_the_name_of_the_metric() -> None:
    lag = usual(Metric.LAG)
    late = Window(stage=0, lag_seconds=60.0)
    fails, holds = row(lag, late), row(lag, WINDOW)
    passes = row(lag, *[WINDOW] * 6)
    assert [each.verdict for each in (fails, holds, passes)] == ["fails", "holds", "passes"]
    assert [each.finding for each in (fails, holds, passes)] == ["fail", "hold", "pass"]
    assert fails.reason == "60 s, the limit is 5 s, known in 1 windows of this stage"
    assert fails.limit == "fails above 5 s"


def test_limits_say_from_where_it_fails_and_below_what_it_passes() -> None:
    assert row(usual(Metric.STALE_SHARE)).limit == "fails surely above 0.3 %, passes surely below 2 %"
    hard = Guardrail(Metric.ERROR_RATE, harmful_ratio=2.0, harmful_share=0.1, hard=0.25)
    assert row(hard).limit.replace("\u202f", " ").endswith("and 10 % of all units, never above 25 %")
    slow = Guardrail(Metric.LATENCY_RATIO, tolerated_ratio=1.15, harmful_ratio=1.5, hard=2.0)
    assert row(slow).limit.endswith("never above 2 s")


def test_before_the_first_look_it_holds_and_knows_nothing() -> None:
    (found,) = guardrail_rows((Guardrail(Metric.LAG, hard=5.0, minimum=6, trial=True),), {}, {})
    assert (found.verdict, found.value, found.reason, found.is_trial) == ("holds", "unknown", NOT_YET, True)
    (found,) = guardrail_rows((usual(Metric.ERROR_RATE),), {}, {})
    assert found.value == "nothing yet"


def test_without_a_primary_arm_it_says_that_there_is_nothing_to_compare_with() -> None:
    alone = Window(stage=1, replica=Arm(10, 1, histogram([0.1] * 10)))
    found = row(usual(Metric.ERROR_RATE), WINDOW, alone)
    assert found.value.replace("\u202f", " ") == "10 % on replicas, nothing on the primary"


def test_every_metric_has_a_name_and_a_unit() -> None:
    assert set(NAMES) == set(SAMPLES) == set(Metric)
