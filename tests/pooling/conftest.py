"""The shop of the read path's tests, with an endpoint that is routed."""

from collections.abc import Iterator

import pytest
from django.db import connections

from tests.routers.conftest import shop
from tests.support import Servers, route

__all__ = ["shop"]


@pytest.fixture
def routed(shop: Servers) -> Iterator[Servers]:
    """The shop whose `names` every visitor reads from a replica. It begins and ends without connections."""
    route("names")
    shop.settle()
    connections.close_all()
    yield shop
    connections.close_all()
