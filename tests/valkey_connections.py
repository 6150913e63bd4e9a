"""Connections to a Valkey end with the test that opened them.

Neither Django's cache nor Celery closes its own before they are collected, and in what order the parts of a connection
are collected is chance: where its socket comes first, Python warns of a socket that nobody closed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.connection import AbstractConnection


@contextmanager
def remembered_connections() -> Iterator[list[AbstractConnection]]:
    """Collect in the list that is given every connection that opens, of whichever thread and pool."""
    opened: list[AbstractConnection] = []
    connect = AbstractConnection.connect_check_health

    def remembered(self: AbstractConnection, *arguments: Any, **options: Any) -> None:
        opened.append(self)
        connect(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(AbstractConnection, "connect_check_health", remembered)
        yield opened


def close(opened: list[AbstractConnection]) -> None:
    """Close what was opened, and forget it. A pool that is used again opens it again."""
    while opened:
        opened.pop().disconnect()
