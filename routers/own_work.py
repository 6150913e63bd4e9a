"""Readshift's own work: queries that nobody counts, guards or watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_own_work: ContextVar[bool] = ContextVar("readshift_own_work", default=False)


@contextmanager
def own_work() -> Iterator[None]:
    """Leave the queries of this block out of the counts: they are Readshift's own."""
    token = _own_work.set(True)
    try:
        yield
    finally:
        _own_work.reset(token)


def is_own_work() -> bool:
    """Say whether this code runs on Readshift's own behalf."""
    return _own_work.get()
