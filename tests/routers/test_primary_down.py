"""While the primary is down: reads that may go on do, everything else fails as Django fails, and it ends by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import InternalError, OperationalError, connections
from django.test import Client

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.reasons import Reason
from routers.blocks import unit_of_work, use_primary
from routers.primaries import Condition
from routers.replicas import replicas
from tests.support import Servers, decisions, forget_writes, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@contextmanager
def dead_primary(shop: Servers) -> Iterator[None]:
    """Kill the primary, and have it back when the block ends."""
    shop.settle()
    shop.cluster.primary.query("CHECKPOINT")
    connections.close_all()
    shop.cluster.primary.kill()
    try:
        wait_until(lambda: replicas.is_primary_down("default"), 20, "the primary to be missed")
        yield
    finally:
        shop.cluster.primary.start()
        connections.close_all()
        for replica in shop.cluster.replicas:
            replica.wait_until_streaming()


@pytest.mark.parametrize("contract", ["session", "bounded:5", "any"])
def test_reads_that_may_go_on_do(shop: Servers, settings, client: Client, contract: str) -> None:
    route("names", contract=contract)
    with probing(settings), dead_primary(shop):
        # Longer than a policy may usually be old.
        settings.READSHIFT = {**settings.READSHIFT, "POLICY_MAX_AGE_SECONDS": 0.01}
        for _ in range(3):
            assert client.get("/test/names/").json() == {"names": ["Assam", "Sencha"]}
        assert decisions()[Reason.ROUTED] == 3


def test_all_else_fails_at_once_with_the_error_that_django_raises(shop: Servers, settings) -> None:
    route("nightly")
    with probing(settings), dead_primary(shop):
        with pytest.raises(OperationalError):
            Category.objects.create(name="Coffee", slug="coffee")
        with unit_of_work("nightly"), use_primary(), pytest.raises(OperationalError):
            Product.objects.count()
    forget_writes()


def test_whoever_has_just_written_is_shown_an_error_rather_than_an_older_state(
    shop: Servers, settings, client: Client
) -> None:
    route("names")
    with probing(settings):
        for replica in shop.cluster.replicas:
            replica.pause_replay()
        client.get("/test/written/update/")
        connections.close_all()
        shop.cluster.primary.kill()
        try:
            wait_until(lambda: replicas.is_primary_down("default"), 20, "the primary to be missed")
            with pytest.raises(OperationalError):
                client.get("/test/names/")
        finally:
            shop.cluster.primary.start()
            connections.close_all()
            shop.catch_up()


def test_it_is_over_when_the_primary_answers_again(shop: Servers, settings) -> None:
    with probing(settings):
        with dead_primary(shop):
            assert replicas.primary("default").condition is Condition.UNREACHABLE
        wait_until(lambda: replicas.primary("default").condition is Condition.SERVING, 20, "the primary to be found")
        assert not replicas.is_primary_down("default")
        assert Category.objects.create(name="Coffee", slug="coffee").pk


def test_an_alias_that_leads_to_a_standby_is_reported_and_connected_anew_after_a_failed_write(
    shop: Servers, settings
) -> None:
    standby = shop.cluster.server("replica1")
    connection = connections["default"]
    with probing(settings):
        connection.close()
        options = connection.settings_dict
        port, options["PORT"] = options["PORT"], standby.port
        try:
            # The prober connects where the alias leads, as everybody does, once its own connection is gone.
            shop.cluster.primary.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_control_system%'"
                " AND pid <> pg_backend_pid()"
            )
            wait_until(
                lambda: replicas.primary("default").condition is Condition.DEMOTED, 20, "the demotion to be seen"
            )
            with pytest.raises(InternalError, match="read-only transaction"):
                Category.objects.create(name="Coffee", slug="coffee")
            assert connection.close_at == 0
            connection.close_if_unusable_or_obsolete()
            assert connection.connection is None
        finally:
            options["PORT"] = port
            connection.close()
    forget_writes()
