"""Code that runs in no unit, such as a script: what it wrote counts for its blocks, commands and tasks."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from threading import Event, Thread

import pytest
from asgiref.sync import sync_to_async
from celery import shared_task
from django.core.management import call_command
from django.db import connection, connections, router, transaction

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from routers.agent import agent
from routers.blocks import carry, unit_of_work, use_replica
from routers.commands import RoutedCommand
from tests.support import Servers, forget_writes, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def held(shop: Servers) -> Iterator[Servers]:
    """The shop with replicas that stay as they are now, until they are let go."""
    shop.settle()
    with shop.held():
        yield shop


def write() -> None:
    Category.objects.update_or_create(slug="coffee", defaults={"name": "Coffee"})


def sees() -> bool:
    """Say whether a block finds what was written."""
    with use_replica():
        return Category.objects.filter(slug="coffee").exists()


def serves() -> str:
    with use_replica():
        return router.db_for_read(Product)


def test_a_block_sees_what_was_written_before_it(held: Servers) -> None:
    assert serves() != "default"
    write()
    assert serves() == "default"
    assert sees()
    held.catch_up()
    assert serves() != "default"
    assert sees()


def test_a_block_sees_what_an_earlier_block_wrote(held: Servers) -> None:
    with unit_of_work("import"):
        write()
    assert sees()


def test_a_block_sees_what_a_raw_cursor_wrote(held: Servers) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_category (name, slug) VALUES ('Coffee', 'coffee')")
    assert sees()


def test_a_block_in_a_transaction_sees_what_it_wrote_and_so_does_one_after_it(held: Servers) -> None:
    with transaction.atomic():
        write()
        assert sees()
    assert sees()


def test_a_thread_sees_what_it_wrote_itself(held: Servers) -> None:
    found: list[bool] = []

    def work() -> None:
        try:
            found.append(sees())
            write()
            found.append(sees())
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, True]


def closing(function):
    def closed():
        try:
            return function()
        finally:
            connections.close_all()

    return closed


def test_a_carried_function_sees_what_its_caller_wrote(held: Servers) -> None:
    write()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(carry(closing(sees))).result()


def test_its_caller_sees_what_a_carried_function_wrote(held: Servers) -> None:
    def script() -> bool:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(carry(closing(write))).result()
        return sees()

    # As in a process in which nothing was written yet.
    assert Context().run(script)


def test_a_block_that_ends_does_not_forget_what_others_wrote_meanwhile(held: Servers) -> None:
    entered, may_end = Event(), Event()

    def slow() -> None:
        with unit_of_work("slow"):
            entered.set()
            may_end.wait(timeout=10)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(carry(slow))
        entered.wait(timeout=10)
        write()
        # This asks where the primary stands, so that nothing is left to be asked later.
        assert serves() == "default"
        may_end.set()
        running.result()
    assert sees()


def test_a_coroutine_sees_what_it_awaited(held: Servers) -> None:
    agent.reload()

    async def main() -> bool:
        await sync_to_async(write)()
        try:
            return await sync_to_async(sees)()
        finally:
            await sync_to_async(connections.close_all)()

    assert asyncio.run(main())


class Report(RoutedCommand):
    """Reads what its caller wrote."""

    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> str:
        return str(Category.objects.filter(slug="coffee").exists())


class Import(RoutedCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> str:
        write()
        return "done"


@pytest.mark.parametrize("in_a_unit", [False, True])
def test_a_command_sees_what_its_caller_wrote(held: Servers, in_a_unit: bool) -> None:
    route(__name__.rpartition(".")[2])
    if in_a_unit:
        with unit_of_work("script"):
            write()
            assert call_command(Report()) == "True"
    else:
        write()
        assert call_command(Report()) == "True"


def test_its_caller_sees_what_a_command_wrote(held: Servers) -> None:
    call_command(Import())
    assert sees()


@shared_task(name="tests.outside.sees")
def sees_in_a_task() -> bool:
    return Category.objects.filter(slug="coffee").exists()


@shared_task(name="tests.outside.write")
def write_in_a_task() -> None:
    write()


def test_an_eager_task_sees_what_its_caller_wrote_and_the_other_way_round(held: Servers) -> None:
    route("tests.outside.sees")
    assert not sees_in_a_task.delay().get()
    write_in_a_task.delay()
    assert sees_in_a_task.delay().get()
    assert sees()


def test_what_was_seen_on_the_primary_in_one_block_is_not_older_in_the_next(shop: Servers, settings) -> None:
    with probing(settings):
        with shop.held():
            forget_writes()
            change = "INSERT INTO shop_category (name, slug) VALUES ('Coffee', 'coffee')"
            shop.cluster.primary.query(change, dbname="test_readshift")
            assert not sees()
            with use_replica(), transaction.atomic():
                assert Category.objects.filter(slug="coffee").exists()
            assert sees()
        wait_until(lambda: serves() != "default", 10, "the replica to be known to show it")
        assert sees()
