"""What the tests of connections share: aliases with other options, requests as a server handles them, and backends."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import RequestFactory

from demo.cluster import Server
from demo.waiting import wait_until
from tests.support import Servers

DATABASE = "test_readshift"
ALIASES = ("default", "replica1", "replica2")
NAMES = {"names": ["Assam", "Sencha"]}

_disregarded: set[int] = set()

_BACKENDS = f"datname = '{DATABASE}' AND backend_type = 'client backend'"


@contextmanager
def configured(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Give aliases other options, in all threads, and leave no connection behind that has them."""
    connections.close_all()
    shared = {alias: connections[alias].settings_dict for alias in changes}
    before = {alias: dict(settings) for alias, settings in shared.items()}
    for alias, change in changes.items():
        shared[alias] |= {**change, "OPTIONS": {**shared[alias]["OPTIONS"], **change.get("OPTIONS", {})}}
    try:
        yield
    finally:
        connections.close_all()
        for alias, settings in shared.items():
            if "pool" in settings["OPTIONS"]:
                wrapper: Any = connections[alias]
                wrapper.close_pool()
            settings.clear()
            settings.update(before[alias])


def everywhere(**change: Any) -> dict[str, dict[str, Any]]:
    """Return a change of all aliases for `configured`."""
    return dict.fromkeys(ALIASES, change)


def pool_of(alias: str) -> Any:
    """Return the open pool of an alias that has one."""
    wrapper: Any = connections[alias]
    wrapper.pool.open()
    return wrapper.pool


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def serve(path: str = "/test/names/") -> Any:
    """Handle a request as a server's thread does, which takes and leaves connections, and return what was sent."""
    statuses: list[str] = []

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _: None

    response = _handler()(RequestFactory().get(path).environ, start)
    try:
        body = b"".join(response)
    finally:
        response.close()
    assert statuses == ["200 OK"]
    return json.loads(body)


def backends(server: Server) -> dict[int, str]:
    """Return the server's processes that serve connections to the test database, with their last statement.

    Those of `disregard_open` are left out.
    """
    found: dict[int, str] = dict(server.query(f"SELECT pid, query FROM pg_stat_activity WHERE {_BACKENDS}"))
    return {pid: query for pid, query in found.items() if pid not in _disregarded}


def disregard_open(shop: Servers) -> None:
    """Leave out of all counts what is open now: threads of other tests live on, with connections of their own."""
    _disregarded.clear()
    _disregarded.update(pid for server in shop.cluster.servers for pid in backends(server))


def count_backends(shop: Servers) -> dict[str, int]:
    """Return how many connections to the test database each server has."""
    return {server.name: len(backends(server)) for server in shop.cluster.servers}


def wait_for_backends(server: Server, count: int) -> None:
    """Wait until the server has so many connections: it notices late that one was closed."""
    wait_until(lambda: len(backends(server)) == count, 20, f"{server.name} to have {count} connections")


def end_backends(server: Server) -> int:
    """Have the server end its connections to the test database, and return how many it had."""
    statement = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {_BACKENDS}"
    return len(server.query(statement))


def end_all_on_replicas(shop: Servers) -> None:
    for replica in shop.cluster.replicas:
        end_backends(replica)
