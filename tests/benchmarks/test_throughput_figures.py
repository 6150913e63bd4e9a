"""What the throughput benchmark makes of its windows, and which bounds it tells."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.throughput.configurations import MOVED, ONE, PEERS, PRIMARY_ONLY, TWO, WITH_WRITES
from benchmarks.throughput.entry import bounds
from benchmarks.throughput.figures import Figures, Window
from benchmarks.throughput.measures import Snapshot, Work, work

ALONE = ((100.0, 0.2), (0.0, 0.0), (0.0, 0.0))
SHARED = ((90.0, 0.19), (95.0, 0.2), (85.0, 0.18))
GONE = ((2.0, 0.01), (100.0, 0.2), (98.0, 0.2))


def window(*servers: tuple[float, float], **more: Any) -> Window:
    defaults = {"took": (0.1, 0.2), "seconds": 2.0, "clients": 0.5, "idle": 0.4}
    return Window([Work(*server) for server in servers], **{**defaults, **more})


def figures(windows: Mapping[str, Any] | None = None, share: float | None = 0.2) -> Figures:
    found = Figures(share, "" if share else "nobody may")
    for name, of_it in {PRIMARY_ONLY: [ALONE], TWO: [SHARED], MOVED: [GONE], **(windows or {})}.items():
        for servers in of_it:
            found.add(name, servers if isinstance(servers, Window) else window(*servers))
    return found


def test_ratios_are_those_of_medians_over_the_rounds() -> None:
    twice = tuple((2 * reads, used) for reads, used in SHARED)
    result = figures({TWO: [SHARED, twice, SHARED], PRIMARY_ONLY: [ALONE, ALONE, SHARED]}).as_json()
    assert result["ratio_two_replicas"] == 2.7
    assert result[TWO]["reads_per_second"] == 270
    assert result[TWO]["reads_by_server"] == [90, 95, 85]
    assert result["rounds"] == 3


def test_what_left_the_primary_is_counted_on_the_servers() -> None:
    assert figures().as_json()["primary_reads_moved"] == 0.99


def test_the_contract_of_the_last_line_is_kept() -> None:
    result = figures().as_json()
    assert {PRIMARY_ONLY, ONE, TWO, "ratio_two_replicas", "primary_reads_moved", "cpu_share"} <= result.keys()
    assert result["cpu_share"] == 0.2
    assert set(result["peers"]) == set(PEERS)


def test_what_meets_every_bound_misses_none() -> None:
    assert missed(bounds(figures().as_json())) == []
    assert list(figures().unsound()) == []


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ({TWO: [((86, 0.2), (86, 0.2), (87, 0.2))]}, "ratio_two_replicas is 2.59"),
        ({MOVED: [((6, 0.1), (47, 0.2), (47, 0.2))]}, "primary_reads_moved is 0.94"),
        ({MOVED: [window(*GONE, errors=Counter({"shop:report: answered 500": 2}))]}, "moved.errors is 2"),
    ],
)
def test_each_bound_is_told_when_it_is_missed(windows: dict[str, Any], words: str) -> None:
    (told,) = missed(bounds(figures(windows).as_json()))
    assert told.startswith(words)


def test_servers_that_are_not_at_their_limit_prove_nothing() -> None:
    (told,) = figures({TWO: [((90, 0.17), (90, 0.15), (90, 0.16))]}).unsound()
    assert told.startswith("two_replicas: the busiest server used 85% of its share")


def test_without_a_share_ratios_are_by_processor_time_and_the_bound_is_not_judged() -> None:
    # Three servers take as much for as many reads as the primary alone, but for a third of it each.
    same = ((30.0, 0.1), (30.0, 0.1), (30.0, 0.1))
    found = figures({PRIMARY_ONLY: [((90.0, 0.21), (0, 0), (0, 0))], TWO: [same]}, share=None)
    result = found.as_json()
    assert (result["cpu_share"], result["cpu_share_reason"]) == (None, "nobody may")
    assert result["ratio_two_replicas"] == result["ratio_by_processor_time"] == 2.1
    told = bounds(found.as_json())
    assert missed(told) == []
    assert "nobody may" in told[0].unjudged


def test_windows_with_writes_are_compared_with_the_primary_that_has_writes() -> None:
    half = tuple((reads / 2, used) for reads, used in ALONE)
    writes = {PRIMARY_ONLY + WITH_WRITES: [half], TWO + WITH_WRITES: [SHARED], MOVED + WITH_WRITES: [GONE]}
    result = figures(writes).as_json()["with_writes"]
    assert (result["ratio_two_replicas"], result["primary_reads_moved"]) == (5.4, 0.99)
    assert result[TWO]["ratio"] == 5.4


def test_servers_are_measured_by_their_own_clocks() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    done = work(Snapshot(begin, 100, 1.0), Snapshot(begin + timedelta(seconds=4), 300, 1.8))
    assert (done.reads, round(done.processors, 6)) == (50, 0.2)
