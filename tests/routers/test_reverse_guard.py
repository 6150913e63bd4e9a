"""`expect_replica`, by what it says and by what reaches the servers."""

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from celery import shared_task
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, router, transaction
from django.test import Client
from waffle.models import Flag, Switch

from demo.shop.models import Category, Product, Tag
from rollout.models import GateKind, Mode
from rollout.reasons import Reason
from routers.blocks import expect_replica, unit_of_work, use_contract, use_primary, use_replica
from routers.reverse_guard import PrimaryReadError, _log_once
from tests.support import Servers, forget_writes, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(autouse=True)
def _unheard() -> None:
    """Let every complaint be the first of its kind in this process."""
    _log_once.cache_clear()


@pytest.fixture
def behind(shop: Servers) -> Iterator[Servers]:
    """The shop with replicas that stay as they are now, whatever the primary does."""
    for replica in shop.cluster.replicas:
        replica.pause_replay()
    yield shop
    for replica in shop.cluster.replicas:
        replica.resume_replay()


@contextmanager
def nightly(*blocks: AbstractContextManager[object]) -> Iterator[None]:
    """Run code as the unit `nightly` in these blocks."""
    with ExitStack() as stack:
        stack.enter_context(unit_of_work("nightly"))
        for block in blocks:
            stack.enter_context(block)
        yield


def read() -> int:
    return Product.objects.count()


def write() -> None:
    Category.objects.create(name="Coffee", slug="coffee")


def read_by_hand(statement: str = "SELECT count(*) FROM shop_product") -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def in_a_transaction() -> None:
    with transaction.atomic():
        read()


def after_a_write() -> None:
    write()
    read()


def after_a_read_by_name() -> None:
    """Put the model into the answer's place, then read in a transaction as in `in_a_transaction`."""
    Product.objects.using("default").count()
    in_a_transaction()


def streamed_from_the_server() -> None:
    with transaction.atomic():
        list(Product.objects.iterator(chunk_size=1))


def prefetched() -> None:
    with transaction.atomic():
        list(Category.objects.using("default").prefetch_related("products"))


def written_by_a_person() -> None:
    with transaction.atomic():
        list(Product.objects.raw("SELECT * FROM shop_product"))


def through_the_routers_connection() -> None:
    with transaction.atomic(), connections[router.db_for_read(Product)].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_product")


class TestWhatIsReported:
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (in_a_transaction, Reason.IN_TRANSACTION),
            (after_a_write, Reason.HAS_WRITTEN),
            (after_a_read_by_name, Reason.IN_TRANSACTION),
            (streamed_from_the_server, Reason.IN_TRANSACTION),
            (prefetched, Reason.IN_TRANSACTION),
            (written_by_a_person, Reason.IN_TRANSACTION),
            (through_the_routers_connection, Reason.IN_TRANSACTION),
        ],
    )
    def test_a_read_that_the_rules_let_go_raises(self, shop: Servers, code: Callable[[], None], reason: Reason) -> None:
        route("nightly")
        with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError) as caught:
            code()
        error = caught.value
        assert (error.model, error.endpoint, error.reason) == ("shop.Product", "nightly", reason)
        for words in ("shop.Product", "'nightly'", f"{reason} ({reason.label})", "'default'", "use_primary()"):
            assert words in str(error)

    def test_it_raises_before_the_statement_reaches_a_server(self, shop: Servers) -> None:
        route("nightly")
        with shop.watch() as reads, nightly(expect_replica("raise")):
            for code in (in_a_transaction, after_a_write, read_by_hand, streamed_from_the_server):
                with pytest.raises(PrimaryReadError):
                    code()
        assert reads.total == 0

    def test_a_read_of_an_unsafe_method(self, shop: Servers, client: Client) -> None:
        route("names")
        with expect_replica("raise"), pytest.raises(PrimaryReadError, match=r"unsafe_method .*use_replica\(\)"):
            client.post("/test/names/")

    def test_a_read_of_a_routed_model_at_any_endpoint(self, shop: Servers) -> None:
        route("shop.Product", kind="model")
        with nightly(expect_replica("raise")):
            Category.objects.using("default").count()
            with pytest.raises(PrimaryReadError, match=r"shop\.Product at the endpoint 'nightly'"):
                in_a_transaction()

    def test_a_read_that_the_code_let_go_without_a_rule(self, shop: Servers) -> None:
        with nightly(expect_replica("raise"), use_replica()):
            read()
            with pytest.raises(PrimaryReadError, match=Reason.IN_TRANSACTION):
                in_a_transaction()

    def test_a_read_that_the_replica_is_behind_for(self, behind: Servers) -> None:
        route("nightly")
        with unit_of_work("import"):
            write()
        with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError, match=Reason.BEHIND):
            read()

    def test_a_read_whose_replica_is_down(self, shop: Servers) -> None:
        route("nightly")
        forget_writes()
        closed = {alias: connections[alias].settings_dict["PORT"] for alias in ("replica1", "replica2")}
        try:
            for alias in closed:
                connections[alias].close()
                connections[alias].settings_dict["PORT"] = 1
            with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError, match=Reason.UNFIT_REPLICA):
                read()
        finally:
            for alias, port in closed.items():
                connections[alias].settings_dict["PORT"] = port

    def test_a_cursor_of_ones_own_where_a_rule_routes_the_endpoint(self, shop: Servers) -> None:
        route("nightly")
        with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError) as caught:
            read_by_hand()
        error = caught.value
        assert (error.model, error.endpoint, error.reason) == ("", "nightly", Reason.DIRECT)
        assert "db_for_read" in str(error)

    def test_a_settled_read_each_time(self, shop: Servers) -> None:
        route("nightly")
        with nightly():
            in_a_transaction()
            for _ in range(2):
                with expect_replica("raise"), pytest.raises(PrimaryReadError, match=Reason.IN_TRANSACTION):
                    read()

    def test_a_read_of_code_that_lies_with_installed_packages(self, shop: Servers) -> None:
        route("nightly")
        package: dict[str, object] = {"connection": connection}
        code = "def report():\n  with connection.cursor() as cursor:\n    cursor.execute('SELECT 1 FROM shop_product')"
        exec(compile(code, "/opt/venv/lib/site-packages/reports/totals.py", "exec"), package)  # noqa: S102
        with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError):
            package["report"]()  # type: ignore[operator]


def routed_by_a_rule() -> None:
    read()


def denied() -> None:
    with transaction.atomic():
        Group.objects.count()
        list(User.objects.raw("SELECT * FROM auth_user"))


def locked() -> None:
    with transaction.atomic():
        list(Product.objects.select_for_update())


def on_behalf_of_writes() -> None:
    category, _ = Category.objects.get_or_create(name="Tea", slug="tea")
    category.products.update(stock=3)
    category.products.all().delete()
    Tag.objects.bulk_create([Tag(name="green", content_object=category)])
    category.delete()


def by_name() -> None:
    write()
    Product.objects.using("default").count()
    Product.objects.db_manager("default").first()


def by_name_after_a_reported_read() -> None:
    with pytest.raises(PrimaryReadError):
        in_a_transaction()
    Product.objects.using("default").count()


def with_use_primary() -> None:
    with use_primary():
        in_a_transaction()
        read_by_hand()


def with_a_strict_contract() -> None:
    with use_contract("strict"):
        read()
        in_a_transaction()
        read_by_hand()


def of_the_session() -> None:
    read_by_hand("SELECT set_config('host.tenant', '7', false)")
    read_by_hand("SELECT current_setting('host.tenant')")
    read_by_hand("SHOW server_version")


def by_djangos_cache() -> None:
    caches["table"].get("key")


class TestWhatIsNotReported:
    @pytest.mark.parametrize(
        "code",
        [
            routed_by_a_rule,
            denied,
            locked,
            on_behalf_of_writes,
            by_name,
            by_name_after_a_reported_read,
            with_use_primary,
            with_a_strict_contract,
            of_the_session,
        ],
    )
    def test_what_belongs_on_the_primary(self, shop: Servers, code: Callable[[], None]) -> None:
        route("nightly")
        with nightly(expect_replica("raise")):
            code()

    def test_a_cache_in_the_database(self, shop: Servers, settings) -> None:
        backend = "django.core.cache.backends.db.DatabaseCache"
        settings.CACHES = {**settings.CACHES, "table": {"BACKEND": backend, "LOCATION": "cached"}}
        call_command("createcachetable", verbosity=0)
        route("nightly")
        try:
            with nightly(expect_replica("raise")):
                by_djangos_cache()
        finally:
            read_by_hand("DROP TABLE cached")

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param({"mode": Mode.PIN}, id="pinned"),
            pytest.param({"mode": Mode.OBSERVE}, id="observed"),
            pytest.param({"pool": "reporting"}, id="a pool without replicas"),
            pytest.param({"contract": "strict"}, id="a strict rule"),
            pytest.param({"gate": (GateKind.FLAG, "closed")}, id="a closed gate"),
            pytest.param({"gate": (GateKind.FLAG, "gone")}, id="a missing gate"),
        ],
    )
    def test_what_the_rules_keep(self, shop: Servers, rule: dict[str, str]) -> None:
        Flag.objects.create(name="closed", everyone=False)
        route("nightly", **rule)  # type: ignore[arg-type]
        with nightly(expect_replica("raise")):
            in_a_transaction()
            after_a_write()
            read_by_hand()

    def test_what_no_rule_names(self, shop: Servers) -> None:
        route("shop.Category", kind="model")
        with nightly(expect_replica("raise")):
            in_a_transaction()
            read_by_hand()

    def test_a_cursor_of_ones_own_that_only_use_replica_surrounds(self, shop: Servers) -> None:
        with nightly(expect_replica("raise"), use_replica()):
            read_by_hand()

    def test_anything_while_the_kill_switch_is_off(self, shop: Servers) -> None:
        route("nightly")
        Switch.objects.update(active=False)
        with nightly(expect_replica("raise")):
            in_a_transaction()
            read_by_hand()

    def test_anything_while_the_policy_is_not_known(self, shop: Servers) -> None:
        route("nightly")
        read_by_hand("ALTER TABLE readshift_routingrule RENAME TO elsewhere")
        try:
            with nightly(expect_replica("raise")):
                assert router.db_for_read(Product) == "default"
                read()
                read_by_hand()
        finally:
            read_by_hand("ALTER TABLE elsewhere RENAME TO readshift_routingrule")

    def test_anything_outside_a_unit_or_outside_the_block(self, shop: Servers) -> None:
        route("nightly")
        with expect_replica("raise"):
            in_a_transaction()
            read_by_hand()
        with nightly():
            with expect_replica("raise"):
                pass
            in_a_transaction()
            read_by_hand()

    def test_what_a_gate_reads_while_it_is_asked(self, shop: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        def ask(*_: object) -> bool:
            read_by_hand()
            in_a_transaction()
            return True

        Flag.objects.create(name="asking", everyone=True)
        route("nightly", gate=(GateKind.FLAG, "asking"))
        monkeypatch.setattr("rollout.gates.FlagGate.is_open", ask)
        with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError, match="through a cursor"):
            read_by_hand()

    def test_a_gate_that_fails_is_logged_and_breaks_nothing(
        self, shop: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object) -> bool:
            raise ZeroDivisionError

        Flag.objects.create(name="broken", everyone=True)
        route("nightly", gate=(GateKind.FLAG, "broken"))
        monkeypatch.setattr("rollout.gates.FlagGate.is_open", fail)
        with nightly(expect_replica("raise")):
            in_a_transaction()
        assert "'nightly' is not known" in caplog.text


class TestTheLog:
    def test_a_warning_names_the_read_the_reason_the_place_and_the_next_step(
        self, shop: Servers, caplog: pytest.LogCaptureFixture
    ) -> None:
        route("nightly")
        with shop.watch() as reads, nightly(expect_replica()):
            in_a_transaction()
        assert reads.primary == 1
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("readshift", logging.WARNING)
        for words in (
            "shop.Product",
            "'nightly'",
            "in_transaction (Inside a transaction",
            "Read before the transaction",
        ):
            assert words in record.message
        assert f"{__file__}:{read.__code__.co_firstlineno + 1} in read," in record.message

    def test_it_is_written_once_for_each_place_and_reason(
        self, shop: Servers, caplog: pytest.LogCaptureFixture
    ) -> None:
        route("nightly")
        for _ in range(3):
            with nightly(expect_replica()):
                in_a_transaction()
        assert len(caplog.records) == 1
        with nightly(expect_replica()), transaction.atomic():
            Product.objects.count()
        with nightly(expect_replica()):
            after_a_write()
        reasons = [record.message.split(": ")[1].split()[0] for record in caplog.records]
        assert reasons == [Reason.IN_TRANSACTION, Reason.IN_TRANSACTION, Reason.HAS_WRITTEN]


class TestTheBlock:
    def test_raise_counts_wherever_it_is_nested(self, shop: Servers) -> None:
        route("nightly")
        for outer, inner in (("raise", "log"), ("log", "raise")):
            with nightly(expect_replica(outer), expect_replica(inner)), pytest.raises(PrimaryReadError):
                in_a_transaction()
        with nightly(expect_replica("raise"), use_contract("session")), pytest.raises(PrimaryReadError):
            in_a_transaction()

    @pytest.mark.parametrize("word", ["rase", "", None, read])
    def test_another_word_is_refused_with_those_that_exist(self, word: object) -> None:
        with pytest.raises(ValueError, match=r'Write "log" or "raise"'):
            expect_replica(word)  # type: ignore[arg-type]

    def test_it_decorates_functions_and_coroutines(self, shop: Servers) -> None:
        route("nightly")

        @expect_replica("raise")
        def decorated() -> None:
            in_a_transaction()

        @expect_replica("raise")
        async def decorated_async() -> None:
            await sync_to_async(in_a_transaction)()

        with nightly():
            with pytest.raises(PrimaryReadError):
                decorated()
            in_a_transaction()
            with pytest.raises(PrimaryReadError):
                async_to_sync(decorated_async)()

    def test_it_reaches_into_requests_units_and_bodies_that_begin_inside_it(
        self, shop: Servers, client: Client
    ) -> None:
        for endpoint in ("in-transaction", "streamed", "nightly"):
            route(endpoint)
        with expect_replica("raise"):
            with pytest.raises(PrimaryReadError):
                client.get("/test/in-transaction/")
            body = client.get("/test/streamed/transaction/")
            with pytest.raises(PrimaryReadError):
                b"".join(body)
            with nightly(), pytest.raises(PrimaryReadError):
                in_a_transaction()
        client.get("/test/in-transaction/")

    def test_other_blocks_do_not_reach_in_with_it(self, shop: Servers) -> None:
        with use_replica(), expect_replica(), use_contract("any"), unit_of_work("inner"):
            assert router.db_for_read(Product) == "default"

    def test_it_does_not_reach_into_tasks(self, shop: Servers) -> None:
        route("tests.read_in_a_transaction")
        with nightly(expect_replica("raise")):
            read_in_a_transaction.delay().get()

    def test_it_changes_nothing_about_where_reads_go(self, shop: Servers) -> None:
        route("nightly", contract="any")
        with nightly():
            in_a_transaction()
            # What the unit has once read on the primary stays there.
            with expect_replica():
                assert router.db_for_read(Product) == "default"
                assert router.db_for_read(Category) != "default"
                with transaction.atomic():
                    router.db_for_read(Tag)
                assert router.db_for_read(Tag) == "default"


@shared_task(name="tests.read_in_a_transaction")
def read_in_a_transaction() -> None:
    in_a_transaction()


def test_the_error_survives_the_way_back_from_a_worker(shop: Servers) -> None:
    route("nightly")
    with nightly(expect_replica("raise")), pytest.raises(PrimaryReadError) as caught:
        in_a_transaction()
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (str(copy), copy.reason) == (str(caught.value), Reason.IN_TRANSACTION)


def test_code_that_retries_on_database_errors_does_not_hide_it(shop: Servers) -> None:
    assert not issubclass(PrimaryReadError, DatabaseError | AssertionError)
