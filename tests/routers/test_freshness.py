"""Whether a replica may serve: what that costs, how long a read waits, and how old an answer may be."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connections, router
from django.test import Client

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.reasons import Reason
from routers.agent import agent
from routers.blocks import unit_of_work, use_contract, use_replica
from routers.looking import look_at_servers
from routers.replicas import replicas
from tests.support import Servers, decisions, forget_writes, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

REPLICAS = {"replica1", "replica2"}
QUESTION = "pg_control_system"
"""A word of the question where a server stands, and of no other statement."""


def questions(shop: Servers) -> dict[str, int]:
    """Return how often each server was asked where it stands, since `Servers.watch` began."""
    return {server.name: sum(server.statements(QUESTION).values()) for server in shop.cluster.servers}


def alias() -> str:
    return router.db_for_read(Product)


def commit(shop: Servers) -> None:
    """Commit something that no actor of ours wrote."""
    shop.cluster.primary.query("SELECT pg_logical_emit_message(true, 'test', 'x')")


def test_a_request_that_wrote_nothing_asks_no_server_where_it_stands(shop: Servers, client: Client) -> None:
    route("names")
    for get in (client.get, client.post, client.get):
        with shop.watch():
            get("/test/names/")
        assert questions(shop) == {"primary": 0, "replica1": 0, "replica2": 0}


def test_a_request_that_wrote_asks_the_primary_once(shop: Servers, client: Client) -> None:
    route("read-write-read")
    with shop.watch():
        client.get("/test/read-write-read/")
    assert questions(shop) == {"primary": 1, "replica1": 0, "replica2": 0}
    with shop.watch():
        client.get("/test/written/atomic/")
    assert questions(shop)["primary"] == 1


def test_with_a_token_a_request_asks_its_replica_once_and_nobody_else(shop: Servers, client: Client) -> None:
    route("names")
    route("rendered-late")
    client.get("/test/written/update/")
    for page in ("names", "rendered-late"):
        with shop.watch() as reads:
            client.get(f"/test/{page}/")
        assert (reads.primary, reads.replicas) == (0, 1)
        assert sorted(questions(shop).values()) == [0, 0, 1]
        # The one that serves is the one that was asked.
        assert questions(shop) == reads.by_server


def test_what_the_last_probe_covers_costs_no_question(shop: Servers, client: Client, settings) -> None:
    route("names")
    with probing(settings, PROBE_SECONDS=600.0):
        client.get("/test/written/update/")
        shop.settle()
        look_at_servers(longest=0)
        with shop.watch() as reads:
            client.get("/test/names/")
        assert (reads.primary, reads.replicas) == (0, 1)
        assert questions(shop) == {"primary": 0, "replica1": 0, "replica2": 0}


def test_with_a_background_a_replica_that_has_the_write_before_the_next_probe_serves(
    shop: Servers, client: Client, settings
) -> None:
    route("names")
    with probing(settings, PROBE_SECONDS=600.0):
        client.get("/test/written/update/")
        shop.settle()
        with shop.watch() as reads:
            assert "Oolong" in client.get("/test/names/").json()["names"]
        assert (reads.primary, reads.replicas) == (0, 1)
        assert sorted(questions(shop).values()) == [0, 0, 1]


@contextmanager
def catching_up(shop: Servers, when: Callable[[], bool]) -> Iterator[None]:
    """Let held replicas go on as soon as the condition is met, while the block runs."""

    def go_on() -> None:
        wait_until(when, 10, "the read to wait")
        for replica in shop.cluster.replicas:
            replica.resume_replay()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(go_on)
        yield
        done.result()


@pytest.mark.parametrize("by", ["setting", "block"])
def test_a_read_waits_for_a_replica_that_is_about_to_catch_up(shop: Servers, settings, by: str) -> None:
    if by == "setting":
        settings.READSHIFT = {**settings.READSHIFT, "WAIT_SECONDS": 30}
    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        with shop.watch():
            pass
        Category.objects.filter(slug="coffee").update(name="Cocoa")

        def is_waiting() -> bool:
            found = questions(shop)
            return max(found["replica1"], found["replica2"]) > 1

        wait_seconds = 30 if by == "block" else None
        with use_contract("session", wait_seconds=wait_seconds), use_replica(), catching_up(shop, is_waiting):
            assert Category.objects.get(slug="coffee").name == "Cocoa"
            assert alias() in REPLICAS
    assert decisions("shop.Category") == {Reason.FORCED_REPLICA: 1}


def test_a_read_that_has_waited_long_enough_goes_to_the_primary_and_the_next_ones_wait_no_more(shop: Servers) -> None:
    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        with use_replica(), use_contract("session", wait_seconds=0.01):
            assert alias() == "default"
            before = questions(shop)
            assert router.db_for_read(Category) == "default"
            assert questions(shop) == before


def test_on_an_event_loop_nobody_waits(shop: Servers) -> None:
    agent.reload()

    async def main() -> str:
        with use_contract("session", wait_seconds=600), use_replica():
            return alias()

    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        with use_replica():
            # Asks where the primary stands, which is not possible on the loop.
            assert alias() == "default"
        assert asyncio.run(main()) == "default"


def test_a_block_can_forbid_the_wait_that_the_setting_allows(shop: Servers, settings) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "WAIT_SECONDS": 600}
    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        with use_replica(), use_contract("session", wait_seconds=0):
            assert alias() == "default"


@pytest.mark.parametrize(("contract", "expected"), [("any", "replica"), ("session", "default"), ("strict", "default")])
def test_a_contract_says_whether_the_actors_own_writes_must_be_shown(
    shop: Servers, contract: str, expected: str
) -> None:
    route("nightly", contract=contract)
    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        with unit_of_work("nightly"):
            assert alias().startswith(expected)


def test_a_bound_is_kept_while_a_replica_falls_behind_and_catches_up(shop: Servers, settings) -> None:
    """The lag is real: a commit that the replicas do not replay."""
    route("bounded", contract="bounded:0.5")
    route("loosely-bounded", contract="bounded:600")
    route("any", contract="any")

    def read(endpoint: str) -> str:
        forget_writes()
        with unit_of_work(endpoint):
            return alias()

    with probing(settings):
        wait_until(lambda: read("bounded") in REPLICAS, 10, "the replicas to be known to be young")
        with shop.held():
            commit(shop)
            wait_until(lambda: read("bounded") == "default", 10, "the replicas to be too old")
            assert decisions()[Reason.TOO_OLD] >= 1
            # They do not grow younger again.
            assert read("bounded") == "default"
            assert read("loosely-bounded") in REPLICAS
            assert read("any") in REPLICAS
            # The strictest of rule and block counts, whichever of the two it is.
            for rule, block in (("loosely-bounded", "bounded:0.5"), ("bounded", "any"), ("any", "bounded:0.5")):
                forget_writes()
                with unit_of_work(rule), use_contract(block):
                    assert alias() == "default"
        wait_until(lambda: read("bounded") in REPLICAS, 10, "the replicas to be young again")


def test_an_idle_primary_makes_no_replica_too_old(shop: Servers, settings) -> None:
    route("bounded", contract="bounded:2")
    with probing(settings), unit_of_work("bounded"):
        oldest = min(replicas.shows_since(alias) for alias in REPLICAS)
        wait_until(lambda: min(replicas.shows_since(alias) for alias in REPLICAS) > oldest + 0.2, 10, "later probes")
        assert alias() in REPLICAS


def test_a_replica_that_refuses_the_question_is_not_read(shop: Servers, client: Client) -> None:
    route("names")
    client.get("/test/written/update/")
    options = [connections[alias].settings_dict for alias in sorted(REPLICAS)]
    ports = [each["PORT"] for each in options]
    connections.close_all()
    try:
        for each in options:
            each["PORT"] = 1
        assert "Oolong" in client.get("/test/names/").json()["names"]
    finally:
        for each, port in zip(options, ports, strict=True):
            each["PORT"] = port


def test_an_actor_who_is_never_idle_returns_to_its_replica_before_the_next_probe(
    shop: Servers, client: Client, settings
) -> None:
    route("names")
    with probing(settings, PROBE_SECONDS=600.0):
        client.post("/test/names/")

        def is_routed() -> bool:
            decisions()
            client.get("/test/names/")
            return Reason.ROUTED in decisions()

        wait_until(is_routed, 10, "a read on the replica")
