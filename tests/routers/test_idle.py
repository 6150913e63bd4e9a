"""What a project's own tests see of Readshift as long as they do not ask for it: nothing."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from demo.shop.models import Category
from rollout.settings import is_idle
from routers.blocks import unit_of_work
from routers.commands import RoutedCommand
from routers.replicas import replicas
from tests.support import forget_writes

pytestmark = pytest.mark.parametrize(
    "case",
    [
        pytest.param("TestCase", marks=pytest.mark.django_db),
        pytest.param("TransactionTestCase", marks=pytest.mark.django_db(transaction=True)),
    ],
)


@pytest.fixture(autouse=True)
def _idle(settings) -> Iterator[None]:
    """Let these tests be those of a project that has set nothing about its tests."""
    forget_writes()
    settings.READSHIFT = {**settings.READSHIFT, "POLICY_REFRESH": "auto"}
    assert is_idle()
    yield
    forget_writes()


class Restock(RoutedCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **__: object) -> None:
        Category.objects.create(name="Coffee", slug="coffee")


def words(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"].split()[0] for query in queries.captured_queries]


def test_a_request_that_writes_costs_no_query_and_sets_no_cookie(case: str, client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/test/read-write-read/")
    assert words(queries) == ["SELECT", "SELECT", "INSERT", "SELECT"]
    assert not response.cookies


def test_a_streamed_body_that_writes_costs_no_query_and_sets_no_cookie(case: str, client: Client) -> None:
    category = Category.objects.create(name="Tea", slug="tea")
    category.products.create(name="Assam", slug="assam", price="4.50", stock=9)
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/test/streamed/writing/")
        assert b"".join(response) == b"AssamAssam"
    assert words(queries) == ["SELECT", "INSERT", "SELECT"]
    assert not response.cookies


def test_a_block_costs_no_query(case: str) -> None:
    Category.objects.create(name="Tea", slug="tea")
    with CaptureQueriesContext(connection) as queries, unit_of_work("nightly"):
        Category.objects.create(name="Coffee", slug="coffee")
        assert Category.objects.count() == 2
    assert words(queries) == ["INSERT", "SELECT"]


def test_a_routed_command_costs_no_query_and_asks_no_server(case: str) -> None:
    connections["replica1"].close()
    with CaptureQueriesContext(connection) as queries:
        call_command(Restock())
    assert words(queries) == ["INSERT"]
    assert replicas.standing("replica1").seen_at == float("-inf")
