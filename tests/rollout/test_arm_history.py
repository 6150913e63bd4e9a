"""Merging what is stored of arms: nothing lost, and nothing that a running stage still needs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollout.arm_history import drop_before, merge
from rollout.measuring import Period, measure, recorded
from rollout.models import ArmCount, Side

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
LONG_AGO = timedelta(hours=2)


def count(ago: timedelta, side: Side = Side.REPLICA, **fields: Any) -> ArmCount:
    facts: dict[str, Any] = {"target_kind": "endpoint", "target": "names", "revision": 7, "units": 1, **fields}
    return ArmCount(starts_at=NOW - ago, span_seconds=10, side=side, **facts)


def test_all_rows_of_an_arm_become_one_for_each_minute() -> None:
    ArmCount.objects.bulk_create(
        [
            count(LONG_AGO, units=3, failed=1, durations={"40": 2, "41": 1}, reads=4, fallbacks=1, lag_seconds=0.5),
            count(LONG_AGO - timedelta(seconds=2), units=2, durations={"40": 2}, reads=1, lag_seconds=2.5),
            count(LONG_AGO, Side.PRIMARY, units=9),
            count(LONG_AGO, revision=8),
            count(LONG_AGO - timedelta(minutes=1)),
        ]
    )
    assert merge(NOW, "default") == 1
    row = ArmCount.objects.get(units=5)
    assert (row.starts_at, row.span_seconds) == (datetime(2026, 3, 1, 10, 34, tzinfo=UTC), 60)
    assert (row.failed, row.reads, row.fallbacks, row.lag_seconds) == (1, 5, 1, 2.5)
    assert row.durations == {"40": 4, "41": 1}
    assert merge(NOW, "default") == 0


rows = st.builds(
    count,
    st.integers(0, 8_000).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from(Side),
    revision=st.integers(1, 3),
    units=st.integers(1, 5),
    durations=st.dictionaries(st.sampled_from(["0", "7", "93"]), st.integers(1, 9)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(rows, max_size=30))
def test_no_merging_changes_a_sum(stored: list[ArmCount]) -> None:
    ArmCount.objects.all().delete()
    ArmCount.objects.bulk_create(stored)
    before = sums()
    merge(NOW, "default")
    assert sums() == before


def sums() -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in ArmCount.objects.all():
        key = (row.starts_at.replace(second=0), row.side, row.revision)
        found[*key, "units"] += row.units
        for bucket, number in row.durations.items():
            found[*key, bucket] += number
    return found


def test_what_is_not_an_hour_old_is_left_for_the_running_stage() -> None:
    ArmCount.objects.bulk_create([count(timedelta(minutes=50)), count(timedelta(minutes=50))])
    assert merge(NOW, "default") == 0
    assert ArmCount.objects.count() == 2


def test_what_was_merged_is_history_and_no_news() -> None:
    ArmCount.objects.bulk_create([count(LONG_AGO), count(LONG_AGO)])
    merge(NOW, "default")
    assert measure(Period("endpoint", "names", 0, 1, NOW - LONG_AGO), None, "default").window is None
    (window,) = recorded("endpoint", "names", NOW - 2 * LONG_AGO, NOW, "default")
    assert window.replica.units == 2


def test_what_is_too_old_goes() -> None:
    ArmCount.objects.bulk_create([count(LONG_AGO), count(timedelta(0))])
    assert drop_before(NOW - timedelta(hours=1), "default") == 1
    assert ArmCount.objects.get().starts_at == NOW
