"""Sums over stored counts, and the durations that they tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from rollout.endpoint_sums import EndpointSums, Span, stored_span, sum_up
from rollout.models import EndpointCount, Tally, TallyKind
from rollout.windows import histogram

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Span(NOON - timedelta(hours=1), NOON)


def count(minutes_ago: float, endpoint: str = "names", span: int = 60, **fields: Any) -> None:
    EndpointCount.objects.create(
        starts_at=NOON - timedelta(minutes=minutes_ago), span_seconds=span, endpoint=endpoint, **fields
    )


def read(alias: str, number: int, endpoint: str = "names", **fields: Any) -> None:
    values = {"kind": TallyKind.READ, "model": "shop.Product", "reason": "routed", **fields}
    Tally.objects.create(
        starts_at=NOON - timedelta(minutes=5), span_seconds=60, cluster="default", alias=alias, endpoint=endpoint,
        count=number, **values,
    )  # fmt: skip


@pytest.mark.django_db
class TestStored:
    def test_rows_of_the_span_add_up_and_no_others(self) -> None:
        count(30, units=3, failed=1, with_token=2, durations={"40": 2, "41": 1})
        count(60, units=2, safe_writes=1, writes_after_reads=1, durations={"40": 2})
        count(30, "elsewhere", units=1)
        for outside in (61, 0):
            count(outside, units=100)
        read("default", 5)
        read("replica1", 3)
        read("replica1", 3, kind=TallyKind.SHADOW)
        found = sum_up(HOUR, "default")
        assert set(found) == {"names", "elsewhere"}
        sums = found["names"]
        assert (sums.units, sums.failed, sums.with_token, sums.safe_writes, sums.writes_after_reads) == (5, 1, 2, 1, 1)
        assert (sums.durations[40], sums.durations[41], sum(sums.durations)) == (4, 1, 5)
        assert (sums.reads, sums.on_replicas) == (8, 3)

    def test_reads_of_an_endpoint_without_units_count_as_well(self) -> None:
        read("default", 5)
        assert sum_up(HOUR, "default") == {"names": EndpointSums(reads=5)}

    def test_an_endpoint_that_is_counted_for_the_first_time_between_two_queries_is_summed_up(self) -> None:
        count(30, units=3)
        seen: list[str] = []

        def write_after_the_totals(execute: Any, sql: str, *context: Any) -> Any:
            if sql.startswith("SELECT") and not seen:
                seen.append(sql)
                found = execute(sql, *context)
                count(30, "new", units=2, durations={"40": 2})
                return found
            return execute(sql, *context)

        with connection.execute_wrapper(write_after_the_totals):
            found = sum_up(HOUR, "default")
        assert (found["names"].units, found["new"].units, sum(found["new"].durations)) == (3, 0, 2)

    def test_it_takes_three_queries_whatever_there_is(self) -> None:
        for number in range(20):
            count(number + 1, f"names{number}", durations={"1": 1})
        with CaptureQueriesContext(connection) as queries:
            sum_up(HOUR, "default")
        assert len(queries) == 3

    def test_a_span_ends_where_minutes_do(self) -> None:
        asked = Span(NOON - timedelta(minutes=10, seconds=30), NOON - timedelta(seconds=30))
        assert stored_span(asked, "default") == Span(NOON - timedelta(minutes=11), NOON)
        assert stored_span(HOUR, "default") == HOUR

    def test_it_ends_where_hours_do_once_only_hours_are_kept(self) -> None:
        count(120, span=3600, units=60)
        asked = Span(NOON - timedelta(minutes=90), NOON - timedelta(minutes=30))
        assert stored_span(asked, "default") == Span(NOON - timedelta(minutes=120), asked.until)
        count(60, span=3600, units=60)
        assert stored_span(asked, "default") == Span(NOON - timedelta(minutes=120), NOON)


def test_a_span_must_end_after_it_begins() -> None:
    with pytest.raises(ValueError, match="not after"):
        Span(NOON, NOON)


DURATIONS = st.lists(st.floats(0.0002, 30), min_size=1, max_size=200)


@given(DURATIONS, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_their_share(seconds: list[float], one: float, other: float) -> None:
    sums = EndpointSums(units=len(seconds), durations=histogram(seconds))
    low, high = sums.quantile(min(one, other)), sums.quantile(max(one, other))
    assert low is not None
    assert high is not None
    assert low <= high


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_off_by_a_bucket_at_most(seconds: list[float], share: float) -> None:
    found = EndpointSums(units=len(seconds), durations=histogram(seconds)).quantile(share)
    rank = next(number for number in range(1, len(seconds) + 1) if number >= share * len(seconds))
    assert found == pytest.approx(sorted(seconds)[rank - 1], rel=0.16)


def test_without_units_there_is_no_quantile() -> None:
    assert EndpointSums().quantile(0.95) is None


@given(DURATIONS, st.floats(0.001, 60))
def test_no_unit_that_took_longer_is_missed(seconds: list[float], limit: float) -> None:
    found = EndpointSums(units=len(seconds), durations=histogram(seconds)).slower_than(limit)
    assert sum(each > limit for each in seconds) <= found <= len(seconds)


@given(DURATIONS, st.integers(0, 2**40))
def test_what_is_stored_as_json_is_read_again(seconds: list[float], number: int) -> None:
    sums = EndpointSums(units=len(seconds), failed=number, durations=histogram(seconds), reads=number, on_replicas=1)
    assert EndpointSums.from_json(sums.as_json()) == sums
