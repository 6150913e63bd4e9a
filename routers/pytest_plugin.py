"""Fixtures for pytest. Name this module in your `conftest.py`: `pytest_plugins = ["routers.pytest_plugin"]`.

Nothing of Django is imported before a test asks for it: pytest loads plugins before the settings are known.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routers.overriding import Read
    from routers.testing import override_routing


@pytest.fixture
def readshift_routing() -> "type[override_routing]":
    """`override_routing`, without an import: `with readshift_routing("shop:product-list"): ...`."""
    from routers.testing import override_routing  # noqa: PLC0415 - see above

    return override_routing


@pytest.fixture
def readshift_reads() -> "Iterator[list[Read]]":
    """Every answer of the router during the test, in its order."""
    from routers.testing import record_reads  # noqa: PLC0415 - see above

    with record_reads() as reads:
        yield reads
