"""Reads that wait for a replica right now, so that those which wait in vain can be cut off and asked elsewhere."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db.backends.base.base import BaseDatabaseWrapper


class InFlight:
    """The sockets that this process waits on, by alias."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: dict[str, set[int]] = {}

    @contextmanager
    def wait(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Let what this block waits for on an open connection be cut off. A connection that is closed has no socket."""
        if (original := _socket_of(connection)) is None:
            yield
            return
        # A socket of our own: the driver may close its one at any time, and another file may get its number then.
        own = os.dup(original)
        sockets = self._sockets.setdefault(connection.alias, set())
        with self._lock:
            sockets.add(own)
        try:
            yield
        finally:
            with self._lock:
                sockets.discard(own)
                os.close(own)

    def cut(self, alias: str) -> int:
        """Cut off whatever waits for this server, and return how many did. The driver raises an error in each."""
        with self._lock:
            waiting = tuple(self._sockets.get(alias, ()))
            for number in waiting:
                # The other end of a dead connection may have closed it already.
                with suppress(OSError), socket.socket(fileno=os.dup(number)) as file:
                    file.shutdown(socket.SHUT_RDWR)
        return len(waiting)

    def after_fork(self) -> None:
        """Begin anew in a child: what waited in the parent waits there."""
        self._lock = threading.Lock()
        self._sockets = {}


def _socket_of(connection: BaseDatabaseWrapper) -> int | None:
    """Return the socket of a connection of psycopg's; None where there is none, or for another driver."""
    pgconn = getattr(connection.connection, "pgconn", None)
    # libpq has no socket, and says so with an error, once a connection is broken.
    with suppress(Exception):
        return int(pgconn.socket) if pgconn is not None else None
    return None


in_flight = InFlight()
"""What this process waits for."""
