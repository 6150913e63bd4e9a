"""What became of the units that a rule's gate let go and of those that it did not, as the servers saw it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import AsyncClient, Client
from waffle.models import Flag
from waffle.testutils import override_flag

from demo.shop.models import Category, Product
from rollout.measuring import SETTLING, Period, measure
from rollout.models import ArmCount, Mode, PolicyRevision, Side, TargetKind
from rollout.reasons import Reason
from rollout.windows import bucket_of
from routers.agent import Agent
from routers.arms import arms
from routers.blocks import unit_of_work, use_replica
from routers.meter import Meter
from tests.routers.arms import brief, close_flag, counted, divide_by, elsewhere, gated, gated_model
from tests.support import Servers, decisions, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

OPEN: dict[str, Any] = {"everyone": True}
CLOSED: dict[str, Any] = {"everyone": False}
TOO_FRESH = "bounded:0.001"
"""A contract that no replica can keep."""


class TestRequests:
    def test_either_arm_counts_what_the_servers_saw(self, shop: Servers) -> None:
        gated(everyone=None, percent="50.0")
        with shop.watch() as reads:
            for number in range(60):
                Client().get("/test/names/", headers={"user-agent": f"browser {number}"})
        found = counted()
        assert found["replica"].units == found["replica"].reads == reads.replicas > 10
        assert found["primary"].units == reads.primary > 10
        assert found["primary"].reads == 0
        assert [found[side].fallbacks for side in found] == [0, 0]
        assert [sum(found[side].durations.values()) for side in found] == [found[side].units for side in found]

    def test_what_is_written_and_measured_is_what_was_counted(self, shop: Servers, client: Client) -> None:
        gated()
        for _ in range(3):
            client.get("/test/names/")
        Agent(Meter()).flush()
        row = ArmCount.objects.get()
        assert row.revision == PolicyRevision.objects.get().revision
        assert (row.target_kind, row.target, row.side, row.units, row.reads) == ("endpoint", "names", "replica", 3, 3)
        window = measure(Period("endpoint", "names", 1, row.revision, row.starts_at - SETTLING), None, "default").window
        assert window is not None
        assert (window.replica.units, sum(window.replica.durations), window.reads) == (3, 3, 3)
        assert not arms.take()

    def test_an_async_view_counts_likewise(self, shop: Servers) -> None:
        gated("names-async")
        async_to_sync(AsyncClient().get)("/test/names-async/")
        assert brief("names-async") == {"replica": (1, 0)}

    def test_a_rule_without_a_gate_has_no_arms(self, shop: Servers, client: Client) -> None:
        route("names")
        client.get("/test/names/")
        assert not arms.take()

    @pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PIN])
    def test_neither_does_one_that_does_not_route(self, shop: Servers, client: Client, mode: Mode) -> None:
        gated(mode=mode)
        client.get("/test/names/")
        with override_flag("stage", active=False):
            client.get("/test/names/")
        assert not arms.take()

    def test_nor_one_whose_flag_was_deleted(self, shop: Servers, client: Client) -> None:
        gated()
        Flag.objects.all().delete()
        client.get("/test/names/")
        assert not arms.take()

    @pytest.mark.parametrize("everyone", [True, False])
    def test_work_that_stays_on_the_primary_whatever_the_gate_says_is_in_neither_arm(
        self, shop: Servers, client: Client, everyone: bool
    ) -> None:
        gated(everyone=everyone)
        client.post("/test/names/")
        with unit_of_work("names"), transaction.atomic():
            Product.objects.count()
        with unit_of_work("names"):
            Category.objects.create(name="Coffee", slug="coffee")
            Product.objects.count()
        with unit_of_work("names"), use_replica():
            Product.objects.count()
        assert not arms.take()

    def test_a_unit_that_falls_back_stays_in_the_arm_of_the_replicas(
        self, shop: Servers, client: Client, settings: Any
    ) -> None:
        gated(contract=TOO_FRESH)
        with probing(settings):
            with shop.watch() as reads:
                client.get("/test/names/")
            found = counted()
        assert reads.primary == 1
        assert list(found) == ["replica"]
        assert (found["replica"].reads, found["replica"].fallbacks) == (1, 1)

    def test_every_read_that_falls_back_counts(self, shop: Servers, settings: Any) -> None:
        gated(contract=TOO_FRESH)
        with probing(settings):
            with unit_of_work("names"):
                for _ in range(3):
                    Product.objects.count()
                Category.objects.count()
            found = counted()["replica"]
        assert (found.units, found.reads, found.fallbacks) == (1, 4, 4)

    def test_a_read_that_is_refused_is_a_failure_of_the_request(self, shop: Servers, settings: Any) -> None:
        gated(contract=TOO_FRESH, over_budget="shed")
        with probing(settings, FALLBACK_CONCURRENCY=0):
            assert Client().get("/test/names/").status_code == 503
            assert brief() == {"replica": (1, 1)}


class TestSeveralRules:
    @pytest.mark.parametrize(
        ("endpoint", "model", "expected"),
        [
            (OPEN, OPEN, ("replica", "replica")),
            (CLOSED, OPEN, ("primary", None)),
            (OPEN, CLOSED, (None, "primary")),
            (CLOSED, CLOSED, (None, None)),
        ],
    )
    def test_a_closed_gate_makes_an_arm_only_where_all_others_are_open(
        self, shop: Servers, client: Client, endpoint: dict[str, Any], model: dict[str, Any], expected: Any
    ) -> None:
        gated(**endpoint)
        gated_model(**model)
        client.get("/test/names/")
        found = {rollout.target: sides for rollout, sides in arms.take().items()}
        of = {
            target: next((side.value for side, outcomes in sides.items() if outcomes.units), None)
            for target, sides in found.items()
        }
        assert (of.get("names"), of.get("shop.Product")) == expected

    @pytest.mark.parametrize("everyone", [True, False])
    def test_beside_a_rule_that_observes_there_is_no_arm(self, shop: Servers, client: Client, everyone: bool) -> None:
        gated(everyone=everyone)
        gated_model(mode=Mode.OBSERVE)
        client.get("/test/names/")
        assert not arms.take()

    def test_beside_a_rule_without_a_gate_there_are_both(self, shop: Servers, client: Client) -> None:
        gated(everyone=False)
        route("shop.Product", kind=TargetKind.MODEL)
        client.get("/test/names/")
        assert brief() == {"primary": (1, 0)}


class TestAUnit:
    def test_counts_once_however_many_reads_it_has(self, shop: Servers) -> None:
        gated()
        with unit_of_work("names"):
            for _ in range(3):
                Product.objects.count()
            Category.objects.count()
        found = counted()["replica"]
        assert (found.units, found.reads) == (1, 4)

    def test_that_was_let_go_once_stays_in_that_arm(self, shop: Servers) -> None:
        gated()
        with unit_of_work("names"):
            Product.objects.count()
            elsewhere(close_flag)
            Category.objects.count()
            assert decisions("shop.Category") == {Reason.GATE_OFF: 1}
        found = arms.take()
        (rollout,) = [rollout for rollout, sides in found.items() if sides[Side.REPLICA].units]
        assert all(not sides[Side.PRIMARY].units for sides in found.values())
        # It joined before the flag was closed.
        assert rollout.revision < PolicyRevision.objects.get().revision

    def test_moves_to_the_arm_of_the_replicas_with_its_first_read_that_is_let_go(self, shop: Servers) -> None:
        gated()
        gated_model(everyone=False)
        with unit_of_work("names"):
            Product.objects.count()
            Category.objects.count()
        assert brief() == {"replica": (1, 0)}

    def test_takes_as_long_as_it_takes(self, shop: Servers) -> None:
        gated()
        with unit_of_work("names"):
            Product.objects.count()
            time.sleep(0.2)
        (bucket,) = counted()["replica"].durations
        assert bucket >= bucket_of(0.2)

    def test_is_part_of_the_model_rule_apart_from_one_around_it(self, shop: Servers) -> None:
        gated_model()
        with unit_of_work("outer"):
            Product.objects.count()
            with unit_of_work("inner"):
                Product.objects.count()
        assert brief("shop.Product") == {"replica": (2, 0)}

    def test_fails_with_an_error_that_leaves_it(self, shop: Servers) -> None:
        gated()
        with pytest.raises(ZeroDivisionError), unit_of_work("names"):
            divide_by(Product.objects.count() * 0)
        assert brief() == {"replica": (1, 1)}

    def test_fails_not_when_its_generator_is_left_half_way(self, shop: Servers) -> None:
        gated()

        def half() -> Iterator[int]:
            with unit_of_work("names"):
                yield Product.objects.count()

        generator = half()
        next(generator)
        generator.close()  # type: ignore[attr-defined]
        assert brief() == {"replica": (1, 0)}

    @pytest.mark.parametrize("fails", [False, True])
    def test_may_be_a_decorated_function(self, shop: Servers, fails: bool) -> None:
        gated()

        @unit_of_work("names")
        def work() -> None:
            Product.objects.count()
            if fails:
                raise ZeroDivisionError

        try:
            work()
        except ZeroDivisionError:
            assert fails
        assert brief() == {"replica": (1, int(fails))}
