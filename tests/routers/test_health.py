"""Fitness of replicas, from findings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.health import Finding, Fitness, Limits, Standing, judge
from routers.lag import History, Sample
from routers.positions import Position

LIMITS = Limits(greatest_lag=10, return_lag=5, shortest_ejection=3, longest_silence=2, longest_trust=2, slow_answer=0.5)
NEW = Standing()


def primary(until: float, timeline: int = 1) -> History:
    """A primary that has moved ten bytes a second since time 0."""
    history = History(span_seconds=1000)
    for at in range(int(until) + 1):
        history.add(Sample(float(at), Position(7, timeline, at * 10)))
    return history


def standby(at: float, lag: float = 0.0, **changes: object) -> Finding:
    """A finding about a standby that is so many seconds behind that primary."""
    values = {"is_standby": True, "position": Position(7, 1, int((at - lag) * 10)), **changes}
    return Finding(at, **values)  # type: ignore[arg-type]


def after(*findings: Finding) -> Standing:
    standing = NEW
    for finding in findings:
        standing = judge(standing, finding, primary(finding.at), LIMITS)
    return standing


def test_a_replica_is_untrusted_until_its_first_good_finding() -> None:
    assert not NEW.is_fit(now=0.0, longest_trust=1e9)
    assert after(standby(100)).fitness is Fitness.FIT


def test_one_that_comes_up_late_must_catch_up_first() -> None:
    assert after(standby(100, lag=6)).fitness is Fitness.RECOVERING
    assert after(standby(100, lag=6), standby(104, lag=4)).fitness is Fitness.FIT


def test_one_that_was_asked_before_its_primary_need_not_wait() -> None:
    first = judge(NEW, standby(1), History(10), LIMITS)
    assert judge(first, standby(2), primary(2), LIMITS).fitness is Fitness.FIT


@pytest.mark.parametrize(
    ("finding", "fitness"),
    [
        (Finding(100, error="connection refused"), Fitness.UNREACHABLE),
        (Finding(100, error="the database system is starting up", is_starting=True), Fitness.STARTING),
        (standby(100, is_standby=False), Fitness.NOT_A_STANDBY),
        (standby(100, position=Position(8, 1, 1000)), Fitness.OTHER_CLUSTER),
        (standby(100, position=Position(7, 2, 1000)), Fitness.OTHER_TIMELINE),
        (standby(100, lag=11), Fitness.LAGGING),
        (standby(100, position=Position(7, 1, -1)), Fitness.LAG_UNKNOWN),
    ],
)
def test_a_fault_ejects_at_once(finding: Finding, fitness: Fitness) -> None:
    standing = after(standby(99), finding)
    assert standing.fitness is fitness
    assert standing.since == 100
    assert standing.detail == finding.error


def test_without_a_primary_on_record_no_replica_is_fit() -> None:
    assert judge(NEW, standby(1), History(10), LIMITS).fitness is Fitness.LAG_UNKNOWN


def test_between_the_two_limits_a_replica_stays_what_it_was() -> None:
    assert after(standby(90), standby(100, lag=7)).fitness is Fitness.FIT
    assert after(standby(80), standby(90, lag=12), standby(100, lag=7)).fitness is Fitness.RECOVERING


def test_an_ejected_replica_stays_out_for_a_while() -> None:
    ejected = after(standby(90), Finding(100, error="gone", is_told=True))
    soon = judge(ejected, standby(102), primary(102), LIMITS)
    assert (soon.fitness, soon.since) == (Fitness.RECOVERING, 100)
    assert judge(soon, standby(103), primary(103), LIMITS).fitness is Fitness.FIT


def test_a_replica_serves_on_when_the_primary_no_longer_answers() -> None:
    silent = primary(100)
    standing = judge(after(standby(100)), standby(500, position=Position(7, 1, 1000)), silent, LIMITS)
    assert standing.fitness is Fitness.FIT


def test_one_unanswered_question_ejects_nobody_but_silence_does() -> None:
    fit = after(standby(100))
    once = judge(fit, Finding(101, error="no answer", is_silent=True), primary(101), LIMITS)
    assert (once.fitness, once.seen_at, once.detail) == (Fitness.FIT, 100, "no answer")
    assert not once.is_fit(now=102.1, longest_trust=2)
    assert judge(once, Finding(103, error="no answer", is_silent=True), primary(103), LIMITS).fitness is (
        Fitness.UNRESPONSIVE
    )


def test_two_slow_answers_in_a_row_eject_and_one_quick_answer_lets_back_in() -> None:
    once = after(standby(100), standby(101, took=0.6))
    assert once.fitness is Fitness.FIT
    twice = judge(once, standby(102, took=0.7), primary(102), LIMITS)
    assert (twice.fitness, twice.detail) == (Fitness.SLOW, "the last two answers took about 0.7 s each")
    assert judge(twice, standby(106, took=0.1), primary(106), LIMITS).fitness is Fitness.FIT


def test_nobody_is_slow_where_all_are() -> None:
    once = after(standby(100), standby(101, took=0.6))
    assert judge(once, standby(102, took=0.6), primary(102), LIMITS, quickest=0.3).fitness is Fitness.FIT
    assert judge(once, standby(102, took=0.6), primary(102), LIMITS, quickest=float("inf")).fitness is Fitness.FIT
    assert judge(once, standby(102, took=0.6), primary(102), LIMITS, quickest=0.2).fitness is Fitness.SLOW


def test_a_replica_that_lags_because_it_receives_nothing_says_so() -> None:
    assert after(standby(100, lag=11, is_receiving=False)).detail == "its WAL receiver does not run"
    assert after(standby(100, lag=11, is_receiving=True)).detail == ""


def test_an_old_finding_is_no_finding() -> None:
    standing = after(standby(100))
    assert standing.is_fit(now=102, longest_trust=2)
    assert not standing.is_fit(now=102.1, longest_trust=2)


FINDINGS = st.lists(
    st.tuples(
        st.floats(0.1, 5),
        st.one_of(st.floats(0, 20).map(lambda lag: ("lag", lag)), st.just(("error", 0.0)), st.just(("promoted", 0.0))),
    ),
    min_size=1,
    max_size=40,
)


@given(FINDINGS)
def test_whatever_is_found_a_fit_replica_is_within_its_limit_and_an_ejected_one_stays_out_long_enough(
    steps: list[tuple[float, tuple[str, float]]],
) -> None:
    at, standing = 100.0, NEW
    ejected_at: float | None = None
    for pause, (kind, lag) in steps:
        at += pause
        finding = {
            "lag": standby(at, lag=lag),
            "error": Finding(at, error="gone"),
            "promoted": standby(at, is_standby=False),
        }[kind]
        was = standing
        standing = judge(standing, finding, primary(at), LIMITS)
        if standing.fitness is Fitness.FIT:
            assert standing.lag.seconds is not None
            assert standing.lag.seconds <= LIMITS.greatest_lag
            if was.fitness is not Fitness.FIT:
                assert standing.lag.seconds <= LIMITS.return_lag or standing.lag.state == "current"
                assert ejected_at is None or at - ejected_at >= LIMITS.shortest_ejection
        elif was.fitness is Fitness.FIT:
            ejected_at = at
        assert standing.seen_at == at
        assert standing.since <= at


def test_silence_is_measured_by_the_process_that_asked() -> None:
    before = after(standby(100))
    early = judge(before, Finding(102.5, is_silent=True, took=1, slack=0.5, silent_for=1.5), primary(102), LIMITS)
    assert early.fitness is Fitness.FIT
    late = judge(before, Finding(100.5, is_silent=True, took=1, slack=0.5, silent_for=2.1), primary(102), LIMITS)
    assert late.fitness is Fitness.UNRESPONSIVE


def test_a_replica_owes_what_there_was_when_it_may_have_been_asked_at_the_latest() -> None:
    ejected = judge(after(standby(90)), Finding(100, error="gone", slack=0.5), primary(100), LIMITS)
    assert (ejected.ejected_at, ejected.owes) == (100, 100.5)
    assert ejected.gone_since == 100.5 + LIMITS.longest_trust


def test_a_lag_is_too_great_if_it_may_be() -> None:
    assert after(standby(99), standby(100, lag=9.8)).fitness is Fitness.FIT
    assert after(standby(99), standby(100, lag=9.8, slack=0.5)).fitness is Fitness.LAGGING
