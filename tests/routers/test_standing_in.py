"""Replicas that come back after they were ejected, and those that are none any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.health import Finding, Fitness, Standing, judge
from tests.routers.test_health import LIMITS, after, primary, standby

SILENCE = LIMITS.longest_silence


def then(standing: Standing, finding: Finding) -> Standing:
    return judge(standing, finding, primary(finding.at), LIMITS)


def promoted(at: float) -> Finding:
    return standby(at, is_standby=False)


def test_an_ejected_replica_returns_only_once_it_shows_all_that_there_was_when_it_was_ejected() -> None:
    ejected = after(standby(99), Finding(100, error="killed"))
    # It has waited and is close enough, but readers may have seen what it lacks.
    older = then(ejected, standby(104, lag=4.5))
    assert older.fitness is Fitness.RECOVERING
    assert then(older, standby(105, lag=4.5)).fitness is Fitness.FIT


def test_what_happens_while_it_is_out_does_not_ask_more_of_it() -> None:
    standing = after(standby(99), Finding(100, error="killed"))
    for at in range(101, 105):
        standing = then(standing, Finding(at, error="starting up"))
    assert standing.ejected_at == 100
    assert then(standing, standby(105, lag=5)).fitness is Fitness.FIT


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
        Finding(100, error="no answer", is_silent=True),
        standby(100, lag=50),
        standby(100, lag=7),
    ],
)
def test_one_that_is_unreachable_or_behind_is_never_gone(finding: Finding) -> None:
    standing = after(standby(90), finding)
    assert not any(standing.is_gone(finding.at + wait, LIMITS.longest_silence) for wait in (0, 1, 2, 1000))


def test_one_that_says_nothing_any_more_is_not_gone_any_more() -> None:
    standing = then(after(standby(99), promoted(100)), Finding(104, error="connection refused"))
    assert not standing.is_gone(104, SILENCE)


def test_one_that_is_a_replica_again_stays_out_while_others_may_stand_in_for_it() -> None:
    standing = then(after(standby(99), promoted(100)), standby(110))
    assert standing.fitness is Fitness.RECOVERING
    assert not standing.is_gone(110, SILENCE)
    # From when the others have stopped, it waits as after any ejection.
    back = 110 + SILENCE + LIMITS.shortest_ejection
    assert then(standing, standby(back - 0.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(back, lag=3.1)).fitness is Fitness.RECOVERING
    assert then(standing, standby(back)).fitness is Fitness.FIT


STEPS = st.lists(
    st.tuples(
        st.integers(1, 50).map(lambda tenths: tenths / 10),
        st.sampled_from(["standby", "promoted", "error", "silent"]),
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
    left_at = float("-inf")
    for pause, kind, lag in steps:
        at += pause
        was = standing
        finding = {
            "standby": standby(at, lag=lag),
            "promoted": promoted(at),
            "error": Finding(at, error="killed"),
            "silent": Finding(at, error="no answer", is_silent=True),
        }[kind]
        standing = then(standing, finding)
        if was.fitness is Fitness.FIT and standing.fitness is not Fitness.FIT:
            left_at = at
        if was.fitness is Fitness.NOT_A_STANDBY and standing.fitness is not Fitness.NOT_A_STANDBY:
            # Another process may have found the same as we did before, a moment ago, and acts on it for that long.
            left_at = at + SILENCE
        if was.fitness is not Fitness.FIT and standing.fitness is Fitness.FIT:
            assert standing.shows_since >= left_at
            assert at >= left_at + LIMITS.shortest_ejection
        assert not (standing.is_fit(at, SILENCE) and standing.is_gone(at, SILENCE))
        assert standing.is_gone(at, SILENCE) <= (standing.fitness is Fitness.NOT_A_STANDBY)
