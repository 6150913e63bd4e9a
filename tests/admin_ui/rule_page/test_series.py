"""What both arms did over time, read from what processes and workers have stored."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from admin_ui.rule_page.lengths import LENGTHS, Length, parse_length
from admin_ui.rule_page.reasons import add_up, read_reasons
from admin_ui.rule_page.series import NOTHING, read_series
from rollout.arm_history import merge
from rollout.models import ArmCount, Side, TargetKind
from rollout.outcomes import Outcome
from rollout.windows import begin_of, bucket_of
from tests.admin_ui.support import count_reads
from tests.support import route
from tests.tasks.reporting.reported import store

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 3, 12, 47, tzinfo=UTC)
HOUR, DAY, WEEK = LENGTHS


def arm(at: datetime, side: Side = Side.REPLICA, **fields: Any) -> ArmCount:
    facts = {"target_kind": "endpoint", "target": "shop:product-list", "revision": 7, "units": 1, **fields}
    return ArmCount(starts_at=at, span_seconds=10, side=side, **facts)


def ago(**length: int) -> datetime:
    return NOW - timedelta(**length)


def durations(*seconds: float) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in seconds:
        found[str(bucket_of(each))] = found.get(str(bucket_of(each)), 0) + 1
    return found


def test_what_processes_stored_within_a_minute_adds_up_by_arm() -> None:
    rows = [
        arm(ago(seconds=100), units=3, failed=1, durations=durations(0.01, 0.01, 0.3), lag_seconds=0.5),
        arm(ago(seconds=105), units=1, durations=durations(0.01), lag_seconds=2.5),
        arm(ago(seconds=100), Side.PRIMARY, units=9, durations=durations(0.02), lag_seconds=0.1),
        arm(ago(seconds=100), target="names"),
        arm(ago(seconds=100), target_kind="model"),
        arm(ago(hours=2), units=50),
    ]
    ArmCount.objects.bulk_create(rows)
    found = read_series(route(), HOUR.window(NOW), "default")
    assert [index for index, bucket in enumerate(found.replica) if bucket != NOTHING] == [59]
    bucket = found.replica[59]
    assert (bucket.units, bucket.failed, bucket.error_share) == (4, 1, 0.25)
    assert bucket.p50 == begin_of(bucket_of(0.01)) == pytest.approx(0.01, rel=0.15)
    assert bucket.p95 == begin_of(bucket_of(0.3))
    assert (found.primary[59].units, found.primary[59].p50) == (9, begin_of(bucket_of(0.02)))
    assert found.lag[59] == 2.5
    assert set(found.lag[:59]) == {None}


def test_a_unit_without_a_duration_counts_and_has_no_percentile() -> None:
    arm(ago(seconds=10), units=2, failed=0).save()
    bucket = read_series(route(), HOUR.window(NOW), "default").replica[-1]
    assert (bucket.units, bucket.error_share, bucket.p50, bucket.p95) == (2, 0.0, None, None)


@pytest.mark.parametrize("length", LENGTHS)
def test_merging_changes_nothing_that_is_shown(length: Length) -> None:
    ArmCount.objects.bulk_create(
        arm(ago(minutes=61 * number), units=number, durations={"40": number}, lag_seconds=number)
        for number in range(1, 30)
    )
    rule = route()
    before = read_series(rule, length.window(NOW), "default")
    merge(NOW, "default")
    assert ArmCount.objects.filter(span_seconds=60).exists()
    assert read_series(rule, length.window(NOW), "default") == before


def test_staleness_is_that_of_the_rules_own_stale_reads() -> None:
    store(1, age=timedelta(), outcome=Outcome.CAUGHT_UP, staleness_ms=400.0, compared_at=ago(seconds=30))
    store(
        1, age=timedelta(), outcome=Outcome.CAUGHT_UP, staleness_ms=9e6, compared_at=ago(seconds=30), endpoint="names"
    )
    store(1, age=timedelta(), outcome=Outcome.EQUAL, compared_at=ago(seconds=30))
    assert read_series(route(), HOUR.window(NOW), "default").staleness[-1] == 0.4
    of_model = read_series(route("shop.Product", kind=TargetKind.MODEL), HOUR.window(NOW), "default")
    assert of_model.staleness[-1] == pytest.approx(8550.02)


def test_two_queries_whatever_was_stored() -> None:
    rule = route()
    with CaptureQueriesContext(
        connection,
    ) as none:
        read_series(rule, DAY.window(NOW), "default")
    ArmCount.objects.bulk_create(arm(ago(minutes=number)) for number in range(1_000))
    with CaptureQueriesContext(connection) as many:
        read_series(rule, DAY.window(NOW), "default")
    assert len(none) == len(many) == 2


@pytest.mark.parametrize("length", LENGTHS)
def test_a_window_ends_now_and_begins_with_a_whole_bucket(length: Length) -> None:
    window = length.window(NOW)
    assert window.starts_at.timestamp() % length.bucket_seconds == 0
    assert window.ends_at - timedelta(seconds=length.bucket_seconds) <= NOW < window.ends_at
    assert length.hours <= (window.ends_at - window.starts_at).total_seconds() / 3600
    assert 50 <= len(window.buckets) <= 100


def test_a_length_that_is_not_offered_is_the_shortest() -> None:
    assert parse_length("24") == DAY
    assert parse_length("168") == WEEK
    assert {parse_length(text) for text in ("", "2", "-1", "x")} == {HOUR}


def test_reasons_are_those_of_the_rules_reads_on_the_primary() -> None:
    count_reads(30, reason="gate_off")
    count_reads(10, reason="gate_off", model="shop.Category")
    count_reads(10, reason="behind")
    count_reads(50, alias="replica1", reason="routed")
    count_reads(99, endpoint="names", reason="gate_off")
    count_reads(99, reason="gate_off", starts_at=timezone.now() - timedelta(hours=2))
    found = read_reasons(route(), timezone.now(), "default")
    assert (found.total, found.on_primary, found.share_on_replicas) == (100, 50, Decimal(50))
    assert [(row.label, row.count, row.share) for row in found.rows] == [
        ("The rule's gate is off for this actor", 40, Decimal(80)),
        ("The actor's replica is not known to show what this actor wrote or saw", 10, Decimal(20)),
    ]
    assert found.rows[0].where == "shop.Product 30, shop.Category 10"
    of_model = read_reasons(route("shop.Product", kind=TargetKind.MODEL), timezone.now(), "default")
    assert of_model.rows[0].where == "names 99, shop:product-list 30"


def test_of_many_places_the_most_frequent_are_named() -> None:
    found = add_up([("x", f"m{number}", True, number) for number in range(1, 6)])
    assert found.rows[0].where == "m5 5, m4 4, m3 3 and 2 more"
    assert found.rows[0].label == "x"
    assert add_up([]).share_on_replicas == 0
