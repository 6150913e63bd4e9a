"""What Readshift offers to the tests of a project."""

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client, TestCase, TransactionTestCase, override_settings

from demo.shop.models import Category, Product
from rollout.reasons import Reason
from rollout.settings import Refresh, refresh
from routers.blocks import expect_replica, unit_of_work
from routers.meter import meter
from routers.overriding import Read
from routers.pytest_plugin import readshift_reads, readshift_routing
from routers.testing import assert_reads_from, override_routing, record_reads
from tests.support import Servers

__all__ = ["readshift_reads", "readshift_routing"]


@pytest.fixture(autouse=True)
def _as_in_a_project(settings) -> None:
    """Leave `POLICY_REFRESH` as it is by default, so that nothing is routed unless a test asks for it."""
    settings.READSHIFT = {name: value for name, value in settings.READSHIFT.items() if name != "POLICY_REFRESH"}


def fill() -> None:
    category = Category.objects.create(name="Tea", slug="tea")
    for name in ("Assam", "Sencha"):
        Product.objects.create(name=name, slug=name.lower(), category=category, price="4.50", stock=9)


NAMES = {"names": ["Assam", "Sencha"]}


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestWithRealStandbys:
    def test_without_it_nothing_is_routed(self, shop: Servers, client: Client) -> None:
        with shop.watch() as reads, assert_reads_from("primary"):
            assert client.get("/test/names/").json() == NAMES
        assert (reads.primary, reads.replicas) == (1, 0)

    def test_it_routes_an_endpoint_with_no_rule_stored(self, shop: Servers, client: Client) -> None:
        with shop.watch() as reads, override_routing("names"), assert_reads_from("replica", model="shop.Product"):
            assert client.get("/test/names/").json() == NAMES
        assert (reads.primary, reads.replicas) == (0, 1)
        assert refresh() is Refresh.OFF

    def test_it_routes_a_model_at_any_endpoint(self, shop: Servers, client: Client) -> None:
        with override_routing("shop.Product"), assert_reads_from("replica", endpoint="names"):
            client.get("/test/names/")

    def test_it_leaves_what_it_does_not_name_on_the_primary(self, shop: Servers, client: Client) -> None:
        with override_routing("shop.Category"), assert_reads_from("primary"):
            client.get("/test/names/")

    def test_an_inner_block_replaces_an_outer_one(self, shop: Servers, client: Client) -> None:
        with override_routing("names"):
            with override_routing("shop.Category"), assert_reads_from("primary"):
                client.get("/test/names/")
            with assert_reads_from("replica"):
                client.get("/test/names/")

    def test_modes_and_contracts_can_be_tested(self, shop: Servers, client: Client) -> None:
        for options, reason in (
            ({"mode": "observe"}, Reason.OBSERVED),
            ({"mode": "pin"}, Reason.PINNED),
            ({"contract": "strict"}, Reason.STRICT),
        ):
            with override_routing("names", **options), assert_reads_from("primary") as reads:
                client.get("/test/names/")
            assert [read.reason for read in reads] == [reason]

    def test_what_a_client_wrote_it_is_shown(self, shop: Servers, client: Client) -> None:
        with override_routing("names"):
            for replica in shop.cluster.replicas:
                replica.pause_replay()
            try:
                client.get("/test/read-write-read/")
                with assert_reads_from("primary"):
                    client.get("/test/names/")
            finally:
                for replica in shop.cluster.replicas:
                    replica.resume_replay()

    def test_it_decorates_functions(self, shop: Servers) -> None:
        @override_routing("shop.Product")
        def where() -> Refresh:
            return refresh()

        assert where() is Refresh.INLINE
        assert refresh() is Refresh.OFF

    def test_the_fixtures_do_the_same(self, shop: Servers, client: Client, readshift_routing, readshift_reads) -> None:
        with readshift_routing("names"):
            client.get("/test/names/")
        (read,) = readshift_reads
        assert (read.model, read.endpoint, read.reason) == ("shop.Product", "names", Reason.ROUTED)


@override_routing("names", "read-write-read")
class TestInATestCase(TestCase):
    """Declares the primary alone, as most projects do. Its rows are in a transaction that no other connection sees."""

    @classmethod
    def setUpTestData(cls) -> None:
        fill()

    def test_reads_are_decided_as_in_production_and_find_the_rows_of_the_test(self) -> None:
        with assert_reads_from("replica", model="shop.Product"):
            assert self.client.get("/test/names/").json() == NAMES
        assert connections["default"].in_atomic_block

    def test_a_request_that_wrote_reads_from_the_primary_and_the_next_one_does_not(self) -> None:
        with record_reads() as reads:
            self.client.get("/test/read-write-read/")
        assert [read.reason for read in reads if read.model == "shop.Product"] == [Reason.ROUTED, Reason.HAS_WRITTEN]
        with assert_reads_from("replica"):
            assert self.client.get("/test/names/").status_code == 200

    def test_nothing_is_reported_by_a_block_that_expects_a_replica(self) -> None:
        with expect_replica("raise"), record_reads() as reads:
            self.client.get("/test/names/")
        assert [read.reason for read in reads] == [Reason.ROUTED]
        assert ("default", Reason.ROUTED) in {(series.alias, series.reason) for series in meter.take()}

    def test_a_transaction_of_the_code_s_own_counts(self) -> None:
        with assert_reads_from("primary"), unit_of_work("names"), transaction.atomic():
            assert Product.objects.count() == 2


@override_routing("names")
class TestWithMirrors(TransactionTestCase):
    """Rows are committed, and the alias of a replica leads to the primary, as Django's mirrors do."""

    databases = "__all__"

    def setUp(self) -> None:
        fill()
        self.mirrors = {alias: dict(connections[alias].settings_dict) for alias in ("replica1", "replica2")}
        for alias in self.mirrors:
            connections[alias].close()
            connections[alias].settings_dict["PORT"] = connections["default"].settings_dict["PORT"]

    def tearDown(self) -> None:
        for alias, options in self.mirrors.items():
            connections[alias].close()
            connections[alias].settings_dict.update(options)

    def test_a_mirror_has_always_reached_what_was_written(self) -> None:
        for _ in range(5):
            Category.objects.exclude(slug="tea").delete()
            self.client.get("/test/read-write-read/")
            with assert_reads_from("replica", model="shop.Product"):
                assert self.client.get("/test/names/").json() == NAMES


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestTheAssertion:
    def test_it_fails_when_a_read_went_elsewhere_and_lists_all_of_them(self, shop: Servers, client: Client) -> None:
        with pytest.raises(AssertionError) as failed, assert_reads_from("replica"):
            client.get("/test/names/")
        assert "1 of 1 reads went elsewhere" in str(failed.value)
        assert "shop.Product at names: default (disabled)" in str(failed.value)

    def test_it_fails_when_nothing_was_read(self) -> None:
        with pytest.raises(AssertionError, match="no such read"), assert_reads_from("primary"):
            pass

    def test_it_does_not_hide_an_error_of_the_block(self) -> None:
        with pytest.raises(ZeroDivisionError), assert_reads_from("primary"):
            raise ZeroDivisionError

    def test_an_alias_is_a_place_too(self, shop: Servers, client: Client) -> None:
        with override_routing("names"), record_reads() as reads:
            client.get("/test/names/")
            with assert_reads_from(reads[0].alias):
                client.get("/test/names/")

    def test_recorders_of_equal_reads_end_each_by_itself(self) -> None:
        with record_reads() as outer:
            with record_reads():
                pass
            with unit_of_work("nightly"):
                Product.objects.count()
        assert outer == [Read("shop.Product", "nightly", "default", Reason.DISABLED)]

    def test_reads_that_never_leave_the_primary_are_looked_at_only_when_they_are_named(
        self, shop: Servers, client: Client
    ) -> None:
        client.force_login(User.objects.create_user("ada"))
        with override_routing("shop:order-list"), assert_reads_from("replica"):
            assert client.get("/orders/").status_code == 200
        with override_routing("shop:order-list"), assert_reads_from("primary", model="auth.User"):
            client.get("/orders/")


class TestMistakes:
    @pytest.mark.parametrize("target", ["shop.Prodct", "no-such-view", ""])
    def test_a_name_that_means_nothing_is_refused(self, target: str) -> None:
        with pytest.raises(ValueError, match="neither a model's label"), override_routing(target):
            pass
        assert refresh() is Refresh.OFF

    def test_an_unknown_place_mode_contract_or_pool_is_refused(self) -> None:
        with pytest.raises(ValueError, match="where is 'replica9'"), assert_reads_from("replica9"):
            pass
        with pytest.raises(ValueError, match="mode is 'rout'"):
            override_routing("names", mode="rout")
        with pytest.raises(ValueError, match="freshness contract"):
            override_routing("names", contract="fresh")
        with pytest.raises(ValueError, match="The pools are default"), override_routing("names", pool="cold"):
            pass

    @override_settings(READSHIFT={})
    def test_a_project_without_replicas_has_no_pool(self) -> None:
        with pytest.raises(ValueError, match="The pools are none"), override_routing("names"):
            pass
