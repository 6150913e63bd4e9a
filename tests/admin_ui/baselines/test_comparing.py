"""What is worse than before, what is not, and of what nothing can be said."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.baselines.changes import Verdict
from admin_ui.baselines.comparing import compare, needed
from rollout.endpoint_sums import EndpointSums
from rollout.windows import begin_of, histogram
from tests.admin_ui.baselines.windows import HOURS, compared, sums

TELLING = [Verdict.WORSE, Verdict.BETTER, Verdict.STEADY]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (sums(10), sums(10), Verdict.STEADY),
        (sums(10), sums(20), Verdict.WORSE),
        (sums(20), sums(10), Verdict.BETTER),
        (sums(10, slow=20), sums(10, slow=40), Verdict.WORSE),
        (sums(10, failed=1), sums(10, failed=100), Verdict.WORSE),
        (sums(10, failed=100), sums(10, failed=1), Verdict.STEADY),
        (sums(10, failed=100), sums(10, failed=110), Verdict.STEADY),
        (sums(10, units=19), sums(100, units=19), Verdict.THIN),
        (sums(10, units=20), sums(100, units=20), Verdict.WORSE),
        (sums(10), None, Verdict.GONE),
        (None, sums(10), Verdict.NEW),
    ],
)
def test_the_verdict_on_one_endpoint(before: EndpointSums | None, after: EndpointSums | None, verdict: Verdict) -> None:
    (change,) = compared(before, after).changes
    assert change.verdict is verdict


def test_what_is_within_the_margin_is_not_worse() -> None:
    assert compared(sums(10), sums(15), margin=0.25).verdict is Verdict.WORSE
    assert compared(sums(10), sums(15), margin=1.0).verdict is Verdict.STEADY


def test_what_moved_to_the_next_bucket_may_have_moved_by_nothing() -> None:
    begin = begin_of(40) * 1_000
    assert compared(sums(begin * 0.999), sums(begin * 1.001), margin=0.0).verdict is Verdict.STEADY


def test_each_percentile_needs_units_of_its_own() -> None:
    assert [needed(share) for share in (0.5, 0.95, 0.99)] == [20, 200, 1_000]
    (change,) = compared(sums(10, units=200), sums(10, units=500)).changes
    assert [measure.verdict for measure in change.latencies] == [Verdict.STEADY, Verdict.STEADY, Verdict.THIN]
    assert change.doubts == ("Too few units to judge p99: 1,000 are needed in each window for p99.",)
    assert not change.reasons


def test_the_whole_is_worse_with_one_and_says_nothing_without_any() -> None:
    windows = ({"a": sums(10), "b": sums(10)}, {"a": sums(10), "b": sums(30)})
    assert compare("before", *windows, HOURS).verdict is Verdict.WORSE
    assert compared(sums(units=5), sums(units=5)).verdict is Verdict.THIN
    assert compared(None, sums()).verdict is Verdict.THIN
    assert compare("before", {}, {}, HOURS).verdict is Verdict.THIN


def test_what_is_worse_comes_first_and_then_the_busiest() -> None:
    before = {"busy": sums(units=9_000), "idle": sums(units=300), "slow": sums(units=500)}
    found = compare("before", before, {**before, "slow": sums(90, units=500)}, HOURS)
    assert [change.endpoint for change in found.changes] == ["slow", "busy", "idle"]


units = st.lists(st.floats(0.001, 10), min_size=1, max_size=300)


@given(units)
def test_nothing_is_worse_than_itself(seconds: list[float]) -> None:
    same = EndpointSums(units=len(seconds), durations=histogram(seconds))
    assert compared(same, same).verdict in {Verdict.STEADY, Verdict.THIN}


@given(units, units, st.floats(0, 2), st.floats(0, 2))
def test_a_wider_margin_finds_nothing_more(first: list[float], second: list[float], margin: float, more: float) -> None:
    before, after = (EndpointSums(units=len(each), durations=histogram(each)) for each in (first, second))
    if compared(before, after, margin).verdict is not Verdict.WORSE:
        assert compared(before, after, margin + more).verdict is not Verdict.WORSE


@given(units, units)
def test_whichever_comes_later_one_is_worse_where_the_other_is_better(first: list[float], second: list[float]) -> None:
    one, other = (EndpointSums(units=len(each), durations=histogram(each)) for each in (first, second))
    forth, back = compared(one, other).changes[0], compared(other, one).changes[0]
    mirrored = {Verdict.WORSE: Verdict.BETTER, Verdict.BETTER: Verdict.WORSE}
    for there, again in zip(forth.latencies, back.latencies, strict=True):
        assert again.verdict is mirrored.get(there.verdict, there.verdict)


def test_chance_alone_is_rarely_called_worse() -> None:
    random, alarms = Random(7), 0  # noqa: S311 - made-up latencies
    for _ in range(200):
        before, after = ([random.lognormvariate(-4, 1) for _ in range(300)] for _ in range(2))
        one, other = (EndpointSums(units=300, durations=histogram(each)) for each in (before, after))
        alarms += compared(one, other).verdict is Verdict.WORSE
    assert alarms <= 4
