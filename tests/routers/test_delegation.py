"""What tasks inherit from the code that enqueues them, and hand back to the actor whom they serve."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from celery import current_app, shared_task
from celery.app.trace import build_tracer
from django.db import connections, router, transaction

from demo.shop.models import Category, Product
from routers.blocks import unit_of_work, use_primary
from routers.carriers import from_cache
from routers.celery import HEADER, outgoing
from routers.current import current_unit
from routers.positions import parse_lsn
from routers.subjects import PlainParty
from routers.tokens import FOREIGN, NOTHING, Token, decode
from routers.trail import Trail
from routers.whereabouts import conclude, token_for_task
from tests.support import Servers, forget_writes, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

REPLICAS = {"replica1", "replica2"}
found: list[dict[str, Any]] = []
"""What the tasks below have reported."""


@shared_task(name="tests.delegation.report")
def report(write: bool = False) -> None:
    """Say where this task would read, and for whom, and leave a block open."""
    unit = current_unit()
    assert unit is not None
    found.append({"actor": unit.party.actor, "alias": router.db_for_read(Product)})
    if write:
        Category.objects.update_or_create(slug="coffee", defaults={"name": "Coffee"})
        found[-1]["meanwhile"] = from_cache(unit.party.actor or "")
    use_primary().__enter__()


@shared_task(name="tests.delegation.again")
def again() -> None:
    """Write, and ask to be run once more."""
    Category.objects.create(name="Coffee", slug="coffee")
    raise again.retry(countdown=0)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    found.clear()


@pytest.fixture
def sent() -> Iterator[Callable[[], dict[str, Any] | None]]:
    """A function that takes the next message from the queue and returns what it says to the task."""
    current_app.conf.task_always_eager = False

    def take() -> dict[str, Any] | None:
        with current_app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
            message = queue.get(timeout=10)
            message.ack()
            headers: Any = message.headers
            header: dict[str, Any] | None = headers.get(HEADER)
            return header

    yield take
    current_app.conf.task_always_eager = True
    with current_app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
        queue.clear()


def run(task: Any, header: object = None, name: str = "id", **arguments: object) -> None:
    """Run a task as a worker does."""
    request = {"id": name, "delivery_info": {}, "is_eager": False, HEADER: header}
    build_tracer(task.name, task, app=current_app)(name, [], arguments, request)


def token_of(header: dict[str, Any] | None) -> Token:
    assert header is not None
    return decode(header["token"], time.time())


def header_of(actor: str, token: Token = NOTHING) -> dict[str, Any]:
    return outgoing(Trail(PlainParty(actor=actor, token=token)), time.time())


def written_so_far(shop: Servers) -> int:
    """Return where the log of the primary ends."""
    ((lsn,),) = shop.cluster.primary.query("SELECT pg_current_wal_insert_lsn()::text")
    return parse_lsn(lsn)


def test_a_task_that_is_enqueued_in_a_transaction_is_pinned(shop: Servers, sent) -> None:
    with unit_of_work("sender"), transaction.atomic():
        Category.objects.create(name="Coffee", slug="coffee")
        report.delay()
    token = token_of(sent())
    assert token.pins.keys() == {"default"}
    # Until the transaction must have ended, however late that is.
    assert token.pins["default"] > time.time() + 1_000


def test_a_task_that_is_enqueued_on_commit_is_told_a_position_after_the_commit(shop: Servers, sent) -> None:
    with unit_of_work("sender"), transaction.atomic():
        transaction.on_commit(report.delay)
        Category.objects.create(name="Coffee", slug="coffee")
        before = written_so_far(shop)
    token = token_of(sent())
    assert token.pins == {}
    (floor,) = token.floors_of("default")
    assert floor.lsn > before


def test_a_task_that_is_enqueued_by_a_script_is_told_what_that_wrote(shop: Servers, sent) -> None:
    forget_writes()
    report.delay()
    assert sent() is None
    before = written_so_far(shop)
    Category.objects.create(name="Coffee", slug="coffee")
    report.delay()
    header = sent()
    (floor,) = token_of(header).floors_of("default")
    assert floor.lsn > before
    route("tests.delegation.report")
    shop.settle()
    run(report, header)
    # Nobody waits for what such a task does.
    assert found[0]["actor"].startswith("task:")
    assert found[0]["alias"] in REPLICAS


def test_a_task_that_is_enqueued_by_a_script_within_a_transaction_is_pinned(shop: Servers, sent) -> None:
    forget_writes()
    with transaction.atomic():
        report.delay()
    assert token_of(sent()).pins.keys() == {"default"}


def test_a_task_that_is_enqueued_on_an_event_loop_after_a_write_is_pinned(shop: Servers, sent) -> None:
    def write() -> None:
        Category.objects.create(name="Coffee", slug="coffee")

    async def main() -> None:
        with unit_of_work("sender"):
            await sync_to_async(write)()
            # Nothing can be asked here.
            report.delay()
        await sync_to_async(connections.close_all)()

    asyncio.run(main())
    assert token_of(sent()).pins.keys() == {"default"}


def test_a_task_of_a_unit_with_a_foreign_token_is_pinned(shop: Servers, sent) -> None:
    with unit_of_work("sender"):
        unit = current_unit()
        assert unit is not None
        unit.trail.party = PlainParty(actor="ada", token=FOREIGN)
        report.delay()
    assert token_of(sent()).pins.keys() == {"default"}


def test_a_task_that_is_tried_again_is_told_what_its_first_try_wrote(shop: Servers, sent) -> None:
    before = written_so_far(shop)
    run(again, header_of("ada"))
    header = sent()
    assert header is not None
    assert header["actor"] == "ada"
    (floor,) = token_of(header).floors_of("default")
    assert floor.lsn > before
    # And so is the actor, who need not wait for the next try.
    assert from_cache("ada").floors_of("default") == (floor,)
    assert from_cache("ada").pins == {}


def test_an_actor_reads_from_the_primary_from_a_tasks_first_write_to_its_end(shop: Servers) -> None:
    run(report, header_of("ada"), write=True)
    assert found[0]["meanwhile"].pins.keys() == {"default"}
    left = from_cache("ada")
    assert left.pins == {}
    assert left.floors_of("default")[0].lsn > 0
    assert from_cache("bob") == NOTHING


def test_a_task_that_writes_nothing_leaves_nothing(shop: Servers) -> None:
    run(report, header_of("ada"))
    assert from_cache("ada") == NOTHING


def test_a_task_that_fails_after_a_write_leaves_its_token_too(shop: Servers) -> None:
    @shared_task(name="tests.delegation.fail")
    def fail() -> None:
        Category.objects.create(name="Coffee", slug="coffee")
        raise ZeroDivisionError

    run(fail, header_of("ada"))
    assert from_cache("ada").floors_of("default")
    assert from_cache("ada").pins == {}


def test_nothing_of_one_task_reaches_the_next_one(shop: Servers) -> None:
    route("tests.delegation.report")
    run(report, header_of("ada", FOREIGN), write=True)
    run(report, name="next")
    run(report, {"actor": "forged"}, name="forged")
    run(report, name="last")
    assert [(each["actor"], each["alias"] in REPLICAS) for each in found] == [
        ("ada", False),
        ("task:next", True),
        ("task:forged", False),
        ("task:last", True),
    ]
    assert current_unit() is None


def test_what_a_transaction_wrote_is_settled_after_its_end_and_not_when_it_enqueues(shop: Servers) -> None:
    with unit_of_work("sender"):
        unit = current_unit()
        assert unit is not None
        with transaction.atomic():
            Category.objects.create(name="Coffee", slug="coffee")
            assert token_for_task(unit.trail, time.time()).pins
            assert (unit.trail.unsettled, unit.trail.learned) == ({"default"}, NOTHING)
        assert conclude(unit.trail, time.time())
        assert unit.trail.learned.floors_of("default")
