"""Floors of reads that the primary served, and the positions that answer for them.

Two processes sample one primary, whose clock is not theirs: one has its read served there, the other is asked whether a
replica shows as much.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from routers.lag import MICROSECONDS, History, Sample
from routers.positions import Floor, Position

SPAN_SECONDS = 1e6


@dataclass
class Primary:
    """A primary as a function of true time, in microseconds. clock: by how much its own clock is ahead of true time.

    commits: when it committed; each adds one byte to its log.
    """

    clock: int
    commits: list[int]

    def lsn(self, at: int) -> int:
        return bisect_right(self.commits, at)


@dataclass
class Process:
    """A process that samples the primary. monotonic: by how much its own clock is ahead of true time."""

    monotonic: int
    history: History = field(default_factory=lambda: History(SPAN_SECONDS))

    def clock(self, at: int) -> float:
        return (at + self.monotonic) / MICROSECONDS

    def sample(self, primary: Primary, asked: int, arrived: int, looked: int) -> None:
        position = Position(7, 1, primary.lsn(looked))
        self.history.add(Sample(self.clock(asked), position, arrived + primary.clock))


DELAY = st.one_of(st.integers(0, 50), st.integers(0, 3_000_000))
"""Between two moments, in microseconds: from hardly any to seconds."""

OFFSET = st.integers(1, 2_000_000_000)
"""No clock stands at 0, which asks for nothing."""

PROBES = st.lists(st.tuples(DELAY, DELAY, DELAY, DELAY), min_size=1, max_size=12)
"""For each question: the pause before it, its way to the server, the time until that looks, and the way back."""

COMMITS = st.lists(st.integers(0, 60_000_000), max_size=40).map(sorted)


def run(process: Process, primary: Primary, probes: list[tuple[int, int, int, int]], until: int) -> int:
    """Let a process sample until then, and return when it was ready to ask again."""
    at = 0
    for pause, way, look, back in probes:
        asked = at + pause
        arrived, looked = asked + way, asked + way + look
        at = looked + back
        # What has not come back by then is not known.
        if at > until:
            return asked
        process.sample(primary, asked, arrived, looked)
    return at


@given(
    commits=COMMITS,
    offsets=st.tuples(OFFSET, OFFSET, OFFSET),
    first=PROBES,
    second=PROBES,
    read=st.integers(0, 60_000_000),
    delays=st.tuples(DELAY, DELAY),
)
def test_a_position_for_a_read_is_never_below_what_the_primary_had_when_it_served_it(
    commits, offsets, first, second, read, delays
) -> None:
    primary = Primary(offsets[0], commits)
    served_by, asked_later = Process(offsets[1]), Process(offsets[2])
    noted = read + delays[0]
    run(served_by, primary, first, noted)
    floor = served_by.history.floor_at(served_by.clock(noted))
    if floor is None:
        return
    free = run(asked_later, primary, second, noted + delays[1])
    position = asked_later.history.position_of(floor)
    assert position is None or position.lsn >= primary.lsn(read)
    # One more sample after all of this, and the question can be answered.
    late = max(free, floor.clock - primary.clock)
    asked_later.sample(primary, late, late, late)
    settled = asked_later.history.position_of(floor)
    assert settled is not None
    assert settled.lsn >= primary.lsn(read)
    assert position is None or settled == position


def test_without_a_sample_no_read_has_a_floor() -> None:
    assert History(SPAN_SECONDS).floor_at(1.0) is None


def test_a_floor_is_answered_by_the_first_sample_after_it() -> None:
    found = History(SPAN_SECONDS)
    for at in range(1, 6):
        found.add(Sample(float(at), Position(7, 1, at * 10), at * MICROSECONDS))
    assert found.position_of(Floor(7, 1, clock=3 * MICROSECONDS)) == Position(7, 1, 30)
    assert found.position_of(Floor(7, 1, clock=3 * MICROSECONDS + 1)) == Position(7, 1, 40)
    assert found.position_of(Floor(7, 1, clock=5 * MICROSECONDS + 1)) is None


def test_a_floor_with_a_position_and_a_time_asks_for_the_higher_of_the_two() -> None:
    found = History(SPAN_SECONDS)
    found.add(Sample(1.0, Position(7, 1, 10), MICROSECONDS))
    assert found.position_of(Floor(7, 1, lsn=5, clock=MICROSECONDS)) == Position(7, 1, 10)
    assert found.position_of(Floor(7, 1, lsn=15, clock=MICROSECONDS)) == Position(7, 1, 15)
    assert found.position_of(Floor(7, 1, lsn=15)) == Position(7, 1, 15)


def test_another_history_never_answers() -> None:
    found = History(SPAN_SECONDS)
    found.add(Sample(1.0, Position(7, 2, 10), MICROSECONDS))
    for system, timeline in ((7, 1), (7, 3), (8, 2)):
        assert found.position_of(Floor(system, timeline, clock=1)) is None
        assert found.position_of(Floor(system, timeline, lsn=1, clock=1)) is None
        position = found.position_of(Floor(system, timeline, lsn=1))
        assert position is not None
        assert not position.is_reached_by(Position(7, 2, 99))


def test_a_clock_that_is_set_back_lets_no_older_sample_answer() -> None:
    found = History(SPAN_SECONDS)
    for at, lsn, clock in ((1.0, 10, 101), (2.0, 20, 102), (3.0, 30, 92), (4.0, 40, 93)):
        found.add(Sample(at, Position(7, 1, lsn), clock * MICROSECONDS))
    floor = found.floor_at(4.5)
    assert floor is not None
    assert found.position_of(floor) is None
    found.add(Sample(5.0, Position(7, 1, 50), 94 * MICROSECONDS))
    assert found.position_of(floor) == Position(7, 1, 50)
    # What was seen before the clock was set back is answered for once the clock is there again.
    assert found.position_of(Floor(7, 1, clock=102 * MICROSECONDS)) is None


def test_while_a_primary_is_idle_its_position_answers_for_ever_later_times() -> None:
    found = History(SPAN_SECONDS)
    for at in range(1, 6):
        found.add(Sample(float(at), Position(7, 1, 10), at * MICROSECONDS))
    assert found.position_of(Floor(7, 1, clock=5 * MICROSECONDS)) == Position(7, 1, 10)
