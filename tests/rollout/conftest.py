"""What the tests of `rollout` share: a listener, threads with connections of their own, and no deadline per example."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import settings

from rollout.models.revision import CHANNEL
from tests.rollout.support import Listener, Worker

settings.register_profile("readshift", deadline=None)
settings.load_profile("readshift")


@pytest.fixture
def listener(transactional_db: None) -> Iterator[Listener]:
    """Another client of the primary, which hears what is announced from here on."""
    with psycopg.connect(**_address(), autocommit=True) as client:
        client.execute(f"LISTEN {CHANNEL}")
        yield Listener(client)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """A second thread, whose connections are closed when the test ends."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield Worker(pool)


def _address() -> dict[str, Any]:
    settings_dict = connection.settings_dict
    return {
        "host": settings_dict["HOST"],
        "port": settings_dict["PORT"],
        "user": settings_dict["USER"],
        "dbname": settings_dict["NAME"],
    }
