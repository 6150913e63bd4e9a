"""When a unit ends, and whether it has failed, as its arms count it: requests, bodies, tasks and commands."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import shared_task
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from demo.shop.models import Product
from routers.arms import arms
from routers.blocks import unit_of_work
from routers.commands import RoutedCommand
from routers.middleware import ReadshiftMiddleware
from tests.routers.arms import brief, gated, gated_model
from tests.support import Servers

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


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
        gated("test_unit_ends")
        call_command(Report())
        with unit_of_work("outer"):
            call_command(Report())
        assert brief("test_unit_ends") == {"replica": (2, 0)}

    def test_a_command_that_fails_counts_as_failed(self, servers: Servers) -> None:
        gated("test_unit_ends")
        servers.settle()
        for outer in (False, True):
            with pytest.raises(ZeroDivisionError):
                run_report(within_unit=outer)
        assert brief("test_unit_ends") == {"replica": (2, 2)}


def run_report(*, within_unit: bool) -> None:
    if within_unit:
        with unit_of_work("outer"):
            call_command(Report())
    else:
        call_command(Report())
