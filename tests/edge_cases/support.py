"""What several modules of edge cases share."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from routers.blocks import unit_of_work
from tests.support import Servers, route

REPLICAS = frozenset({"replica1", "replica2"})


@contextmanager
def routed_unit(endpoint: str = "nightly") -> Iterator[None]:
    """Run a block as a unit whose endpoint a rule routes."""
    route(endpoint)
    with unit_of_work(endpoint):
        yield


@contextmanager
def atomic_requests() -> Iterator[None]:
    """Run every view in a transaction on the primary, as the setting does."""
    options = connections["default"].settings_dict
    options["ATOMIC_REQUESTS"] = True
    try:
        yield
    finally:
        options["ATOMIC_REQUESTS"] = False


def writes(shop: Servers, table: str) -> dict[str, int]:
    """Return how many statements that change the table each server ran since `Servers.watch` began."""
    verbs = ("INSERT INTO", "UPDATE", "DELETE FROM")
    return {
        server.name: sum(sum(server.statements(f'{verb} "{table}"').values()) for verb in verbs)
        for server in shop.cluster.servers
    }
