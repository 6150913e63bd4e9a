"""E24: bodies that are streamed after the middleware has returned."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import router
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, RequestFactory

from demo.shop.models import Product
from rollout.models import TargetKind
from routers.blocks import use_replica
from routers.carriers import COOKIE
from routers.current import current_block, current_unit
from routers.middleware import ReadshiftMiddleware
from tests import urls
from tests.edge_cases.support import atomic_requests
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

KINDS = {"generator": 2, "iterator": 2, "expression": 1}
"""Bodies, and how many statements each of them sends."""


def passed_through_middleware(response: HttpResponseBase) -> Any:
    """Return a response as the middleware hands it on."""
    return ReadshiftMiddleware(lambda _: response)(RequestFactory().get("/"))


def passed_through(kind: str) -> Any:
    return passed_through_middleware(urls.streamed(RequestFactory().get("/"), kind))


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("kind", KINDS)
def test_e24_a_streamed_body_reads_from_the_replica_of_its_request(shop: Servers, client: Client, kind: str) -> None:
    route("streamed")
    with shop.watch() as reads:
        assert sorted(body_of(client.get(f"/test/streamed/{kind}/"))) == sorted(b"AssamSencha")
    assert sorted(reads.by_server.values()) == [0, 0, KINDS[kind]]
    assert reads.primary == 0
    assert current_unit() is None


@pytest.mark.parametrize("kind", KINDS)
def test_e24_without_a_rule_a_streamed_body_reads_from_the_primary(shop: Servers, client: Client, kind: str) -> None:
    with shop.watch() as reads:
        body_of(client.get(f"/test/streamed/{kind}/"))
    assert (reads.primary, reads.replicas) == (KINDS[kind], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_e24_a_real_server_streams_from_the_replica(shop: Servers, live_server, kind: str) -> None:
    route("streamed")
    with shop.watch() as reads, urllib.request.urlopen(f"{live_server.url}/test/streamed/{kind}/") as answer:  # noqa: S310 - our own server
        assert sorted(answer.read()) == sorted(b"AssamSencha")
    assert (reads.primary, reads.replicas) == (0, KINDS[kind])


def test_e24_an_async_body_reads_from_the_replica_of_its_request(shop: Servers) -> None:
    route("streamed-async")

    async def read() -> bytes:
        response: Any = await AsyncClient().get("/test/streamed-async/async/")
        body = b""
        async for part in response.streaming_content:
            assert current_unit() is None
            body += part
        return body

    with shop.watch() as reads:
        assert async_to_sync(read)() == b"AssamSencha"
    assert (reads.primary, reads.replicas) == (0, 2)


def test_e24_an_async_body_under_a_sync_server_reads_from_the_replica_too(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    response = passed_through("async")
    with shop.watch() as reads, pytest.warns(Warning, match="asynchronous iterators"):
        assert b"".join(response) == b"AssamSencha"
    assert (reads.primary, reads.replicas) == (0, 2)


def test_e24_a_sync_body_under_an_async_server_reads_from_the_replica_too(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    response = passed_through("generator")

    async def read() -> list[bytes]:
        return [part async for part in response]

    with shop.watch() as reads, pytest.warns(Warning, match="synchronous iterators"):
        assert async_to_sync(read)() == [b"Assam", b"Sencha"]
    assert (reads.primary, reads.replicas) == (0, 2)


def test_e24_between_two_parts_nothing_of_the_body_is_left_to_whoever_iterates(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    parts = iter(passed_through("blocks"))
    with shop.watch() as reads:
        for _ in range(2):
            next(parts)
            assert (current_unit(), current_block()) == (None, None)
            assert router.db_for_read(Product) == "default"
    assert (reads.primary, reads.replicas) == (2, 0)
    with shop.watch() as reads:
        assert len(list(parts)) == 2
    # The block has ended, and the rest is the rule's again.
    assert (reads.primary, reads.replicas) == (0, 2)


def test_e24_two_bodies_side_by_side_keep_apart(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    blocks, plain = iter(passed_through("blocks")), iter(passed_through("generator"))
    with shop.watch() as reads:
        assert [next(body) for body in (blocks, plain, blocks, plain)] == [b"Assam", b"Assam", b"Sencha", b"Sencha"]
    assert (reads.primary, reads.replicas) == (2, 2)


def test_e24_a_body_that_writes_reads_from_the_primary_afterwards_and_sets_no_cookie_any_more(
    shop: Servers, client: Client
) -> None:
    route("streamed")
    response = client.get("/test/streamed/writing/")
    with shop.watch() as reads:
        body_of(response)
    assert (reads.primary, reads.replicas) == (1, 1)
    assert COOKIE not in response.cookies


def test_e24_a_transaction_of_the_body_keeps_its_reads_on_the_primary_with_atomic_requests_too(
    shop: Servers, client: Client
) -> None:
    route("streamed")
    with atomic_requests(), shop.watch() as reads:
        body_of(client.get("/test/streamed/transaction/"))
    assert (reads.primary, reads.replicas) == (1, 0)


def test_e24_closing_a_body_half_way_ends_it_within_the_unit(shop: Servers) -> None:
    route("shop.Product", kind=TargetKind.MODEL)
    response = passed_through("ending")
    with shop.watch() as reads:
        assert next(iter(response)) == b"first"
        response.close()
    assert (reads.primary, reads.replicas) == (0, 1)
    assert response.closed
    assert current_unit() is None


def test_e24_closing_a_body_within_a_block_leaves_nothing_behind(shop: Servers) -> None:
    response = passed_through("blocks")
    next(iter(response))
    with use_replica():
        block = current_block()
        response.close()
        assert current_block() is block


def test_e24_an_error_in_a_body_reaches_the_server_and_leaves_nothing_behind(shop: Servers) -> None:
    def body() -> Iterator[str]:
        yield "first"
        raise ZeroDivisionError

    parts = iter(passed_through_middleware(StreamingHttpResponse(body())))
    next(parts)
    with pytest.raises(ZeroDivisionError):
        next(parts)
    assert current_unit() is None


def test_e24_a_response_that_sends_a_file_is_left_to_the_server(shop: Servers, client: Client, live_server) -> None:
    content = Path(urls.__file__).read_bytes()
    response = passed_through_middleware(urls.this_file(RequestFactory().get("/")))
    assert response.file_to_stream.name == urls.__file__
    response.close()
    assert body_of(client.get("/test/this-file/")) == content
    with urllib.request.urlopen(f"{live_server.url}/test/this-file/") as answer:  # noqa: S310 - our own server
        assert answer.read() == content
