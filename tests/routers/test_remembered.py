"""Decisions that are given again: as long as they hold, and not a read longer."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from math import inf
from time import monotonic
from typing import Any

import pytest
from django.db import connection, connections, router, transaction
from waffle.models import Flag, Switch

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.models import GateKind, Side, TallyKind
from rollout.policy import KILL_SWITCH
from rollout.settings import get_settings
from routers import router as deciding
from routers.agent import agent
from routers.arms import arms
from routers.blocks import carry, unit_of_work, use_contract, use_primary
from routers.current import current
from routers.footing import footing
from routers.meter import meter
from routers.prober import prober
from routers.recording import recorded
from routers.replicas import replicas
from tests.edge_cases.support import REPLICAS, atomic_requests
from tests.support import Servers, decisions, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@contextmanager
def reading() -> Iterator[None]:
    """Run a block in a unit that a rule routes, and that has read the products from a replica already."""
    route("nightly")
    agent.state()
    with unit_of_work("nightly"):
        assert read() in REPLICAS
        assert Product in current().remembered
        yield


def read() -> str:
    """Read a product and return what the router said; the server that has run it is looked at by `Servers.watch`."""
    product = Product.objects.get(slug="assam")
    return str(product._state.db)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The models of all decisions that were taken rather than given again."""
    taken: list[type] = []
    answer: Callable[..., Any] = deciding._answer

    def _answer(cluster: Any, model: type, here: Any) -> Any:
        taken.append(model)
        return answer(cluster, model, here)

    monkeypatch.setattr(deciding, "_answer", _answer)
    return taken


def test_a_decision_is_taken_once_and_given_again(shop: Servers, decided: list[type]) -> None:
    with shop.watch() as reads, reading():
        for _ in range(4):
            read()
    assert decided == [Product]
    assert (reads.primary, reads.replicas) == (0, 5)


def test_every_answer_and_every_read_is_counted_once(shop: Servers) -> None:
    Flag.objects.create(name="nightly", everyone=True)
    route("nightly", gate=(GateKind.FLAG, "nightly"))
    with shop.watch() as reads, unit_of_work("nightly"):
        for _ in range(5):
            read()
        Category.objects.count()
    assert reads.replicas == 5
    counted = {(series.kind, series.model): count for series, count in meter.take().items()}
    assert counted == {
        (TallyKind.DECISION, "shop.Product"): 5,
        (TallyKind.READ, "shop.Product"): 5,
        (TallyKind.DECISION, "shop.Category"): 1,
        (TallyKind.READ, "shop.Category"): 1,
    }
    (sides,) = arms.take().values()
    assert (sides[Side.REPLICA].units, sides[Side.REPLICA].reads) == (1, 6)


def test_what_a_long_unit_has_read_is_counted_while_it_goes_on(shop: Servers) -> None:
    with shop.watch(), reading():
        read()
        read()
        assert decisions() == {"routed": 1}
        footing.change()
        read()
        assert decisions() == {"routed": 3}
        read()
    assert decisions() == {"routed": 1}


def test_what_code_of_a_unit_reads_after_its_end_is_counted(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        later = carry(read)
        unit = current().unit
        assert unit is not None
        unit.end(failed=False)
        for _ in range(3):
            read()
        later()
    assert reads.replicas == 5
    assert decisions() == {"routed": 5}


def test_whoever_begins_to_look_later_sees_what_is_read_again(shop: Servers) -> None:
    with reading():
        read()
        with recorded() as seen:
            read()
            read()
        assert [query.series.reason for query in seen.queries] == ["routed", "routed"]


def test_it_holds_for_an_object_of_the_cluster_and_for_no_other(shop: Servers, decided: list[type]) -> None:
    with reading():
        product = Product.objects.get(slug="assam")
        assert product.category.slug == "tea"
        assert Product.objects.get(slug="sencha").category.slug == "tea"
        assert decided == [Product, Category]
        elsewhere = Category(name="Elsewhere")
        elsewhere._state.db = "elsewhere"
        assert router.db_for_read(Product, instance=elsewhere) == "elsewhere"


@contextmanager
def manually() -> Iterator[None]:
    transaction.set_autocommit(False)
    try:
        yield
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "not connected"])
@pytest.mark.parametrize("begin", [transaction.atomic, manually])
def test_a_transaction_that_begins_afterwards_reads_from_the_primary(
    shop: Servers, begin: Callable[[], AbstractContextManager[None]], is_connected: bool
) -> None:
    with shop.watch() as reads, reading():
        if not is_connected:
            connection.close()
        with begin():
            read()
            read()
        read()
    assert (reads.primary, reads.replicas) == (3, 1)
    assert decisions() == {"routed": 1, "in_transaction": 3}


def test_a_transaction_on_another_connection_object_counts(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        former = connections["default"]
        del connections["default"]
        with transaction.atomic():
            read()
        former.close()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_the_view_s_own_transaction_does_not_end_it_and_one_within_does(shop: Servers, decided: list[type]) -> None:
    route("nightly")
    agent.state()
    with atomic_requests(), shop.watch() as reads, transaction.atomic(), unit_of_work("nightly"):
        current().unit.atomic_aliases = frozenset({"default"})  # type: ignore[union-attr]
        read()
        read()
        assert len(decided) == 1
        with transaction.atomic():
            read()
    assert (reads.primary, reads.replicas) == (1, 2)


def test_a_server_side_cursor_is_opened_where_the_read_belongs_by_then(shop: Servers) -> None:
    with shop.watch(), reading(), transaction.atomic():
        assert {product.slug for product in Product.objects.iterator(chunk_size=1)} == {"assam", "sencha"}
    read_on = {series.alias: count for series, count in meter.take().items() if series.kind == TallyKind.READ}
    assert read_on["default"] == 1
    assert sum(read_on.values()) == 2


def test_after_a_write_the_unit_reads_from_the_primary(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        Category.objects.create(name="Coffee", slug="coffee")
        read()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_a_write_in_another_thread_of_the_unit_counts(shop: Servers) -> None:
    def write() -> None:
        Category.objects.create(name="Coffee", slug="coffee")
        connections.close_all()

    with shop.watch() as reads, reading(), ThreadPoolExecutor(1) as pool:
        pool.submit(carry(write)).result()
        read()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_a_model_that_another_thread_has_settled_on_the_primary_stays_there(shop: Servers) -> None:
    def settle() -> None:
        with transaction.atomic():
            read()
        connections.close_all()

    with shop.watch() as reads, reading(), ThreadPoolExecutor(1) as pool:
        pool.submit(carry(settle)).result()
        read()
    assert (reads.primary, reads.replicas) == (2, 1)


def test_another_thread_decides_by_its_own_connections(shop: Servers) -> None:
    def in_transaction() -> str:
        with transaction.atomic():
            return read()

    def elsewhere() -> None:
        in_transaction()
        connections.close_all()

    with shop.watch() as reads, reading(), ThreadPoolExecutor(1) as pool:
        pool.submit(carry(elsewhere)).result()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_threads_that_share_a_context_decide_by_their_own_connections(shop: Servers) -> None:
    def elsewhere() -> None:
        with transaction.atomic():
            context.run(read)
        read()
        connections.close_all()

    with shop.watch() as reads, reading():
        context = copy_context()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(elsewhere).result()
    assert reads.primary == 2


def test_another_thread_that_asks_in_between_does_not_hide_a_transaction(
    shop: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = deciding.ReplicaRouter.db_for_read

    def then_another(self: Any, model: type, **hints: Any) -> str | None:
        alias = asked(self, model, **hints)
        monkeypatch.setattr(deciding.ReplicaRouter, "db_for_read", asked)
        # As another thread would, in the same unit.
        assert Category.objects.get().slug == "tea"
        return alias

    with shop.watch() as reads, reading():
        assert Category.objects.get().slug == "tea"
        with transaction.atomic():
            monkeypatch.setattr(deciding.ReplicaRouter, "db_for_read", then_another)
            read()
    assert (reads.primary, reads.replicas) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Switch.objects.filter(name=KILL_SWITCH).update(active=False) and Switch.objects.get().save(),
        lambda: Flag.objects.get().delete(),
    ],
    ids=["kill switch", "flag"],
)
def test_a_change_of_the_policy_reaches_a_unit_that_is_under_way(shop: Servers, change: Callable[[], object]) -> None:
    def elsewhere() -> None:
        change()
        connections.close_all()

    Flag.objects.create(name="nightly", everyone=True)
    route("nightly", gate=(GateKind.FLAG, "nightly"))
    with shop.watch() as reads, unit_of_work("nightly"):
        read()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(elsewhere).result()
        read()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_a_change_between_the_answer_and_the_statement_counts(shop: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = deciding.ReplicaRouter.db_for_read

    def switch_off() -> None:
        Switch.objects.update(active=False)
        Switch.objects.get().save()
        connections.close_all()

    def then_change(self: Any, model: type, **hints: Any) -> str | None:
        alias = asked(self, model, **hints)
        monkeypatch.setattr(deciding.ReplicaRouter, "db_for_read", asked)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(switch_off).result()
        return alias

    with shop.watch() as reads, reading():
        monkeypatch.setattr(deciding.ReplicaRouter, "db_for_read", then_change)
        assert read() in REPLICAS
    assert (reads.primary, reads.replicas) == (1, 1)
    assert decisions() == {"routed": 1, "kill_switch": 1}


def test_blocks_have_a_say(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        with use_primary():
            read()
        with use_contract("strict"):
            read()
        read()
    assert (reads.primary, reads.replicas) == (2, 2)


def test_a_gate_that_is_being_asked_reads_from_the_primary(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        unit = current().unit
        assert unit is not None
        unit.is_deciding = True
        read()
        unit.is_deciding = False
        read()
    assert (reads.primary, reads.replicas) == (1, 2)


def test_the_endpoint_s_name_counts_from_when_it_is_known(shop: Servers) -> None:
    with shop.watch() as reads, reading():
        unit = current().unit
        assert unit is not None
        unit.enter_endpoint("another")
        read()
    assert (reads.primary, reads.replicas) == (1, 1)


def test_it_holds_for_no_longer_than_what_is_known_of_the_replica(shop: Servers, settings: Any) -> None:
    route("nightly")
    with probing(settings), shop.watch() as reads, unit_of_work("nightly"):
        wait_until(lambda: read() in REPLICAS and Product in current().remembered, 10, "a decision to be remembered")
        known = current().remembered[Product]
        assert monotonic() < known.until <= monotonic() + get_settings().longest_trust_seconds
        prober.stop()
        replicas.forget()
        # As if nobody had been told.
        known.process_mark, known.until = footing.mark, monotonic()
        read()
    assert reads.primary == 1


def test_without_probes_it_holds_until_something_changes(shop: Servers, decided: list[type]) -> None:
    with reading():
        (known,) = current().remembered.values()
        assert known.until == inf
        known.until = monotonic()
        read()
    assert len(decided) == 2


def test_a_connection_that_was_closed_is_made_anew_before_the_read_goes_there(
    shop: Servers, decided: list[type]
) -> None:
    with shop.watch() as reads, reading():
        connections[read()].close()
        read()
    assert len(decided) == 2
    assert reads.replicas == 3


def test_a_transaction_on_the_replica_keeps_its_reads_together(shop: Servers) -> None:
    with shop.watch() as reads, reading(), transaction.atomic(using=str(router.db_for_read(Product))):
        read()
        with transaction.atomic():
            Product.objects.using(str(current().remembered[Product].alias)).get(slug="assam")
    assert reads.primary == 0
