"""Merging what is stored of endpoints: nothing lost, and spans that grow with age."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollout.endpoint_history import COUNTS, drop_before, merge
from rollout.models import EndpointCount

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


def count(ago: timedelta, endpoint: str = "names", **fields: Any) -> EndpointCount:
    return EndpointCount(starts_at=NOW - ago, endpoint=endpoint, **{"span_seconds": 10, "units": 1, **fields})


def test_all_rows_of_an_endpoint_become_one_for_each_minute_once_nobody_watches_them_live() -> None:
    old = timedelta(minutes=15)
    EndpointCount.objects.bulk_create(
        [
            count(old, units=3, failed=1, safe_writes=1, durations={"40": 2, "41": 1}),
            count(old + timedelta(seconds=2), units=2, writes_after_reads=1, with_token=2, durations={"40": 2}),
            count(old, "elsewhere", units=9),
            count(timedelta(minutes=5)),
        ]
    )
    assert merge(NOW, "default") == 1
    row = EndpointCount.objects.get(units=5)
    assert (row.starts_at, row.span_seconds) == (datetime(2026, 3, 1, 12, 19, tzinfo=UTC), 60)
    assert [getattr(row, name) for name in COUNTS] == [5, 1, 1, 1, 2]
    assert row.durations == {"40": 4, "41": 1}
    assert merge(NOW, "default") == 0


def test_what_many_processes_wrote_for_the_same_ten_seconds_becomes_one_row_as_soon_as_they_are_over() -> None:
    EndpointCount.objects.bulk_create(count(timedelta(seconds=46), durations={"40": 1}) for _ in range(5))
    assert merge(NOW, "default") == 4
    assert EndpointCount.objects.values_list("span_seconds", "units", "durations").get() == (10, 5, {"40": 5})


def test_after_two_days_one_row_is_left_for_each_hour() -> None:
    EndpointCount.objects.bulk_create(count(timedelta(days=3, minutes=minute), span_seconds=60) for minute in range(30))
    assert merge(NOW, "default") == 29
    assert EndpointCount.objects.values_list("span_seconds", "units").get() == (3600, 30)


rows = st.builds(
    count,
    st.integers(0, 5 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from(["names", "elsewhere"]),
    span_seconds=st.sampled_from([10, 60, 3600]),
    units=st.integers(0, 2**40),
    with_token=st.integers(0, 5),
    safe_writes=st.integers(0, 5),
    durations=st.dictionaries(st.sampled_from(["0", "7", "93"]), st.integers(1, 9)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(rows, max_size=30))
def test_no_merging_changes_a_sum(stored: list[EndpointCount]) -> None:
    EndpointCount.objects.all().delete()
    EndpointCount.objects.bulk_create(stored)
    before = sums()
    merge(NOW, "default")
    assert sums() == before


def sums() -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in EndpointCount.objects.all():
        key = (row.starts_at.replace(minute=0, second=0), row.endpoint)
        for name in COUNTS:
            found[*key, name] += getattr(row, name)
        for bucket, number in row.durations.items():
            found[*key, bucket] += number
    return +found


def test_what_is_too_old_goes() -> None:
    EndpointCount.objects.bulk_create([count(timedelta(hours=2)), count(timedelta(0))])
    assert drop_before(NOW - timedelta(hours=1), "default") == 1
    assert EndpointCount.objects.get().starts_at == NOW
