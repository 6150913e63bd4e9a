"""Secrets that reads hold are found neither in what travels, nor in what is reported, nor in any log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections

from benchmarks.relay import Relay
from demo.broker import Broker, running_broker
from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.models import ShadowRead, ShadowState
from rollout.outcomes import Outcome
from routers.blocks import unit_of_work
from routers.captured import open_statement
from tests.routers.test_capture import ENDPOINT, shadow
from tests.routers.test_celery import worker
from tests.routers.test_courier import current_app_on
from tests.support import Servers, probing

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SECRET = "hunter2"


@contextmanager
def overheard(broker: Broker) -> Iterator[tuple[Broker, bytearray]]:
    """Yield the broker with an address under which all that goes there and comes back is taken down."""
    heard = bytearray()
    address = urlsplit(broker.url)
    with Relay(address.port or 0, overhear=heard.extend) as relay:
        yield replace(broker, url=f"redis://127.0.0.1:{relay.port}{address.path}"), heard


def everything_stored() -> str:
    """Return all that our own tables hold, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'readshift%%'")
        rows = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def read_secrets() -> None:
    with unit_of_work(ENDPOINT):
        list(Product.objects.filter(name=SECRET))
        list(Product.objects.filter(description__contains=SECRET).order_by("name"))
        list(Product.objects.raw(f"SELECT id FROM shop_product WHERE slug = '{SECRET}' -- {SECRET}"))
        list(Product.objects.raw(f"SELECT id, random() FROM shop_product WHERE slug = '{SECRET}'"))
        list(
            Product.objects.raw(
                f"SELECT id FROM shop_product WHERE length(slug) > length('{SECRET}') OR name = %s", [SECRET]
            )
        )


def test_no_secret_leaves_the_seal(shop: Servers, tmp_path, settings: Any, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    Product.objects.create(
        name=SECRET, slug=SECRET, category=Category.objects.get(), price=1, stock=1, description=SECRET
    )
    shop.settle()
    shadow()
    log = tmp_path / "worker.log"
    with running_broker(tmp_path / "broker") as broker, overheard(broker) as (relayed, heard):
        with worker(relayed, "prefork", log), current_app_on(relayed.url, "celery"), probing(settings):
            read_secrets()
            wait_until(lambda: ShadowRead.objects.count() == 5, 30, "the reads to be written")
            # Sealed, it is all there.
            sealed = [bytes(read.sealed) for read in ShadowRead.objects.all() if read.sealed]
            assert sealed
            assert all(SECRET.encode() in open_statement(each).query for each in sealed)
            assert SECRET not in everything_stored()
            are_done = ShadowRead.objects.filter(state=ShadowState.DONE)
            wait_until(lambda: are_done.count() == 5, 60, "the worker to compare them")
        connections.close_all()
    assert {read.outcome for read in ShadowRead.objects.all()} == {Outcome.EQUAL, Outcome.INCONCLUSIVE}
    assert b"readshift.compare" in heard
    assert "readshift.compare" in log.read_text()
    for place, text in {
        "broker": heard.decode(errors="replace"),
        "tables": everything_stored(),
        "worker's log": log.read_text(),
        "own log": "\n".join(each.getMessage() for each in caplog.records if not each.name.startswith("django.db")),
    }.items():
        assert SECRET not in text, place
