"""The metrics' address: who is let in, what it costs, and what happens while the database is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from admin_ui.metrics import reading
from demo.waiting import wait_until
from routers.meter import meter
from tests.admin_ui.conftest import StaffClient
from tests.admin_ui.metrics.support import ADDRESS, TOKEN, Series, ask, scrape, value_of
from tests.admin_ui.support import count_reads
from tests.support import Servers, probing, route

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.usefixtures("exposed")]

READS = "readshift_reads_total"


def test_a_token_shows_what_was_counted(servers: Servers) -> None:
    count_reads(7, endpoint="names", reason="routed", alias="replica1", starts_at=timezone.now())
    labels = {"cluster": "default", "alias": "replica1", "endpoint": "names", "reason": "routed"}
    assert value_of(scrape(), READS, **labels) == 7
    assert value_of(scrape(lambda: ask("o" * 32)), READS, **labels) == 7


@pytest.mark.parametrize("token", [None, "", "t", TOKEN + "t", "x" * 32, "ü" * 32])
def test_whoever_proves_nothing_is_refused_without_a_query(servers: Servers, token: str | None) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert ask(token).status_code == 403
    assert len(captured) == 0


def test_without_a_token_in_the_settings_there_is_no_such_address(servers: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "METRICS_TOKENS": []}
    assert ask().status_code == 404


def test_staff_who_may_see_the_dashboard_may_see_the_metrics(
    servers: Servers, staff: StaffClient, settings: Any
) -> None:
    assert staff("view_routingrule").get(ADDRESS).status_code == 200
    assert staff("delete_routingrule").get(ADDRESS).status_code == 403
    settings.READSHIFT = {**settings.READSHIFT, "METRICS_TOKENS": []}
    assert staff("view_dashboard").get(ADDRESS).status_code == 200


def test_it_only_answers_reading_methods(servers: Servers) -> None:
    assert Client().post(ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405
    assert "no-store" in ask().headers["Cache-Control"]


def test_a_scrape_reads_each_table_once_from_the_primary_and_counts_nothing(servers: Servers) -> None:
    route("names")
    scrape()
    with servers.watch("readshift_tally") as tallies:
        scrape()
    with servers.watch("readshift_endpointcount") as work:
        scrape()
    assert (tallies.primary, tallies.replicas) == (1, 0)
    assert (work.primary, work.replicas) == (2, 0)
    assert not meter.take()


def test_openmetrics_tells_since_when_counters_count(servers: Servers) -> None:
    count_reads(1, starts_at=timezone.now())
    answer = ask(Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(answer.content.decode())}
    total, created = families["readshift_reads"].samples
    assert (total.name, created.name) == (READS, "readshift_reads_created")
    assert created.value == timezone.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


@contextmanager
def renamed(table: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO hidden")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE hidden RENAME TO {table}")


def is_readable(series: Series) -> bool:
    """Say whether the tables were read. If not, nothing of them may be there."""
    readable = value_of(series, "readshift_counts_readable")
    assert (readable == 1) == (value_of(series, "readshift_kill_switch_on") is not None)
    return readable == 1


def test_a_missing_table_is_told_and_logged(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    with renamed("readshift_tally"):
        assert not is_readable(scrape())
    assert "readshift_tally" in caplog.text
    assert is_readable(scrape())


def test_a_table_that_is_locked_costs_no_more_than_the_time_limit(servers: Servers, monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "STATEMENT_TIMEOUT_MS", 100)
    with servers.cluster.primary.connect("test_readshift", autocommit=False) as other:
        other.execute("LOCK TABLE readshift_tally")
        assert not is_readable(scrape())
    assert is_readable(scrape())


def test_programs_are_told_that_the_primary_is_away(shop: Servers, settings: Any, staff: StaffClient) -> None:
    person = staff("view_dashboard")
    route("names")
    shop.checkpoint()
    with probing(settings):
        connection.close()
        shop.cluster.primary.kill()
        try:
            wait_until(lambda: value_of(scrape(), "readshift_primary_down", cluster="default") == 1, 20, "the alarm")
            assert not is_readable(scrape())
            assert person.get(ADDRESS).status_code == 503
        finally:
            shop.cluster.primary.start()
    assert is_readable(scrape())


def test_a_primary_that_hangs_is_waited_for_no_longer_than_connecting_may_take(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CONNECT_TIMEOUT_SECONDS", 2)
    primary = servers.cluster.primary
    primary.hang()
    try:
        assert not is_readable(scrape())
    finally:
        primary.resume()
