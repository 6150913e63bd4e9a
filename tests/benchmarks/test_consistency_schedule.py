"""The nemesis does the same for the same seed, and leaves nothing disturbed at the end."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.consistency.schedule import HOLD_SECONDS, LONGEST_DELAY, Action, Event, schedule

SEEDS = st.integers(min_value=0)
LENGTHS = st.floats(min_value=30, max_value=1200)
ENDS = {Action.PAUSE: Action.RESUME, Action.KILL: Action.START}


def of_standby(events: list[Event], standby: int) -> list[Event]:
    return [event for event in events if event.standby == standby and event.action is not Action.SWITCHOVER]


@given(SEEDS, LENGTHS)
def test_a_seed_always_gives_the_same_events_in_their_order(seed: int, seconds: float) -> None:
    events = schedule(seed, seconds)
    assert events == schedule(seed, seconds)
    assert events == sorted(events)
    assert all(0 < event.at < seconds for event in events)


@given(SEEDS, LENGTHS)
def test_every_trouble_ends_before_the_next_begins(seed: int, seconds: float) -> None:
    for standby in (0, 1):
        events = of_standby(schedule(seed, seconds), standby)
        for begin, end in zip(events[::2], events[1::2], strict=True):
            assert begin.at < end.at
            if begin.action is Action.DELAY:
                assert 0 <= begin.value <= LONGEST_DELAY
                assert (end.action, end.value) == (Action.DELAY, 0.0)
            else:
                assert end.action is ENDS[begin.action]


@given(SEEDS, LENGTHS)
def test_there_is_one_switchover_after_which_the_new_primary_is_left_alone(seed: int, seconds: float) -> None:
    events = schedule(seed, seconds)
    (switchover,) = [event for event in events if event.action is Action.SWITCHOVER]
    assert all(event.at < switchover.at for event in of_standby(events, switchover.standby))


@pytest.mark.parametrize("seed", range(5))
def test_a_long_run_holds_both_standbys_at_once_for_longer_than_any_timer(seed: int) -> None:
    events = schedule(seed, 600)
    pauses = [event for event in events if event.action is Action.PAUSE]
    (held,) = [same for _, group in groupby(pauses, key=lambda event: event.at) if len(same := list(group)) == 2]
    for pause in held:
        resume = next(event for event in of_standby(events, pause.standby) if event.at > pause.at)
        assert resume == Event(pause.at + HOLD_SECONDS, Action.RESUME, pause.standby)
