"""A project that includes the metrics' address and lets programs with a token read them."""

import shutil
from typing import Any

import pytest

from tests.admin_ui.metrics.support import TOKEN


@pytest.fixture
def exposed(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.admin_ui.metrics.urls"
    settings.READSHIFT = {**settings.READSHIFT, "METRICS_TOKENS": ["o" * 32, TOKEN]}


@pytest.fixture
def promtool() -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("This machine has no promtool. Debian's package prometheus brings it.")
    return program
