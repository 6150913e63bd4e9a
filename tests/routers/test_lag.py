"""Lag from a record of positions."""

from hypothesis import given
from hypothesis import strategies as st

from routers.lag import UNKNOWN_LAG, History, Lag, LagState, Sample
from routers.positions import Position


def position(lsn: int, timeline: int = 1, system: int = 7) -> Position:
    return Position(system, timeline, lsn)


def history(*samples: tuple[float, int], span: float = 100.0) -> History:
    found = History(span)
    for at, lsn in samples:
        found.add(Sample(at, position(lsn)))
    return found


def test_without_a_sample_nothing_is_known() -> None:
    assert history().lag_of(position(5), now=1.0) == UNKNOWN_LAG


def test_a_replica_at_the_last_sample_is_current() -> None:
    assert history((1, 10), (2, 20)).lag_of(position(20), now=2.5) == Lag(LagState.CURRENT, 0.5, 0)
    assert history((1, 10), (2, 20)).lag_of(position(25), now=2.5) == Lag(LagState.CURRENT, 0.5, 0)


def test_a_replica_behind_the_last_sample_is_late_since_the_one_it_reached() -> None:
    assert history((1, 10), (2, 20), (3, 30)).lag_of(position(19), now=3.0) == Lag(LagState.KNOWN, 2.0, 11)


def test_a_replica_behind_the_whole_record_is_unknown_and_not_zero() -> None:
    assert history((1, 10), (2, 20)).lag_of(position(9), now=3.0) == Lag(LagState.UNKNOWN, None, 11)


def test_an_idle_primary_makes_nobody_late() -> None:
    idle = history(*((float(at), 10) for at in range(100)))
    assert idle.lag_of(position(10), now=99.5) == Lag(LagState.CURRENT, 0.5, 0)


def test_a_replica_that_is_stuck_grows_late_from_the_first_thing_it_lacks() -> None:
    # Idle for 50 s, then one commit which the replica does not replay.
    stuck = history(*((float(at), 10) for at in range(51)), (51, 20), (60, 20))
    assert stuck.lag_of(position(10), now=60.0) == Lag(LagState.KNOWN, 10.0, 10)


def test_another_timeline_or_system_is_unknown() -> None:
    found = history((1, 10))
    assert found.lag_of(position(10, timeline=2), now=2.0) == UNKNOWN_LAG
    assert found.lag_of(position(10, system=8), now=2.0) == UNKNOWN_LAG


def test_a_promotion_begins_a_new_record() -> None:
    found = history((1, 100))
    found.add(Sample(2.0, position(50, timeline=2)))
    assert found.latest == Sample(2.0, position(50, timeline=2))
    assert found.lag_of(position(50, timeline=2), now=2.0).state is LagState.CURRENT
    assert found.lag_of(position(100), now=2.0) == UNKNOWN_LAG


@given(
    steps=st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 100)), min_size=1, max_size=60),
    replayed=st.integers(0, 100),
    span=st.floats(1, 50),
)
def test_the_bound_holds_for_everything_that_was_committed(
    steps: list[tuple[float, int]], replayed: int, span: float
) -> None:
    """The replica stands where the primary stood after some commit; the bound is never below how long ago it left."""
    now, lsn = 0.0, 0
    stood: list[tuple[float, int]] = []
    found = History(span)
    for pause, growth in steps:
        now += pause
        found.add(Sample(now, position(lsn)))
        stood.append((now, lsn))
        # Committed after the sample was taken.
        lsn += growth
    here = min(replayed * lsn // 100, lsn)
    lag = found.lag_of(position(here), now)
    # Until when the primary surely had nothing that the replica lacks: the last sample that the replica has reached.
    reached = [at for at, sampled in stood if sampled <= here]
    if lag.seconds is None:
        assert not [at for at in reached if at >= now - span]
    else:
        assert lag.seconds >= now - max(reached) - 1e-9
        assert (lag.state is LagState.CURRENT) == (stood[-1][1] <= here)
