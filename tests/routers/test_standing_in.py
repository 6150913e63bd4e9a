"""Replicas that come back after they were ejected, and those that are none any more."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.health import Finding, Fitness, Standing, judge
from routers.positions import Position
from tests.routers.test_health import LIMITS, after, primary, standby

SILENCE = LIMITS.longest_trust


def then(standing: Standing, finding: Finding) -> Standing:
    return judge(standing, finding, primary(finding.at), LIMITS)


def promoted(at: float) -> Finding:
    return standby(at, is_standby=False)


def test_an_ejected_replica_returns_only_once_it_shows_all_that_there_was_when_it_was_ejected() -> None:
    ejected = after(standby(99), Finding(100, error="killed", is_told=True))
    # It has waited and is close enough, but readers may have seen what it lacks.
    older = then(ejected, standby(104, lag=4.5))
    assert older.fitness is Fitness.RECOVERING
    assert then(older, standby(105, lag=4.5)).fitness is Fitness.FIT


def test_one_that_others_may_have_stood_in_for_waits_until_they_must_have_stopped() -> None:
    standing = after(standby(99), Finding(100, error="killed"))
    for at in range(101, 105):
        standing = then(standing, Finding(at, error="starting up", is_starting=True))
    assert standing.ejected_at == 100
    standing = then(standing, standby(105))
    assert then(standing, standby(105 + SILENCE - 0.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(105 + SILENCE + 1, lag=1.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(105 + SILENCE)).fitness is Fitness.FIT


def test_a_promoted_replica_is_gone_only_after_others_must_have_heard_of_it() -> None:
    standing = after(standby(99), promoted(100))
    assert standing.fitness is Fitness.NOT_A_STANDBY
    assert not standing.is_gone(100, SILENCE)
    assert not standing.is_gone(100 + SILENCE - 0.1, SILENCE)
    assert standing.is_gone(100 + SILENCE, SILENCE)


def test_a_promoted_replica_stays_gone_for_as_long_as_it_says_so() -> None:
    standing = after(standby(99), promoted(100))
    for at in range(101, 110):
        standing = then(standing, promoted(at))
        assert standing.gone_since == 100 + SILENCE
        assert standing.is_gone(at + 0.5, SILENCE) == (at + 0.5 >= 100 + SILENCE)


def test_a_replica_is_gone_only_while_findings_are_fresh() -> None:
    standing = then(after(standby(99), promoted(100)), promoted(103))
    assert standing.is_gone(103 + SILENCE, SILENCE)
    assert not standing.is_gone(103 + SILENCE + 0.1, SILENCE)


@pytest.mark.parametrize(
    "finding",
    [
        Finding(100, error="connection refused"),
        Finding(100, error="starting up", is_starting=True),
        Finding(100, error="no answer", is_silent=True),
        standby(100, position=Position(8, 1, 1000)),
        standby(100, position=Position(7, 2, 1000)),
        standby(100, lag=12.1),
    ],
)
def test_one_whose_fault_all_processes_find_is_gone_after_a_while(finding: Finding) -> None:
    standing = after(standby(90), finding)
    assert not standing.is_gone(100 + SILENCE - 0.1, SILENCE)
    assert standing.is_gone(100 + SILENCE, SILENCE)


@pytest.mark.parametrize(
    "findings",
    [
        # Another process may have measured a lag just below the limit.
        [standby(100, lag=11.9)],
        [standby(100, lag=7)],
        [standby(99.5, took=2), standby(100, took=2)],
        # A read that failed says nothing about what other processes find.
        [Finding(100, error="connection refused", is_told=True)],
    ],
)
def test_one_that_other_processes_may_still_read_from_is_never_gone(findings: list[Finding]) -> None:
    standing = after(standby(90), *findings)
    assert not any(standing.is_gone(100 + wait, 1000) for wait in (0, 1, 2, 1000))


def test_a_replica_behind_all_that_is_on_record_is_gone_if_the_record_is_long_enough() -> None:
    lost = Position(7, 1, -1)
    assert after(standby(10), standby(11.9, position=lost)).gone_since == math.inf
    assert after(standby(10), standby(12.1, position=lost)).gone_since == 12.1 + SILENCE


def test_a_read_that_failed_does_not_bring_back_one_that_is_gone() -> None:
    standing = after(standby(99), Finding(100, error="refused"), Finding(101, error="refused", is_told=True))
    assert standing.gone_since == 100 + SILENCE


def test_one_that_goes_from_one_such_fault_to_another_stays_gone() -> None:
    standing = then(after(standby(99), promoted(100)), Finding(104, error="connection refused"))
    assert standing.is_gone(104, SILENCE)


def test_one_that_is_a_replica_again_stays_out_while_others_may_stand_in_for_it() -> None:
    standing = then(after(standby(99), promoted(100)), standby(110))
    assert standing.fitness is Fitness.RECOVERING
    assert not standing.is_gone(110, SILENCE)
    # What the last of the others showed, it must show as well.
    assert then(standing, standby(110 + SILENCE - 0.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(110 + SILENCE + 1, lag=1.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(110 + SILENCE)).fitness is Fitness.FIT


STEPS = st.lists(
    st.tuples(
        st.integers(1, 50).map(lambda tenths: tenths / 10),
        st.sampled_from(["standby", "promoted", "error", "told", "silent"]),
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=40,
)


@given(STEPS)
def test_whatever_is_found_no_replica_returns_older_than_it_left_or_serves_while_others_stand_in(
    steps: list[tuple[float, str, int]],
) -> None:
    at, standing = 100.0, Standing()
    left_at = owes = -math.inf
    for pause, kind, lag in steps:
        at += pause
        was = standing
        finding = {
            "standby": standby(at, lag=lag),
            "promoted": promoted(at),
            "told": Finding(at, error="killed", is_told=True),
            "error": Finding(at, error="killed"),
            "silent": Finding(at, error="no answer", is_silent=True),
        }[kind]
        standing = then(standing, finding)
        if was.fitness is Fitness.FIT and standing.fitness is not Fitness.FIT:
            left_at = owes = at
        if was.gone_since < math.inf and standing.gone_since == math.inf:
            # Another process may have found the same as we did before, a moment ago, and acts on it for that long.
            owes = at + SILENCE
        if was.fitness is not Fitness.FIT and standing.fitness is Fitness.FIT:
            assert standing.shows_since >= owes
            assert at >= left_at + LIMITS.shortest_ejection
        assert not (standing.is_fit(at, SILENCE) and standing.is_gone(at, SILENCE))
        assert not standing.is_gone(at, SILENCE) or standing.fitness not in {Fitness.FIT, Fitness.RECOVERING}
