"""Fixtures for pytest. Name this module in your `conftest.py`: `pytest_plugins = ["routers.pytest_plugin"]`."""

from collections.abc import Iterator

import pytest

from routers.overriding import Read
from routers.testing import override_routing, record_reads


@pytest.fixture
def readshift_routing() -> type[override_routing]:
    """`override_routing`, without an import: `with readshift_routing("shop:product-list"): ...`."""
    return override_routing


@pytest.fixture
def readshift_reads() -> Iterator[list[Read]]:
    """Every answer of the router during the test, in its order."""
    with record_reads() as reads:
        yield reads
