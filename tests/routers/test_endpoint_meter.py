"""What a process counts of endpoints: how it is bounded, kept and written, and what real units are found to do."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.core.signing import Signer
from django.db import DataError, transaction
from django.test import AsyncClient, Client

from demo.shop.models import Category, Product
from rollout.models import EndpointCount, Mode, TallyKind
from rollout.reasons import Reason
from rollout.windows import bucket_of
from routers.agent import Agent
from routers.blocks import unit_of_work
from routers.carriers import COOKIE
from routers.endpoint_meter import EndpointMeter, Work, endpoint_meter
from routers.endpoints import LONGEST, OVERFLOW
from routers.meter import Meter, meter
from routers.series import Series
from routers.subjects import PlainParty
from routers.trail import Trail
from routers.unit import Unit, UnitKind
from tests.edge_cases.support import atomic_requests
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def count(meter: EndpointMeter, endpoint: str = "names", **facts: bool) -> None:
    usual = {"failed": False, "has_written_safely": False, "has_written_after_read": False, "has_token": False}
    meter.count(endpoint, 0.01, **{**usual, **facts})


def work(endpoint: str = "names") -> Work:
    return endpoint_meter.take().get(endpoint, Work())


def brief(endpoint: str = "names") -> tuple[int, int, int, int, int]:
    """Return units, those that failed, wrote on a safe method, wrote after a read, and brought a token."""
    found = work(endpoint)
    return found.units, found.failed, found.safe_writes, found.writes_after_reads, found.with_token


class TestTheMeter:
    def test_counts_from_many_threads_add_up(self) -> None:
        meter = EndpointMeter()
        with ThreadPoolExecutor(8) as pool:
            for number in range(4_000):
                pool.submit(count, meter, failed=number % 4 == 0, has_token=number % 2 == 0)
        (found,) = meter.take().values()
        assert (found.units, found.failed, found.with_token) == (4_000, 1_000, 2_000)
        assert dict(found.durations) == {bucket_of(0.01): 4_000}
        assert not meter.take()

    def test_a_full_one_adds_up_what_it_does_not_know(self, settings: Any) -> None:
        settings.READSHIFT = {**settings.READSHIFT, "MAX_SERIES": 2}
        meter = EndpointMeter()
        for endpoint in ("a", "b", "c", "d", "a"):
            count(meter, endpoint)
        taken = meter.take()
        assert {endpoint: found.units for endpoint, found in taken.items()} == {"a": 2, "b": 1, OVERFLOW: 2}
        meter.give_back(taken)
        assert {endpoint: found.units for endpoint, found in meter.take().items()} == {"a": 2, "b": 1, OVERFLOW: 2}

    def test_a_name_that_is_too_long_is_cut(self, shop: Servers) -> None:
        with unit_of_work("x" * (LONGEST + 1)):
            Product.objects.count()
        Agent(meter).flush()
        assert EndpointCount.objects.get().endpoint == "x" * LONGEST

    def test_what_cannot_be_written_is_kept_and_written_later(self) -> None:
        meter = EndpointMeter()
        count(meter, "x" * 201)
        count(meter, failed=True, has_written_safely=True, has_written_after_read=True)
        with pytest.raises(DataError):
            meter.write("default")
        assert not EndpointCount.objects.exists()
        kept = meter.take()
        assert len(kept) == 2
        meter.give_back({"names": kept["names"]})
        count(meter, has_token=True)
        meter.write("default")
        row = EndpointCount.objects.get()
        assert (row.units, row.failed, row.safe_writes, row.writes_after_reads, row.with_token) == (2, 1, 1, 1, 1)
        assert row.durations == {str(bucket_of(0.01)): 2}
        assert (row.span_seconds, row.starts_at.timestamp() % 10) == (10, 0)

    def test_tallies_are_written_though_it_cannot_be(self) -> None:
        count(endpoint_meter, "x" * 201)
        counts = Meter()
        counts.add(Series(TallyKind.READ, "default", "replica1", "names", "shop.Product", "routed"))
        with pytest.raises(DataError):
            Agent(counts).flush()
        assert not counts.take()
        assert endpoint_meter.take()

    def test_a_forked_child_counts_from_nothing(self) -> None:
        count(endpoint_meter)
        if (child := os.fork()) == 0:
            os._exit(len(endpoint_meter.take()))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert endpoint_meter.take()


class TestRequests:
    def test_every_request_counts_without_any_rule(self, shop: Servers, client: Client) -> None:
        for _ in range(3):
            client.get("/test/names/")
        found = work()
        assert (found.units, found.failed, found.durations.total()) == (3, 0, 3)

    def test_they_are_written_with_the_other_counts(self, shop: Servers, client: Client) -> None:
        client.get("/test/names/")
        Agent(Meter()).flush()
        assert EndpointCount.objects.get(endpoint="names").units == 1
        assert not endpoint_meter.take()

    def test_an_async_request_counts_likewise(self, shop: Servers) -> None:
        async_to_sync(AsyncClient().get)("/test/names-async/")
        assert brief("names-async") == (1, 0, 0, 0, 0)

    def test_one_that_fails_counts_as_failed(self, shop: Servers) -> None:
        client = Client(raise_request_exception=False)
        assert client.get("/test/streamed/no-such-kind/").status_code == 500
        assert brief("streamed") == (1, 1, 0, 0, 0)

    def test_a_streamed_one_counts_once_with_its_body(self, shop: Servers, client: Client) -> None:
        response = client.get("/test/streamed/writing/")
        assert not endpoint_meter.take()
        assert list(response) == [b"Assam", b"Assam"]
        response.close()
        assert brief("streamed") == (1, 0, 1, 1, 0)

    def test_a_read_costs_nothing_and_changes_nothing(self, shop: Servers) -> None:
        with unit_of_work("nightly"):
            for _ in range(3):
                Product.objects.count()
        assert brief("nightly") == (1, 0, 0, 0, 0)


class TestWrites:
    def test_a_get_that_reads_and_then_writes_is_found_before_any_rule(self, shop: Servers, client: Client) -> None:
        client.get("/test/read-write-read/")
        assert brief("read-write-read") == (1, 0, 1, 1, 0)

    def test_a_get_that_only_writes_has_read_nothing_before(self, shop: Servers, client: Client) -> None:
        client.get("/test/raw-write-read/")
        assert brief("raw-write-read") == (1, 0, 1, 0, 0)

    def test_a_post_that_reads_and_writes_is_no_surprise(self, shop: Servers, client: Client) -> None:
        client.post("/test/restock/assam/")
        assert brief("restock") == (1, 0, 0, 0, 0)

    @pytest.mark.parametrize("mode", [Mode.PIN, Mode.OBSERVE, Mode.ROUTE])
    def test_a_rule_changes_nothing_about_what_is_found(self, shop: Servers, client: Client, mode: Mode) -> None:
        route("read-write-read", mode=mode)
        client.get("/test/read-write-read/")
        assert brief("read-write-read") == (1, 0, 1, 1, 0)

    def test_a_write_of_a_block_within_it_is_the_requests_as_well(self, shop: Servers) -> None:
        with unit_of_work("outer"):
            Product.objects.count()
            with unit_of_work("inner"):
                Category.objects.create(name="Coffee", slug="coffee")
        taken = endpoint_meter.take()
        assert {endpoint: found.writes_after_reads for endpoint, found in taken.items()} == {"inner": 0, "outer": 1}

    def test_a_read_in_a_transaction_or_after_the_write_stays_on_the_primary_anyway(self, shop: Servers) -> None:
        with unit_of_work("nightly"), transaction.atomic():
            Product.objects.count()
            Category.objects.create(name="Coffee", slug="coffee")
        assert brief("nightly") == (1, 0, 0, 0, 0)
        with unit_of_work("nightly"):
            Category.objects.create(name="Water", slug="water")
            Product.objects.count()
        assert brief("nightly") == (1, 0, 0, 0, 0)

    def test_one_that_only_atomic_requests_puts_into_a_transaction_is_found(
        self, shop: Servers, client: Client
    ) -> None:
        with atomic_requests():
            client.get("/test/read-write-read/")
        assert brief("read-write-read") == (1, 0, 1, 1, 0)

    def test_reads_that_are_decided_in_other_threads_meanwhile_break_nothing(self) -> None:
        unit = Unit(UnitKind.REQUEST, "names", Trail(PlainParty("ada", dice=0)))
        unit.trail.note_write("default")

        class Beside:
            """A decision that is looked at just as another thread decides."""

            alias = "replica1"

            @property
            def reason(self) -> Reason:
                unit.settled["shop.Category"] = cast("Any", self)
                return Reason.ROUTED

        unit.settled["shop.Product"] = cast("Any", Beside())
        unit.end(failed=False)
        assert brief() == (1, 0, 1, 0, 0)


class TestTokens:
    def test_whoever_wrote_a_moment_ago_brings_a_token(self, shop: Servers, client: Client) -> None:
        client.get("/test/names/")
        client.get("/test/raw-write-read/")
        assert work().with_token == 0
        client.get("/test/names/")
        assert brief() == (1, 0, 0, 0, 1)

    def test_so_does_one_with_a_token_that_is_not_ours(self, shop: Servers, client: Client) -> None:
        client.cookies[COOKIE] = Signer(key="another").sign_object({})
        client.get("/test/names/")
        assert work().with_token == 1

    def test_one_in_the_header_of_another_service(self, shop: Servers, client: Client, settings: Any) -> None:
        settings.READSHIFT = {**settings.READSHIFT, "TOKEN_HEADER": "X-Token"}
        client.get("/test/names/", headers={"x-token": "text"})
        client.get("/test/names/")
        assert brief() == (2, 0, 0, 0, 1)
