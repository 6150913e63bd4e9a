"""E37 and E42: which position in the log counts, and on which connection a replica is asked for its own."""

import pytest
from django.db import connections, transaction
from django.test import Client

from demo.shop.models import Product
from routers.blocks import use_replica
from routers.whereabouts import ask
from tests.edge_cases.support import REPLICAS, atomic_requests
from tests.support import Servers, forget_writes, route
from tests.writes import NEW, save

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def is_shown_on(replica: str) -> bool:
    return Product.objects.using(replica).filter(name=NEW).exists()


def test_e37_a_replica_passes_a_position_inside_the_transaction_without_showing_its_rows(shop: Servers) -> None:
    with transaction.atomic():
        save()
        inside = ask("default").position
        # Somebody else's commit takes the log to the replicas.
        shop.cluster.wait_for_replay()
        here = ask("replica1").position
        assert inside is not None
        assert here is not None
        assert inside.is_reached_by(here)
        assert not is_shown_on("replica1")


@pytest.mark.parametrize("is_atomic", [False, True], ids=["atomic", "ATOMIC_REQUESTS"])
def test_e37_the_position_that_counts_is_taken_after_the_commit(shop: Servers, client: Client, is_atomic: bool) -> None:
    route("names")
    with shop.held():
        if is_atomic:
            with atomic_requests():
                client.get("/test/written/save/")
        else:
            client.get("/test/written/atomic/")
        assert NEW in client.get("/test/names/").json()["names"]


def test_e37_what_a_transaction_wrote_counts_in_the_block_after_it(shop: Servers) -> None:
    with shop.held():
        with use_replica(), transaction.atomic():
            save()
            # Reading here must not settle what is not committed yet.
            assert Product.objects.filter(name=NEW).exists()
        with use_replica():
            assert Product.objects.filter(name=NEW).exists()


def test_e42_the_server_that_is_asked_is_the_one_that_the_read_would_run_on(shop: Servers) -> None:
    """An alias may lead to several servers, so that a new connection may end at another one than this thread's."""
    servers = {alias: shop.cluster.server(alias) for alias in sorted(REPLICAS)}
    for alias in servers:
        connections[alias].ensure_connection()
    first, second = (connections[alias].settings_dict for alias in servers)
    servers["replica1"].pause_replay()
    ports = first["PORT"], second["PORT"]
    try:
        forget_writes()
        save()
        servers["replica2"].wait_for_position(shop.cluster.primary.commit_position(), timeout=10)
        first["PORT"], second["PORT"] = ports[1], ports[0]
        # Many actors: some of the server that lacks it, and some of the one that has it.
        for _ in range(12):
            with use_replica():
                assert Product.objects.filter(name=NEW).exists()
    finally:
        first["PORT"], second["PORT"] = ports
        servers["replica1"].resume_replay()


def test_e42_the_question_and_the_read_share_one_connection(shop: Servers) -> None:
    save()
    with use_replica():
        # The position that the next block's read must show is known from here on.
        Product.objects.exists()
    shop.cluster.wait_for_replay()
    sessions: list[int] = []

    def note(execute, sql, params, many, context):
        sessions.append(context["connection"].connection.info.backend_pid)
        return execute(sql, params, many, context)

    one, other = (connections[alias].execute_wrapper(note) for alias in sorted(REPLICAS))
    with one, other, use_replica():
        assert Product.objects.filter(name=NEW).exists()
    # The question, and the read.
    assert len(sessions) == 2
    assert len(set(sessions)) == 1
