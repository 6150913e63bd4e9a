"""The numbers of the propagation benchmark, of given changes and arrivals."""

import pytest

from benchmarks.bounds import missed
from benchmarks.propagation.changes import Change
from benchmarks.propagation.entry import bounds
from benchmarks.propagation.figures import Times, figures_of
from benchmarks.propagation.wire import Arrival

WORKERS = (1, 2)


def opened(at: float, first: float = 0.01, second: float = 0.01) -> Change:
    return Change(100, at, {1: at + first, 2: at + second})


def closed(at: float, first: float, second: float) -> Change:
    return Change(0, at, {1: at + first, 2: at + second})


def test_a_change_took_until_the_last_statement_that_the_replica_received() -> None:
    changes = [opened(10), closed(20, 0.1, 0.2), opened(30), closed(40, 0.1, 0.2)]
    reads = [Arrival(at, 1) for at in (15.0, 20.03, 20.05, 35.0)]
    figures = figures_of(changes, reads, WORKERS)
    assert figures.acted.max_ms == pytest.approx(50)
    assert figures.acted.p50_ms == pytest.approx(0)
    assert figures.reads == 4


def test_a_change_ends_with_the_next() -> None:
    changes = [opened(10), closed(20, 0.1, 0.1), opened(30)]
    figures = figures_of(changes, [Arrival(20.02, 2), Arrival(30.001, 2)], WORKERS)
    assert figures.acted.max_ms == pytest.approx(20)
    assert figures.stale_reads_after_ack == 0


def test_statements_after_the_sender_s_own_acknowledgement_are_stale() -> None:
    changes = [opened(10), closed(20, 0.1, 0.2)]
    assert figures_of(changes, [Arrival(20.15, 2)], WORKERS).stale_reads_after_ack == 0
    assert figures_of(changes, [Arrival(20.15, 1)], WORKERS).stale_reads_after_ack == 1


def test_a_statement_is_stale_from_the_next_millisecond_on() -> None:
    changes = [opened(10), closed(20, 0.1004, 0.2)]
    assert figures_of(changes, [Arrival(20.1, 1)], WORKERS).stale_reads_after_ack == 0
    assert figures_of(changes, [Arrival(20.101, 1)], WORKERS).stale_reads_after_ack == 1


def test_others_than_the_workers_do_not_count() -> None:
    changes = [opened(10), Change(0, 20, {1: 20.1, 2: 20.1, 3: 20.1})]
    figures = figures_of(changes, [Arrival(25, 3)], WORKERS)
    assert (figures.acted.max_ms, figures.stale_reads_after_ack, figures.reads) == (0, 0, 0)


def test_acknowledgements_of_all_changes_are_counted_by_the_last_worker() -> None:
    changes = [opened(10, 0.3, 0.1), closed(20, 0.1, 0.2)]
    figures = figures_of(changes, [], WORKERS)
    assert figures.acknowledged.max_ms == pytest.approx(300)
    assert figures.acknowledged.p50_ms == pytest.approx(200)


def test_bounds_that_are_missed_are_said_in_words() -> None:
    late = figures_of([opened(10), closed(20, 0.1, 0.1)], [Arrival(20.3, 1)], WORKERS).as_json()
    of_late = ["p99_ms is 300, the bound is at most 250", "stale_reads_after_ack is 1, the bound is at most 0"]
    assert missed(bounds(late)) == of_late
    unheard = figures_of([opened(10), Change(0, 20, {1: 20.1})], [], WORKERS).as_json()
    assert missed(bounds(unheard)) == ["unacknowledged is 1, the bound is at most 0"]
    assert missed(bounds(figures_of([], [], WORKERS).as_json())) == ["p99_ms is null, the bound is at most 250"]


def test_who_polls_has_the_time_of_a_poll_besides() -> None:
    polled = figures_of([opened(10), closed(20, 1.25, 1.25)], [Arrival(21.25, 1)], WORKERS).as_json()
    assert missed(bounds({"without_listener": polled})) == []
    late = figures_of([opened(10), closed(20, 1.3, 1.3)], [Arrival(21.251, 1)], WORKERS).as_json()
    assert missed(bounds({"without_listener": late})) == [
        "without_listener.p99_ms is 1,251, the bound is at most 1,250"
    ]


def test_numbers_are_rounded_to_what_they_are_worth() -> None:
    assert Times.of([0.0123456, 0.02]).as_json() == {"p50_ms": 12.3, "p99_ms": 20.0, "max_ms": 20.0}
    assert Times.of([]).as_json() == {"p50_ms": None, "p99_ms": None, "max_ms": None}
