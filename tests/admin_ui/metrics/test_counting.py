"""Counters from the tables: what they add up, when they begin anew, and what never changes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from admin_ui.metrics.counting import read_counters
from admin_ui.metrics.endpoints import DAY, HOUR
from admin_ui.metrics.families import CAPTURES, DECISIONS, FAILED_UNITS, OTHER, READS, REPLAYS, Family
from rollout import endpoint_history, rollup
from rollout.models import EndpointCount, TallyKind
from tests.admin_ui.support import count_reads

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)


def count(number: int, *, at: datetime = NOW, **fields: Any) -> None:
    count_reads(number, starts_at=at, **fields)


def work(units: int, *, at: datetime = NOW, **fields: Any) -> None:
    values = {"endpoint": "names", "span_seconds": 10, "durations": {"50": units}, **fields}
    EndpointCount.objects.create(starts_at=at, units=units, **values)


def counters(
    family: Family, most: int = 100, length: timedelta = DAY, now: datetime = NOW
) -> dict[tuple[str, ...], float]:
    samples, _ = read_counters(now, length, most, "default")
    return {sample.labels: sample.value for sample in samples if sample.family is family}


def units(most: int = 100) -> dict[str, int]:
    _, durations = read_counters(NOW, DAY, most, "default")
    return {each.labels[0]: each.cumulative[-1] for each in durations}


def test_each_kind_is_counted_by_its_own_labels() -> None:
    count(3, endpoint="names", model="shop.Product", reason="routed", alias="replica1")
    count(4, endpoint="names", model="shop.Category", reason="routed", alias="replica1")
    count(2, endpoint="names", reason="observed", candidate="replica1")
    count(5, kind=TallyKind.DECISION, reason="no_rule", endpoint="a")
    count(6, kind=TallyKind.DECISION, reason="no_rule", endpoint="b")
    count(7, kind=TallyKind.REPLAY, alias="replica1", candidate="default", reason="lost")
    count(8, kind=TallyKind.SHADOW, reason="captured")
    count(9, kind=TallyKind.WRITE, reason="write")
    work(12, failed=2)
    assert counters(READS) == {
        ("default", "replica1", "names", "routed"): 7,
        ("default", "default", "names", "observed"): 2,
    }
    assert counters(DECISIONS) == {("default", "default", "no_rule"): 11}
    assert counters(REPLAYS) == {("default", "replica1", "default", "lost"): 7}
    assert counters(CAPTURES) == {("default", "captured"): 8}
    assert counters(FAILED_UNITS) == {("names",): 2}
    assert units() == {"names": 12}


def test_counters_begin_anew_at_midnight_or_with_the_hour() -> None:
    count(1, at=MIDNIGHT - timedelta(seconds=10))
    count(2, at=MIDNIGHT)
    count(4, at=NOW.replace(minute=0))
    count(8, at=NOW + timedelta(seconds=10))
    assert sum(counters(READS).values()) == 14
    assert sum(counters(READS, length=HOUR).values()) == 12
    assert sum(counters(READS, now=MIDNIGHT).values()) == 2


def test_neither_merging_nor_deleting_changes_a_counter() -> None:
    for ago in (0, 15, 15, 200, 700, 60 * 24, 60 * 24 * 40):
        count(3, at=NOW - timedelta(minutes=ago))
        work(5, at=NOW - timedelta(minutes=ago), failed=1)
    before = (counters(READS), counters(FAILED_UNITS), units())
    assert before == ({("default", "default", "shop:product-list", "no_rule"): 15}, {("names",): 5}, {"names": 25})
    for tables in (rollup, endpoint_history):
        assert tables.merge(NOW, "default") >= 1
        assert tables.drop_before(NOW - timedelta(days=2), "default") == 1
    assert (counters(READS), counters(FAILED_UNITS), units()) == before


def test_endpoints_beyond_the_limit_share_one_name_in_all_metrics() -> None:
    for number in range(5):
        count(1, endpoint=f"new{number}")
        work(1, endpoint=f"new{number}", failed=1)
    count(50, endpoint="known", at=MIDNIGHT - timedelta(hours=1))
    count(1, endpoint="known")
    own = {"known", "new0"}
    assert {endpoint for _, _, endpoint, _ in counters(READS, most=2)} == {*own, OTHER}
    assert sum(counters(READS, most=2).values()) == 6
    assert {endpoint for (endpoint,) in counters(FAILED_UNITS, most=2)} == {"new0", OTHER}
    assert units(most=2) == {"new0": 1, OTHER: 4}
