"""What became of the units that a rule's gate let go and of those that it did not, as the servers saw it."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import shared_task
from django.core.management import call_command
from django.db import DataError, connections, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory
from waffle.models import Flag
from waffle.testutils import override_flag

from demo.shop.models import Category, Product
from rollout.measuring import Period, measure
from rollout.models import ArmCount, GateKind, Mode, PolicyRevision, RoutingRule, Side, Tally, TargetKind
from rollout.policy import Rule
from rollout.reasons import Reason
from rollout.windows import bucket_of
from routers.agent import Agent
from routers.arms import ArmMeter, Membership, Outcomes, Rollout, arms, greatest_lag
from routers.blocks import unit_of_work, use_replica
from routers.commands import RoutedCommand
from routers.meter import Meter, Series
from routers.middleware import ReadshiftMiddleware
from tests.rollout.support import create_flag
from tests.support import Servers, decisions, probing, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

FLAG = (GateKind.FLAG, "stage")
OPEN: dict[str, Any] = {"everyone": True}
CLOSED: dict[str, Any] = {"everyone": False}
TOO_FRESH = "bounded:0.001"
"""A contract that no replica can keep."""


def gated(target: str = "names", flag: str = "stage", *, kind: str = TargetKind.ENDPOINT, **values: Any) -> RoutingRule:
    """Create a rule behind a flag of its own, which is open for everybody unless told otherwise."""
    opened: dict[str, Any] = {**OPEN, **{name: values.pop(name) for name in ("everyone", "percent") if name in values}}
    create_flag(flag, **opened)
    return route(target, kind=kind, gate=(GateKind.FLAG, flag), **values)


def gated_model(**values: Any) -> RoutingRule:
    return gated("shop.Product", "model-stage", kind=TargetKind.MODEL, **values)


def counted(target: str = "names") -> dict[str, Outcomes]:
    """Return what was counted for each arm of a rule that has any units, whatever the revision."""
    found: dict[str, Outcomes] = {}
    for rollout, sides in arms.take().items():
        for side, outcomes in sides.items():
            if rollout.target == target and outcomes.units:
                found.setdefault(side.value, Outcomes()).add(outcomes)
    return found


def brief(target: str = "names") -> dict[str, tuple[int, int]]:
    """Return how many units of each arm there were, and how many failed."""
    return {side: (outcomes.units, outcomes.failed) for side, outcomes in counted(target).items()}


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
        window = measure(Period("endpoint", "names", 1, row.revision, row.starts_at), None, "default").window
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


def divide_by(number: int) -> float:
    return 1 / number


def elsewhere(function: Callable[[], None]) -> None:
    """Run a function as somebody else does, outside of the unit."""

    def run() -> None:
        try:
            function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def close_flag() -> None:
    flag = Flag.objects.get(name="stage")
    flag.everyone = False
    flag.save()


def answering(status: int) -> Callable[[HttpRequest], HttpResponse]:
    def view(_: HttpRequest) -> HttpResponse:
        Product.objects.count()
        if status == 0:
            raise ZeroDivisionError
        return HttpResponse(status=status)

    return view


def answering_async(status: int) -> Callable[[HttpRequest], Any]:
    async def view(_: HttpRequest) -> HttpResponse:
        await Product.objects.acount()
        if status == 0:
            raise ZeroDivisionError
        return HttpResponse(status=status)

    return view


@pytest.mark.parametrize("everyone", [True, False])
@pytest.mark.parametrize("of", [answering, answering_async])
@pytest.mark.parametrize(("status", "failed"), [(200, 0), (302, 0), (404, 0), (500, 1), (503, 1), (0, 1)])
def test_a_request_fails_with_an_answer_of_500_and_above_or_an_error(
    shop: Servers, everyone: bool, of: Callable[[int], Any], status: int, failed: int
) -> None:
    gated_model(everyone=everyone)
    middleware: Any = ReadshiftMiddleware(of(status))
    call = async_to_sync(middleware) if of is answering_async else middleware
    try:
        call(RequestFactory().get("/"))
    except ZeroDivisionError:
        assert status == 0
    assert brief("shop.Product") == {"replica" if everyone else "primary": (1, failed)}


class TestStreamedBodies:
    def test_a_unit_ends_with_its_body(self, shop: Servers) -> None:
        gated_model()
        response = streamed(iter_names())
        assert not arms.take()
        assert list(response) == [b"Assam", b"Sencha"]
        assert brief("shop.Product") == {"replica": (1, 0)}
        response.close()
        assert not arms.take()

    def test_it_fails_with_an_error_in_the_body(self, shop: Servers) -> None:
        gated_model()

        def failing() -> Iterator[str]:
            yield from iter_names()
            raise ZeroDivisionError

        response = streamed(failing())
        with pytest.raises(ZeroDivisionError):
            list(response)
        response.close()
        assert brief("shop.Product") == {"replica": (1, 1)}

    def test_it_fails_not_when_the_client_leaves(self, shop: Servers) -> None:
        gated_model()
        response = streamed(iter_names())
        next(iter(response))
        response.close()
        assert brief("shop.Product") == {"replica": (1, 0)}

    def test_an_asynchronous_body_counts_likewise(self, shop: Servers) -> None:
        gated_model()

        async def names() -> AsyncIterator[str]:
            async for name in Product.objects.values_list("name", flat=True):
                yield name

        async def view(_: HttpRequest) -> StreamingHttpResponse:
            return StreamingHttpResponse(names())

        async def read() -> list[bytes]:
            middleware: Any = ReadshiftMiddleware(view)
            return [part async for part in await middleware(RequestFactory().get("/"))]

        assert sorted(async_to_sync(read)()) == [b"Assam", b"Sencha"]
        assert brief("shop.Product") == {"replica": (1, 0)}


def iter_names() -> Iterator[str]:
    yield from Product.objects.order_by("name").values_list("name", flat=True)


def streamed(body: Iterator[str]) -> Any:
    middleware: Any = ReadshiftMiddleware(lambda _: StreamingHttpResponse(body))
    return middleware(RequestFactory().get("/"))


@shared_task(name="tests.count_products")
def count_products(fails: bool = False) -> int:
    number = Product.objects.count()
    if fails:
        raise ZeroDivisionError
    return number


class TestTasks:
    @pytest.mark.parametrize("everyone", [True, False])
    def test_a_task_that_succeeds(self, shop: Servers, everyone: bool) -> None:
        gated("tests.count_products", everyone=everyone)
        assert count_products.delay().get() == 2
        assert brief("tests.count_products") == {"replica" if everyone else "primary": (1, 0)}

    @pytest.mark.parametrize("throw", [True, False])
    def test_a_task_that_fails(self, shop: Servers, throw: bool) -> None:
        gated("tests.count_products")
        try:
            count_products.apply(kwargs={"fails": True}, throw=throw)
        except ZeroDivisionError:
            assert throw
        assert brief("tests.count_products") == {"replica": (1, 1)}


class Report(RoutedCommand):
    requires_system_checks = ()

    def handle(self, *_: object, **options: Any) -> None:
        if Product.objects.count() == 0:
            raise ZeroDivisionError


class TestCommands:
    def test_a_command_counts_alone_and_within_a_unit(self, shop: Servers) -> None:
        gated("test_arms")
        call_command(Report())
        with unit_of_work("outer"):
            call_command(Report())
        assert brief("test_arms") == {"replica": (2, 0)}

    def test_a_command_that_fails_counts_as_failed(self, servers: Servers) -> None:
        gated("test_arms")
        servers.settle()
        for outer in (False, True):
            with pytest.raises(ZeroDivisionError):
                run_report(within_unit=outer)
        assert brief("test_arms") == {"replica": (2, 2)}


def run_report(*, within_unit: bool) -> None:
    if within_unit:
        with unit_of_work("outer"):
            call_command(Report())
    else:
        call_command(Report())


def member(target: str = "names", side: Side = Side.REPLICA, revision: int = 1, **counts: int) -> Membership:
    return Membership(Rule("endpoint", target, "route"), side, revision, **counts)


class TestTheMeter:
    def test_counts_from_many_threads_add_up(self) -> None:
        meter = ArmMeter()
        with ThreadPoolExecutor(8) as pool:
            for number in range(4_000):
                pool.submit(meter.count, [member(reads=2, fallbacks=1)], 0.01, failed=number % 4 == 0)
        ((_, sides),) = meter.take().items()
        found = sides[Side.REPLICA]
        assert (found.units, found.failed, found.reads, found.fallbacks) == (4_000, 1_000, 8_000, 4_000)
        assert dict(found.durations) == {bucket_of(0.01): 4_000}
        assert not meter.take()

    def test_a_full_one_leaves_out_both_arms_of_what_it_does_not_know(self, settings: Any) -> None:
        settings.READSHIFT = {**settings.READSHIFT, "MAX_SERIES": 1}
        meter = ArmMeter()
        for side in Side:
            for target in ("names", "elsewhere"):
                meter.count([member(target, side)], 0.01, failed=False)
        ((rollout, sides),) = meter.take().items()
        assert rollout.target == "names"
        assert [sides[side].units for side in Side] == [1, 1]

    def test_what_was_counted_under_two_revisions_is_stored_apart(self) -> None:
        meter = ArmMeter()
        for revision in (7, 8, 8):
            meter.count([member(revision=revision)], 0.01, failed=False)
        meter.write("default")
        assert dict(ArmCount.objects.values_list("revision", "units")) == {7: 1, 8: 2}

    def test_what_cannot_be_written_is_kept_and_written_later(self) -> None:
        meter = ArmMeter()
        meter.count([member("x" * 201), member(reads=3, fallbacks=2)], 0.01, failed=True)
        with pytest.raises(DataError):
            meter.write("default")
        assert not ArmCount.objects.exists()
        kept = meter.take()
        assert sorted(len(rollout.target) for rollout in kept) == [5, 201]
        meter.give_back({rollout: sides for rollout, sides in kept.items() if rollout.target == "names"})
        meter.write("default")
        row = ArmCount.objects.get()
        assert (row.units, row.failed, row.reads, row.fallbacks) == (1, 1, 3, 2)
        assert row.durations == {str(bucket_of(0.01)): 1}

    def test_tallies_are_written_though_the_arms_cannot_be(self) -> None:
        arms.count([member("x" * 201)], 0.01, failed=False)
        counts = Meter()
        counts.add(Series("read", "default", "replica1", "names", "shop.Product", "routed"))
        with pytest.raises(DataError):
            Agent(counts).flush()
        assert Tally.objects.get().count == 1
        assert arms.take()

    def test_a_child_process_counts_from_nothing(self) -> None:
        meter = ArmMeter()
        meter.count([member()], 0.01, failed=False)
        meter.after_fork()
        assert not meter.take()

    def test_no_more_reads_fall_back_than_there_are(self) -> None:
        meter = ArmMeter()
        meter.count([member(reads=1, fallbacks=2)], 0.01, failed=False)
        (sides,) = meter.take().values()
        assert sides[Side.REPLICA].fallbacks == 1


def test_rows_carry_the_lag_of_the_fit_replica_of_the_pool_that_is_furthest_behind(
    shop: Servers, settings: Any
) -> None:
    assert greatest_lag("default") is None
    with probing(settings):
        known = greatest_lag("default")
        assert known is not None
        assert 0 <= known < 60
        assert greatest_lag("reporting") is None
        arms.give_back({Rollout("endpoint", "names", "default", 1): {Side.REPLICA: Outcomes(units=1)}})
        arms.write("default")
    assert ArmCount.objects.get().lag_seconds is not None
