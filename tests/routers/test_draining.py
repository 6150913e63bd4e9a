"""Replicas that an operator has taken out of service."""

import pytest

from demo.shop.models import Product
from rollout.models import DrainedReplica
from routers.blocks import unit_of_work, use_replica
from tests.edge_cases.test_failures import replica_of, terminate
from tests.support import Servers, forget_writes, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_a_drained_replica_serves_nobody_until_somebody_says_so(shop: Servers) -> None:
    route("nightly")
    drained = DrainedReplica.objects.create(alias="replica1")
    forget_writes()
    with shop.watch() as reads:
        for _ in range(12):
            with unit_of_work("nightly"):
                assert Product.objects.count() == 2
            with use_replica():
                assert Product.objects.count() == 2
    assert reads.by_server == {"primary": 0, "replica1": 0, "replica2": 24}
    drained.delete()
    forget_writes()
    with shop.watch() as reads:
        for _ in range(24):
            with unit_of_work("nightly"):
                assert Product.objects.count() == 2
    assert reads.by_server["replica1"] > 0


def test_without_another_replica_the_primary_serves(shop: Servers) -> None:
    route("nightly")
    for alias in ("replica1", "replica2"):
        DrainedReplica.objects.create(alias=alias)
    forget_writes()
    with shop.watch() as reads, unit_of_work("nightly"):
        assert Product.objects.count() == 2
    assert (reads.primary, reads.replicas) == (1, 0)


def test_not_even_a_read_that_another_replica_failed_to_answer_goes_there(shop: Servers) -> None:
    route("nightly", contract="any")
    DrainedReplica.objects.create(alias="replica1")
    forget_writes()
    with unit_of_work("nightly"):
        assert replica_of(shop).name == "replica2"
        terminate(shop, "replica2")
        with shop.watch() as reads:
            assert Product.objects.count() == 2
    assert reads.by_server["replica1"] == 0
