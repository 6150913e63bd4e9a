"""How primaries stand, and what a primary that is down means for the lag of its replicas."""

import pytest

from rollout.options import Cluster, Replica
from routers.health import Finding, Fitness
from routers.positions import Position
from routers.primaries import Condition, PrimaryStanding, judge_primary
from routers.replicas import Replicas

SILENCE = 2.0
HERE = Position(7, 1, 1000)
CLUSTER = Cluster("default", (Replica("replica1"), Replica("replica2")))


def after(*findings: Finding) -> PrimaryStanding:
    standing = PrimaryStanding()
    for finding in findings:
        standing = judge_primary(standing, finding, SILENCE)
    return standing


@pytest.mark.parametrize(
    ("finding", "condition"),
    [
        (Finding(100, position=HERE), Condition.SERVING),
        (Finding(100, position=HERE, is_standby=True), Condition.DEMOTED),
        (Finding(100, error="connection refused"), Condition.UNREACHABLE),
        (Finding(100, error="no answer", is_silent=True, took=1), Condition.SERVING),
        (Finding(101.5, error="no answer", is_silent=True, took=1), Condition.UNRESPONSIVE),
    ],
)
def test_what_a_primary_is_said_to_be(finding: Finding, condition: Condition) -> None:
    standing = after(Finding(99.9, position=HERE), finding)
    assert standing.condition is condition
    assert standing.is_down == (condition in {Condition.UNREACHABLE, Condition.UNRESPONSIVE})
    assert standing.since == (99.9 if condition is Condition.SERVING else finding.at)


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (Position(7, 1, 2000), ""),
        (Position(7, 2, 2000), "it is on timeline 2, was on 1"),
        (Position(8, 1, 2000), "it belongs to another cluster: its system identifier was 7 and is 8"),
    ],
)
def test_a_failover_is_told_and_remembered(position: Position, words: str) -> None:
    moved = after(Finding(1, position=HERE), Finding(2, error="refused"), Finding(3, position=position))
    assert moved.moved == words
    assert judge_primary(moved, Finding(4, position=position), SILENCE).moved == words


class Known:
    """A registry with a clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.servers = Replicas(clock=lambda: self.now)

    def primary_at(self, now: float, lsn: int) -> None:
        self.now = now
        self.servers.record(CLUSTER, "default", Finding(now, position=Position(7, 1, lsn)))

    def primary_dies_at(self, now: float) -> None:
        self.now = now
        self.servers.record(CLUSTER, "default", Finding(now, error="connection refused"))

    def replica_at(self, now: float, lsn: int, received: int, alias: str = "replica1") -> Fitness:
        self.now = now
        position = Position(7, 1, lsn)
        self.servers.record(CLUSTER, alias, Finding(now, is_standby=True, position=position, received=received))
        return self.servers.standing(alias).fitness


@pytest.fixture
def known() -> Known:
    known = Known()
    known.primary_at(100, 1000)
    assert known.replica_at(100, 1000, received=1000) is Fitness.FIT
    # What was written last never reached the replica.
    known.primary_at(100.5, 1100)
    assert known.replica_at(100.5, 1050, received=1050) is Fitness.FIT
    return known


def test_replicas_of_a_primary_that_is_down_grow_no_older(known: Known) -> None:
    known.primary_dies_at(101)
    for now in (103, 120, 1000):
        known.primary_dies_at(now)
        assert known.replica_at(now, 1050, received=1050) is Fitness.FIT
        assert known.servers.is_primary_down("default")
        assert known.servers.age("replica1") <= 1


def test_while_a_replica_receives_it_is_only_this_process_that_cannot_reach_the_primary(known: Known) -> None:
    for step in range(30):
        known.primary_dies_at(101 + step)
        known.replica_at(101 + step, 1050, received=1050)
        known.replica_at(101 + step, 1100 + step, received=1100 + step, alias="replica2")
        assert not known.servers.is_primary_down("default")
    assert known.servers.standing("replica1").fitness is Fitness.LAGGING


def test_a_primary_that_answers_again_is_up(known: Known) -> None:
    known.primary_dies_at(104)
    assert known.servers.is_primary_down("default")
    known.primary_at(105, 2000)
    assert not known.servers.is_primary_down("default")


def test_after_one_slow_answer_nobody_waits_for_the_next_to_be_slow_as_well(known: Known) -> None:
    slow = Finding(101, is_standby=True, position=Position(7, 1, 1100), took=0.8)
    known.now = 101.8
    known.servers.record(CLUSTER, "replica1", slow)
    assert known.servers.is_fit("replica1")
    known.servers.expect("replica1")
    known.now = 102.3
    assert known.servers.is_fit("replica1")
    known.now = 102.4
    assert not known.servers.is_fit("replica1")
    known.servers.record(CLUSTER, "replica1", Finding(101.8, is_standby=True, position=Position(7, 1, 1100), took=0.1))
    assert known.servers.is_fit("replica1")
