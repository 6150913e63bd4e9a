"""E28 to E30: threads, coroutines, tasks, and what runs after a write."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from celery import current_app, shared_task
from django.db import connections, router, transaction
from django.db.models.signals import post_save

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from routers.agent import agent
from routers.blocks import carry, use_primary, use_replica
from routers.celery import HEADER, incoming
from routers.current import current_unit
from tests.edge_cases.support import REPLICAS, routed_unit
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def alias() -> str:
    return router.db_for_read(Product)


def test_e28_a_unit_reaches_through_sync_to_async_and_its_blocks_do_not_reach_back(shop: Servers) -> None:
    def inside() -> list[str]:
        with use_primary():
            first = alias()
        return [first, alias()]

    async def main() -> None:
        with use_replica():
            first, second = await sync_to_async(inside)()
            assert first == "default"
            assert {second, alias()} <= REPLICAS

    async_to_sync(main)()


def test_e28_a_carried_function_reads_in_a_thread_pool_as_its_caller_does(shop: Servers) -> None:
    together = threading.Barrier(3, timeout=10)

    def read(slug: str) -> str:
        together.wait()
        try:
            return Product.objects.get(slug=slug).name
        finally:
            connections.close_all()

    slugs = ["assam", "sencha", "assam"]
    with routed_unit():
        agent.reload()
        with shop.watch() as reads, ThreadPoolExecutor(3) as pool:
            assert list(pool.map(carry(read), slugs)) == ["Assam", "Sencha", "Assam"]
        assert (reads.primary, reads.replicas) == (0, 3)
        with shop.watch() as reads, ThreadPoolExecutor(3) as pool:
            list(pool.map(read, slugs))
        assert (reads.primary, reads.replicas) == (3, 0)


def test_e28_a_carried_function_shares_what_was_written_and_keeps_its_blocks_to_itself(shop: Servers) -> None:
    def write() -> None:
        use_primary().__enter__()
        Category.objects.create(name="Coffee", slug="coffee")
        connections.close_all()

    with routed_unit(), ThreadPoolExecutor(1) as pool:
        before = alias()
        pool.submit(carry(write)).result()
        assert pool.submit(current_unit).result() is None
        assert (before in REPLICAS, alias()) == (True, "default")
    assert carry(write).__name__ == "write"


@shared_task(name="tests.edge_cases.where")
def where(write: bool = False) -> str:
    if write:
        Category.objects.create(name="Coffee", slug="coffee")
        use_primary().__enter__()
    return alias()


def test_e29_what_a_task_leaves_open_does_not_reach_the_next_one(shop: Servers) -> None:
    route("tests.edge_cases.where")
    assert where.delay(write=True).get() == "default"
    assert current_unit() is None
    # What it wrote counts for the next one, as for all code of this thread, until a replica shows it.
    wait_until(lambda: where.delay().get() in REPLICAS, 20, "the next task to read from a replica")


def test_e30_a_task_sent_on_commit_is_told_that_its_sender_wrote(shop: Servers, settings) -> None:
    current_app.conf.task_always_eager = False
    try:
        with routed_unit(), transaction.atomic():
            transaction.on_commit(where.delay)
            Category.objects.create(name="Coffee", slug="coffee")
        with current_app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
            message = queue.get(timeout=10)
            message.ack()
    finally:
        current_app.conf.task_always_eager = True
    headers: Any = message.headers
    (floor,) = incoming(headers[HEADER], "id", time.time()).token.floors_of("default")
    assert floor.lsn > 0


def test_e30_a_signal_handler_sees_what_was_just_saved(behind: Servers) -> None:
    found: list[bool] = []

    def look(instance: Category, **_: Any) -> None:
        found.append(Category.objects.filter(pk=instance.pk).exists())

    post_save.connect(look, sender=Category)
    try:
        with routed_unit():
            Category.objects.create(name="Coffee", slug="coffee")
    finally:
        post_save.disconnect(look, sender=Category)
    assert found == [True]
