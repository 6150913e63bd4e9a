"""Tasks as units: in this process, and in a real worker with a real broker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery, shared_task
from django.core.cache.backends.redis import RedisCache
from django.db import router

from demo.broker import Broker, running_broker
from demo.shop.models import Category, Product
from demo.shop.tasks import BESTSELLERS_KEY
from demo.waiting import wait_until
from rollout.bucketing import BUCKETS
from rollout.models import ArmCount, GateKind, Side, Tally
from rollout.reasons import Reason
from routers.blocks import unit_of_work
from routers.celery import incoming, outgoing
from routers.current import current_unit
from routers.positions import Floor
from routers.subjects import PlainParty
from routers.tokens import NOTHING, Token, encode, pinned
from routers.trail import Trail
from tests.rollout.support import create_flag
from tests.support import Reads, Servers, route

REPLICAS = {"replica1", "replica2"}


@shared_task(name="tests.where")
def where(write: bool = False) -> dict[str, object]:
    """Say where this task would read, and for whom."""
    if write:
        Category.objects.create(name="Coffee", slug="coffee")
    unit = current_unit()
    assert unit is not None
    return {
        "alias": router.db_for_read(Product),
        "endpoint": unit.endpoint,
        "actor": unit.party.actor,
        "dice": unit.party.dice,
    }


@shared_task(name="tests.fail")
def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestInThisProcess:
    def test_a_task_follows_the_rule_for_its_name(self, shop: Servers) -> None:
        assert where.delay().get()["alias"] == "default"
        route("tests.where")
        assert where.delay().get()["alias"] in REPLICAS

    def test_a_task_that_wrote_reads_from_the_primary(self, shop: Servers) -> None:
        route("tests.where")
        assert where.delay(write=True).get()["alias"] == "default"
        # The same code enqueues the next one, which must show that write, and a replica soon does.
        wait_until(lambda: where.delay().get()["alias"] in REPLICAS, 20, "a replica to show what was written")

    def test_a_task_serves_the_actor_of_the_unit_that_called_it(self, shop: Servers) -> None:
        with unit_of_work("outer"):
            outer = current_unit()
            assert outer is not None
            outer.trail.party = PlainParty(actor="ada", dice=7)
            found = where.delay().get()
            assert (found["actor"], found["dice"]) == ("ada", 7)
            assert current_unit() is outer

    def test_a_task_that_runs_inside_a_unit_shares_what_was_written(self, shop: Servers) -> None:
        route("tests.where")
        with unit_of_work("outer"):
            assert where.delay().get()["alias"] in REPLICAS
            Category.objects.create(name="Cocoa", slug="cocoa")
            assert where.delay().get()["alias"] == "default"

    def test_nothing_is_left_behind_by_a_task_that_failed(self, shop: Servers) -> None:
        with pytest.raises(ZeroDivisionError):
            fail.delay()
        assert current_unit() is None


def test_a_task_of_no_unit_is_its_own_actor() -> None:
    assert incoming(None, "id", now=0.0).actor == "task:id"


@pytest.mark.parametrize(
    "header",
    ["text", 7, [], {}, {"actor": "ada"}, {"actor": 7, "dice": 1, "token": encode(NOTHING)}]
    + [{"actor": "ada", "dice": 1, "token": text} for text in (None, "", "forged:token")]
    + [{"actor": "ada", "dice": dice, "token": encode(NOTHING)} for dice in (-1, BUCKETS, "1")],
)
def test_a_header_that_is_not_ours_means_the_primary(header: object) -> None:
    assert incoming(header, "id", now=0.0).token.is_foreign


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("token", [NOTHING, pinned(["default"], 2e9), Token({"default": (Floor(1, 2, 3, 4, 2e9),)})])
def test_what_a_unit_hands_on_arrives(shop: Servers, token: Token) -> None:
    party = PlainParty(actor="ada", dice=7, token=token)
    assert incoming(outgoing(Trail(party), now=1e9), "id", now=1e9) == party


@contextmanager
def worker(broker: Broker, pool: str, log: Path | None = None) -> Iterator[None]:
    """Run a real worker on this broker. log: the file for all that it has to say."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
        "READSHIFT_TEST_BROKER": broker.url,
        "READSHIFT_TEST_CACHE": broker.cache,
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.worker", "worker", f"--pool={pool}", "--concurrency=1"]
    with (
        (log or Path(os.devnull)).open("wb") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--loglevel=DEBUG"], env=environment, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_real_worker_reads_from_a_replica_once_a_rule_says_so(shop: Servers, tmp_path, pool: str) -> None:
    with (
        running_broker(tmp_path) as broker,
        worker(broker, pool),
        Celery(broker=broker.url, set_as_current=False) as client,
    ):
        shared = RedisCache(broker.cache, {})

        def reads_of_one_task() -> Reads:
            shared.delete(BESTSELLERS_KEY)
            with shop.watch("shop_orderline") as reads:
                client.send_task("shop.refresh_bestsellers")
                wait_until(lambda: shared.get(BESTSELLERS_KEY) is not None, 20, "the task to store its result")
            return reads

        assert reads_of_one_task().by_server == {"primary": 1, "replica1": 0, "replica2": 0}
        create_flag("bestsellers", everyone=True)
        route("shop.refresh_bestsellers", gate=(GateKind.FLAG, "bestsellers"))
        # The worker hears of the rule by itself.
        wait_until(lambda: reads_of_one_task().replicas == 1, 20, "the worker to read from a replica")
        last = Tally.objects.filter(endpoint="shop.refresh_bestsellers", reason=Reason.ROUTED)
        wait_until(last.exists, 20, "the worker to write its counts")
        ended = ArmCount.objects.filter(target="shop.refresh_bestsellers", side=Side.REPLICA, units__gte=1, failed=0)
        wait_until(ended.exists, 20, "the worker to write what became of its tasks")
