"""What the page reads from the tallies."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from admin_ui.drawing.windows import Window
from admin_ui.overview.breakdown import LONGEST_LIST
from rollout.models import TallyKind
from rollout.reasons import Reason
from tests.admin_ui.support import count_reads, read_reads

pytestmark = pytest.mark.django_db


def test_reads_are_counted_by_database_with_idle_databases_shown() -> None:
    count_reads(30)
    count_reads(10, alias="replica1", reason=Reason.ROUTED)
    found = read_reads()
    assert [(one.alias, one.is_primary, one.count, one.share) for one in found.databases] == [
        ("default", True, 30, Decimal("75.0")),
        ("replica1", False, 10, Decimal("25.0")),
        ("replica2", False, 0, Decimal("0.0")),
    ]
    assert (found.total, found.on_replicas, found.share_on_replicas) == (40, 10, Decimal("25.0"))


def test_decisions_writes_and_old_reads_are_left_out() -> None:
    count_reads(1, kind=TallyKind.DECISION)
    count_reads(2, kind=TallyKind.WRITE)
    count_reads(4, starts_at=timezone.now() - timedelta(minutes=17), span_seconds=60)
    assert read_reads().total == 0
    assert read_reads(60).total == 4


def test_the_chart_and_the_tables_agree_on_rows_of_every_span() -> None:
    start = timezone.now() - timedelta(minutes=14)
    for count, span_seconds in ((1, 10), (20, 60), (300, 3600)):
        count_reads(count, starts_at=start, span_seconds=span_seconds)
    found = read_reads()
    assert found.total == found.endpoints.rows[0].total == found.reasons[0].count == 321


def test_a_database_that_is_no_longer_configured_is_still_shown() -> None:
    count_reads(5, alias="retired", reason=Reason.ROUTED)
    assert read_reads().databases[-1].alias == "retired"
    assert read_reads().on_replicas == 5


def test_endpoints_tell_the_primary_each_replica_and_what_was_only_observed() -> None:
    count_reads(4)
    count_reads(3, reason=Reason.OBSERVED, candidate="replica2")
    count_reads(2, alias="replica1", reason=Reason.ROUTED)
    count_reads(1, alias="replica2", reason=Reason.ROUTED)
    (endpoint,) = read_reads().endpoints.rows
    assert (endpoint.total, endpoint.on_primary, endpoint.on_each_replica, endpoint.observed) == (10, 7, (2, 1), 3)
    assert endpoint.share_on_replicas == Decimal("30.0")


def test_only_the_busiest_endpoints_are_listed_and_it_is_said() -> None:
    for index in range(LONGEST_LIST):
        count_reads(index + 1, endpoint=f"view{index}")
    assert not read_reads().endpoints.has_more
    count_reads(1000, endpoint="busiest")
    found = read_reads()
    assert found.endpoints.has_more
    assert len(found.endpoints.rows) == LONGEST_LIST
    assert found.endpoints.rows[0].name == "busiest"


def test_reasons_are_those_of_reads_on_the_primary_in_words() -> None:
    count_reads(9, reason=Reason.GATE_OFF)
    count_reads(1, reason="from_an_older_version")
    count_reads(50, alias="replica1", reason=Reason.ROUTED)
    assert [(one.label, one.count, one.share) for one in read_reads().reasons] == [
        ("The rule's gate is off for this actor", 9, Decimal("90.0")),
        ("from_an_older_version", 1, Decimal("10.0")),
    ]


def test_reads_with_a_foreign_token_are_a_share_of_all_reads() -> None:
    count_reads(3, reason=Reason.FOREIGN_TOKEN)
    count_reads(2, reason=Reason.FOREIGN_TOKEN, endpoint="shop:cart", model="shop.Cart")
    count_reads(15)
    count_reads(80, alias="replica1", reason=Reason.ROUTED)
    count_reads(7, reason=Reason.FOREIGN_TOKEN, kind=TallyKind.DECISION)
    found = read_reads()
    assert (found.with_foreign_token, found.share_with_foreign_token) == (5, Decimal("5.0"))


def test_without_foreign_tokens_their_share_is_nothing() -> None:
    assert (read_reads().with_foreign_token, read_reads().share_with_foreign_token) == (0, Decimal(0))
    count_reads(15)
    assert (read_reads().with_foreign_token, read_reads().share_with_foreign_token) == (0, Decimal(0))


def test_nearly_all_is_never_shown_as_all() -> None:
    count_reads(1)
    count_reads(99_999, alias="replica1", reason=Reason.ROUTED)
    assert read_reads().share_on_replicas == Decimal("99.9")


def test_models_are_told_apart_like_endpoints() -> None:
    count_reads(4, model="shop.Product")
    count_reads(6, model="shop.Review", endpoint="names")
    count_reads(2, model="shop.Review", alias="replica1", reason=Reason.ROUTED)
    count_reads(1, model="", reason=Reason.OUTSIDE_UNIT)
    found = read_reads().models
    assert [(one.name, one.total, one.on_primary, one.on_each_replica) for one in found.rows] == [
        ("shop.Review", 8, 6, (2, 0)),
        ("shop.Product", 4, 4, (0, 0)),
        ("", 1, 1, (0, 0)),
    ]
    assert not found.has_more


def test_load_is_that_of_the_last_full_bucket() -> None:
    full = Window.until(timezone.now(), 15).buckets[-2]
    count_reads(60, alias="replica1", reason=Reason.ROUTED, starts_at=full)
    count_reads(999, alias="replica1", reason=Reason.ROUTED, starts_at=full - timedelta(minutes=5))
    assert [one.per_second for one in read_reads().databases if one.alias == "replica1"] == [2.0]
