"""What the benchmark of large sites makes of its measurements: the traffic, the products, and the bounds."""

from collections import Counter
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.bounds import missed
from benchmarks.scale.computed import Large
from benchmarks.scale.entry import bounds
from benchmarks.scale.mix import Mix
from benchmarks.scale.project import endpoint
from benchmarks.scale.writers import serve
from rollout.options import Settings
from rollout.rollup import Step
from routers.arms import arms
from routers.endpoint_meter import endpoint_meter
from routers.meter import Meter

STEPS = (Step(timedelta(minutes=10), into_seconds=60), Step(timedelta(days=2), into_seconds=3600))
LARGE = Large(processes=1_000, rules=10_000, merged_rows=1_000, gathered_after=30.0, arms_after=3_600.0, steps=STEPS)
RELOAD = {
    "10000": {"primary_cpu_ms": 30.0, "kilobytes": 2_000.0},
    "kill_switch": {"primary_cpu_ms": 0.25},
}
GOOD: dict[str, Any] = {
    "idle": {"notify": {"seconds_to_the_last": 0.5}},
    "merge": {"counts_lost": 0},
    "computed": {"change": {"kill_switch_core_seconds": 0.3}, "statistics": {"60": {"merge_cores": 0.1}}},
}


def test_a_process_sees_the_same_traffic_each_time_and_another_one_other_traffic() -> None:
    mix = Mix(reads_per_second=100)
    seen = list(mix.visits(1, 10))
    assert seen == list(mix.visits(1, 10))
    assert seen != list(mix.visits(2, 10))
    assert len(seen) * mix.reads_per_unit == 1_000


def test_the_busiest_endpoint_is_asked_twice_as_often_as_the_second() -> None:
    asked = Counter(visit.endpoint for visit in Mix(reads_per_second=100_000).visits(0, 10))
    assert asked[endpoint(0)] == pytest.approx(2 * asked[endpoint(1)], rel=0.1)
    assert len(asked) == 100


def test_after_long_enough_a_process_has_counted_everything_that_can_be() -> None:
    mix, meter = Mix(reads_per_second=100, endpoints=20), Meter()
    endpoint_meter.take()
    arms.take()
    serve(meter, mix, process=0, seconds=600)
    joined = sum(bool(outcomes.units) for both in arms.take().values() for outcomes in both.values())
    assert len(meter.take()) + len(endpoint_meter.take()) + joined == mix.distinct_rows


def test_a_change_is_read_by_every_process() -> None:
    assert LARGE.change(RELOAD, {"primary_cpu_ms": 50.0}) == {
        "primary_core_seconds": 30.0,
        "megabytes": 2_000.0,
        "kill_switch_core_seconds": 0.3,
    }


def test_what_goes_on_all_the_time_is_a_cost_for_each_pause() -> None:
    costs = {"primary_cpu_ms": 0.15}
    idle = {
        "poll": costs,
        "turns": {"poll": {"primary_cpu_ms": 0.1}, "heartbeat": costs, "plans": costs},
        "memory_mb_per_connection": 2.048,
    }
    assert LARGE.background(RELOAD, idle, Settings()) == {
        "polls_per_second": 1_333,
        "poll_cores": 0.2,
        "heartbeat_cores": 0.015,
        "plans_cores": 0.05,
        "reload_cores": 1.333,
        "reload_megabytes_per_second": 88.9,
        "reload_cores_every_10_minutes": 0.067,
        "connections_gb": 2.0,
    }


def test_counts_cost_less_with_a_longer_pause_between_two_flushes() -> None:
    flush = {
        "rows_per_flush": {"tally": 80.0, "endpointcount": 15.0, "armcount": 5.0},
        "primary_cpu_ms_per_flush": 2.0,
        "wal_kilobytes_per_flush": 30.0,
    }
    merged = {"primary_cpu_ms_per_1000_rows": 2.0, "wal_bytes_per_row": 100.0}
    assert LARGE.statistics(flush, merged, 2.0) == {
        "rows_per_second": 50_000,
        "write_cores": 1.0,
        "merge_cores": 0.1,
        "wal_megabytes_per_second": 20.0,
        "unmerged_rows": 47_500 * 100 + 2_500 * 3_670,
    }
    assert LARGE.statistics(flush, merged, 20.0)["rows_per_second"] == 5_000


def test_what_is_kept_are_minutes_and_then_hours() -> None:
    # Two days of minutes, and 28 days of hours.
    assert LARGE.kept({"bytes_per_row": 200}, Settings()) == {
        "rows_per_day": 1_440_000,
        "rows": 1_000 * (2 * 1_440 + 28 * 24),
        "gigabytes": 0.71,
    }


def test_a_run_within_all_bounds_misses_none() -> None:
    assert missed(bounds(GOOD)) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("idle", "notify", "seconds_to_the_last"), 1.1, "seconds_to_the_last is 1.1"),
        (("merge", "counts_lost"), -3, "counts_lost is -3"),
        (("computed", "change", "kill_switch_core_seconds"), 1.1, "kill_switch_core_seconds is 1.1"),
        (("computed", "statistics", "60", "merge_cores"), 1.1, "merge_cores is 1.1"),
    ],
)
def test_a_missed_bound_is_said(path: tuple[str, ...], value: float, words: str) -> None:
    figures = deepcopy(GOOD)
    place = figures
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    (said,) = missed(bounds(figures))
    assert words in said
