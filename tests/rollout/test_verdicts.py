"""What all guardrails together decide."""

from hypothesis import given
from hypothesis import strategies as st

from rollout.guardrails import Metric
from rollout.verdicts import Finding, Verdict, decide

FAIL, HOLD, PASS = (
    Verdict(Metric.LAG, finding, finding.value) for finding in (Finding.FAIL, Finding.HOLD, Finding.PASS)
)
IN_TRIAL = Verdict(Metric.LAG, Finding.FAIL, "it would have failed", trial=True)


@given(st.lists(st.sampled_from([FAIL, HOLD, PASS]), min_size=1))
def test_the_worst_finding_decides_with_all_its_reasons(verdicts: list[Verdict]) -> None:
    decision = decide(verdicts)
    worst = next(each for each in (FAIL, HOLD, PASS) if each in verdicts)
    assert decision.finding is worst.finding
    assert decision.reasons == (worst.reason,) * verdicts.count(worst)


def test_a_guardrail_in_trial_stops_nothing_and_is_told() -> None:
    decision = decide([PASS, IN_TRIAL])
    assert decision.finding is Finding.PASS
    assert decision.trials == (IN_TRIAL,)


def test_without_a_guardrail_that_has_a_say_it_holds() -> None:
    assert decide([]).finding is Finding.HOLD
    assert decide([IN_TRIAL]).finding is Finding.HOLD
