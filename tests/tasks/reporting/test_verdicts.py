"""What people are told to conclude."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.intervals import wilson
from rollout.outcomes import Outcome, ShadowCause
from tasks.reporting.findings import CauseCount, Counts, Findings, Staleness, StaleShare
from tasks.reporting.verdicts import ENOUGH, GREATEST_FAILED_SHARE, LEAST_FAILED, Judgement, Verdict, judge

SOME = st.integers(0, 5_000)


def found(
    *causes: tuple[str, str, int], equal: int = 0, caught_up: int = 0, staleness: Staleness | None = None
) -> Findings:
    counted = [CauseCount(*cause) for cause in causes]
    counts = Counts.of(
        [*counted, CauseCount(Outcome.EQUAL, "", equal), CauseCount(Outcome.CAUGHT_UP, "", caught_up)],
    )
    return Findings(counts=counts, causes=tuple(counted), stale=StaleShare.of(counts), staleness=staleness)


def plain(verdict: Verdict) -> tuple[str, str]:
    return verdict.words.replace("\u202f", " "), verdict.reason.replace("\u202f", " ")


def test_one_divergent_read_needs_a_look_however_many_were_equal() -> None:
    verdict = judge(found((Outcome.DIVERGENT, ShadowCause.MISSING_ROW, 1), equal=1_000_000))
    assert plain(verdict) == ("needs a look", "1 of 1 000 001 compared are divergent: the replica lacks rows")


def test_the_most_frequent_cause_of_divergence_is_named_and_no_other() -> None:
    verdict = judge(
        found(
            (Outcome.DIVERGENT, ShadowCause.EXTRA_ROW, 2),
            (Outcome.DIVERGENT, ShadowCause.ORDER, 5),
            (Outcome.ERROR, ShadowCause.TIMEOUT, 90),
            equal=3,
        )
    )
    assert plain(verdict)[1] == "7 of 10 compared are divergent, mostly: the same rows in another order"


def test_too_many_without_an_answer_need_a_look_at_the_most_frequent_cause() -> None:
    verdict = judge(
        found(
            (Outcome.INCONCLUSIVE, ShadowCause.BEHIND, 60),
            (Outcome.ERROR, ShadowCause.TIMEOUT, 140),
            equal=800,
        )
    )
    assert plain(verdict) == (
        "needs a look",
        "20 % of 1 000 ended without an answer, mostly: a server took longer than it may",
    )


@pytest.mark.parametrize("failed", range(1, LEAST_FAILED))
def test_a_few_failures_among_few_reads_do_not_trip_it(failed: int) -> None:
    assert judge(found((Outcome.ERROR, ShadowCause.TIMEOUT, failed))).judgement is Judgement.WAIT


@given(st.integers(0, 400), st.integers(0, 5_000))
def test_failures_count_once_their_share_is_surely_too_large(failed: int, equal: int) -> None:
    judgement = judge(found((Outcome.ERROR, ShadowCause.TIMEOUT, failed), equal=equal)).judgement
    is_sure = failed >= LEAST_FAILED and wilson(failed, failed + equal).low > GREATEST_FAILED_SHARE
    assert (judgement is Judgement.LOOK) == is_sure


def test_volatile_statements_are_left_out_and_said() -> None:
    volatile = (Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC, 5_000)
    verdict = judge(found(volatile, equal=ENOUGH))
    assert verdict.judgement is Judgement.SAFE
    assert "5 000 left out, whose statements need not answer the same twice" in plain(verdict)[1]


def test_volatile_statements_are_no_cause_of_failures() -> None:
    verdict = judge(
        found(
            (Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC, 900),
            (Outcome.INCONCLUSIVE, ShadowCause.MOVED, 50),
            equal=50,
        )
    )
    assert plain(verdict)[1] == "50 % of 100 ended without an answer: the primary's own answer kept changing"


def test_too_little_says_how_much_is_missing_and_what_it_would_show() -> None:
    assert plain(judge(found(equal=300, caught_up=12))) == (
        "not enough data yet (312 of 1 000)",
        "0 divergent so far; 1 000 would show that at most 0.3 % are",
    )
    assert plain(judge(Findings())) == ("not enough data yet (0 of 1 000)", "nothing was compared")


@given(SOME, SOME, st.integers(1, 5_000))
def test_without_faults_the_number_alone_decides(equal: int, caught_up: int, enough: int) -> None:
    judgement = judge(found(equal=equal, caught_up=caught_up), enough=enough).judgement
    assert judgement is (Judgement.SAFE if equal + caught_up >= enough else Judgement.WAIT)


def test_safe_says_how_many_how_stale_and_how_sure() -> None:
    words, reason = plain(judge(found(equal=12_267, caught_up=37, staleness=Staleness(p50=40.2, p95=310.7, max=1_240))))
    assert words == "safe to route"
    assert reason == (
        "12 304 compared, 0 divergent (at most 0.02 %), stale 0.3 % (0.2 to 0.4), by 40 ms in the median, "
        "311 ms at the 95th percentile, 1.2 s at most"
    )


@given(st.lists(st.tuples(st.sampled_from(Outcome.values), st.sampled_from(["", *ShadowCause.values]), SOME)))
def test_every_comparison_is_counted_once(causes: list[tuple[str, str, int]]) -> None:
    counts = Counts.of(CauseCount(*cause) for cause in causes)
    assert counts.total == sum(count for *_, count in causes)


def test_a_cause_of_a_later_release_is_said_by_its_code() -> None:
    assert judge(found((Outcome.DIVERGENT, "phase_of_moon", 1))).reason.endswith("divergent: phase_of_moon")
