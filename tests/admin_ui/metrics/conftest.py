"""A project that includes the metrics' address and lets programs with a token read them."""

from typing import Any

import pytest

from tests.admin_ui.metrics.support import TOKEN


@pytest.fixture
def exposed(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.admin_ui.metrics.urls"
    settings.READSHIFT = {**settings.READSHIFT, "METRICS_TOKENS": ["o" * 32, TOKEN]}
