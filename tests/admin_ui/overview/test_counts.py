"""How a window is summed: in one query, in parts that are remembered, and with the same result either way."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.drawing.windows import BUCKET_SECONDS, Window, spread
from admin_ui.overview.counts import SETTLED, Counts, _edges, forget_counts, read_counts
from rollout import rollup
from rollout.models import Tally, TallyKind
from rollout.reasons import Reason
from tests.admin_ui.support import count_reads

NOW = datetime(2026, 11, 23, 3, 12, 47, tzinfo=UTC)
WEEK = 7 * 24 * 60
LONG = [minutes for minutes in BUCKET_SECONDS if minutes > 15]


def total(counts: Counts) -> int:
    return sum(span.count for span in counts.spans)


def spread_over_a_week() -> None:
    for hours in range(0, WEEK // 60, 5):
        start = NOW - timedelta(hours=hours, minutes=1)
        count_reads(hours + 1, starts_at=start, reason=Reason.GATE_OFF)
        count_reads(2, starts_at=start, alias="replica1", reason=Reason.ROUTED, endpoint="names", model="shop.Review")


@given(st.sampled_from(sorted(BUCKET_SECONDS)), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_the_parts_of_a_window_follow_one_another_and_only_the_last_is_unsettled(
    minutes: int, moment: datetime
) -> None:
    window = Window.until(moment.replace(tzinfo=UTC), minutes)
    edges = _edges(window)
    assert (edges[0], edges[-1]) == (window.starts_at, window.ends_at)
    assert list(edges) == sorted(set(edges))
    assert all(edge <= window.now - SETTLED for edge in edges[1:-1])
    assert minutes == 15 or window.now - edges[-2] < SETTLED + timedelta(minutes=5)


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", BUCKET_SECONDS)
def test_it_takes_one_query_and_says_the_same_from_memory(minutes: int) -> None:
    spread_over_a_week()
    window = Window.until(NOW, minutes)
    first = read_counts(window, "default")
    assert total(first) == first.endpoints.total() == first.models.total() > 0
    with CaptureQueriesContext(connection) as captured:
        again = read_counts(window, "default")
    assert len(captured) == 1
    assert spread(again.spans, window) == spread(first.spans, window)
    assert (again.endpoints, again.models, again.reasons, again.replays) == (
        first.endpoints,
        first.models,
        first.reasons,
        first.replays,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", LONG)
def test_of_a_long_window_only_what_is_not_settled_is_read_again(minutes: int) -> None:
    spread_over_a_week()
    window = Window.until(NOW, minutes)
    before = total(read_counts(window, "default"))
    count_reads(1000, starts_at=NOW - timedelta(minutes=40), reason=Reason.GATE_OFF)
    count_reads(7, starts_at=NOW, reason=Reason.GATE_OFF)
    assert total(read_counts(window, "default")) == before + 7
    forget_counts()
    assert total(read_counts(window, "default")) == before + 1007


@pytest.mark.django_db
def test_each_database_that_holds_rules_is_remembered_apart_from_the_others() -> None:
    spread_over_a_week()
    window = Window.until(NOW, WEEK)
    assert total(read_counts(window, "default"))
    Tally.objects.all().delete()
    forget_counts()
    assert not total(read_counts(window, "default"))


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", BUCKET_SECONDS)
def test_merging_rows_into_longer_spans_changes_no_sum(minutes: int) -> None:
    for index in range(40):
        count_reads(index + 1, starts_at=rollup.flush_span(NOW - timedelta(hours=4 * index)), reason=Reason.GATE_OFF)
        count_reads(3, starts_at=rollup.flush_span(NOW - timedelta(seconds=20 * index)), reason=Reason.GATE_OFF)
    window = Window.until(NOW, minutes)
    before = read_counts(window, "default")
    forget_counts()
    rollup.merge(NOW, "default")
    after = read_counts(window, "default")
    # Rows of a minute may lie in two buckets of the shortest window.
    assert sum(spread(after.spans, window)["default"]) == sum(spread(before.spans, window)["default"])
    assert after.reasons == before.reasons
    if minutes in LONG:
        assert spread(after.spans, window) == spread(before.spans, window)


@pytest.mark.django_db
def test_reads_are_summed_by_endpoint_model_and_reason() -> None:
    count_reads(4, starts_at=NOW, reason=Reason.GATE_OFF)
    count_reads(3, starts_at=NOW, reason=Reason.OBSERVED, candidate="replica1")
    count_reads(2, starts_at=NOW, alias="replica1", reason=Reason.ROUTED, model="shop.Review")
    count_reads(9, starts_at=NOW, kind=TallyKind.DECISION)
    count_reads(5, starts_at=NOW, kind=TallyKind.REPLAY, alias="replica1", reason="lost", candidate="default")
    found = read_counts(Window.until(NOW, 15), "default")
    assert found.databases == {("default", "default"), ("default", "replica1")}
    assert found.endpoints == Counter(
        {
            ("shop:product-list", "default", False): 4,
            ("shop:product-list", "default", True): 3,
            ("shop:product-list", "replica1", False): 2,
        }
    )
    assert found.models["shop.Review", "replica1", False] == 2
    assert found.reasons == Counter({Reason.GATE_OFF: 4, Reason.OBSERVED: 3})
    assert found.replays == Counter({("replica1", "lost", "default"): 5})
