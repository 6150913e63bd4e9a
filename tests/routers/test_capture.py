"""What is captured of reads, and what is left out, seen through the ORM and on real servers."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F
from psycopg.types.json import Jsonb

from demo.shop.models import Category, Product
from rollout.loading import load_rule
from rollout.models import Mode, RoutingRule, TallyKind
from rollout.outcomes import CaptureFate
from routers.blocks import unit_of_work
from routers.capture import Capture, CapturedRead, Source, capture
from routers.captured import CapturedStatement, open_statement
from routers.meter import Meter, meter
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ENDPOINT = "capture"


def shadow(percent: float = 100, per_second: int = 1_000, mode: str = Mode.OBSERVE, **options: Any) -> RoutingRule:
    """Create a rule that captures."""
    rule = route(ENDPOINT, mode=mode, **options)
    rule.shadow_percent, rule.shadow_per_second = Decimal(str(percent)), per_second
    rule.save()
    return rule


def captured(most: int = 1_000) -> list[CapturedRead]:
    return capture.take(most)


def fates() -> dict[str, int]:
    """Return what became of the reads so far, those that wait still included."""
    capture.take(1_000)
    return {series.reason: count for series, count in meter.take().items() if series.kind == TallyKind.SHADOW}


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ROUTE])
def test_reads_of_a_rule_are_captured_as_they_were_sent(shop: Servers, mode: str) -> None:
    shadow(mode=mode)
    with unit_of_work(ENDPOINT):
        list(Product.objects.filter(name="Assam").order_by("pk"))
    (read,) = captured()
    assert read.source.endpoint == ENDPOINT
    assert read.source.model == "shop.Product"
    assert (read.source.alias == "default") == (mode == Mode.OBSERVE)
    assert b"'Assam'" in read.statement.query
    assert "Assam" not in read.sql
    assert read.statement.session["TimeZone"] == "UTC"
    assert fates() == {CaptureFate.CAPTURED: 1}


def test_nothing_is_captured_where_no_rule_asks_for_it(shop: Servers) -> None:
    shadow(percent=0)
    with unit_of_work(ENDPOINT):
        list(Product.objects.all())
    with unit_of_work("elsewhere"):
        list(Product.objects.all())
    list(Product.objects.all())
    assert captured() == []
    assert fates() == {}


def test_related_objects_are_captured_each_with_their_own_statement(shop: Servers) -> None:
    shadow()
    with unit_of_work(ENDPOINT):
        list(Category.objects.prefetch_related("products"))
    assert [read.source.model for read in captured()] == ["shop.Category", "shop.Product"]


def test_reads_that_stay_on_the_primary_whatever_the_rule_says_are_not_captured(shop: Servers) -> None:
    shadow(mode=Mode.ROUTE)
    with unit_of_work(ENDPOINT):
        Product.objects.filter(name="Assam").update(stock=F("stock") + 1)
        list(Product.objects.all())
    assert captured() == []


@pytest.mark.parametrize(
    ("read", "fate"),
    [
        (lambda: list(Product.objects.iterator(chunk_size=1)), CaptureFate.CURSOR),
        (lambda: list(Product.objects.raw("SELECT id FROM shop_product; SELECT 1 AS id")), CaptureFate.NOT_PLAIN),
        (lambda: list(Product.objects.filter(description="x" * 70_000)), CaptureFate.TOO_LARGE),
    ],
    ids=["server-side cursor", "no select", "too large"],
)
def test_what_a_worker_cannot_run_again_is_left_out_and_counted(shop: Servers, read, fate) -> None:
    shadow()
    with unit_of_work(ENDPOINT):
        read()
    assert captured() == []
    assert fates() == {fate: 1}


def test_a_locking_read_is_not_captured(shop: Servers) -> None:
    shadow()
    with unit_of_work(ENDPOINT), connection.cursor() as cursor:
        list(Product.objects.filter(pk=1))
        captured()
        cursor.execute('SELECT "shop_product"."name" FROM "shop_product" FOR UPDATE')
    assert captured() == []


def test_a_project_that_sets_session_state_is_not_captured(shop: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SESSION_STATE": "tests.urls.nothing"}
    shadow()
    with unit_of_work(ENDPOINT):
        list(Product.objects.all())
    assert fates() == {CaptureFate.SESSION_STATE: 1}


def test_a_full_queue_drops_and_counts(shop: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_QUEUE": 2}
    shadow()
    with unit_of_work(ENDPOINT):
        for _ in range(5):
            list(Product.objects.all())
    assert len(captured()) == 2
    assert fates() == {CaptureFate.CAPTURED: 2, CaptureFate.QUEUE_FULL: 3}


def test_a_rule_captures_no_more_in_a_second_than_its_cap(shop: Servers) -> None:
    shadow(per_second=3)
    now = [100.2]
    mine = Capture(meter, clock=lambda: now[0])
    rule = load_rule(RoutingRule.objects.get(), "default")
    source = Source("default", "default", "replica1", ENDPOINT, "shop.Product", "routed")
    room = [mine._has_room([rule], source) for _ in range(5)]
    now[0] = 101.0
    assert [*room, mine._has_room([rule], source)] == [True, True, True, False, False, True]
    mine.take(1)
    assert fates() == {CaptureFate.OVER_RATE: 2}


def test_what_cannot_be_captured_takes_no_place_of_what_can(shop: Servers) -> None:
    shadow(per_second=1)
    with unit_of_work(ENDPOINT):
        for _ in range(3):
            list(Product.objects.iterator(chunk_size=1))
        list(Product.objects.all())
    assert len(captured()) == 1


def test_the_share_is_that_of_the_rule(shop: Servers) -> None:
    shadow(percent=25)
    values = iter([0.1, 0.24, 0.25, 0.9])
    mine = Capture(Meter(), dice=lambda: next(values))
    original, capture.dice = capture.dice, mine.dice
    try:
        with unit_of_work(ENDPOINT):
            for _ in range(4):
                list(Product.objects.all())
    finally:
        capture.dice = original
    assert len(captured()) == 2


def test_a_failure_to_capture_is_the_hosts_business_least_of_all(shop: Servers, monkeypatch, caplog) -> None:
    shadow()
    monkeypatch.setattr("routers.capture._size", lambda _: 1 / 0)
    with unit_of_work(ENDPOINT):
        assert len(Product.objects.all()) == 2
    assert "could not be captured" in caplog.text


VALUES: dict[str, Any] = {
    "timestamptz": datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    "date": date(2026, 2, 28),
    "numeric": Decimal("12345678901234567890.000000001"),
    "int[]": [1, 2, None],
    "text[]": ["a,b", 'quo"te', ""],
    "jsonb": Jsonb({"a": [1, {"b": "ü'"}]}),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "daterange": DateRange(date(2026, 1, 1), date(2026, 2, 1)),
    "bytea": b"\x00\xff'\\",
    "interval": timedelta(days=1, microseconds=1),
    "text": "%s '; DROP \\ ü",
}


@pytest.mark.parametrize("binds_on_server", [False, True], ids=["client-side", "server-side"])
@pytest.mark.parametrize("kind", VALUES)
def test_parameters_keep_their_types_exactly(shop: Servers, settings: Any, kind: str, binds_on_server: bool) -> None:
    """Sent again byte for byte, the statement gives the answer that it gave at first."""
    original = connections["default"]
    values = original.settings_dict | {"OPTIONS": {"server_side_binding": binds_on_server}}
    wrapper = type(original)(values, alias="default")
    connections["default"] = wrapper
    try:
        shadow()
        sql = f'SELECT "id", %s::{kind} AS given, pg_typeof(%s::{kind}) AS kind FROM "shop_product" ORDER BY "id"'
        with unit_of_work(ENDPOINT):
            rows = [vars(row)["kind"] for row in Product.objects.raw(sql, [VALUES[kind], VALUES[kind]])]
        (read,) = captured()
        sent = open_statement(read.statement.sealed())
        assert sent == read.statement
        assert bool(sent.parameters) == binds_on_server
        answer = wrapper.connection.pgconn.exec_params(
            sent.query, list(sent.parameters), list(sent.types), list(sent.formats)
        )
        again = [(answer.get_value(row, 1), answer.get_value(row, 2)) for row in range(answer.ntuples)]
        with wrapper.cursor() as cursor:
            cursor.execute(f"SELECT %s::{kind}::text, %s", [VALUES[kind], str(rows[0])])
            text, name = cursor.fetchone()
        assert [(value.decode(), kind_.decode()) for value, kind_ in again] == [(text, name)] * len(rows)
    finally:
        wrapper.close()
        connections["default"] = original


def test_what_is_sealed_is_readable_by_nobody_else(settings: Any) -> None:
    sealed = CapturedStatement(b"SELECT 'secret'", (b"secret", None), (25, 0), (0, 0), {"TimeZone": "UTC"}).sealed()
    assert b"secret" not in sealed
    settings.SECRET_KEY = "another"
    with pytest.raises(ValueError, match="not sealed with"):
        open_statement(sealed)
    settings.SECRET_KEY_FALLBACKS = ["the-demo-guards-nothing"]
    assert open_statement(sealed).parameters == (b"secret", None)


def test_times_of_capture_are_aware(shop: Servers) -> None:
    shadow()
    with unit_of_work(ENDPOINT):
        list(Product.objects.all())
    (read,) = captured()
    assert read.captured_at.astimezone(UTC).utcoffset() == timedelta(0)
