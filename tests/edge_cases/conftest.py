"""The shop with a function that writes, and with replicas that have fallen behind."""

from collections.abc import Iterator

import pytest

from tests.routers.conftest import selling
from tests.support import Servers

__all__ = ["selling"]


@pytest.fixture
def behind(shop: Servers) -> Iterator[Servers]:
    """The shop with replicas that stay as they are now, whatever the primary does."""
    for replica in shop.cluster.replicas:
        replica.pause_replay()
    yield shop
    for replica in shop.cluster.replicas:
        replica.resume_replay()
