"""Where a logical subscriber stands: it has applied all that its position says, or says that it does not know."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.cluster import Cluster
from routers.captured import CapturedStatement
from routers.positions import settle_lsn
from tasks.comparing.questions import Kind
from tasks.comparing.servers import Server
from tests.tasks.comparing.conftest import leading_to

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAMES = CapturedStatement(b"SELECT id, name FROM thing ORDER BY id")


@contextmanager
def publisher_and_subscriber(publishing: Cluster) -> Iterator[tuple[Server, Server]]:
    with (
        leading_to("default", publishing.primary, "postgres"),
        leading_to("replica1", publishing.primary, "copy"),
        Server("default") as primary,
        Server("replica1") as copy,
    ):
        yield primary, copy


def test_a_subscriber_has_applied_the_log_up_to_its_position(publishing: Cluster) -> None:
    with publisher_and_subscriber(publishing) as (primary, copy):
        assert (primary.kind, copy.kind) == (Kind.PRIMARY, Kind.SUBSCRIBER)
        for number in range(3, 23):
            publishing.primary.query("INSERT INTO thing VALUES (%s, 'another')", [number])
            reading = primary.read(NAMES)
            assert copy.wait_for(reading.position, time.monotonic() + 60) is not None
            shown = copy.read(NAMES)
            assert shown.position >= reading.position
            assert shown.answer.rows == reading.answer.rows
    publishing.primary.query("ALTER SUBSCRIPTION things DISABLE", dbname="copy")
    with publisher_and_subscriber(publishing) as (_, copy):
        assert copy.kind is Kind.PRIMARY


def test_a_subscriber_whose_worker_is_held_up_stays_where_it_is(publishing: Cluster) -> None:
    with publisher_and_subscriber(publishing) as (primary, copy):
        assert copy.wait_for(primary.position(), time.monotonic() + 60) is not None
        with publishing.primary.connect("copy", autocommit=False) as locking:
            locking.execute("LOCK TABLE thing IN SHARE MODE")
            publishing.primary.query("INSERT INTO thing VALUES (3, 'three')")
            reading = primary.read(NAMES)
            assert copy.wait_for(reading.position, time.monotonic() + 0.5) is None
            assert copy.read(NAMES).answer.count == 2
        assert copy.wait_for(reading.position, time.monotonic() + 60) is not None
        assert copy.read(NAMES).answer.count == 3


def test_a_primary_that_subscribes_to_others_is_a_primary(publishing: Cluster) -> None:
    with leading_to("default", publishing.primary, "copy"), Server("default") as server:
        assert server.kind is Kind.PRIMARY
        ((end,),) = publishing.primary.query("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        assert server.position() >= settle_lsn(end)
