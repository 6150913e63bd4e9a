"""The work that a view hands on to a worker."""

from typing import Any

from celery import shared_task

from benchmarks.consistency.app import registers


@shared_task(name="consistency.write")
def write(key: str) -> int:
    """Write a register on behalf of whoever enqueued this."""
    return registers.increment(key)


@shared_task(name="consistency.read")
def read(key: str) -> list[dict[str, Any]]:
    """Read a register on behalf of whoever enqueued this."""
    return [registers.read(key)]
