"""How the benchmark counts what was reported of captured reads."""

from dataclasses import replace

import pytest

from benchmarks.shadow.planted import is_found, is_right
from benchmarks.shadow.reports import Report, by_outcome, compared, examples
from benchmarks.shadow.subscriber import FAULTS, Fault
from rollout.outcomes import Outcome, ShadowCause

FAULT = Fault("row_missing", ShadowCause.MISSING_ROW, "")


def report(outcome: Outcome, cause: ShadowCause | None = None) -> Report:
    return Report("page", outcome, cause or "", "SELECT", None, 1, {})


def test_what_ended_with_an_answer_was_compared() -> None:
    assert compared(report(outcome) for outcome in Outcome) == 3


def test_ends_are_counted_with_their_causes() -> None:
    ends = [report(Outcome.EQUAL), report(Outcome.EQUAL), report(Outcome.INCONCLUSIVE, ShadowCause.MOVED)]
    assert by_outcome(ends) == {"equal": 2, "inconclusive moved": 1}


def test_what_need_not_answer_the_same_twice_is_left_out() -> None:
    assert report(Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC).is_left_out
    assert not report(Outcome.INCONCLUSIVE, ShadowCause.MOVED).is_left_out


def test_examples_show_each_divergent_statement_first_and_each_other_way_once() -> None:
    moved, divergent = report(Outcome.INCONCLUSIVE, ShadowCause.MOVED), report(Outcome.DIVERGENT, ShadowCause.ORDER)
    other = replace(divergent, statement="SELECT another")
    failed = replace(report(Outcome.ERROR, ShadowCause.REFUSED), details={"error": "42501"})
    again = replace(failed, statement="SELECT another")
    shown = examples([report(Outcome.EQUAL), moved, moved, failed, again, divergent, other, divergent])
    assert shown[:2] == [divergent, other]
    assert shown[2:] == [moved, again]


@pytest.mark.parametrize(
    ("reports", "found", "right"),
    [
        ([], False, False),
        ([report(Outcome.DIVERGENT, ShadowCause.MISSING_ROW)] * 2, True, True),
        ([report(Outcome.DIVERGENT, ShadowCause.MISSING_ROW), report(Outcome.EQUAL)], False, False),
        (
            [report(Outcome.DIVERGENT, ShadowCause.MISSING_ROW), report(Outcome.DIVERGENT, ShadowCause.ORDER)],
            True,
            False,
        ),
        ([report(Outcome.INCONCLUSIVE, ShadowCause.MISSING_ROW)], False, False),
    ],
)
def test_a_fault_is_found_by_every_read_or_not_at_all(reports: list[Report], found: bool, right: bool) -> None:
    assert (is_found(reports), is_right(FAULT, reports)) == (found, right)


def test_every_fault_is_a_difference_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len({fault.statement for fault in FAULTS}) == len(FAULTS)
    assert all(fault.cause.is_difference for fault in FAULTS)
