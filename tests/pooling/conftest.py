"""The shop with an endpoint that is routed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from benchmarks.pgbouncer import find_pgbouncer, pgbouncers
from tests.pooling.support import ALIASES, DATABASE, configured, disregard_open
from tests.support import Servers, route


@pytest.fixture
def routed(shop: Servers) -> Iterator[Servers]:
    """The shop whose `names` every visitor reads from a replica. It begins and ends without connections that count."""
    route("names")
    shop.settle()
    connections.close_all()
    disregard_open(shop)
    yield shop
    connections.close_all()


@pytest.fixture
def pgbouncer() -> Path:
    program = find_pgbouncer()
    if program is None:
        pytest.skip("This machine has no pgbouncer. Debian's package of that name brings it.")
    return program


@pytest.fixture
def bounced(request: pytest.FixtureRequest, routed: Servers, pgbouncer: Path) -> Iterator[dict[str, int]]:
    """A PgBouncer in front of each server, all aliases leading there, and its port by the name of the server.

    A parameter adds to its configuration.
    """
    with pgbouncers(pgbouncer, routed.cluster.servers, DATABASE, getattr(request, "param", {})) as ports:
        changes = {
            alias: {"PORT": ports["primary" if alias == "default" else alias], "DISABLE_SERVER_SIDE_CURSORS": True}
            for alias in ALIASES
        }
        with configured(changes):
            yield ports
