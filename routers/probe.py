"""Asks one server how it stands, on a connection of its own and within a deadline."""

import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import cast

import psycopg
from django.db import connections
from psycopg import pq

from routers.health import Finding
from routers.positions import Position, settle_lsn

CONNECT_TIMEOUT_SECONDS = 2
"""libpq allows no less."""

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
       (extract(epoch FROM statement_timestamp()) * 1000000)::bigint::text
FROM pg_control_system()
"""


# libpq hides the SQLSTATE (57P03) of a refusal. Told in another language, it counts as unreachable, which is as bad.
_CANNOT_CONNECT_NOW = "the database system is "


class ProbeTimeoutError(Exception):
    """The server did not answer in time."""


class Probe:
    """The prober's end of one server. Not for several threads at once."""

    def __init__(self, alias: str, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._alias = alias
        self._timeout = timeout
        self._clock = clock
        self._connection: psycopg.Connection | None = None

    def ask(self) -> Finding:
        """Return what the server says, or why it says nothing. Raises nothing that a server can cause."""
        at = self._clock()
        try:
            connection = self._connection = self._connection or self._connect()
            asked_at = self._clock()
            finding = read_finding(at, self._answer(connection, asked_at + self._timeout))
            return replace(finding, took=self._clock() - asked_at)
        except (psycopg.Error, ProbeTimeoutError, OSError) as error:
            self.close()
            return Finding(
                at,
                error=" ".join(str(error).split()) or type(error).__name__,
                is_silent=isinstance(error, ProbeTimeoutError | psycopg.errors.ConnectionTimeout),
                is_starting=_CANNOT_CONNECT_NOW in str(error),
            )

    def close(self) -> None:
        """Hang up, without a word to a server that may not listen."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                connection.close()

    def _answer(self, connection: psycopg.Connection, deadline: float) -> tuple[str | None, ...]:
        # A client-side deadline: a statement timeout is no help against a server that is stopped or cut off.
        pgconn = connection.pgconn
        pgconn.send_query(QUESTION.encode())
        with selectors.DefaultSelector() as selector:
            selector.register(pgconn.socket, selectors.EVENT_READ)
            while pgconn.is_busy():
                if not selector.select(max(0.0, deadline - self._clock())):
                    raise ProbeTimeoutError(f"no answer within {self._timeout:g} s")
                pgconn.consume_input()
        result = pgconn.get_result()
        while pgconn.get_result() is not None:
            pass
        if result is None or result.status != pq.ExecStatus.TUPLES_OK:
            message = result.error_message if result is not None else pgconn.error_message
            raise psycopg.OperationalError(message.decode(errors="replace"))
        values = (result.get_value(0, column) for column in range(result.nfields))
        return tuple(None if value is None else value.decode() for value in values)

    def _connect(self) -> psycopg.Connection:
        settings = deepcopy(connections[self._alias].settings_dict)
        settings["OPTIONS"].pop("pool", None)
        settings["OPTIONS"]["connect_timeout"] = CONNECT_TIMEOUT_SECONDS
        parameters = type(connections[self._alias])(settings, alias=self._alias).get_connection_params()
        return cast("psycopg.Connection", psycopg.connect(**parameters, autocommit=True))


def read_finding(at: float, answer: Sequence[str | None]) -> Finding:
    """Return what the answer to `QUESTION` says, which was asked at this time."""
    recovery, system, timeline, lsn, receiving, clock = answer
    position = None
    if system is not None and timeline is not None and lsn is not None:
        position = Position(int(system), int(timeline), settle_lsn(int(lsn)))
    return Finding(
        at,
        error="" if position else "the server does not say where it stands",
        is_standby=recovery == "true",
        position=position,
        is_receiving=None if receiving is None else receiving == "true",
        clock=int(clock or 0),
    )
