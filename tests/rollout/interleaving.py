"""Runs things at the same time, in an order that the test chooses, and lets servers lose clients in between."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, get_ident
from typing import Any, TypeVar

from django.db import connection, connections

from demo.waiting import wait_until

Answer = TypeVar("Answer")

TIMEOUT_SECONDS = 30


class CrashError(Exception):
    """What a process would not live to see: its connection was gone in the middle of its work."""


@dataclass
class Sessions:
    """Two threads, each with its own connection to the primary."""

    pool: ThreadPoolExecutor

    def crash(self, deed: Callable[[], Answer], statement: int) -> Answer:
        """Run the deed in a process that dies before this statement of its, counted from 0.

        Raises CrashError then, and returns what the deed returns if it has fewer statements.
        """
        return self.pool.submit(_dying, deed, statement).result(TIMEOUT_SECONDS)

    def interleave(
        self, first: Callable[[], Answer], second: Callable[[], Answer], statement: int
    ) -> tuple[Answer, Answer]:
        """Hold the first before this statement of its until the second is done, or waits for what the first has locked.

        Returns what both return.
        """
        reached, released = Event(), Event()

        def wait() -> None:
            reached.set()
            released.wait(TIMEOUT_SECONDS)

        def held() -> Answer:
            with _before(statement, wait):
                return first()

        one = self.pool.submit(held)
        wait_until(lambda: reached.is_set() or one.done(), TIMEOUT_SECONDS, "the first to come so far")
        other = self.pool.submit(second)
        try:
            wait_until(lambda: other.done() or _somebody_waits(), TIMEOUT_SECONDS, "the second to end or to wait")
        finally:
            released.set()
        return one.result(TIMEOUT_SECONDS), other.result(TIMEOUT_SECONDS)


@contextmanager
def sessions() -> Iterator[Sessions]:
    """Close the connections of both threads when the block ends."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield Sessions(pool)
        closed: set[int] = set()

        def close() -> int:
            connections.close_all()
            closed.add(get_ident())
            # Each thread takes one of the two, because neither ends before both have begun.
            wait_until(lambda: len(closed) == len(pool._threads), TIMEOUT_SECONDS, "both threads")
            return get_ident()

        for done in [pool.submit(close) for _ in pool._threads]:
            done.result(TIMEOUT_SECONDS)


def _dying(deed: Callable[[], Answer], statement: int) -> Answer:
    crashed = Event()

    def die() -> None:
        crashed.set()
        connection.connection.close()

    try:
        with _before(statement, die):
            return deed()
    except Exception as error:
        if crashed.is_set():
            raise CrashError from error
        raise
    finally:
        if crashed.is_set():
            connection.close()


@contextmanager
def _before(statement: int, happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen before this statement of the present thread's connection, counted from 0."""
    seen = 0

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == statement + 1:
            happens()
        return execute(*args)

    with connection.execute_wrapper(count):
        yield


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
