"""What a streamed body writes is known to the next request, though the headers are gone."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import current_app, shared_task
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from demo.shop.models import Product
from routers.carriers import COOKIE, ERRAND_COOKIE
from routers.middleware import ReadshiftMiddleware
from tests.support import Servers, route
from tests.writes import NEW, save

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def held(shop: Servers) -> Iterator[Servers]:
    """The shop, with a routed page, and replicas that stay as they are now."""
    route("names")
    with shop.held():
        yield shop


def stream(client: Client, body: Any) -> Any:
    """Return the response of a request of this client whose body is this one, as the server gets it."""

    def get_response(_: object) -> HttpResponseBase:
        return StreamingHttpResponse(body)

    response: Any = ReadshiftMiddleware(get_response)(RequestFactory().get("/"))
    client.cookies.update(response.cookies)
    return response


def is_shown(client: Client) -> bool:
    """Say whether this client is shown what was written."""
    return NEW in client.get("/test/names/").json()["names"]


def writing() -> Iterator[str]:
    yield "before"
    save()
    yield "after"


def test_what_a_body_wrote_is_shown_as_soon_as_the_client_has_the_next_part(held: Servers, client: Client) -> None:
    response = stream(client, writing())
    assert response.cookies.keys() == {ERRAND_COOKIE}
    parts = iter(response)
    assert next(parts) == b"before"
    assert not is_shown(client)
    assert next(parts) == b"after"
    assert is_shown(client)
    assert list(parts) == []
    assert is_shown(client)


def test_what_a_body_wrote_last_of_all_is_shown_once_it_has_ended(held: Servers, client: Client) -> None:
    def body() -> Iterator[str]:
        yield "all"
        save()

    assert list(stream(client, body())) == [b"all"]
    assert is_shown(client)


def test_what_a_body_wrote_before_it_was_left_is_shown(held: Servers, client: Client) -> None:
    def body() -> Iterator[str]:
        try:
            yield "first"
            yield "second"
        finally:
            save()

    response = stream(client, body())
    assert next(iter(response)) == b"first"
    response.close()
    assert is_shown(client)


def test_what_an_async_body_wrote_is_shown_as_soon_as_the_client_has_the_next_part(
    held: Servers, client: Client
) -> None:
    async def body() -> AsyncIterator[str]:
        yield "before"
        await Product.objects.filter(slug="assam").aupdate(name=NEW)
        yield "after"

    async def read(parts: AsyncIterator[bytes], count: int) -> list[bytes]:
        return [await anext(parts) for _ in range(count)]

    parts = aiter(stream(client, body()))
    assert async_to_sync(read)(parts, 2) == [b"before", b"after"]
    assert is_shown(client)
    with pytest.raises(StopAsyncIteration):
        async_to_sync(read)(parts, 1)
    assert is_shown(client)


@shared_task(name="tests.streaming.nothing")
def nothing() -> None:
    """Be enqueued, which asks where the primary stands."""


def test_what_a_body_wrote_before_it_enqueued_a_task_is_shown(held: Servers, client: Client) -> None:
    def body() -> Iterator[str]:
        yield "before"
        save()
        nothing.delay()
        yield "after"

    current_app.conf.task_always_eager = False
    try:
        assert list(stream(client, body())) == [b"before", b"after"]
    finally:
        current_app.conf.task_always_eager = True
        with current_app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
            queue.clear()
    assert is_shown(client)


def test_a_transaction_that_spans_parts_is_shown_once_it_has_ended(held: Servers, client: Client) -> None:
    def body() -> Iterator[str]:
        with transaction.atomic():
            save()
            yield "inside"
        yield "outside"

    parts = iter(stream(client, body()))
    next(parts)
    assert connection.in_atomic_block
    next(parts)
    assert is_shown(client)


def test_a_body_that_only_reads_leaves_nothing(shop: Servers, client: Client) -> None:
    route("names")

    def body() -> Iterator[str]:
        yield from Product.objects.values_list("name", flat=True)

    response = stream(client, body())
    with shop.watch() as reads:
        list(response)
        client.get("/test/names/")
    assert (reads.primary, reads.replicas) == (1, 1)
    assert COOKIE not in response.cookies


def test_another_client_does_not_wait_for_what_a_body_wrote(held: Servers, client: Client) -> None:
    list(stream(client, writing()))
    assert not is_shown(Client(headers={"user-agent": "another"}))
