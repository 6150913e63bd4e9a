"""Reads between their decision and their answer. Pure."""

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from routers.departures import Departures

LONG = 0.5


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def elsewhere(step: object) -> None:
    """Take a step on another thread."""
    thread = Thread(target=step)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_a_read_is_left_until_it_is_answered() -> None:
    departures = Departures(Clock())
    departures.begin()
    seen = departures.under_way()
    assert departures.are_left(seen)
    departures.end()
    assert not departures.are_left(seen)


def test_a_read_that_another_thread_ends_is_not_this_one() -> None:
    departures = Departures(Clock())
    departures.begin()
    seen = departures.under_way()
    elsewhere(departures.end)
    assert departures.are_left(seen)


def test_a_read_that_begins_later_is_not_waited_for() -> None:
    clock = Clock()
    departures = Departures(clock)
    departures.begin()
    seen = departures.under_way()
    departures.end()
    clock.now += 0.001
    departures.begin()
    assert not departures.are_left(seen)
    assert departures.are_left(departures.under_way())


def test_a_read_is_taken_to_have_arrived_after_a_while() -> None:
    clock = Clock()
    departures = Departures(clock)
    departures.begin()
    seen = departures.under_way()
    clock.now += LONG * 0.99
    assert departures.are_left(seen)
    clock.now += LONG * 0.02
    assert not departures.are_left(seen)


def test_a_child_waits_for_none_of_its_parent_s_reads() -> None:
    departures = Departures(Clock())
    departures.begin()
    departures.after_fork()
    assert not departures.under_way()


@given(st.lists(st.sampled_from(["begin", "end", "pass"]), max_size=20), st.integers(0, 20))
def test_it_waits_for_exactly_what_was_on_its_way_at_the_look(steps: list[str], look: int) -> None:
    clock = Clock()
    departures = Departures(clock)
    begun: float | None = None
    seen, looked_at = departures.under_way(), None
    for number, step in enumerate([*steps, "pass"]):
        if number == look:
            seen, looked_at = departures.under_way(), begun
        clock.now += 0.02
        if step == "begin":
            departures.begin()
            begun = clock.now
        elif step == "end":
            departures.end()
            begun = None
    is_on_its_way = looked_at is not None and looked_at == begun and clock.now - looked_at < LONG
    assert departures.are_left(seen) == is_on_its_way
