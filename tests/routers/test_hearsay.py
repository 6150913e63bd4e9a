"""What another process found, beside what this one finds itself."""

import pytest

from rollout.options import Cluster, Replica
from routers.health import Finding, Fitness
from routers.positions import Position
from routers.replicas import Replicas

CLUSTER = Cluster("default", (Replica("replica1"), Replica("replica2")))
HERE = Position(7, 1, 1000)


def good(at: float, slack: float = 0.0) -> Finding:
    return Finding(at, is_standby=True, position=HERE, slack=slack)


@pytest.fixture
def known() -> Replicas:
    """A primary that was asked, and a replica that was not."""
    found = Replicas(clock=lambda: 100.0)
    found.record(CLUSTER, "default", Finding(99.0, position=HERE))
    return found


def fitness(known: Replicas) -> Fitness:
    return known.standing("replica1").fitness


def test_what_another_process_found_counts_like_an_own_finding(known: Replicas) -> None:
    known.hear(CLUSTER, "replica1", good(99.1, slack=0.3))
    assert known.is_fit("replica1")
    known.hear(CLUSTER, "replica1", Finding(99.5, error="gone"))
    assert fitness(known) is Fitness.UNREACHABLE


def test_what_is_older_than_an_own_finding_or_may_be_is_not_heard(known: Replicas) -> None:
    known.record(CLUSTER, "replica1", good(99.5))
    known.hear(CLUSTER, "replica1", Finding(99.4, error="gone", slack=0.3))
    assert known.is_fit("replica1")


def test_nobody_is_believed_about_a_server_that_did_not_answer_this_process(known: Replicas) -> None:
    known.hear(CLUSTER, "replica1", good(99.0))
    known.record(CLUSTER, "replica1", Finding(99.1, error="broken", is_told=True))
    known.hear(CLUSTER, "replica1", good(99.5))
    assert fitness(known) is Fitness.UNREACHABLE
    known.record(CLUSTER, "replica1", good(99.6))
    known.hear(CLUSTER, "replica1", good(99.9))
    assert fitness(known) is Fitness.RECOVERING


def test_a_doubt_of_another_process_lasts_until_it_ends_or_the_server_answers_this_one(known: Replicas) -> None:
    both = frozenset({"replica1", "replica2"})
    known.doubt(CLUSTER, both)
    known.doubt(Cluster("ledger"), frozenset())
    assert all(map(known.is_in_doubt, both))
    known.record(CLUSTER, "replica1", good(99.9))
    assert [known.is_in_doubt(alias) for alias in sorted(both)] == [False, True]
    known.doubt(CLUSTER, frozenset())
    assert not any(map(known.is_in_doubt, both))


def test_a_process_that_forgets_knows_nothing_of_what_it_heard(known: Replicas) -> None:
    known.record(CLUSTER, "replica1", Finding(99.1, error="broken"))
    known.doubt(CLUSTER, frozenset({"replica2"}))
    known.forget()
    known.hear(CLUSTER, "default", Finding(98.0, position=HERE))
    known.hear(CLUSTER, "replica1", good(99.0))
    assert known.is_fit("replica1")
    assert not known.is_in_doubt("replica2")
