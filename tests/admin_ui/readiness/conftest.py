"""Servers that are asked anew in each test."""

from collections.abc import Iterator

import pytest

from routers.inspection import inspector


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    inspector.forget()
    yield
    inspector.forget()
