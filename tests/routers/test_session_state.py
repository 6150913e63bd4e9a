"""What a host sets on the connection that is about to run its reads, wherever they end up."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from demo.shop.models import Product
from routers.blocks import unit_of_work
from tests.edge_cases.test_failures import replica_of, terminate
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ASKED: list[str] = []


def set_tenant(connection: BaseDatabaseWrapper) -> None:
    """Do what a host does for its row-level policies."""
    ASKED.append(connection.alias)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('host.tenant', 'acme', false)")


def tenant_on(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('host.tenant', true)")
        return str(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _tenants(settings) -> Iterator[None]:
    settings.READSHIFT = {**settings.READSHIFT, "SESSION_STATE": f"{__name__}.set_tenant"}
    connections.close_all()
    ASKED.clear()
    yield
    connections.close_all()


def test_it_is_set_once_for_each_unit_on_the_replica_that_serves_it(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        alias = replica_of(shop).name
        assert Product.objects.count() == 2
        assert [alias] == ASKED
        assert tenant_on(alias) == "acme"
    with unit_of_work("nightly"):
        replica_of(shop)
    assert len(ASKED) == 2


def test_it_is_set_again_on_a_new_connection(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        alias = replica_of(shop).name
        connections[alias].close()
        assert Product.objects.count() == 2
        assert [alias, alias] == ASKED


def test_a_read_that_is_asked_again_finds_it_where_it_is_answered(shop: Servers) -> None:
    route("nightly")
    with unit_of_work("nightly"):
        alias = replica_of(shop).name
        terminate(shop, alias)
        connections["default"].close()
        assert Product.objects.count() == 2
        assert ASKED[-1] == "default"
        assert tenant_on("default") == "acme"
