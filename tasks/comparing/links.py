"""A worker's own connection to one server, which nothing that the server does holds up for long."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from threading import Timer

import psycopg
from django.db import Error
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

from rollout.outcomes import ShadowCause
from routers.apart import connection_apart
from routers.captured import CapturedStatement
from routers.connecting import CONNECT_TIMEOUT_SECONDS
from routers.in_flight import Wait
from routers.libpq import Deadline, DeadlineError, ask, stream
from routers.own_work import own_work
from tasks.comparing.read_errors import ReadError, describe

GRACE_SECONDS = 1.0
"""How much longer than it was told a server may take: it may be late to notice."""

_OPEN = frozenset({pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR})


class Link:
    """A connection outside any pool, opened as Django opens the host's own. For one thread.

    Everything raises `ReadError`. Where the server did not answer in time or hung up, the link is broken. is_standby:
    whether errors are those of a server that replays; set by whoever finds out.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.is_standby = False
        self._wrapper = connection_apart(alias, connect_timeout=CONNECT_TIMEOUT_SECONDS)
        self._seconds_to_connect = float(self._wrapper.settings_dict["OPTIONS"]["connect_timeout"])
        self._connection: PGconn | None = None

    def connect(self) -> None:
        """Connect, and set the session up as Django does for the host.

        Django knows no deadline for what it sets up, so a server that hangs meanwhile is cut off at the socket.
        """
        wait = Wait(self._wrapper)
        timer = Timer(self._seconds_to_connect + GRACE_SECONDS, wait.cut)
        timer.daemon = True
        timer.start()
        try:
            with own_work():
                self._wrapper.ensure_connection()
        except Error as error:
            self.close()
            raise self._error(error.__cause__) from None
        finally:
            timer.cancel()
        self._connection = self._wrapper.connection.pgconn

    @property
    def version(self) -> int:
        """The server's version as libpq tells it; 0 when the link is broken."""
        return self._connection.server_version if self._connection is not None else 0

    @property
    def is_broken(self) -> bool:
        """Whether nothing more can be asked here."""
        return self._connection is None

    def close(self) -> None:
        """Hang up, without a word to a server that may not listen."""
        self._connection = None
        with suppress(Error, OSError):
            self._wrapper.close()

    def ask(self, statements: str, deadline: Deadline) -> list[PGresult]:
        """Send statements in one go, and return their results."""
        with self._telling() as connection:
            return ask(connection, deadline, statements)

    def stream(self, statement: CapturedStatement, deadline: Deadline) -> Generator[PGresult]:
        """Send what was captured, as it was, and yield its rows as they come. The last result has the columns."""
        with self._telling() as connection:
            yield from stream(connection, deadline, statement)

    def literal(self, text: str) -> str:
        """Return a literal for statements that are put together."""
        with self._telling() as connection:
            return pq.Escaping(connection).escape_literal(text.encode()).decode()

    def roll_back(self, deadline: Deadline) -> None:
        """End the transaction, if there is one, so that the link is as it was; or break it. Raises nothing."""
        if (connection := self._connection) is None or connection.transaction_status == pq.TransactionStatus.IDLE:
            return
        if connection.transaction_status not in _OPEN:
            self.close()
            return
        try:
            ask(connection, deadline, "ROLLBACK")
        except (psycopg.Error, DeadlineError):
            self.close()

    @contextmanager
    def _telling(self) -> Iterator[PGconn]:
        if (connection := self._connection) is None:
            raise ReadError(self.alias, ShadowCause.UNREACHABLE, "the connection is broken")
        try:
            yield connection
        except DeadlineError as error:
            self.close()
            raise ReadError(self.alias, ShadowCause.TIMEOUT, str(error)) from None
        except psycopg.Error as error:
            if connection.status != pq.ConnStatus.OK:
                self.close()
            raise self._error(error) from None

    def _error(self, error: BaseException | None) -> ReadError:
        if isinstance(error, psycopg.Error):
            return ReadError(self.alias, *describe(error, is_standby=self.is_standby))
        return ReadError(self.alias, ShadowCause.UNREACHABLE, type(error).__name__)
