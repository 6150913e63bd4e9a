"""How comparisons end on real servers: equal, caught up, moved, behind, refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from demo.shop.models import Category, Product
from demo.waiting import wait_until
from rollout.models import DrainedReplica, ShadowRead, ShadowState
from rollout.outcomes import Outcome, ShadowCause
from routers.captured import CapturedStatement
from tasks.comparing.comparisons import compare_reads
from tasks.shadow import compare, compare_again
from tests.support import Servers
from tests.tasks.comparing.conftest import meanwhile
from tests.tasks.stored import store

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NAMES = b'SELECT "id", "name", "stock" FROM "shop_product" ORDER BY "id"'


def compared(*queries: bytes, alias: str = "default", **fields: Any) -> list[ShadowRead]:
    """Run a batch through the task, as a worker does, and return how each read ended."""
    reads = store(*map(CapturedStatement, queries), alias=alias, **fields)
    compare(str(reads[0].batch), [read.pk for read in reads])
    return list(ShadowRead.objects.filter(batch=reads[0].batch).order_by("pk"))


def test_equal_answers_are_equal_and_nothing_is_kept(shop: Servers) -> None:
    first, second = compared(NAMES, b"SELECT count(*) FROM shop_product")
    for read in (first, second):
        assert (read.state, read.outcome, read.cause) == (ShadowState.DONE, Outcome.EQUAL, "")
        assert read.sealed is None
        assert read.replica in {"replica1", "replica2"}
        assert read.primary_ms is not None
        assert read.replica_ms is not None
    assert (first.rows, second.rows) == (2, 1)


def test_it_is_compared_with_the_replica_that_answered_it(shop: Servers) -> None:
    assert [read.replica for alias in ("replica1", "replica2") for read in compared(NAMES, alias=alias)] == [
        "replica1",
        "replica2",
    ]


def test_a_replica_that_is_behind_has_caught_up_and_the_staleness_is_known(shop: Servers) -> None:
    replica = shop.cluster.replicas[0]
    replica.pause_replay()
    replica.reset_statements()
    Product.objects.filter(name="Assam").update(stock=1)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(compared_elsewhere, NAMES)
        wait_until(lambda: replica.statements('"shop_product"'), 30, "the first look at the replica")
        with pytest.raises(TimeoutError):
            running.result(0.3)
        replica.resume_replay()
        (read,) = running.result()
    assert (read.outcome, read.cause) == (Outcome.CAUGHT_UP, "")
    assert read.staleness_ms is not None
    assert read.staleness_ms >= 300


def compared_elsewhere(query: bytes) -> list[ShadowRead]:
    try:
        return compared(query, alias="replica1")
    finally:
        connections.close_all()


def test_a_replica_that_is_behind_and_shows_the_same_all_the_same_is_equal(shop: Servers) -> None:
    with shop.held():
        Category.objects.create(name="Coffee", slug="coffee")
        (read,) = compared(NAMES)
    assert read.outcome == Outcome.EQUAL


def test_a_replica_that_does_not_catch_up_is_not_waited_for_longer(shop: Servers, settings: Any) -> None:
    settings.READSHIFT = {**settings.READSHIFT, "SHADOW_WAIT_SECONDS": 0.1}
    with shop.held():
        Product.objects.filter(name="Assam").update(stock=1)
        (read,) = compared(NAMES)
    assert (read.outcome, read.cause) == (Outcome.INCONCLUSIVE, ShadowCause.BEHIND)
    assert read.sealed is not None


def test_a_primary_that_keeps_changing_is_no_finding(shop: Servers) -> None:
    def sell() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE shop_product SET stock = (random() * 1e6)::int")

    with meanwhile(sell):
        reads = compared(*[NAMES] * 5)
    assert {read.outcome for read in reads} <= {Outcome.EQUAL, Outcome.CAUGHT_UP, Outcome.INCONCLUSIVE}
    assert {read.cause for read in reads} <= {"", ShadowCause.MOVED}


def test_what_changes_to_and_fro_is_no_finding(shop: Servers) -> None:
    def switch() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE shop_product SET stock = 1 - least(stock, 1)")

    with meanwhile(switch):
        reads = compared(*[NAMES] * 20)
    assert Outcome.DIVERGENT not in {read.outcome for read in reads}


def test_a_volatile_statement_runs_nowhere(shop: Servers) -> None:
    with shop.watch() as seen:
        (read,) = compared(b'SELECT "name", random() FROM "shop_product"')
    assert (read.outcome, read.cause) == (Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC)
    assert read.details["functions"] == ["random"]
    assert seen.total == 0


def test_a_statement_that_tells_the_servers_apart_is_no_finding(shop: Servers) -> None:
    (read,) = compared(b"SELECT inet_server_port()")
    assert (read.outcome, read.cause) == (Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC)


def test_an_idle_primary_that_stands_where_no_replica_gets_to_is_waited_for(shop: Servers) -> None:
    reads = store(CapturedStatement(b"SELECT inet_server_port()"))
    shop.cluster.primary.query("BEGIN; SELECT pg_logical_emit_message(false, 'test', 'x'); ROLLBACK")
    ((_, result),) = compare_reads("default", "replica1", reads)
    assert result.cause == ShadowCause.NONDETERMINISTIC


def test_a_statement_of_the_clock_is_compared_but_never_a_finding(shop: Servers) -> None:
    exact, coarse = compared(b"SELECT now()", b"SELECT name FROM shop_product WHERE created < now() ORDER BY name")
    assert (exact.outcome, exact.cause) == (Outcome.INCONCLUSIVE, ShadowCause.NONDETERMINISTIC)
    assert coarse.outcome == Outcome.EQUAL


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        (b"SELECT 'secret'::int", ShadowCause.REFUSED),
        (b"SELECT secret FROM nowhere", ShadowCause.REFUSED),
        (b"SELECT name FROM shop_product FOR UPDATE", ShadowCause.REFUSED),
        (b"DELETE FROM shop_product", ShadowCause.REFUSED),
    ],
    ids=["bad literal", "no such table", "locks", "writes"],
)
def test_a_statement_that_a_server_refuses_is_an_error_that_quotes_nothing(shop: Servers, query, cause) -> None:
    (read,) = compared(query)
    assert (read.outcome, read.cause) == (Outcome.ERROR, cause)
    assert "secret" not in str(read.details)
    assert Product.objects.count() == 2


def test_what_was_not_sealed_by_this_project_runs_nowhere(shop: Servers) -> None:
    reads = store()
    ShadowRead.objects.update(sealed=b"SELECT 1")
    compare(str(reads[0].batch), [reads[0].pk])
    read = ShadowRead.objects.get()
    assert (read.outcome, read.cause) == (Outcome.ERROR, ShadowCause.UNREADABLE)


def test_drained_replicas_are_left_alone(shop: Servers) -> None:
    DrainedReplica.objects.create(alias="replica1")
    assert {read.replica for read in compared(*[NAMES] * 8, alias="replica1")} == {"replica2"}
    DrainedReplica.objects.create(alias="replica2")
    (read,) = compared(NAMES)
    assert (read.outcome, read.cause) == (Outcome.INCONCLUSIVE, ShadowCause.UNFIT_REPLICA)


def test_a_forged_message_runs_nothing_and_is_logged(shop: Servers, caplog) -> None:
    reads = store(CapturedStatement(NAMES))
    with shop.watch() as seen:
        assert compare("no batch", [reads[0].pk]) == 0
    assert seen.total == 0
    assert "was refused" in caplog.text
    assert ShadowRead.objects.get().state == ShadowState.WAITING


def test_a_task_that_runs_twice_reports_once(shop: Servers) -> None:
    (read,) = compared(NAMES)
    assert compare(str(read.batch), [read.pk]) == 0
    assert ShadowRead.objects.get().compared_at == read.compared_at


def test_a_comparison_can_be_made_again_without_a_trace(shop: Servers) -> None:
    (read,) = compared(b"SELECT name FROM shop_product, pg_sleep(0)")
    assert read.sealed is not None
    before = ShadowRead.objects.values().get()
    assert compare_again(read).cause is ShadowCause.NONDETERMINISTIC
    assert ShadowRead.objects.values().get() == before


def test_a_connection_that_breaks_fails_no_other_read(shop: Servers) -> None:
    """Each ends its own connection: the others of the batch are compared on new ones."""
    suicide = b"SELECT name FROM shop_product WHERE name = (SELECT end_it())"
    with connections["default"].cursor() as cursor:
        # Declared to be stable, it passes for a plain read.
        cursor.execute(
            "CREATE FUNCTION end_it() RETURNS text LANGUAGE sql STABLE AS "
            "$$ SELECT pg_terminate_backend(pg_backend_pid())::text $$"
        )
    try:
        shop.settle()
        first, broken, last = compared(NAMES, suicide, NAMES)
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("DROP FUNCTION end_it()")
    assert (first.outcome, last.outcome) == (Outcome.EQUAL, Outcome.EQUAL)
    assert (broken.outcome, broken.cause) == (Outcome.ERROR, ShadowCause.UNREACHABLE)
