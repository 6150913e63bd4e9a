"""Asks one server how it stands, on a connection of its own and within a deadline."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn

from routers.apart import connection_apart
from routers.health import Finding
from routers.libpq import Deadline, DeadlineError, ask, connect
from routers.positions import Position, settle_lsn

logger = logging.getLogger("readshift")

# The clock is that of the arrival of the statement, and so earlier than the position.
# The timeline of a standby is the one it receives; its last checkpoint's, when nothing is received or when the role may
# not see the receiver (pg_monitor may). Positions are compared only on equal timelines, so an older one is safe.
QUESTION = """
SELECT pg_is_in_recovery()::text,
       system_identifier::text,
       CASE WHEN pg_is_in_recovery()
            THEN greatest((SELECT max(received_tli) FROM pg_stat_wal_receiver),
                          (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
       END::text,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0')::text,
       CASE WHEN pg_is_in_recovery() THEN EXISTS (SELECT FROM pg_stat_wal_receiver) END::text,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() - '0/0' END::text,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() - '0/0' END::text,
       (extract(epoch FROM statement_timestamp()) * 1000000)::bigint::text
FROM pg_control_system()
"""

# Any commit flushes what was written before it. This one waits for no standby, whatever the host has set.
FLUSH = """
SELECT pg_logical_emit_message(true, 'readshift', '') FROM set_config('synchronous_commit', 'local', true)
"""


# What Django passes to psycopg besides the parameters of libpq.
_NOT_OF_LIBPQ = frozenset({"context", "cursor_factory", "prepare_threshold", "row_factory", "autocommit"})

# libpq hides the SQLSTATE (57P03) of a refusal. Told in another language, it counts as unreachable, which is as bad.
_CANNOT_CONNECT_NOW = "the database system is "


class Probe:
    """The prober's end of one server. Not for several threads at once."""

    def __init__(self, alias: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._alias = alias
        self._clock = clock
        self._connection: PGconn | None = None

    def ask(self, timeout: float) -> Finding:
        """Return what the server says within so many seconds, connecting included, or why it says nothing.

        Raises nothing that a server can cause.
        """
        at = asked_at = self._clock()
        deadline = Deadline(at + timeout, f"no answer within {timeout:g} s", self._clock)
        try:
            connection = self._connection = self._connection or connect_to(self._alias, deadline)
            asked_at = self._clock()
            return replace(read_finding(at, _answer(connection, deadline)), took=self._clock() - asked_at)
        except (psycopg.Error, DeadlineError, OSError) as error:
            self.close()
            return Finding(
                at,
                error=" ".join(str(error).split()) or type(error).__name__,
                is_silent=isinstance(error, DeadlineError),
                is_starting=_CANNOT_CONNECT_NOW in str(error),
                took=self._clock() - at,
            )

    def flush(self, timeout: float) -> None:
        """Have a primary write out what no commit has written out yet, so that its replicas receive it.

        A SELECT can leave some behind when it tidies a page, and then an idle primary stands for many seconds where no
        replica can get to. Raises nothing: a role that may not do it leaves things as they are.
        """
        if (connection := self._connection) is None:
            return
        try:
            _answer(connection, Deadline(self._clock() + timeout, "no answer", self._clock), FLUSH)
        except (psycopg.Error, DeadlineError, OSError) as error:
            logger.debug("%r did not write out its log: %s", self._alias, error)
            self.close()

    def close(self) -> None:
        """Hang up, without a word to a server that may not listen."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                connection.finish()


def ask_once(alias: str, statement: str, timeout: float) -> tuple[str | None, ...]:
    """Return the first row of one server's answer within so many seconds, on a connection of its own.

    Raises `psycopg.Error`, `DeadlineError` or `OSError` without one.
    """
    deadline = Deadline(time.monotonic() + timeout, f"no answer within {timeout:g} s", time.monotonic)
    connection = connect_to(alias, deadline)
    try:
        return _answer(connection, deadline, statement)
    finally:
        connection.finish()


def connect_to(alias: str, deadline: Deadline) -> PGconn:
    """Connect to the server of an alias as the host's code does, and apart from it. Raises as `libpq.connect` does."""
    try:
        parameters = connection_apart(alias).get_connection_params()
    except ImproperlyConfigured as error:
        raise psycopg.OperationalError(str(error)) from error
    conninfo = make_conninfo(**{name: value for name, value in parameters.items() if name not in _NOT_OF_LIBPQ})
    return connect(conninfo, deadline)


def _answer(connection: PGconn, deadline: Deadline, statement: str = QUESTION) -> tuple[str | None, ...]:
    result = ask(connection, deadline, statement)[-1]
    if not result.ntuples:
        # A pooler that has lost count gives one client the answer to what another has asked.
        raise psycopg.DataError("the answer has no rows, so it is that to another question")
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in values)


def read_finding(at: float, answer: Sequence[str | None]) -> Finding:
    """Return what the answer to `QUESTION` says, which was asked at this time."""
    recovery, system, timeline, lsn, receiving, received, flushed, clock = answer
    position = None
    if system is not None and timeline is not None and lsn is not None:
        position = Position(int(system), int(timeline), settle_lsn(int(lsn)))
    return Finding(
        at,
        error="" if position else "the server does not say where it stands",
        is_standby=recovery == "true",
        position=position,
        is_receiving=None if receiving is None else receiving == "true",
        received=None if received is None else int(received),
        unflushed=max(0, position.lsn - int(flushed)) if position is not None and flushed is not None else 0,
        clock=int(clock or 0),
    )
