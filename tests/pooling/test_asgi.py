"""Requests as an ASGI server handles them: each with a thread of its own for what must not wait on the event loop."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

from routers.agent import agent
from tests.pooling.support import NAMES, configured, count_backends, everywhere, wait_for_backends
from tests.support import Servers, route

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

REQUESTS = 12


async def serve(application: ASGIHandler, path: str) -> Any:
    """Handle a request as a server does, and return what was sent."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
    }
    client = ApplicationCommunicator(application, scope)
    await client.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await client.receive_output(timeout=60)
    assert start["status"] == 200
    body, is_complete = b"", False
    while not is_complete:
        part = await client.receive_output(timeout=60)
        body += part["body"]
        is_complete = not part.get("more_body")
    await client.wait(timeout=60)
    return json.loads(body)


@pytest.mark.parametrize("path", ["/test/names-async/", "/test/names/"])
@pytest.mark.parametrize(
    ("options", "most"),
    [({"CONN_MAX_AGE": 0}, 0), ({"OPTIONS": {"pool": {"min_size": 0, "max_size": 2, "timeout": 60}}}, 2)],
    ids=["closed", "pooled"],
)
def test_requests_at_the_same_time_read_from_replicas_and_leave_no_connection(
    routed: Servers, path: str, options: dict[str, Any], most: int
) -> None:
    route("names-async")
    agent.reload()
    connections.close_all()

    async def visit() -> list[Any]:
        application = ASGIHandler()
        return await asyncio.gather(*(serve(application, path) for _ in range(REQUESTS)))

    with configured(everywhere(**options)), routed.watch() as reads:
        assert asyncio.run(visit()) == [NAMES] * REQUESTS
        if most == 0:
            for server in routed.cluster.servers:
                wait_for_backends(server, 0)
        kept = count_backends(routed)
    assert max(kept.values()) <= most
    assert (reads.primary, reads.replicas) == (0, REQUESTS)
    for server in routed.cluster.servers:
        wait_for_backends(server, 0)
