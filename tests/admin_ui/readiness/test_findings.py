"""What verdicts are to each other, and how many of them are told."""

from hypothesis import given
from hypothesis import strategies as st

from admin_ui.readiness.findings import Finding, Verdict, gravest_first, summary, worst

findings = st.lists(st.sampled_from(Verdict).map(lambda verdict: Finding("id", "one", "Title", verdict, "fact")))


@given(findings)
def test_what_is_not_known_is_never_taken_for_well(found: list[Finding]) -> None:
    verdicts = {finding.verdict for finding in found}
    assert (worst(found) is Verdict.PASS) == (verdicts <= {Verdict.PASS})
    assert (worst(found) is Verdict.FAIL) == (Verdict.FAIL in verdicts)


@given(findings)
def test_the_gravest_come_first_and_none_is_lost(found: list[Finding]) -> None:
    ordered = gravest_first(found)
    assert sorted(map(id, ordered)) == sorted(map(id, found))
    assert not ordered or ordered[0].verdict is worst(found)


def test_the_summary_counts_each_verdict() -> None:
    verdicts = [Verdict.PASS, Verdict.FAIL, Verdict.ATTENTION, Verdict.ATTENTION, Verdict.UNKNOWN]
    found = [Finding("id", "one", "Title", verdict, "fact") for verdict in verdicts]
    assert summary(found) == "1 fails, 2 need attention, 1 is not known, 1 is well"
    assert summary([]) == "no check"
