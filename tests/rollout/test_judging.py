"""From the windows of a rollout to the verdict of a guardrail, and to its words."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.guardrails import Floor, Guardrail, Metric, usual
from rollout.judging import backtest, judge
from rollout.standings import Standing, update
from rollout.verdicts import Finding, Verdict
from rollout.windows import Arm, Window, bucket_of, histogram

BUCKETS = [*range(bucket_of(0.005), bucket_of(0.02)), bucket_of(0.05), bucket_of(0.1)]


def arm(units: int, failed: int = 0, milliseconds: float = 10.0, slow: int = 0) -> Arm:
    """Return units that took so long, but for the slow ones, which took three times as long."""
    counts = [0] * len(Arm().durations)
    counts[bucket_of(milliseconds / 1000)] += units - slow
    counts[bucket_of(3 * milliseconds / 1000)] += slow
    return Arm(units, failed, tuple(counts))


def after(guardrail: Guardrail, *windows: Window) -> Standing:
    standing = Standing()
    for window in windows:
        standing = update(guardrail, standing, window)
    return standing


def judged(guardrail: Guardrail, *windows: Window) -> Verdict:
    return judge(guardrail, after(guardrail, *windows))


@st.composite
def arms(draw: st.DrawFn, least: int = 0) -> Arm:
    counts = [0] * len(Arm().durations)
    for bucket in BUCKETS:
        counts[bucket] = draw(st.integers(least, 200))
    return Arm(sum(counts), draw(st.integers(0, sum(counts))), tuple(counts))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    compared, reads = draw(st.integers(0, 500)), draw(st.integers(0, 500))
    return Window(
        draw(st.integers(0, 2)),
        replica=draw(arms()),
        primary=draw(arms() | st.just(Arm())),
        compared=compared,
        stale=draw(st.integers(0, compared)),
        divergent=draw(st.integers(0, min(compared, 1))),
        reads=reads,
        fallbacks=draw(st.integers(0, reads)),
        lag_seconds=draw(st.none() | st.floats(0, 60)),
    )


HISTORIES = st.lists(windows(), max_size=8)
GUARDRAILS = st.sampled_from(
    [
        *map(usual, Metric),
        replace(usual("stale_share"), floor=Floor(20, 1000)),
        replace(usual("error_rate"), hard=0.3),
        replace(usual("latency_ratio"), hard=0.05),
    ]
)


def worsened(window: Window) -> Window:
    """Return the window with more of everything that may get worse, and as many units."""
    durations = list(window.replica.durations)
    moved, durations[BUCKETS[0]] = durations[BUCKETS[0]], 0
    durations[BUCKETS[-1]] += moved
    failed = (window.replica.failed + window.replica.units + 1) // 2
    return replace(
        window,
        replica=Arm(window.replica.units, failed, tuple(durations)),
        stale=(window.stale + window.compared + 1) // 2,
        divergent=window.compared,
        fallbacks=(window.fallbacks + window.reads + 1) // 2,
        lag_seconds=None if window.lag_seconds is None else window.lag_seconds + 10,
    )


RANK = {Finding.PASS: 0, Finding.HOLD: 1, Finding.FAIL: 2}


@given(GUARDRAILS, HISTORIES)
def test_more_that_is_bad_never_makes_a_verdict_better(guardrail: Guardrail, history: list[Window]) -> None:
    verdict, worse = judged(guardrail, *history), judged(guardrail, *map(worsened, history))
    assert RANK[worse.finding] >= RANK[verdict.finding]


@given(GUARDRAILS, st.lists(st.integers(0, 4), max_size=5))
def test_no_data_holds(guardrail: Guardrail, stages: list[int]) -> None:
    assert judged(guardrail, *map(Window, stages)).finding is Finding.HOLD


@given(GUARDRAILS, HISTORIES)
def test_less_than_the_minimum_sample_never_passes(guardrail: Guardrail, history: list[Window]) -> None:
    assert judged(replace(guardrail, minimum=10**9), *history).finding is not Finding.PASS


@given(GUARDRAILS, HISTORIES)
def test_a_new_stage_never_passes_on_what_was_seen_before(guardrail: Guardrail, history: list[Window]) -> None:
    assert judged(guardrail, *history, Window(9)).finding is not Finding.PASS


@given(GUARDRAILS, HISTORIES)
def test_it_goes_on_from_what_was_stored_as_it_would_have_without(guardrail: Guardrail, history: list[Window]) -> None:
    standing = Standing()
    for window in history:
        standing = update(guardrail, Standing.from_json(json.loads(json.dumps(standing.as_json()))), window)
    assert standing == after(guardrail, *history)


@given(st.sampled_from(["error_rate", "stale_share", "fallback_share"]), windows(), st.integers(2, 4))
def test_equal_parts_of_a_window_say_what_the_whole_does(metric: str, part: Window, parts: int) -> None:
    guardrail = usual(metric)
    # A first window that is larger than the rest together: no start of the evidence falls between the parts.
    first = Window(0, replica=Arm(10**6), primary=Arm(10**6), compared=10**6, reads=10**6)
    whole = replace(
        part,
        replica=Arm(parts * part.replica.units, parts * part.replica.failed),
        primary=Arm(parts * part.primary.units, parts * part.primary.failed),
        **{name: parts * getattr(part, name) for name in ("compared", "stale", "divergent", "reads", "fallbacks")},
    )
    one, other = after(guardrail, first, first, *[part] * parts), after(guardrail, first, first, whole)
    assert one.trials == other.trials
    if part.primary.units or metric != "error_rate":
        assert one.worse.logs == pytest.approx(other.worse.logs, rel=1e-9, abs=1e-6)
        assert one.better == pytest.approx(other.better, rel=1e-9, abs=1e-6)


@given(st.sampled_from(["error_rate", "stale_share"]), st.permutations(range(6)))
def test_the_order_of_windows_between_two_starts_does_not_matter(metric: str, order: list[int]) -> None:
    guardrail = usual(metric)
    first = Window(0, replica=Arm(10**6), primary=Arm(10**6), compared=10**6)
    some = [Window(0, Arm(100 + n, n), Arm(50 * n + 1, n), compared=100 * n, stale=n) for n in range(6)]
    one, other = after(guardrail, first, first, *some), after(guardrail, first, first, *[some[n] for n in order])
    assert one.worse.logs == pytest.approx(other.worse.logs)
    assert one.better == pytest.approx(other.better)


GOOD = [Window(0, arm(1000, 5), arm(9000, 45))] * 10
BAD = [Window(0, arm(1000, 50), arm(9000, 45))] * 10


def test_as_many_failures_as_the_primary_has_pass_with_all_numbers() -> None:
    verdict = judged(usual("error_rate"), *GOOD)
    assert verdict.finding is Finding.PASS
    assert verdict.reason.startswith(
        "error_rate: 0.5 % of 10,000 units failed on replicas, 0.5 % of 90,000 on the primary; "
        "less than 2 times the primary's share and 0.005 % of all units, evidence "
    )


def test_many_more_failures_than_the_primary_has_fail_with_all_numbers() -> None:
    verdict = judged(usual("error_rate"), *BAD)
    assert verdict.finding is Finding.FAIL
    assert verdict.reason.startswith(
        "error_rate: 5 % of 10,000 units failed on replicas, 0.5 % of 90,000 on the primary; "
        "1.1 times the primary's share was exceeded, evidence "
    )


def test_what_is_neither_surely_bad_nor_surely_good_holds() -> None:
    verdict = judged(usual("error_rate"), Window(0, arm(200, 1), arm(1800, 9)))
    assert verdict.finding is Finding.HOLD
    assert "not surely less than 2 times the primary's share" in verdict.reason


def test_a_failure_is_kept_however_good_it_gets() -> None:
    assert judged(usual("error_rate"), *BAD, *GOOD * 50).finding is Finding.FAIL


def test_evidence_of_an_earlier_stage_does_not_let_the_next_one_pass() -> None:
    assert judged(usual("error_rate"), *GOOD, Window(1, arm(200, 1), arm(1800, 9))).finding is Finding.HOLD


def test_a_small_arm_may_fail_on_more_as_it_harms_fewer() -> None:
    # Both are 2,000 units without a failure; 0.005 % of all units is 0.5 % of the first arm and 0.01 % of the other.
    assert judged(usual("error_rate"), Window(0, arm(2000), arm(198_000))).finding is Finding.PASS
    assert judged(usual("error_rate"), Window(0, arm(2000), arm(2000))).finding is Finding.HOLD


def test_a_small_sample_says_how_much_is_missing() -> None:
    verdict = judged(usual("error_rate"), Window(0, arm(20), arm(180)))
    assert verdict.finding is Finding.HOLD
    assert "20 of the 100 that it needs" in verdict.reason


def test_a_hard_limit_fails_below_the_minimum_sample_and_whatever_the_primary_does() -> None:
    guardrail = replace(usual("error_rate"), hard=0.2)
    verdict = judged(guardrail, Window(0, arm(40, 30), arm(400, 300)))
    assert verdict.finding is Finding.FAIL
    assert verdict.reason == "error_rate: 75 % of 40 units failed in the newest window, the hard limit is 20 %"
    assert judged(guardrail, Window(0, arm(2, 1), arm(400, 3))).finding is Finding.HOLD


def test_without_a_primary_arm_it_compares_with_the_one_before_and_says_so() -> None:
    guardrail, alone = usual("error_rate"), Window(1, arm(10_000, 50))
    verdict = judged(guardrail, *GOOD, alone)
    assert verdict.finding is Finding.PASS
    assert (
        "10,000 units failed on replicas, with no primary arm beside it: before, up to stage 0, it had 0.5 % of 90,000"
        "; nothing speaks for more than 1.1 times the primary's share"
    ) in verdict.reason
    bad = Window(1, arm(10_000, 200))
    assert judged(guardrail, *GOOD, bad).finding is Finding.FAIL


def test_without_a_primary_arm_what_leans_to_worse_holds() -> None:
    leaning = Window(1, arm(10_000, 93))
    verdict = judged(usual("error_rate"), *GOOD, leaning)
    assert verdict.finding is Finding.HOLD
    assert "more than 1.1 times the primary's share, it seems" in verdict.reason


def test_a_rollout_that_never_had_a_primary_arm_holds() -> None:
    for metric in ("error_rate", "latency_ratio"):
        verdict = judged(usual(metric), *[Window(0, arm(10_000))] * 5)
        assert verdict.finding is Finding.HOLD
        assert "no primary arm yet" in verdict.reason


def spread(units: int, times: float) -> Arm:
    """Return units that took 10 to 38 ms, times so much, the slowest bucket holding a tenth of them."""
    return Arm(units, 0, histogram([times * 0.01 * 2 ** (2 * number / units) for number in range(units)]))


def usual_durations(times: float) -> list[Window]:
    return [Window(0, spread(1000, times), spread(9000, 1.0))] * 10


def test_the_same_durations_pass_with_the_thresholds_in_words() -> None:
    verdict = judged(usual("latency_ratio"), *usual_durations(1.0))
    assert verdict.finding is Finding.PASS
    assert "2.1 % of 9,000 units were slow on replicas (from 38.8 ms on)," in verdict.reason
    assert ", 12.2 % of 81,000 on the primary (from 33.8 ms on); less than 1.5 times" in verdict.reason
    assert "less than 1.5 times the primary's 95th percentile" in verdict.reason


def test_durations_that_jump_at_the_percentile_pass_too() -> None:
    window = Window(0, arm(1000, slow=40), arm(9000, slow=360))
    assert judged(usual("latency_ratio"), *[window] * 10).finding is Finding.PASS


def test_durations_that_are_longer_by_no_more_than_is_tolerated_do_not_fail() -> None:
    assert judged(usual("latency_ratio"), *usual_durations(1.1) * 10).finding is not Finding.FAIL


def test_longer_durations_fail() -> None:
    verdict = judged(usual("latency_ratio"), *usual_durations(2.0))
    assert verdict.finding is Finding.FAIL
    assert "1.15 times the primary's 95th percentile was exceeded" in verdict.reason


def test_durations_say_nothing_before_the_primarys_percentile_is_known() -> None:
    verdict = judged(usual("latency_ratio"), Window(0, arm(1000), arm(100)))
    assert verdict.finding is Finding.HOLD
    assert "too little is known of the primary's 95th percentile" in verdict.reason


def test_a_hard_limit_of_durations_is_in_seconds() -> None:
    guardrail = replace(usual("latency_ratio"), hard=1.0)
    verdict = judged(guardrail, Window(0, arm(50, milliseconds=3000), arm(50, milliseconds=3000)))
    assert verdict.finding is Finding.FAIL
    assert "100 % of 50 units in the newest window took more than 1 s, the limit is 5 %" in verdict.reason


@pytest.mark.parametrize(
    ("metric", "counts", "finding", "words"),
    [
        (
            "stale_share",
            {"compared": 5000, "stale": 5},
            Finding.PASS,
            "0.1 % of 5,000 shadow reads were stale; less",
        ),
        (
            "stale_share",
            {"compared": 5000, "stale": 300},
            Finding.FAIL,
            "6 % of 5,000 shadow reads were stale; 0.3 % was exc",
        ),
        ("stale_share", {"compared": 0}, Finding.HOLD, "no data in this stage; the limit is 2 %, and 100 are needed"),
        (
            "fallback_share",
            {"reads": 5000, "fallbacks": 5},
            Finding.PASS,
            "0.1 % of 5,000 reads fell back to the primary",
        ),
        (
            "fallback_share",
            {"reads": 5000, "fallbacks": 1900},
            Finding.FAIL,
            "38 % of 5,000 reads fell back to the primary",
        ),
        (
            "divergent_count",
            {"compared": 1, "divergent": 1},
            Finding.FAIL,
            "1 in this rollout, the limit is 0, 1 shadow",
        ),
        ("divergent_count", {"compared": 99}, Finding.HOLD, "99 of the 100 shadow reads that it needs"),
        ("divergent_count", {"compared": 100}, Finding.PASS, "0 in this rollout, the limit is 0, 100 shadow reads"),
        ("lag", {"lag_seconds": 6.0}, Finding.FAIL, "6 s, the limit is 5 s, known in 1 windows"),
        ("lag", {"lag_seconds": None}, Finding.HOLD, "not known in the newest window, the limit is 5 s"),
        ("lag", {"lag_seconds": 1.0}, Finding.HOLD, "1 of the 6 windows that it needs"),
    ],
)
def test_each_metric_says_value_limit_and_sample(
    metric: str, counts: dict[str, Any], finding: Finding, words: str
) -> None:
    verdict = judged(usual(metric), Window(0, **counts))
    assert verdict.finding is finding
    assert verdict.reason.startswith(f"{metric}: ")
    assert words in verdict.reason


def test_what_was_stale_before_is_not_held_against_the_rollout() -> None:
    window = Window(0, compared=5000, stale=100)
    assert judged(usual("stale_share"), window).finding is Finding.FAIL
    verdict = judged(replace(usual("stale_share"), floor=Floor(400, 20_000)), window)
    assert verdict.finding is Finding.PASS
    assert "less than 1 times the 2 % of 20,000 of before and 2 %" in verdict.reason


def test_a_divergent_read_of_an_earlier_stage_still_counts() -> None:
    assert judged(usual("divergent_count"), Window(0, compared=1, divergent=1), Window(1)).finding is Finding.FAIL


def test_lag_that_is_known_again_and_small_passes_after_enough_windows() -> None:
    known = [Window(0, lag_seconds=1.0)] * 6
    assert judged(usual("lag"), Window(0), *known).finding is Finding.PASS
    assert judged(usual("lag"), *known, Window(0)).finding is Finding.HOLD


def test_a_guardrail_in_trial_says_so_in_its_verdict() -> None:
    assert judged(replace(usual("error_rate"), trial=True), *BAD).trial
    assert not judged(usual("error_rate"), *BAD).trial


def test_a_backtest_finds_the_first_window_that_would_have_taken_it_back() -> None:
    guardrail = usual("divergent_count")
    quiet, loud = Window(0, compared=10), Window(1, compared=10, divergent=1)
    assert backtest(guardrail, [quiet, loud, Window(2)]) == loud
    assert backtest(guardrail, [quiet, quiet]) is None
