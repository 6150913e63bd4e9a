"""Reads that wait for a replica right now, so that those which wait in vain can be cut off and asked elsewhere."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Error


@dataclass(slots=True, eq=False)
class Wait:
    """A thread that waits for a server. is_cut: whether it was cut off, so that the error is of our own making."""

    connection: BaseDatabaseWrapper
    is_cut: bool = False

    def cut(self) -> None:
        """Shut the connection's socket down, which ends the wait of the thread that it belongs to."""
        pgconn = getattr(self.connection.connection, "pgconn", None)
        # An error means: broken or closed meanwhile, so that nobody waits there any more.
        with suppress(Error, OSError):
            if pgconn is None:
                return
            copy = os.dup(pgconn.socket)
            try:
                # Its own thread may close it at any time, and its number may go to another file then. What is still
                # open here was open all the time.
                if pgconn.socket >= 0:
                    self.is_cut = True
                    with socket.socket(fileno=os.dup(copy)) as file:
                        file.shutdown(socket.SHUT_RDWR)
            finally:
                os.close(copy)


class InFlight:
    """What this process waits for, by alias."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: dict[str, set[Wait]] = {}

    @contextmanager
    def wait(self, connection: BaseDatabaseWrapper) -> Iterator[Wait]:
        """Let whatever this block waits for on a connection be cut off, one that is made within the block included."""
        wait = Wait(connection)
        with self._lock:
            waits = self._waits.setdefault(connection.alias, set())
            waits.add(wait)
        try:
            yield wait
        finally:
            with self._lock:
                waits.discard(wait)

    def cut(self, alias: str) -> int:
        """Cut off whatever waits for this server, and return how much did. The driver raises an error in each."""
        with self._lock:
            waits = tuple(self._waits.get(alias, ()))
        for wait in waits:
            wait.cut()
        return sum(wait.is_cut for wait in waits)

    def after_fork(self) -> None:
        """Begin anew in a child: what waited in the parent waits there."""
        self._lock = threading.Lock()
        self._waits = {}


in_flight = InFlight()
"""What this process waits for."""
