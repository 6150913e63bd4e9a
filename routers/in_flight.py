"""Reads that wait for a replica right now, so that those which wait in vain can be cut off and asked elsewhere."""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Error

from routers.departures import Seat, departures


@dataclass(slots=True, eq=False)
class Wait:
    """A thread that waits for a server while it is in this block.

    among: those that wait for the same server. is_cut: whether it was cut off, so that the error is of our own making.
    """

    connection: BaseDatabaseWrapper
    among: set["Wait"] = field(default_factory=set)
    is_cut: bool = False

    def __enter__(self) -> Self:
        self.among.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.among.discard(self)

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
    """What this process waits for, by alias. Each step is a set's or a dictionary's single one, which needs no lock."""

    def __init__(self) -> None:
        self._waits: dict[str, set[Wait]] = {}

    def wait(self, connection: BaseDatabaseWrapper) -> Wait:
        """Return a block; what it waits for on a connection can be cut off, and one that is made within it."""
        return Wait(connection, self._waits.setdefault(connection.alias, set()))

    def cut(self, alias: str) -> int:
        """Cut off whatever waits for this server, and return how much did. The driver raises an error in each."""
        waits = self._waits.get(alias, set()).copy()
        for wait in waits:
            wait.cut()
        return sum(wait.is_cut for wait in waits) + sum(_cut(seat, alias) for seat in departures.seats())

    def after_fork(self) -> None:
        """Begin anew in a child: what waited in the parent waits there."""
        self._waits = {}


def _cut(seat: Seat, alias: str) -> bool:
    """Cut off the thread of this seat, if it waits for this server, and say whether that was done."""
    connection = seat.connection
    if connection is None or connection.alias != alias:
        return False
    wait = Wait(connection)
    wait.cut()
    seat.is_cut = wait.is_cut
    return wait.is_cut


in_flight = InFlight()
"""What this process waits for."""
