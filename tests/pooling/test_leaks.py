"""Hundreds of requests and units, with failures in between, and the connections that are left."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from demo.shop.models import Product
from demo.waiting import wait_until
from rollout.settings import get_settings
from routers.blocks import unit_of_work
from routers.replicas import replicas
from tests.pooling.support import NAMES, configured, count_backends, end_all_on_replicas, everywhere, serve
from tests.support import Servers, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ROUNDS = 300


def work(shop: Servers, rounds: int, faults: dict[int, Callable[[], object]]) -> None:
    """Serve requests and run units by turns; before some of them, something happens to a server."""
    for number in range(rounds):
        if fault := faults.get(number):
            fault()
        assert serve() == NAMES
        with unit_of_work(f"nightly {number % 7}"):
            assert Product.objects.count() == 2
        if number % 10 == 0:
            # What a worker does between two tasks.
            connections.close_all()


@pytest.mark.parametrize(
    ("options", "per_process"),
    [
        ({"CONN_MAX_AGE": 0}, 1),
        ({"CONN_MAX_AGE": 60}, 1),
        ({"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}, 1),
        ({"OPTIONS": {"pool": {"min_size": 1, "max_size": 3, "timeout": 1}}}, 3),
    ],
    ids=["closed", "persistent", "checked", "pooled"],
)
def test_failures_leave_no_connection_behind(
    routed: Servers, settings: Any, options: dict[str, Any], per_process: int
) -> None:
    for number in range(7):
        route(f"nightly {number}")
    routed.checkpoint()
    first, second = routed.cluster.replicas
    faults: dict[int, Callable[[], object]] = {
        30: lambda: end_all_on_replicas(routed),
        80: first.kill,
        130: first.start,
        160: lambda: end_all_on_replicas(routed),
        180: second.restart,
        230: lambda: end_all_on_replicas(routed),
    }
    with configured(everywhere(**options)), probing(settings):
        try:
            work(routed, ROUNDS, faults)
        finally:
            if not first.is_running:
                first.start()
        wait_until(lambda: all(map(replicas.is_fit, get_settings().replicas)), 60, "the replicas to be fit again")
        with routed.watch() as reads:
            work(routed, 20, {})
        # One more is the prober's, and on the primary another is the agent's.
        limits = {server.name: per_process + 1 for server in routed.cluster.servers} | {"primary": per_process + 2}
        wait_until(
            lambda: all(count <= limits[name] for name, count in count_backends(routed).items()),
            20,
            "the connections to be as few as before",
        )
    assert reads.replicas > 0
    wait_until(lambda: not any(count_backends(routed).values()), 20, "all connections to be closed")
