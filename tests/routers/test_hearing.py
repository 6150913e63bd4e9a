"""Findings that another process made, dated by the clock of this one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from routers.health import Finding
from routers.hearing import Heard, Hearing
from routers.lag import MICROSECONDS, History, Sample
from routers.positions import Position
from routers.rounds import Round

ALIAS = "replica1"


@dataclass
class World:
    """A leader, a cache and a follower. Only this world knows the true time; each of the others has a clock.

    leader, follower, primary: how far the clocks of the three are ahead of the true time. Each `next()` of `leading()`
    and `following()` is something that takes any time until the next.
    """

    leader: float
    follower: float
    primary: float
    now: float = 0.0
    stored: Round | None = None
    is_lossy: bool = False
    asked_at: dict[int, float] = field(default_factory=dict)
    history: History = field(default_factory=lambda: History(span_seconds=1e6))
    hearing: Hearing = field(default_factory=Hearing)
    slack: float = math.inf

    def leading(self) -> Iterator[None]:
        """Ask a server, tell what it said, and read that back, again and again."""
        confirmed: dict[int, float] = {}
        for number in count(1):
            asked_at = self.now
            yield
            clock = math.floor((self.now + self.primary) * MICROSECONDS)
            self.asked_at[clock] = asked_at
            finding = Finding(asked_at + self.leader, position=Position(7, 1, round(self.now * 1000)), clock=clock)
            yield
            told = Round("one", number, self.now + self.leader, dict(confirmed), {ALIAS: finding})
            yield
            if not self.is_lossy:
                self.stored = told
            yield
            if self.stored is told:
                yield
                confirmed[number] = self.now + self.leader

    def following(self) -> Iterator[None]:
        """Read the cache again and again, and check what comes of it."""
        while True:
            began = self.now + self.follower
            yield
            shown = self.stored
            yield
            heard = self.hearing.hear(began, self.now + self.follower, shown)
            for finding in heard.findings.values() if heard else ():
                truth = self.asked_at[finding.clock] + self.follower
                assert finding.at <= truth + _NOTHING_SECONDS
                assert finding.asked_by >= truth - _NOTHING_SECONDS
                assert finding.position is not None
                self.slack = finding.slack
                self.history.add(Sample(finding.at, finding.position, finding.clock))

    def check_floor(self) -> None:
        """Check that the floor of a read which the primary serves now is not below what it has, by its own clock."""
        floor = self.history.floor_at(self.now + self.follower)
        assert floor is None or floor.clock >= (self.now + self.primary - _NOTHING_SECONDS) * MICROSECONDS


OFFSETS = st.floats(-1e4, 1e4)
WORLDS = st.builds(World, OFFSETS, OFFSETS, OFFSETS)
KINDS, WEIGHTS = ("lead", "follow", "lose", "empty"), (20, 20, 1, 1)
_NOTHING_SECONDS = 1e-5  # what numbers of this size lose, and clocks of whole microseconds


@given(WORLDS, st.integers())
def test_nothing_is_believed_to_be_younger_than_it_is(world: World, seed: int) -> None:
    # Chosen by a generator: what hypothesis chooses itself is too short to be heard.
    random = Random(seed)  # noqa: S311 - repeatable
    leading, following = world.leading(), world.following()
    for kind in random.choices(KINDS, WEIGHTS, k=300):
        world.now += random.choice((0.0, 0.01, 0.3)) * random.random()
        match kind:
            case "lead":
                next(leading)
            case "follow":
                next(following)
            case "lose":
                world.is_lossy = not world.is_lossy
            case "empty":
                world.stored = None
        world.check_floor()


@given(WORLDS, st.integers(40, 100))
def test_a_steady_leader_is_heard_with_little_doubt(world: World, steps: int) -> None:
    leading, following = world.leading(), world.following()
    for _ in range(steps):
        world.now += 0.05
        next(leading)
        next(following)
    # A round takes 0.25 seconds, and a read 0.1.
    assert world.slack < 0.5


def told(number: int, at: float, owner: str = "one", **confirmed: float) -> Round:
    return Round(owner, number, at, {int(key[1:]): value for key, value in confirmed.items()}, {ALIAS: Finding(at)})


def test_a_key_that_was_empty_before_makes_the_second_round_count() -> None:
    hearing = Hearing()
    assert hearing.hear(10.0, 10.1, None) is None
    assert hearing.hear(10.2, 10.3, told(1, 50.1)) is None
    heard = hearing.hear(10.4, 10.5, told(2, 50.3, _1=50.2))
    assert heard is not None
    # Round 1 was written after 10.0 here and before 50.2 there.
    assert abs(heard.findings[ALIAS].at - 10.1) < _NOTHING_SECONDS


def test_a_round_that_was_heard_before_says_nothing_new() -> None:
    hearing = Hearing()
    second = told(2, 50.3, _1=50.2)
    hearing.hear(10.0, 10.1, None)
    hearing.hear(10.2, 10.3, told(1, 50.1))
    assert hearing.hear(10.4, 10.5, second)
    assert hearing.hear(10.6, 10.7, second) is None
    # The next round repeats a finding.
    third = Round("one", 3, 50.5, {2: 50.4}, second.findings, frozenset({ALIAS}))
    assert hearing.hear(10.8, 10.9, third) == Heard({}, frozenset({ALIAS}))


def test_a_cache_that_comes_back_from_an_old_copy_is_not_believed() -> None:
    hearing = Hearing()
    hearing.hear(10.0, 10.1, None)
    hearing.hear(10.2, 10.3, told(1, 50.1))
    hearing.hear(10.4, 10.5, told(2, 50.3, _1=50.2))
    hearing.hear(10.6, 10.7, told(1, 50.1))
    # The leader has confirmed round 2 before it was lost; the read at 10.6 did not show it any more.
    assert hearing.hear(10.8, 10.9, told(3, 50.5, _1=50.2, _2=50.4)) is None


def test_another_leader_s_clock_is_another_clock() -> None:
    hearing = Hearing()
    hearing.hear(10.0, 10.1, None)
    hearing.hear(10.2, 10.3, told(1, 50.1))
    hearing.hear(10.4, 10.5, told(2, 50.3, _1=50.2))
    assert hearing.hear(10.6, 10.7, told(3, 90.0, "two", _1=50.2)) is None


def test_a_bound_that_is_older_than_clocks_are_steady_is_given_up() -> None:
    hearing = Hearing()
    hearing.hear(10.0, 10.1, None)
    hearing.hear(10.2, 10.3, told(1, 50.1))
    assert hearing.hear(10.4, 10.5, told(2, 50.3, _1=50.2))
    assert hearing.hear(20.0, 20.1, told(60, 59.9, _59=59.8)) is None
