"""Server-side cursors on replicas: their first rows may come from another server, the rest cannot."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

from routers.in_flight import Wait, in_flight

Replay = Callable[[Exception, Wait], Any]


class PortalCursor:
    """Stands between Django's cursor and psycopg's `ServerCursor` on a replica, in the same thread as both.

    The statement was run when the cursor was declared, but its rows are fetched later, when the server may be gone.
    Until the first of them was delivered, another server can answer in its place; afterwards it would repeat or skip
    some. `replay` is given the error, makes `waiting` Django's cursor on that other server, or raises the error.
    """

    def __init__(self, cursor: Any, connection: BaseDatabaseWrapper, waiting: Any, replay: Replay) -> None:
        self._cursor = cursor
        self._connection = connection
        self._waiting = waiting
        self._replay = replay
        self._has_begun = False

    def fetchone(self) -> Any:
        return self._fetch("fetchone")

    def fetchmany(self, *size: int) -> Any:
        return self._fetch("fetchmany", *size)

    def fetchall(self) -> Any:
        return self._fetch("fetchall")

    def __iter__(self) -> Iterator[Any]:
        while rows := self.fetchmany(self._cursor.itersize):
            yield from rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def _fetch(self, how: str, *size: int) -> Any:
        with in_flight.wait(self._connection) as wait:
            try:
                with self._connection.wrap_database_errors:
                    rows = getattr(self._cursor, how)(*size)
            except Error as error:
                if self._has_begun:
                    raise
                self._replay(error, wait)
                # Whoever holds on to this one goes on with the other.
                self._cursor = self._waiting.cursor
                rows = getattr(self._cursor, how)(*size)
        self._has_begun = True
        return rows
