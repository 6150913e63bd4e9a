"""Captured reads on their way: to the primary, and by message to a worker, whatever fails in between."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from celery.app import app_or_default
from celery.signals import worker_process_shutdown
from django.db import DatabaseError, connection

from benchmarks.processes import free_port
from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import CaptureFate
from routers.blocks import unit_of_work
from routers.capture import capture
from routers.captured import open_statement
from routers.courier import COMPARE, courier
from tests.routers.test_capture import ENDPOINT, fates, shadow
from tests.support import Servers, probing

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def broker(valkey: str) -> Iterator[Celery]:
    """A Celery app on a real broker, as the current one of this thread."""
    with current_app_on(valkey, uuid.uuid4().hex) as app:
        yield app


@pytest.fixture
def broken_broker() -> Iterator[Celery]:
    """A Celery app whose broker refuses connections."""
    with current_app_on(f"redis://127.0.0.1:{free_port()}/0", "nowhere") as app:
        yield app


@contextmanager
def current_app_on(url: str, queue: str) -> Iterator[Celery]:
    """Make a Celery app on this broker the one of all threads, as that of a Django project is."""
    before = app_or_default()
    app = Celery("courier", broker=url)
    app.conf.task_default_queue = queue
    app.set_default()
    try:
        yield app
    finally:
        app.close()
        before.set_current()
        before.set_default()


def messages(app: Celery) -> list[tuple[str, list[Any]]]:
    """Take every message off the broker: the task's name and its arguments."""
    found = []
    with app.connection_for_read() as link, link.SimpleQueue(app.conf.task_default_queue) as queue, suppress(Empty):
        while True:
            message = queue.get(block=False)
            message.ack()
            found.append((message.headers["task"], message.payload[0]))
    return found


def read_names(times: int = 1) -> None:
    with unit_of_work(ENDPOINT):
        for number in range(times):
            list(Product.objects.filter(name=f"secret {number}"))


def test_a_batch_is_written_and_a_worker_is_told_of_it_by_ids_alone(shop: Servers, broker: Celery) -> None:
    shadow()
    read_names(2)
    courier.deliver()
    first, second = ShadowRead.objects.order_by("pk")
    assert {read.state for read in (first, second)} == {ShadowState.WAITING}
    assert b"secret 0" in open_statement(bytes(first.sealed or b"")).query
    assert first.fingerprint == second.fingerprint
    assert messages(broker) == [(COMPARE, [str(first.batch), [first.pk, second.pk]])]
    assert capture.take(1) == []


def test_what_is_stored_in_the_clear_holds_no_value(shop: Servers, broker: Celery) -> None:
    shadow()
    read_names()
    with unit_of_work(ENDPOINT):
        list(Product.objects.raw("SELECT id FROM shop_product WHERE name = 'secret' -- secret"))
    courier.deliver()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE r::text ILIKE '%%secret%%') FROM readshift_shadowread r"
        )
        assert cursor.fetchone() == (2, 0)


def test_many_reads_are_several_batches(shop: Servers, broker: Celery) -> None:
    shadow()
    read_names(120)
    courier.deliver()
    sent = messages(broker)
    assert sum(len(arguments[1]) for _, arguments in sent) == ShadowRead.objects.count() == 120
    assert len({arguments[0] for _, arguments in sent}) == len(sent) > 1


def test_without_a_broker_reads_are_kept_for_the_next_schedule(shop: Servers, broken_broker: Celery, caplog) -> None:
    shadow()
    read_names()
    courier.deliver()
    assert ShadowRead.objects.get().state == ShadowState.WAITING
    assert fates() == {CaptureFate.CAPTURED: 1, CaptureFate.NOT_SENT: 1}
    assert "The broker took no message" in caplog.text
    assert "secret" not in caplog.text


def test_what_the_primary_does_not_take_is_dropped_and_counted(shop: Servers, broker: Celery) -> None:
    shadow()
    read_names(3)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readshift_shadowread RENAME TO elsewhere")
        try:
            with pytest.raises(DatabaseError):
                courier.deliver()
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO readshift_shadowread")
    assert fates() == {CaptureFate.CAPTURED: 3, CaptureFate.NOT_WRITTEN: 3}
    assert capture.take(1) == []
    assert messages(broker) == []


def test_the_courier_of_a_process_delivers_by_itself(shop: Servers, broker: Celery, settings: Any) -> None:
    shadow()
    with probing(settings):
        read_names()
        wait_until(lambda: ShadowRead.objects.count() == 1, 20, "the courier to deliver")
    assert [task for task, _ in messages(broker)] == [COMPARE]


def test_a_process_that_ends_delivers_what_is_left(shop: Servers, broker: Celery, settings: Any) -> None:
    shadow()
    with probing(settings):
        read_names(5)
        courier.stop()
        assert ShadowRead.objects.count() == 5
    assert sum(len(ids) for _, (_, ids) in messages(broker)) == 5


def test_a_process_of_a_workers_pool_delivers_what_is_left_when_it_ends(
    shop: Servers, broker: Celery, settings: Any
) -> None:
    shadow()
    with probing(settings, POLICY_POLL_SECONDS=600):
        read_names()
        wait_until(lambda: ShadowRead.objects.count() == 1, 20, "the courier to begin its pause")
        read_names(3)
        worker_process_shutdown.send(sender=None, pid=1, exitcode=0)
        assert ShadowRead.objects.count() == 4
