"""Talks to a server through libpq and never waits for it beyond a deadline of the client's own."""

import selectors
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import capabilities, pq
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult

from routers.captured import CapturedStatement

_CHUNK_ROWS = 256

_ANSWERED = frozenset(
    {
        pq.ExecStatus.EMPTY_QUERY,
        pq.ExecStatus.COMMAND_OK,
        pq.ExecStatus.TUPLES_OK,
        pq.ExecStatus.TUPLES_CHUNK,
        pq.ExecStatus.SINGLE_TUPLE,
    }
)


class DeadlineError(Exception):
    """The server did not answer in time. What was asked on the connection stays open, so it is of no use any more."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long a server has. No timeout of a server that is stopped or cut off helps, so this one is the client's.

    at: when it ends, by `clock`, in seconds. words: what `DeadlineError` says then.
    """

    at: float
    words: str
    clock: Callable[[], float]

    def check(self) -> None:
        """Raise `DeadlineError` if it is over."""
        if self.clock() > self.at:
            raise DeadlineError(self.words)

    def until_ready(self, socket: int, event: int) -> None:
        """Return when the socket can be read from or written to. Raises `DeadlineError`."""
        with selectors.DefaultSelector() as selector:
            selector.register(socket, event)
            if not selector.select(max(0.0, self.at - self.clock())):
                raise DeadlineError(self.words)


def connect(conninfo: str, deadline: Deadline) -> PGconn:
    """Connect with libpq's own steps, because its timeout, and psycopg's, are two seconds at the least.

    Raises `psycopg.OperationalError` and `DeadlineError`.
    """
    connection = pq.PGconn.connect_start(conninfo.encode())
    try:
        _complete(connection, deadline)
    except BaseException:
        connection.finish()
        raise
    return connection


def ask(connection: PGconn, deadline: Deadline, statements: str) -> list[PGresult]:
    """Send statements in one go and return their results, one for each and at least one.

    Raises `psycopg.Error`, with the SQLSTATE if the server gave one, and `DeadlineError`.
    """
    connection.send_query(statements.encode())
    if results := list(_results(connection, deadline)):
        return results
    raise psycopg.OperationalError(connection.get_error_message())


def stream(connection: PGconn, deadline: Deadline, statement: CapturedStatement) -> Generator[PGresult]:
    """Send one statement as it was captured, and yield its rows in text form as they come, some in each result.

    The last result has the columns, and no rows where others had them. The protocol takes no second statement in the
    same text. Raises as `ask` does, also when the server keeps sending beyond the deadline.
    """
    connection.send_query_params(
        statement.query,
        statement.parameters,
        statement.types or None,
        [pq.Format(code) for code in statement.formats] or None,
        pq.Format.TEXT,
    )
    if capabilities.has_stream_chunked():
        connection.set_chunked_rows_mode(_CHUNK_ROWS)
    else:
        connection.set_single_row_mode()
    with closing(_results(connection, deadline)) as results:
        for result in results:
            deadline.check()
            yield result


def _complete(connection: PGconn, deadline: Deadline) -> None:
    while (status := connection.connect_poll()) != pq.PollingStatus.OK:
        if status == pq.PollingStatus.FAILED:
            raise psycopg.OperationalError(connection.get_error_message())
        is_reading = status == pq.PollingStatus.READING
        deadline.until_ready(connection.socket, selectors.EVENT_READ if is_reading else selectors.EVENT_WRITE)
    connection.nonblocking = 1


def _results(connection: PGconn, deadline: Deadline) -> Generator[PGresult]:
    """Yield what the server answers. Its error is raised once all that belongs to the statement has been read."""
    while connection.flush():
        deadline.until_ready(connection.socket, selectors.EVENT_WRITE)
    error: psycopg.Error | None = None
    try:
        while (result := _next(connection, deadline)) is not None:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = error or error_from_result(result)
            elif result.status in _ANSWERED:
                yield result
            else:
                name = pq.ExecStatus(result.status).name
                raise psycopg.NotSupportedError(f"The server answered {name}, which has no rows.")
    except psycopg.Error as lost:
        # A server that ends a connection says why, and the socket breaks afterwards.
        raise (error or lost) from None
    if error is not None:
        raise error


def _next(connection: PGconn, deadline: Deadline) -> PGresult | None:
    while connection.is_busy():
        deadline.until_ready(connection.socket, selectors.EVENT_READ)
        connection.consume_input()
    return connection.get_result()
