"""Merging counts into longer spans: nothing lost, nothing counted twice."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollout.models import Tally, TallyKind
from rollout.rollup import STEPS, Step, drop_before, merge
from tests.rollout.support import TIMEOUT_SECONDS, Worker, wait_for_lock

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
SERIES = ("kind", "cluster", "alias", "endpoint", "model", "reason", "candidate")
LONGEST = max(step.into_seconds for step in STEPS)


def tally(ago: timedelta, count: int = 1, span: int = 10, **values: Any) -> Tally:
    series = {
        "kind": TallyKind.DECISION,
        "cluster": "default",
        "alias": "replica1",
        "endpoint": "names",
        "model": "shop.Product",
        "reason": "routed",
    }
    return Tally(starts_at=NOW - ago, span_seconds=span, count=count, **{**series, **values})


def store(*tallies: Tally) -> None:
    Tally.objects.bulk_create(tallies)


def sums() -> Counter[tuple[object, ...]]:
    """Return the counts by series and hour, which no merging may change."""
    found: Counter[tuple[object, ...]] = Counter()
    for row in Tally.objects.all():
        hour = row.starts_at.replace(minute=0, second=0, microsecond=0)
        found[hour, *(getattr(row, name) for name in SERIES)] += row.count
    return found


def rows() -> list[tuple[datetime, int, int]]:
    return sorted(Tally.objects.values_list("starts_at", "span_seconds", "count"))


def at(hour: int, minute: int = 0, *, days_ago: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute, second=0) - timedelta(days_ago)


def test_counts_of_one_minute_become_one_row_once_they_are_ten_minutes_old() -> None:
    store(*(tally(timedelta(minutes=20, seconds=second), count=2) for second in (0, 10, 20, 50)))
    assert merge(NOW, "default") == 3
    assert rows() == [(at(12, 14), 60, 8)]


def test_counts_of_one_hour_become_one_row_once_they_are_two_days_old() -> None:
    store(*(tally(timedelta(days=3, minutes=minute), span=60) for minute in range(30)))
    assert merge(NOW, "default") == 29
    assert rows() == [(at(12, days_ago=3), 3600, 30)]


def test_counts_that_nobody_merged_for_days_go_straight_into_hours() -> None:
    store(*(tally(timedelta(days=3, seconds=10 * number)) for number in range(180)))
    merge(NOW, "default")
    assert rows() == [(at(12, days_ago=3), 3600, 180)]


def test_rows_of_different_spans_become_one() -> None:
    old = timedelta(days=3)
    store(tally(old, count=1, span=10), tally(old, count=2, span=60), tally(old, count=4, span=600))
    assert merge(NOW, "default", [Step(timedelta(days=2), into_seconds=3600)]) == 2
    assert rows() == [(at(12, days_ago=3), 3600, 7)]


def test_rows_that_were_merged_are_not_written_again() -> None:
    store(*(tally(timedelta(days=days)) for days in (1, 2, 3, 4)))
    merge(NOW, "default")
    written = set(Tally.objects.values_list("pk", flat=True))
    merge(NOW, "default")
    assert set(Tally.objects.values_list("pk", flat=True)) == written


def test_what_the_page_shows_live_is_left_alone() -> None:
    store(*(tally(timedelta(seconds=6 + 10 * number)) for number in range(60)))
    before = rows()
    assert merge(NOW, "default") == 0
    assert rows() == before


def test_what_many_processes_wrote_for_the_same_ten_seconds_becomes_one_row_as_soon_as_they_are_over() -> None:
    over, current = timedelta(seconds=46), timedelta(seconds=26)
    store(*(tally(ago, count=2) for ago in (over, current) for _ in range(5)))
    assert merge(NOW, "default") == 4
    assert rows() == [(NOW - over, 10, 10), *[(NOW - current, 10, 2)] * 5]
    assert merge(NOW + timedelta(seconds=20), "default") == 4
    assert rows() == [(NOW - over, 10, 10), (NOW - current, 10, 10)]


def test_what_was_gathered_is_not_written_again_for_as_long_as_the_page_shows_it_live() -> None:
    ago = timedelta(minutes=5)
    store(tally(ago), tally(ago))
    assert merge(NOW, "default") == 0
    assert merge(NOW - ago + timedelta(minutes=1), "default") == 1


def test_counts_of_different_series_are_kept_apart() -> None:
    old = timedelta(hours=1)
    store(tally(old), *(tally(old, **dict[str, Any]({name: "other"})) for name in SERIES))
    before = sums()
    assert merge(NOW, "default") == 0
    assert sums() == before


def test_a_scheduler_that_runs_every_minute_leaves_one_row_per_hour() -> None:
    hours, minutes = 2, 2 * 60
    start = timedelta(days=2, hours=hours, minutes=34, seconds=56)
    store(*(tally(start - timedelta(minutes=number), span=60) for number in range(minutes)))
    for number in range(minutes + 1):
        merge(NOW - timedelta(hours=hours) + timedelta(minutes=number), "default")
    assert rows() == [(at(10, days_ago=2), 3600, 60), (at(11, days_ago=2), 3600, 60)]


def test_the_steps_grow_so_that_each_row_is_merged_in_the_end() -> None:
    ages, spans = [step.after for step in STEPS], [step.into_seconds for step in STEPS]
    assert ages == sorted(ages)
    assert spans == sorted(spans)
    assert all(large % small == 0 for small, large in zip([10, *spans], spans, strict=False))


TALLIES = st.lists(
    st.builds(
        tally,
        st.integers(min_value=0, max_value=5 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))
        | st.integers(min_value=500, max_value=900).map(lambda seconds: timedelta(seconds=seconds)),
        count=st.integers(min_value=0, max_value=2**40),
        span=st.sampled_from([10, 60, 3600]),
        alias=st.sampled_from(["default", "replica1"]),
        candidate=st.sampled_from(["", "replica1"]),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tallies=TALLIES)
def test_merging_keeps_every_sum_and_shortens_no_span_and_has_nothing_to_do_twice(tallies: list[Tally]) -> None:
    Tally.objects.all().delete()
    store(*tallies)
    sums_before, spans_before = sums(), Counter(row.span_seconds for row in Tally.objects.all())
    saved = merge(NOW, "default")
    spans_after = Counter(row.span_seconds for row in Tally.objects.all())
    assert sums() == sums_before
    assert len(tallies) - saved == spans_after.total()
    assert spans_after[10] <= spans_before[10]
    assert min(spans_after, default=LONGEST) >= min(spans_before, default=LONGEST)
    after = rows()
    assert merge(NOW, "default") == 0
    assert rows() == after


def test_sums_may_be_larger_than_a_single_count() -> None:
    store(*(tally(timedelta(hours=1), count=2**61) for _ in range(3)))
    merge(NOW, "default")
    assert [row.count for row in Tally.objects.all()] == [3 * 2**61]


def test_dropping_takes_what_started_before_the_limit() -> None:
    limit = timedelta(days=30)
    store(tally(limit + timedelta(seconds=1)), tally(limit), tally(timedelta(0)))
    assert drop_before(NOW - limit, "default") == 1
    assert [row.starts_at for row in Tally.objects.order_by("starts_at")] == [NOW - limit, NOW]
    assert drop_before(NOW - limit, "default") == 0


def test_a_tally_says_what_it_counted() -> None:
    assert str(tally(timedelta(0), count=3)) == "3 decision on replica1 for names"
    assert str(tally(timedelta(0), endpoint="")) == "1 decision on replica1 for no endpoint"


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_schedulers_at_once_count_nothing_twice(worker: Worker) -> None:
    store(*(tally(timedelta(minutes=20, seconds=number % 60), count=number) for number in range(500)))
    before = sums()
    with transaction.atomic():
        assert merge(NOW, "default") > 0
        other = worker.start(lambda: merge(NOW, "default"))
        wait_for_lock()
    assert other.result(TIMEOUT_SECONDS) == 0
    assert sums() == before


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_schedulers_that_start_together_count_nothing_twice(worker: Worker) -> None:
    together = threading.Barrier(2)
    steps = [Step(timedelta(minutes=10), into_seconds=seconds) for seconds in (20, 60, 300, 600, 3600)]

    def run() -> None:
        together.wait(TIMEOUT_SECONDS)
        merge(NOW, "default", steps)

    for _ in range(5):
        Tally.objects.all().delete()
        store(*(tally(timedelta(minutes=20, seconds=10 * number), count=number) for number in range(500)))
        before = sums()
        other = worker.start(run)
        run()
        other.result(TIMEOUT_SECONDS)
        assert sums() == before
